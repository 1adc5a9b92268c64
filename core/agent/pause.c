/* The pause of one job; see pause.h. */
#include "agent/pause.h"

static int64_t pause_for(unsigned failures)
{
    int64_t delay = HC_PAUSE_FIRST_MS;

    for (unsigned i = 1; i < failures && delay < HC_PAUSE_MOST_MS; i++) {
        delay *= 2;
    }
    return delay < HC_PAUSE_MOST_MS ? delay : HC_PAUSE_MOST_MS;
}

void hc_pause_fail(struct hc_pause *pause, const struct hc_ca *ca, int64_t now_ms)
{
    if (pause->failures == 0 || pause->ca != ca) {
        *pause = (struct hc_pause){.ca = ca, .since_s = (uint32_t)(now_ms / 1000)};
    }
    if (pause->failures < 1000) {
        pause->failures++;
    }
    pause->until_ms = now_ms + pause_for(pause->failures);
}

int64_t hc_pause_left(const struct hc_pause *pause, const struct hc_ca *ca, bool breaker_open,
                      int64_t now_ms)
{
    bool counts = pause->ca == NULL || (pause->ca == ca && !breaker_open);

    return counts && pause->until_ms > now_ms ? pause->until_ms - now_ms : 0;
}

unsigned hc_pause_failures(const struct hc_pause *pause, const struct hc_ca *ca)
{
    return pause->ca == ca ? pause->failures : 0;
}

bool hc_pause_is_hopeless(const struct hc_pause *pause, int64_t worked_ms)
{
    bool alone = worked_ms / 1000 > (int64_t)pause->since_s;

    return pause->failures >= (alone ? HC_PAUSE_ALONE : HC_PAUSE_HOPELESS);
}
