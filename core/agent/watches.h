/*
 * Watched files: when they are checked, and which of them side by side. watch.h says what comes
 * of a check.
 *
 * Hears STORE_OPENED and ISSUER_ARRIVED; raises FILES_CHECKED.
 */
#ifndef HC_AGENT_WATCHES_H
#define HC_AGENT_WATCHES_H

#include "agent/watch.h"
#include "keeper/asker.h"

struct hc_watches;

struct hc_watches_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
    struct hc_asker *keeper;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
};

int hc_watches_new(const struct hc_watches_options *options, struct hc_watches **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_watches_free(struct hc_watches *watches); /* NULL is fine */

/* Checks soon all files of the identities that are chosen (as conf->identities): FILES_CHECKED. */
void hc_watches_hurry(struct hc_watches *watches, const bool *chosen);
/* True if one of these checks is still to come, or under way. */
bool hc_watches_are_hurried(const struct hc_watches *watches, const bool *chosen);

/* All of them: as conf->identities, those of one identity in its order. Borrowed. */
size_t hc_watches_count(const struct hc_watches *watches);
const struct hc_watch *hc_watches_at(const struct hc_watches *watches, size_t i);
/* The number of the identity's first; it has watched_count of them. */
size_t hc_watches_first(const struct hc_watches *watches, size_t index);

/* True if the name is one of the identity's, or the certificate in any of its files is for it. */
bool hc_watches_name(const struct hc_watches *watches, size_t index, const char *name);
/* True if each file of all identities was read. */
bool hc_watches_are_known(const struct hc_watches *watches);

#endif
