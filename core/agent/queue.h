/*
 * The queue: which jobs are started now. What has an order under way already goes first, then what
 * serves nothing, then what ends soonest. But while a CA is known to fail, whoever failed there
 * less often asks first, whatever it is: an order that always fails must not be the one that asks
 * for all each time.
 *
 * Hears whatever may let a job go on: STORE_READY, STORE_CLOSING, CA_CHANGED, CLOCK_NEWS,
 * LINES_CHANGED, LINE_COMMITTED, PREFLIGHT_ENDED and ORDER_ENDED.
 */
#ifndef HC_AGENT_QUEUE_H
#define HC_AGENT_QUEUE_H

#include "agent/obtains.h"

struct hc_queue;

struct hc_queue_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_publisher *publisher;
    struct hc_clock_watch *clock;
    struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
    struct hc_jobs *jobs;
    struct hc_obtains *obtains;
};

int hc_queue_new(const struct hc_queue_options *options, struct hc_queue **out,
                 struct hc_error *err) HC_MUST_USE;
void hc_queue_free(struct hc_queue *queue); /* NULL is fine */

/* By its own timer: starts what is due; milliseconds until something may be due. */
int64_t hc_queue_run(struct hc_queue *queue);
/* Something changed that may make a job due: all are reviewed in the next run. */
void hc_queue_wake(struct hc_queue *queue);
/* True if that is so. */
bool hc_queue_is_awake(const struct hc_queue *queue);
/* How many stand in it. */
size_t hc_queue_count(const struct hc_queue *queue);

#endif
