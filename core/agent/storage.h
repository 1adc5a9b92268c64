/*
 * The store as the agent lives with it: it may not be there, belong to somebody else, be full, be
 * sealed under another secret, or be replaced by a backup. What serves goes on serving; orders wait
 * until it is well, which is tested once a tick. Also what is known of the lines in it.
 *
 * Raises STORE_IDENTITY, STORE_OPENED, STORE_READY, STORE_CLOSING and LINE_COMMITTED.
 */
#ifndef HC_AGENT_STORAGE_H
#define HC_AGENT_STORAGE_H

#include "agent/env.h"
#include "agent/inventory.h"
#include "agent/record.h"
#include "keeper/asker.h"

struct hc_storage;

/* secret: HC_SECRET_SIZE bytes, borrowed, or NULL: the keeper is asked for it. */
int hc_storage_new(const struct hc_env *env, struct hc_asker *keeper, const unsigned char *secret,
                   struct hc_storage **out, struct hc_error *err) HC_MUST_USE;
void hc_storage_free(struct hc_storage *storage); /* after hc_storage_close(); NULL is fine */

/*
 * By its own timer: opens the store when it is time; tests whether one that failed is well again.
 * One that is, is told of when it has been for a while. Milliseconds until there is more to do, -1:
 * nothing.
 */
int64_t hc_storage_run(struct hc_storage *storage);
/* Checks whether the folder is still the one that was opened. */
void hc_storage_tick(struct hc_storage *storage);
/* Nobody uses it any more when this returns. Not open is fine. */
void hc_storage_close(struct hc_storage *storage);

/* NULL: it cannot be opened now. Borrowed until the STORE_CLOSING. */
struct hc_store *hc_storage_store(const struct hc_storage *storage);
/* True if orders may be placed: the store is open and takes writes. */
bool hc_storage_ready(const struct hc_storage *storage);
/* True once the first try to open it is over, well or not. */
bool hc_storage_was_tried(const struct hc_storage *storage);
/* How this agent follows the store; NULL: it is not open. */
struct hc_store_follower *hc_storage_follower(const struct hc_storage *storage);
/* The lines that the store has; as it was last, while it cannot be opened. */
struct hc_inventory *hc_storage_inventory(struct hc_storage *storage);
/* Why it could not be used last. */
const struct hc_last_error *hc_storage_last(const struct hc_storage *storage);

/* True if the error is the store's (or this machine's disk), not the CA's or a name's. */
bool hc_storage_problem(enum hc_problem p);
/* Says so once and stops ordering until the store takes writes again. */
void hc_storage_failed(struct hc_storage *storage, const struct hc_error *err);
/* Durable, then known, then told: commits (hc_store_commit() fills info). */
int hc_storage_commit(struct hc_storage *storage, struct hc_line_info *info, struct hc_pair *pair,
                      struct hc_error *err) HC_MUST_USE;

#endif
