/* Locks, so that two agents on one store do not order the same. */
#ifndef HC_STORE_LOCK_H
#define HC_STORE_LOCK_H

#include "store/store.h"

/* What is ordered for, and what it is ordered with. */
enum hc_lock_kind { HC_LOCK_LINE, HC_LOCK_ACCOUNT, HC_LOCK_KINDS };

/*
 * Locks for ordering: by kind and name. Freed by the kernel when the process dies. HC_P_LOCKED if
 * another process holds it; never waits.
 */
struct hc_store_lock;
int hc_store_lock(struct hc_store *store, enum hc_lock_kind kind, const char *name,
                  struct hc_store_lock **out, struct hc_error *err) HC_MUST_USE;
void hc_store_unlock(struct hc_store_lock *lock); /* NULL is fine */

/* Whether locks of every kind can be had. */
int hc_store_probe_locks(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

#endif
