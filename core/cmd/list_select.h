/*
 * Which certificates `hotcert list` shows, in which order, and which of them need somebody.
 */
#ifndef HC_CMD_LIST_SELECT_H
#define HC_CMD_LIST_SELECT_H

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"

struct hc_list_select {
    struct hc_list names; /* normalised; empty: all */
    bool failed;          /* only what hc_list_needs_somebody() */
    int64_t expiring;     /* only what has at most this many seconds left; -1: any */
};

/* True if something failed, is held, broken or flawed, or has expired; not while it is merely
 * queued, ordered or checked. now: UTC. */
bool hc_list_needs_somebody(const json_t *certificate, int64_t now);

/*
 * The certificates that are asked for, sorted by the name that is shown first: a new array, the
 * caller's to json_decref(). With failed and expiring both, either is enough. NULL only without
 * memory.
 */
json_t *hc_list_select(const json_t *certificates, const struct hc_list_select *how, int64_t now);

/* The first of the names asked for that no certificate has, or NULL. */
const char *hc_list_missing(const json_t *certificates, const struct hc_list_select *how);

#endif
