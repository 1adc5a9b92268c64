/*
 * When something is due: pure functions of times, so that schedules are tested without waiting.
 *
 * A pair is renewed with a third of its lifetime left (half of it below ten days), a little earlier
 * by a share that is the version's own. A failure that a name or a certificate has of its own is
 * tried again after 1, 10 and 100 minutes, then daily, never later than after a tenth of the life
 * left. Times are UTC seconds.
 */
#ifndef HC_AGENT_SCHEDULE_H
#define HC_AGENT_SCHEDULE_H

#include "base/compiler.h"
#include "base/time.h"
#include "conf/conf.h"

#define HC_SHARE_MAX     65536u /* a share is 0 .. HC_SHARE_MAX - 1 */
#define HC_RESETS_MAX    4      /* resets of a retry in HC_RESETS_WINDOW */
#define HC_RESETS_WINDOW 3600
#define HC_CLOCK_SLACK   60 /* a clock may be this far behind a notBefore and be right */

/*
 * The share of one version: made from its serial number, which a CA draws at random, so it is the
 * same in every agent and after every restart without being kept anywhere.
 */
uint32_t hc_schedule_share(const unsigned char line[HC_ID_SIZE], const char *serial);

/* When a pair is to be renewed. */
int64_t hc_schedule_renew_at(int64_t not_before, int64_t not_after, uint32_t share);

/*
 * The same where the CA named a window (RFC 9773), and at is this certificate's instant of it: that
 * instant, but with a quarter of the lifetime left at the latest (40 % below ten days), and not
 * within a day of the version's commit (a tenth of a short lifetime): a CA that is wrong, and wants
 * everything renewed always, is not asked for certificates without end.
 */
int64_t hc_schedule_renew_by_window(int64_t not_before, int64_t not_after, int64_t committed,
                                    int64_t at);

/*
 * Seconds from the failures-th failure in a row (1 ..) to the next try. not_after is what serves
 * now, 0: nothing does.
 */
int64_t hc_schedule_retry(unsigned failures, int64_t now, int64_t not_after);

/*
 * Is the clock behind? What speaks for it; 0: nothing known. A CA whose clock agrees with ours
 * settles it. Else it is behind if it is before the build, before what it was right for, or before
 * what two issuers say: one alone may be in error.
 */
#define HC_CLOCK_APART 3600  /* two clocks this near each other agree */
#define HC_FUTURE_MOST 86400 /* a certificate that starts later than this is none to wait for */

struct hc_clock_signs {
    int64_t built;
    int64_t good;    /* the newest start of a certificate that this clock has seen come */
    int64_t issuers; /* the second newest of what issuers say: starts, and their clocks */
    bool confirmed;  /* a CA's clock agrees */
};

enum hc_clock_verdict {
    HC_CLOCK_RIGHT,
    HC_CLOCK_BEFORE_BUILD,
    HC_CLOCK_BEFORE_GOOD,
    HC_CLOCK_BEFORE_ISSUERS,
};

enum hc_clock_verdict hc_schedule_clock(int64_t now, const struct hc_clock_signs *signs);

/* How long an issuer may fail before the next in line is asked. not_after as above. */
int64_t hc_schedule_patience(int64_t now, int64_t not_after);

/*
 * Which of an identity's issuers is asked. Out of the question is one that has been failing for
 * longer than our patience, or must not be asked for longer than that. Of the others: where an
 * order is under way, else in the operator's order of preference the first that has not refused
 * three times in a row. If there is none, the one that may be asked soonest.
 */
#define HC_ISSUERS_IN_USE 8
struct hc_issuer_standing {
    int64_t failing_since; /* 0: it works as far as is known */
    int64_t next;          /* not to be asked before; 0: at once */
    unsigned refusals;     /* failures in a row of the worst of the names */
    bool ordered;          /* an order is under way there */
};
size_t hc_schedule_issuer(const struct hc_issuer_standing *standings, size_t count, int64_t now,
                          int64_t not_after);

/*
 * True if one more reset is allowed, and then takes it: at most HC_RESETS_MAX in an hour. resets:
 * the times of the last ones, 0: free.
 */
bool hc_schedule_take_reset(int64_t resets[HC_RESETS_MAX], int64_t now);
/* When the next one is allowed. */
int64_t hc_schedule_reset_at(const int64_t resets[HC_RESETS_MAX]);

/* The retry state of one thing that failed by itself: a name, or a certificate. */
struct hc_ladder {
    unsigned failures; /* in a row */
    int64_t last;      /* the last failure */
    int64_t next;      /* not before; 0: at once */
};

/*
 * Its failures as a reason to ask another issuer: none if it might have been tried again a day ago
 * and nobody did, since that is no news any more.
 */
unsigned hc_ladder_refusals(const struct hc_ladder *ladder, int64_t now);

/* Counts a failure. retry_after: what the other side asked for, 0: nothing. */
void hc_ladder_fail(struct hc_ladder *ladder, int64_t now, int64_t not_after, int64_t retry_after);

/*
 * What stands in a ladder may come from a clock that was ahead: then its wait begins now. A next
 * try that is further away than any that would be set now is pulled back.
 */
void hc_ladder_pull_back(struct hc_ladder *ladder, int64_t now);
/* True if nobody needs to know of it any more: a month after a failure, a day after the end of all.
 */
bool hc_ladder_is_forgotten(const struct hc_ladder *ladder, int64_t now);

#endif
