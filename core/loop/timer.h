/*
 * hc_timer: a guest of the loop that is called once, at a time. Whoever wants more sets it again.
 * Timers of the same millisecond are called in the order in which they were set. Any number of
 * them: setting and stopping one takes the logarithm of their number.
 */
#ifndef HC_LOOP_TIMER_H
#define HC_LOOP_TIMER_H

#include "loop/loop.h"

typedef void hc_timer_due(void *self);

/* Embedded in its owner, who neither moves nor copies it while it is set. All of it is private. */
struct hc_timer {
    struct hc_loop *loop;
    const char *name;
    hc_timer_due *due;
    void *self;
    bool is_set;
    int64_t at_ms;
    uint64_t order;
    /* its place in a pairing heap: first child, next sibling, previous sibling or parent */
    struct hc_timer *child, *next, *prev;
};

/* name: of the activity; static. It is not set yet. */
void hc_timer_init(struct hc_timer *timer, struct hc_loop *loop, const char *name,
                   hc_timer_due *due, void *self);

/* At that time of the loop's clock (monotonic, milliseconds); one that is over means now. */
void hc_timer_at(struct hc_timer *timer, int64_t at_ms);
/* After so many milliseconds; -1: it is stopped. */
void hc_timer_in(struct hc_timer *timer, int64_t ms);
/* The same, unless it is set for an earlier time already; -1: as it was. */
void hc_timer_within(struct hc_timer *timer, int64_t ms);
/* Fine for one that is not set, and for zeroed memory. */
void hc_timer_stop(struct hc_timer *timer);

#endif
