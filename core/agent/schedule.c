/* Schedules; see schedule.h. */
#include "agent/schedule.h"

#include <openssl/sha.h>
#include <string.h>

#define DAY              86400
#define SHORT_LIVED      ((int64_t)10 * DAY)
#define RETRY_AT_LEAST   900  /* five failed validations an hour is what CAs allow */
#define RETRY_EXPIRED    3600 /* a site that is down by its certificate is tried hourly */
#define REFUSALS_MOST    3
#define RETRY_AFTER_MOST ((int64_t)7 * DAY)
#define FAILED_FOR       ((int64_t)30 * DAY) /* a ladder is remembered after its last failure */
#define CLEARED_FOR      DAY                 /* .. and after it was cleared */

uint32_t hc_schedule_share(const unsigned char line[HC_ID_SIZE], const char *serial)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char input[HC_ID_SIZE + 128];
    size_t len = strnlen(serial, sizeof(input) - HC_ID_SIZE);

    memcpy(input, line, HC_ID_SIZE);
    memcpy(input + HC_ID_SIZE, serial, len);
    (void)SHA256(input, HC_ID_SIZE + len, digest);
    return (uint32_t)digest[0] << 8 | digest[1];
}

int64_t hc_schedule_renew_at(int64_t not_before, int64_t not_after, uint32_t share)
{
    int64_t life = not_after - not_before;
    int64_t margin = life < SHORT_LIVED ? life / 2 : life / 3;

    if (life <= 0) {
        return not_before;
    }
    /* up to a tenth of the margin earlier: many certificates of one day are not renewed at once */
    return not_after - margin - margin / 10 * share / HC_SHARE_MAX;
}

int64_t hc_schedule_renew_by_window(int64_t not_before, int64_t not_after, int64_t committed,
                                    int64_t at)
{
    int64_t life = not_after - not_before;
    int64_t latest = not_after - (life < SHORT_LIVED ? life * 2 / 5 : life / 4);
    int64_t floor = committed + (life / 10 < DAY ? life / 10 : DAY);

    if (life <= 0) {
        return not_before;
    }
    at = at > floor ? at : floor;
    return at < latest ? at : latest;
}

int64_t hc_schedule_retry(unsigned failures, int64_t now, int64_t not_after)
{
    static const int64_t steps[] = {60, 600, 6000, DAY};
    size_t step = failures == 0 ? 0 : failures - 1;
    int64_t delay = steps[step < HC_COUNT(steps) ? step : HC_COUNT(steps) - 1];
    int64_t most = DAY;

    if (not_after > now) {
        most = (not_after - now) / 10;
        most = most < RETRY_AT_LEAST ? RETRY_AT_LEAST : most;
    } else if (not_after > 0) {
        most = RETRY_EXPIRED;
    }
    return delay < most ? delay : most;
}

enum hc_clock_verdict hc_schedule_clock(int64_t now, const struct hc_clock_signs *signs)
{
    if (signs->confirmed) {
        return HC_CLOCK_RIGHT;
    }
    if (now < signs->built - DAY) {
        return HC_CLOCK_BEFORE_BUILD;
    }
    if (now < signs->good - HC_CLOCK_SLACK) {
        return HC_CLOCK_BEFORE_GOOD;
    }
    return now < signs->issuers - HC_CLOCK_SLACK ? HC_CLOCK_BEFORE_ISSUERS : HC_CLOCK_RIGHT;
}

int64_t hc_schedule_patience(int64_t now, int64_t not_after)
{
    int64_t third = 0;

    if (not_after <= now) {
        return 600;
    }
    third = (not_after - now) / 3;
    return third < 3600 ? third : 3600;
}

static bool is_in_question(const struct hc_issuer_standing *standing, int64_t now, int64_t patience)
{
    bool down = standing->failing_since > 0 && now - standing->failing_since > patience;

    return !down && standing->next - now <= patience;
}

static size_t soonest(const struct hc_issuer_standing *standings, size_t count, int64_t now)
{
    size_t found = 0;

    for (size_t i = 1; i < count; i++) {
        if (standings[found].next > now && standings[i].next < standings[found].next) {
            found = i;
        }
    }
    return found;
}

size_t hc_schedule_issuer(const struct hc_issuer_standing *standings, size_t count, int64_t now,
                          int64_t not_after)
{
    int64_t patience = hc_schedule_patience(now, not_after);

    for (size_t i = 0; i < count; i++) {
        if (standings[i].ordered && is_in_question(&standings[i], now, patience)) {
            return i;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (is_in_question(&standings[i], now, patience) && standings[i].refusals < REFUSALS_MOST) {
            return i;
        }
    }
    return soonest(standings, count, now);
}

int64_t hc_schedule_reset_at(const int64_t resets[HC_RESETS_MAX])
{
    int64_t oldest = resets[0];

    for (size_t i = 1; i < HC_RESETS_MAX; i++) {
        oldest = resets[i] < oldest ? resets[i] : oldest;
    }
    return oldest + HC_RESETS_WINDOW;
}

bool hc_schedule_take_reset(int64_t resets[HC_RESETS_MAX], int64_t now)
{
    size_t oldest = 0;

    for (size_t i = 0; i < HC_RESETS_MAX; i++) {
        if (resets[i] > now) {
            resets[i] = now; /* written under a clock that was ahead */
        }
        if (resets[i] < resets[oldest]) {
            oldest = i;
        }
    }
    if (resets[oldest] != 0 && resets[oldest] > now - HC_RESETS_WINDOW) {
        return false;
    }
    resets[oldest] = now;
    return true;
}

unsigned hc_ladder_refusals(const struct hc_ladder *ladder, int64_t now)
{
    return now < ladder->next + DAY ? ladder->failures : 0;
}

void hc_ladder_fail(struct hc_ladder *ladder, int64_t now, int64_t not_after, int64_t retry_after)
{
    int64_t delay = 0;

    if (ladder->failures < 1000) {
        ladder->failures++;
    }
    delay = hc_schedule_retry(ladder->failures, now, not_after);
    if (retry_after > delay) {
        delay = retry_after < RETRY_AFTER_MOST ? retry_after : RETRY_AFTER_MOST;
    }
    ladder->last = now;
    ladder->next = now + delay;
}

void hc_ladder_pull_back(struct hc_ladder *ladder, int64_t now)
{
    if (ladder->last > now) {
        ladder->next = now + (ladder->next > ladder->last ? ladder->next - ladder->last : 0);
        ladder->last = now;
    }
    if (ladder->next > now + RETRY_AFTER_MOST) {
        ladder->next = now + DAY;
    }
}

bool hc_ladder_is_forgotten(const struct hc_ladder *ladder, int64_t now)
{
    return ladder->last < now - (ladder->failures > 0 ? FAILED_FOR : CLEARED_FOR);
}
