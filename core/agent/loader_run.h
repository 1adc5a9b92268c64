/*
 * The loader's own (loader.h): what one run has, and the watched files of one identity
 * (loader_watched.c). Several threads.
 */
#ifndef HC_AGENT_LOADER_RUN_H
#define HC_AGENT_LOADER_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/files.h"
#include "agent/inventory.h"
#include "agent/judge.h"
#include "agent/loader_options.h"
#include "agent/prior.h"
#include "agent/verdict.h"

/* Hosts are loaded side by side on all processors. */
struct hc_loader_run {
    const struct hc_loader_options *o;
    pthread_mutex_t mutex; /* guards keeper, inventory, prior (an examination) */
    struct hc_keeper_client keeper;
    struct hc_store *store; /* NULL: there is none, or it cannot be read */
    struct hc_inventory inventory;
    struct hc_judge judge; /* has all roots before there are threads */
    int64_t now;
    int64_t check_until_ms;
    atomic_size_t remembered; /* pairs that were not judged again */
    struct hc_prior *prior;   /* what the examination finds, or found; NULL: nothing */
};

/* What the pairs of one identity hang on: a digest over the keys of their verdicts. */
struct hc_loader_seen {
    struct hc_digest digest;
    bool judged; /* all of them, just now or before */
};

/*
 * The pairs of the identity's files, or the last good copies. *bundle is NULL if there are none.
 * -1: under `watch`, one of them can neither be read nor has a copy. seen is told of each.
 */
int hc_loader_watched(struct hc_loader_run *loader, const struct hc_identity *identity,
                      struct hc_loader_seen *seen, struct hc_bundle **bundle,
                      struct hc_error *err) HC_MUST_USE;

/* Tells seen what the identity's files hold now, without judging their pairs. False: they
 * cannot be read, or nothing that is said of them can be kept. */
bool hc_loader_see(struct hc_loader_run *loader, const struct hc_identity *identity,
                   struct hc_loader_seen *seen);

#endif
