/* The timers of a loop in their order, a pairing heap; for loop.c and timer.c alone. */
#ifndef HC_LOOP_QUEUE_H
#define HC_LOOP_QUEUE_H

#include "loop/timer.h"

struct hc_timer_queue {
    struct hc_timer *first; /* due first; NULL: none is set */
    uint64_t order;         /* of the timer that was set last */
};

struct hc_timer_queue *hc_loop_timers(struct hc_loop *loop);

#endif
