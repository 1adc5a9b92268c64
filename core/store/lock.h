/* Locks, so that two agents on one store do not order the same. */
#ifndef HC_STORE_LOCK_H
#define HC_STORE_LOCK_H

#include "store/store.h"

/*
 * Locks for ordering: by kind ("line", "account") and name. Freed by the kernel when the process
 * dies. HC_P_LOCKED if another process holds it; never waits.
 */
struct hc_store_lock;
int hc_store_lock(struct hc_store *store, const char *kind, const char *name,
                  struct hc_store_lock **out, struct hc_error *err) HC_MUST_USE;
void hc_store_unlock(struct hc_store_lock *lock); /* NULL is fine */

#endif
