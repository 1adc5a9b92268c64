/*
 * Health: what is being served is judged again on the timer, since it ages. A
 * flaw is an error in the log, repeated once a day until it is gone; with a third of the life
 * left a warning comes, with a tenth an error.
 *
 * Hears PUBLISHED: what the table has now is judged soon.
 */
#ifndef HC_AGENT_HEALTH_H
#define HC_AGENT_HEALTH_H

#include "agent/clock.h"
#include "agent/outlooks.h"

#define HC_FLAWS_TOLD 4 /* of one identity's, by `list` */

struct hc_health;

struct hc_health_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_judge *judge;
    const struct hc_clock_watch *clock;
    const struct hc_publisher *publisher;
    const struct hc_outlooks *outlooks;
};

int hc_health_new(const struct hc_health_options *options, struct hc_health **out,
                  struct hc_error *err) HC_MUST_USE;
void hc_health_free(struct hc_health *health); /* NULL is fine */

/* Judges what is served, a few at a time; milliseconds until the next is due, -1: none. */
int64_t hc_health_run(struct hc_health *health);
/* What was just published was judged just now: saves judging it again. */
void hc_health_note(struct hc_health *health, size_t index, const struct hc_pair *pair,
                    const struct hc_findings *findings);

/* The flaws that were found last, each once, without what is accepted. Returns how many. */
size_t hc_health_flaws(const struct hc_health *health, size_t index,
                       enum hc_problem flaws[HC_FLAWS_TOLD]);

#endif
