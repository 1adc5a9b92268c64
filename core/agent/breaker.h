/*
 * One breaker per issuer: after a failure that is the CA's or the network's, nobody asks that CA
 * for a while (5 s doubling to 15 min, with jitter; longer if it said Retry-After), then one asks
 * for all. No certificate loses its turn by it. A value; UTC seconds, so that it survives restarts.
 */
#ifndef HC_AGENT_BREAKER_H
#define HC_AGENT_BREAKER_H

#include "base/compiler.h"
#include "base/time.h"

#define HC_BREAKER_FIRST      5
#define HC_BREAKER_MOST       900
#define HC_BREAKER_ASKED_MOST 86400 /* the longest Retry-After that is honoured */
#define HC_BREAKER_NEWS       3600  /* a failure is news so long after it was waited for */

struct hc_breaker {
    unsigned failures; /* openings in a row; 0: closed */
    int64_t since;     /* the first of them */
    int64_t until;     /* open until then */
    bool probing;      /* somebody is asking for all */
    int64_t at;        /* the latest news of either kind; 0: none yet */
};

/*
 * A failure at now. Those that were under way when the breaker opened do not count again.
 * retry_after: seconds the CA asked for, 0: none. True if it opened (anew).
 */
bool hc_breaker_fail(struct hc_breaker *breaker, int64_t now, int64_t retry_after,
                     const struct hc_random *random);

/* The CA did its part. True if the breaker had been open. */
bool hc_breaker_ok(struct hc_breaker *breaker, int64_t now);

/* Takes over what another agent saw if it is later than what this one knows. True if it is. */
bool hc_breaker_merge(struct hc_breaker *breaker, const struct hc_breaker *other);

/* True if the CA may be asked now; who then asks says so with hc_breaker_take(). */
bool hc_breaker_allows(const struct hc_breaker *breaker, int64_t now);
void hc_breaker_take(struct hc_breaker *breaker);
/* Who took it asked nothing after all. */
void hc_breaker_give_back(struct hc_breaker *breaker);

/*
 * Since when the CA has been failing, as far as is known: 0 if it works, and if nobody has asked it
 * for so long (an hour after it might have been) that this is no news any more.
 */
int64_t hc_breaker_failing_since(const struct hc_breaker *breaker, int64_t now);

/*
 * Pulls back times from a clock that was ahead: after reading from disk, and when the clock was set
 * back. What was to be waited for after the latest news is waited for from now on.
 */
void hc_breaker_pull_back(struct hc_breaker *breaker, int64_t now);

#endif
