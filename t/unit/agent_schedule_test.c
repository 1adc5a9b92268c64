/* When pairs are due, and when what failed is tried again. */
#include "agent/schedule.h"

#include "tap.h"

#define DAY INT64_C(86400)

static void a_third_of_the_lifetime_is_left(void)
{
    int64_t start = 1000000000;

    is_int(hc_schedule_renew_at(start, start + 90 * DAY, 0), start + 60 * DAY,
           "90 days: due after 60");
    is_int(hc_schedule_renew_at(start, start + 45 * DAY, 0), start + 30 * DAY,
           "45 days: due after 30");
    is_int(hc_schedule_renew_at(start, start + 6 * DAY, 0), start + 3 * DAY,
           "under ten days half of the life is left");
    is_int(hc_schedule_renew_at(start, start, 0), start, "no life at all: due at once");
}

static void the_share_only_makes_it_earlier(void)
{
    int64_t start = 1000000000;
    int64_t late = hc_schedule_renew_at(start, start + 90 * DAY, 0);
    int64_t early = hc_schedule_renew_at(start, start + 90 * DAY, HC_SHARE_MAX - 1);

    ok(early < late, "the largest share is earlier");
    ok(late - early <= 3 * DAY, "by a tenth of the margin at most");
    ok(late - early > 2 * DAY, "and nearly all of it");
}

static void the_share_is_the_versions_own(void)
{
    unsigned char line[HC_ID_SIZE] = {1};
    unsigned char other[HC_ID_SIZE] = {2};

    is_int(hc_schedule_share(line, "00ab"), hc_schedule_share(line, "00ab"), "kept");
    ok(hc_schedule_share(line, "00ab") != hc_schedule_share(line, "00ac"),
       "another serial, another share");
    ok(hc_schedule_share(line, "00ab") != hc_schedule_share(other, "00ab"),
       "another line, another share");
    ok(hc_schedule_share(line, "ff") < HC_SHARE_MAX, "below the maximum");
}

static void retries_follow_the_ladder(void)
{
    static const struct {
        unsigned failures;
        int64_t left;
        int64_t want;
        const char *name;
    } rows[] = {
        {1, 0, 60, "first failure, nothing serves: a minute"},
        {2, 0, 600, "second: ten minutes"},
        {3, 0, 6000, "third: a hundred minutes"},
        {4, 0, DAY, "fourth: a day"},
        {40, 0, DAY, "fortieth: a day"},
        {4, 30 * DAY, DAY, "a month left: a day"},
        {4, 5 * DAY, DAY / 2, "five days left: a tenth of them"},
        {4, 3600, 900, "an hour left: never more often than a CA allows"},
        {1, 3600, 60, "but the first is after a minute"},
        {4, -5, 3600, "expired: hourly"},
        {2, -5, 600, "expired, second failure: ten minutes"},
    };
    int64_t now = 1000000000;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        int64_t not_after = rows[i].left == 0 ? 0 : now + rows[i].left;

        is_int(hc_schedule_retry(rows[i].failures, now, not_after), rows[i].want, rows[i].name);
    }
}

static void a_ladder_honours_retry_after(void)
{
    struct hc_ladder ladder = {0, 0, 0};

    hc_ladder_fail(&ladder, 1000, 0, 0);
    is_int(ladder.next, 1060, "a minute");
    hc_ladder_fail(&ladder, 1060, 0, 7200);
    is_int(ladder.next, 1060 + 7200, "longer when the CA says so");
    hc_ladder_fail(&ladder, 10000, 0, 5);
    is_int(ladder.next, 16000, "not shorter");
    hc_ladder_fail(&ladder, 20000, 0, INT64_MAX);
    is_int(ladder.next, 20000 + 7 * DAY, "a week at most");
    is_int(ladder.failures, 4, "four in a row");
    is_int(hc_ladder_refusals(&ladder, 20000 + 8 * DAY - 1), 4, "which another issuer may help");
    is_int(hc_ladder_refusals(&ladder, 20000 + 8 * DAY), 0, "if it was not long ago");
    ladder.next = 20000 + 400 * DAY;
    hc_ladder_pull_back(&ladder, 20000);
    is_int(ladder.next, 20000 + DAY, "a time from a wrong clock is pulled back");
    ladder = (struct hc_ladder){2, 500000, 500600};
    hc_ladder_pull_back(&ladder, 20000);
    is_int(ladder.next, 20600, "what was to be waited for is waited for");
}

