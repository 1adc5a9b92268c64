/*
 * The stores of this machine, as a command looks into them: each is read by a process of its own,
 * which has the secret and then its owner's rights and no more.
 */
#ifndef HC_CMD_STORES_H
#define HC_CMD_STORES_H

#include "base/buf.h"
#include "base/str.h"
#include "store/store.h"

/* Adds the folders of the agents that run, and the default one. */
int hc_stores_find(struct hc_list *folders, struct hc_error *err) HC_MUST_USE;

/* Runs in that process, on the store opened for reading; what it appends to out arrives. */
typedef int hc_stores_reader(struct hc_store *store, const void *arg, struct hc_buf *out,
                             struct hc_error *err);

/*
 * Has a folder read. secret: a file, or NULL: the one beside it. What was read is appended to out,
 * which bounds it, and is as hostile as the store. -1: err says what the reader said.
 */
int hc_stores_read(const char *folder, const char *secret, hc_stores_reader *read, const void *arg,
                   struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
