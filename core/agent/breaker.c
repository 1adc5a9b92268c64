/* The breaker; see breaker.h. */
#include "agent/breaker.h"

static int64_t open_for(unsigned failures, const struct hc_random *random)
{
    int64_t delay = HC_BREAKER_FIRST;

    for (unsigned i = 1; i < failures && delay < HC_BREAKER_MOST; i++) {
        delay *= 2;
    }
    if (delay > HC_BREAKER_MOST) {
        delay = HC_BREAKER_MOST;
    }
    /* a fifth more or less, so that many machines do not return in step */
    return delay - delay / 5 + (int64_t)hc_random_below(random, (uint64_t)(delay / 5 * 2) + 1);
}

bool hc_breaker_fail(struct hc_breaker *breaker, int64_t now, int64_t retry_after,
                     const struct hc_random *random)
{
    int64_t delay = 0;

    breaker->at = now;
    if (retry_after > HC_BREAKER_ASKED_MOST) {
        retry_after = HC_BREAKER_ASKED_MOST;
    }
    if (breaker->failures > 0 && now < breaker->until) {
        if (retry_after > 0 && now + retry_after > breaker->until) {
            breaker->until = now + retry_after;
        }
        return false;
    }
    if (breaker->failures == 0) {
        breaker->since = now;
    }
    if (breaker->failures < 1000) {
        breaker->failures++;
    }
    delay = open_for(breaker->failures, random);
    breaker->until = now + (retry_after > delay ? retry_after : delay);
    breaker->probing = false;
    return true;
}

bool hc_breaker_ok(struct hc_breaker *breaker, int64_t now)
{
    bool was_open = breaker->failures > 0;

    *breaker = (struct hc_breaker){.at = now};
    return was_open;
}

bool hc_breaker_merge(struct hc_breaker *breaker, const struct hc_breaker *other)
{
    bool probing = breaker->probing;

    if (other->at <= breaker->at) {
        return false;
    }
    *breaker = *other;
    breaker->probing = probing;
    return true;
}

bool hc_breaker_allows(const struct hc_breaker *breaker, int64_t now)
{
    return breaker->failures == 0 || (now >= breaker->until && !breaker->probing);
}

void hc_breaker_take(struct hc_breaker *breaker)
{
    breaker->probing = breaker->failures > 0;
}

void hc_breaker_give_back(struct hc_breaker *breaker)
{
    breaker->probing = false;
}

int64_t hc_breaker_failing_since(const struct hc_breaker *breaker, int64_t now)
{
    return breaker->failures > 0 && now < breaker->until + HC_BREAKER_NEWS ? breaker->since : 0;
}

void hc_breaker_pull_back(struct hc_breaker *breaker, int64_t now)
{
    if (breaker->at > now) {
        breaker->until = now + (breaker->until > breaker->at ? breaker->until - breaker->at : 0);
        breaker->at = now;
    }
    if (breaker->until > now + HC_BREAKER_ASKED_MOST) {
        breaker->until = now + HC_BREAKER_MOST;
    }
    if (breaker->since > now) {
        breaker->since = now;
    }
}
