/*
 * The mark: a number that changes with every change of a line, so that followers need not look at
 * all of them.
 */
#ifndef HC_STORE_MARK_H
#define HC_STORE_MARK_H

#include "store/store.h"

/* A number that changes when any line got a version: what followers compare. Cheap. */
int hc_store_change_mark(struct hc_store *store, uint64_t *mark, struct hc_error *err) HC_MUST_USE;

/*
 * Moves a mark over the change that this handle made last: if nobody else changed anything since
 * *mark was read, *mark becomes the number that this change left. Else it stays, and the next
 * comparison finds a change.
 */
void hc_store_mark_own(const struct hc_store *store, uint64_t *mark);

/* Tells followers that a line changed. Never fails loudly: they also have a timer. */
void hc_mark_touch(struct hc_store *store);

#endif
