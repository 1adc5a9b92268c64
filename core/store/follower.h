/*
 * Followers: each live agent registers one (an flock that its death frees) and says which
 * challenges it has mirrored.
 */
#ifndef HC_STORE_FOLLOWER_H
#define HC_STORE_FOLLOWER_H

#include "base/str.h"
#include "store/store.h"

struct hc_store_follower;
int hc_store_follow(struct hc_store *store, struct hc_store_follower **out,
                    struct hc_error *err) HC_MUST_USE;
void hc_store_unfollow(struct hc_store_follower *follower);
/* A descriptor that becomes readable when lines or challenges may have changed (inotify), or -1. */
int hc_store_follower_fd(const struct hc_store_follower *follower);
/* Empties that descriptor: before looking, so that a change in between is not lost. */
void hc_store_follower_drain(struct hc_store_follower *follower);
/*
 * Says "these are the challenges (their files) that I mirror now, and those of them that I hold for
 * an order of mine"; replaces what it said before. held: may be NULL.
 */
int hc_store_follower_ack(struct hc_store_follower *follower, const struct hc_list *files,
                          const struct hc_list *held, struct hc_error *err) HC_MUST_USE;

/* What all other live followers have acknowledged, as it was when it was read. */
struct hc_store_acks {
    struct hc_buf *texts; /* of each */
    size_t count;
    bool whole; /* false: one of them could not be read, so that nothing counts */
};
/* acks is zeroed memory or disposed. Nothing fails: what cannot be read has acknowledged nothing.
 */
void hc_store_acks_read(struct hc_store *store, const struct hc_store_follower *self,
                        struct hc_store_acks *acks);
/* True if every one of them has acknowledged this answer (its file). */
bool hc_store_acks_have(const struct hc_store_acks *acks, const char *file);
void hc_store_acks_dispose(struct hc_store_acks *acks);
/* All three, for one answer. */
bool hc_store_all_follow(struct hc_store *store, const struct hc_store_follower *self,
                         const char *file);
/*
 * Adds to left those of these challenges that no other live follower holds: their agent died. None
 * as long as there is a follower that does not say what it holds (an earlier version).
 */
int hc_store_left(struct hc_store *store, const struct hc_store_follower *self,
                  const struct hc_list *files, struct hc_list *left,
                  struct hc_error *err) HC_MUST_USE;

#endif
