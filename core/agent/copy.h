/*
 * The copy of a watched pair in the store, for the time when the files are broken at a start, and
 * the verdict on it, by which the next start need not prove it again.
 */
#ifndef HC_AGENT_COPY_H
#define HC_AGENT_COPY_H

#include "agent/candidate.h"
#include "agent/storage.h"

/* What copies are given, all the same. */
struct hc_copy_env {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
};

struct hc_copy {
    unsigned char line[HC_ID_SIZE];
    bool committed;   /* the store has the pair */
    int64_t judge_at; /* when the remembered verdict on it is made anew; 0: there is none */
};

/*
 * What the store has, when it was opened: *pair is the last good one if we have none (NULL), or it
 * is proved that ours is there.
 */
void hc_copy_load(struct hc_copy *copy, const struct hc_copy_env *e, struct hc_pair **pair);

/* Commits the pair (NULL: none) unless it is there. Its failure holds nothing back. path: of the
 * certificate, for the log. */
void hc_copy_commit(struct hc_copy *copy, const struct hc_copy_env *e, const char *path,
                    struct hc_pair *pair);

/*
 * Remembers in the store that the candidate's pair, which is the line's now, can be served. Without
 * it a start only takes longer.
 */
void hc_copy_remember(struct hc_copy *copy, const struct hc_copy_env *e,
                      const struct hc_identity *identity, const struct hc_watched *watched,
                      const struct hc_candidate *candidate);

#endif
