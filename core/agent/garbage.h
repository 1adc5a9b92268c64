/*
 * What nobody wants any more: lines of the store that no server renews and that expired long ago,
 * and bundles in the table that the configuration does not name. Workers of an older generation may
 * still use the latter, so they go only after resting for a while.
 */
#ifndef HC_AGENT_GARBAGE_H
#define HC_AGENT_GARBAGE_H

#include "agent/clock.h"
#include "live/table.h"

struct hc_garbage;

/* All are borrowed. */
int hc_garbage_new(const struct hc_env *env, struct hc_storage *storage,
                   const struct hc_clock_watch *clock, struct hc_table *table,
                   struct hc_garbage **out, struct hc_error *err) HC_MUST_USE;
void hc_garbage_free(struct hc_garbage *garbage); /* NULL is fine */

/* Sweeps when it is time: once an hour, more often while bundles rest. */
void hc_garbage_run(struct hc_garbage *garbage);

#endif
