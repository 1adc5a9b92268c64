/*
 * Watched files: looked at on the timer, read when they changed, checked, stored, offered to the
 * publisher. A pair that cannot be taken leaves the last good one serving; one line says so for
 * each state, and a few quick looks catch the moment when the other file arrives.
 *
 * Hears STORE_OPENED and ISSUER_ARRIVED.
 */
#ifndef HC_AGENT_WATCHES_H
#define HC_AGENT_WATCHES_H

#include "agent/chains.h"
#include "agent/publisher.h"

struct hc_watches;

struct hc_watches_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
    struct hc_keeper_client *keeper;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
};

int hc_watches_new(const struct hc_watches_options *options, struct hc_watches **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_watches_free(struct hc_watches *watches); /* NULL is fine */

/* Looks at files whose time has come; milliseconds until the next look. */
int64_t hc_watches_run(struct hc_watches *watches);
/* Looks now at all files of the identities that are chosen (as conf->identities). */
void hc_watches_hurry(struct hc_watches *watches, const bool *chosen);

enum hc_watch_state {
    HC_WATCH_QUEUED, /* not looked at yet */
    HC_WATCH_OK,
    HC_WATCH_BROKEN, /* what the files hold now cannot be taken */
    HC_WATCH_HELD,   /* it could be served, but the one that serves is better */
};

/* One watched pair of files. Borrowed until the next look. */
struct hc_watch {
    size_t index; /* of the identity */
    const struct hc_watched *files;
    enum hc_watch_state state;
    bool stale;           /* the files that are seen are not those that are renewed */
    int64_t next_ms;      /* the next look */
    struct hc_pair *pair; /* the last good one, or NULL */
    struct hc_last_error last;
};

/* All of them: as conf->identities, those of one identity in its order. */
size_t hc_watches_count(const struct hc_watches *watches);
const struct hc_watch *hc_watches_at(const struct hc_watches *watches, size_t i);
/* The number of the identity's first; it has watched_count of them. */
size_t hc_watches_first(const struct hc_watches *watches, size_t index);

/* True if the name is one of the identity's, or the certificate in any of its files is for it. */
bool hc_watches_name(const struct hc_watches *watches, size_t index, const char *name);
/* True if each file of all identities was looked at. */
bool hc_watches_are_known(const struct hc_watches *watches);

#endif