static void four_resets_an_hour(void)
{
    int64_t resets[HC_RESETS_MAX] = {0};
    int64_t now = 1000000000;

    for (int i = 0; i < HC_RESETS_MAX; i++) {
        ok(hc_schedule_take_reset(resets, now + i), "allowed");
    }
    ok(!hc_schedule_take_reset(resets, now + 100), "the fifth is not");
    is_int(hc_schedule_reset_at(resets), now + 3600, "before that time");
    ok(!hc_schedule_take_reset(resets, now + 3599), "until an hour has passed");
    ok(hc_schedule_take_reset(resets, now + 3600), "since the first");
    ok(!hc_schedule_take_reset(resets, now + 3600), "the second is still counted");
    for (int i = 0; i < HC_RESETS_MAX; i++) {
        resets[i] = now + 100 * DAY;
    }
    ok(!hc_schedule_take_reset(resets, now), "resets from a wrong clock count as just now");
    ok(hc_schedule_take_reset(resets, now + 3601), "and pass");
}

static void a_clock_is_judged_by_several_signs(void)
{
    const int64_t now = 100 * DAY;
    const struct {
        struct hc_clock_signs signs;
        enum hc_clock_verdict verdict;
        const char *what;
    } cases[] = {
        {{.built = 0}, HC_CLOCK_RIGHT, "nothing is known: any clock"},
        {{.built = now + DAY / 2}, HC_CLOCK_RIGHT, "built half a day later, in another zone"},
        {{.built = now + 2 * DAY}, HC_CLOCK_BEFORE_BUILD, "two days before the build"},
        {{.good = now}, HC_CLOCK_RIGHT, "at the start of what it was right for"},
        {{.good = now + 30}, HC_CLOCK_RIGHT, "a step back of NTP's"},
        {{.good = now + DAY}, HC_CLOCK_BEFORE_GOOD, "a day before what it was right for"},
        {{.issuers = now + DAY}, HC_CLOCK_BEFORE_ISSUERS, "a day before what two issuers say"},
        {{.built = now + 9 * DAY, .good = now + DAY, .issuers = now + DAY, .confirmed = true},
         HC_CLOCK_RIGHT,
         "a CA's clock says the same"},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        is_int(hc_schedule_clock(now, &cases[i].signs), cases[i].verdict, cases[i].what);
    }
}

static void patience_with_an_issuer(void)
{
    is_int(hc_schedule_patience(1000, 0), 600, "nothing serves: ten minutes");
    is_int(hc_schedule_patience(1000, 1000 + 30 * DAY), 3600, "plenty of time: an hour");
    is_int(hc_schedule_patience(1000, 1000 + 3000), 1000, "nearly over: a third of what is left");
}

static void the_issuer_that_is_asked(void)
{
    static const struct {
        struct hc_issuer_standing standings[2];
        size_t want;
        const char *name;
    } rows[] = {
        {{{0, 0, 0, false}, {0, 0, 0, false}}, 0, "the first"},
        {{{50000, 0, 0, false}, {0, 0, 0, false}}, 1, "not if it has been failing for long"},
        {{{99900, 0, 0, false}, {0, 0, 0, false}}, 0, "for a short time it is waited for"},
        {{{0, 0, 3, false}, {0, 0, 0, false}}, 1, "not if it refused three times"},
        {{{0, 200000, 1, false}, {0, 0, 0, false}}, 1, "not if it is to be left alone for long"},
        {{{0, 100500, 1, false}, {0, 0, 0, false}}, 0, "for a short time that is waited for, too"},
        {{{0, 0, 0, false}, {0, 0, 0, true}}, 1, "an order under way is gone on with"},
        {{{0, 0, 0, false}, {0, 0, 3, true}}, 1, "whatever was refused"},
        {{{0, 0, 0, false}, {50000, 0, 0, true}}, 0, "but not at one that is down"},
        {{{0, 0, 0, true}, {50000, 0, 0, false}}, 0, "one is well"},
        {{{50000, 100300, 0, false}, {50000, 100100, 0, false}}, 1, "none is: who is asked sooner"},
        {{{50000, 90000, 0, false}, {50000, 80000, 0, false}}, 0, "both at once: the first"},
        {{{50000, 100300, 0, true}, {50000, 80000, 0, false}}, 1, "an order waits for nobody"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        is_int(hc_schedule_issuer(rows[i].standings, 2, 100000, 0), rows[i].want, rows[i].name);
    }
}

int main(void)
{
    a_third_of_the_lifetime_is_left();
    the_share_only_makes_it_earlier();
    the_share_is_the_versions_own();
    retries_follow_the_ladder();
    a_ladder_honours_retry_after();
    four_resets_an_hour();
    a_clock_is_judged_by_several_signs();
    patience_with_an_issuer();
    the_issuer_that_is_asked();
    return done();
}
