/*
 * The pause of one job after failures that are no name's: what one order runs into time and again
 * is not asked for at every turn (10 s doubling to 30 min). The breaker (breaker.h) paces a CA that
 * fails for all; this is for what fails alone while the CA works for the others. A value; monotonic
 * milliseconds, and not kept over restarts.
 */
#ifndef HC_AGENT_PAUSE_H
#define HC_AGENT_PAUSE_H

#include "base/compiler.h"
#include "base/time.h"

#define HC_PAUSE_FIRST_MS 10000
#define HC_PAUSE_MOST_MS  1800000
#define HC_PAUSE_ALONE    5  /* failures until an order that fails alone is given up */
#define HC_PAUSE_HOPELESS 10 /* until any is: it goes on for more than an hour then */

struct hc_ca;

/* Zeroed memory: no failure. */
struct hc_pause {
    const struct hc_ca *ca; /* where it failed; NULL: here, on this machine. Compared only */
    unsigned failures;      /* in a row */
    uint32_t since_s;       /* the first of them, in seconds: every job has one of these */
    int64_t until_ms;
};

/* Counts a failure at ca (NULL: this machine's). One at another place begins anew. */
void hc_pause_fail(struct hc_pause *pause, const struct hc_ca *ca, int64_t now_ms);

/*
 * Milliseconds that are left, 0: none. ca: who would be asked; breaker_open: nobody knows that it
 * works, so that the breaker sets the pace.
 */
int64_t hc_pause_left(const struct hc_pause *pause, const struct hc_ca *ca, bool breaker_open,
                      int64_t now_ms);

/* Failures in a row at ca: who has failed less asks first. */
unsigned hc_pause_failures(const struct hc_pause *pause, const struct hc_ca *ca);

/*
 * True if the order itself is likely to be what fails: a new one may go better. worked_ms: when
 * that CA did its part for anybody, 0: never.
 */
bool hc_pause_is_hopeless(const struct hc_pause *pause, int64_t worked_ms);

#endif
