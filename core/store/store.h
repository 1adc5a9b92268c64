/*
 * The store: the durable home of pairs, accounts, jobs and pending challenges; a folder of the
 * worker user's. docs/store.md describes its layout. Used by agent, loader and commands; all calls
 * block (disk). Everything read from it is hostile until it verified.
 *
 * A *line* is what is renewed together with itself: one source, one set of names, one key type.
 * Its versions are immutable files, numbered; a commit is write, fsync, rename, fsync of the
 * folder. The newest version that verifies is the current one; what does not verify is set aside
 * under damaged/ by the driving agent, and the version before is used. Three versions are kept.
 */
#ifndef HC_STORE_STORE_H
#define HC_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "conf/conf.h"
#include "pki/pair.h"

#define HC_STORE_VERSIONS 3

struct hc_store;

/* How a store is opened. */
enum hc_store_use {
    HC_STORE_READ,  /* changes nothing: the loader, the configuration test, `list` */
    HC_STORE_DRIVE, /* the agent: makes missing folders, sets damaged files aside */
};

/*
 * Opens the folder. secret: HC_SECRET_SIZE bytes, copied, or NULL: only what is not sealed can be
 * read (`list`); DRIVE needs one. log is borrowed until the store is closed. Checks owner, mode,
 * format version and the secret's fingerprint; where nothing is sealed yet, the secret given is the
 * store's from now on (DRIVE). HC_P_SECRET_OTHER: another secret, and nothing was touched;
 * HC_P_STORE_UNSAFE, _UNUSABLE, _VERSION; HC_P_STORE_EMPTY: there is no folder (READ; DRIVE makes
 * it). All opening below the folder is by openat with O_NOFOLLOW, regular files only, of the
 * folder's owner.
 *
 * What is damaged or planted (a symlink, a FIFO, a folder where a file belongs) is named once in
 * the log and set aside by DRIVE. What belongs to somebody else, or cannot be read for now, is
 * named, left where it is, and is an error rather than "there is none": nothing is ordered anew
 * because a restore got the owners wrong.
 *
 * A child that is forked must not use its parent's store. Root should take on the owner's rights
 * before it reads one.
 */
int hc_store_open(const char *path, enum hc_store_use use,
                  const unsigned char secret[HC_SECRET_SIZE], const struct hc_log *log,
                  struct hc_store **out, struct hc_error *err) HC_MUST_USE;
void hc_store_close(struct hc_store *store);

/*
 * Whether an open store is still this secret's: as long as nothing is sealed in it, another server
 * with another secret takes it over. HC_P_SECRET_OTHER: close it. Touches nothing; cheap.
 */
int hc_store_recheck(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

/* True if nothing is sealed in it, or it does not exist: a new secret harms nothing. */
int hc_store_is_empty(const char *path, bool *empty, struct hc_error *err) HC_MUST_USE;

/* What a version says of itself, readable without the secret. */
struct hc_line_info {
    unsigned char line[HC_ID_SIZE];
    uint64_t version;  /* 1 .. */
    enum hc_mode mode; /* on: obtained; watch: copied from files */
    char *issuer;      /* directory URL; "" under watch */
    char *issuer_name;
    struct hc_list names; /* that were asked for */
    enum hc_key_type key_type;
    int64_t not_before, not_after, committed;
    char *serial;
    bool hidden; /* read: a newer one is there that is somebody else's; it may be good */
};
void hc_line_info_dispose(struct hc_line_info *info);

/* The line of an identity and a key type: SHA-256 over both. */
void hc_line_of(const unsigned char id[HC_ID_SIZE], enum hc_key_type type,
                unsigned char line[HC_ID_SIZE]);

/*
 * Commits a pair as the line's next version. info's version, dates, serial and committed are
 * filled in. Durable when it returns 0; on -1 nothing is changed on disk. HC_P_STORE_WRITE with the
 * system's reason (disk full, read-only): the same call works again when that is over.
 */
int hc_store_commit(struct hc_store *store, struct hc_line_info *info, const struct hc_pair *pair,
                    int64_t now, struct hc_error *err) HC_MUST_USE;

/* The line's current pair, its key unsealed. HC_P_STORE_EMPTY if there is none. info may be NULL.
 */
int hc_store_current(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                     struct hc_pair **pair, struct hc_line_info *info,
                     struct hc_error *err) HC_MUST_USE;

/*
 * Every line's newest readable version's info, in no order (with the secret: verified; without:
 * protected against accidents only). each borrows the info, and returns non-zero to stop.
 */
int hc_store_each(struct hc_store *store, int (*each)(void *arg, const struct hc_line_info *info),
                  void *arg, struct hc_error *err) HC_MUST_USE;

/* Wipes and removes a line; that there is none is fine. */
int hc_store_remove(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    struct hc_error *err) HC_MUST_USE;

/*
 * Whether it can be written: brings a file to the disk and removes it again. HC_P_STORE_WRITE says
 * why not. Leaves nothing, so that an empty store stays empty.
 */
int hc_store_probe(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

/* A number that changes when any line got a version: what followers compare. Cheap. */
int hc_store_change_mark(struct hc_store *store, uint64_t *mark, struct hc_error *err) HC_MUST_USE;

/*
 * Moves a mark over the change that this handle made last: if nobody else changed anything since
 * *mark was read, *mark becomes the number that this change left. Else it stays, and the next
 * comparison finds a change.
 */
void hc_store_mark_own(const struct hc_store *store, uint64_t *mark);

/*
 * Named records: small, durable, sealed if secret (accounts, job states, breakers). kind is a word
 * ("account", "job", "issuer"), name any text (hashed into the file name). Bound to kind and name.
 * put is atomic, keeps the value before it, and is durable but for the kinds "job" and "issuer": a
 * machine that loses power may have an earlier value of those (a killed process loses none). get: a
 * damaged value is named and set aside (DRIVE) and the one before it is returned;
 * HC_P_STORE_DAMAGED if there is none to fall back to, HC_P_STORE_EMPTY if it is absent. out
 * (should be secret) is appended to. Values up to 2 MiB.
 */
int hc_store_put(struct hc_store *store, const char *kind, const char *name, struct hc_bytes value,
                 struct hc_error *err) HC_MUST_USE;
int hc_store_get(struct hc_store *store, const char *kind, const char *name, struct hc_buf *out,
                 struct hc_error *err) HC_MUST_USE;
int hc_store_delete(struct hc_store *store, const char *kind, const char *name,
                    struct hc_error *err) HC_MUST_USE;

/*
 * Locks for ordering: by kind ("line", "account") and name. Freed by the kernel when the process
 * dies. HC_P_LOCKED if another process holds it; never waits.
 */
struct hc_store_lock;
int hc_store_lock(struct hc_store *store, const char *kind, const char *name,
                  struct hc_store_lock **out, struct hc_error *err) HC_MUST_USE;
void hc_store_unlock(struct hc_store_lock *lock); /* NULL is fine */

/*
 * Pending challenges, so that every server on this store answers them, and followers: each live
 * agent registers one (an flock that its death frees) and says which challenges it has mirrored.
 * Challenges of an agent that died stay until somebody removes them: look at expires.
 */
struct hc_challenge {
    char token[129];
    char keyauth[256];
    int64_t expires;
};
int hc_store_challenge_put(struct hc_store *store, const struct hc_challenge *challenge,
                           struct hc_error *err) HC_MUST_USE;
int hc_store_challenge_remove(struct hc_store *store, const char *token,
                              struct hc_error *err) HC_MUST_USE;
/* Names of their files, which say nothing of the token: a name that was read once stays the same
 * challenge, so that followers need not read it again. Appended to files. */
int hc_store_challenge_list(struct hc_store *store, struct hc_list *files,
                            struct hc_error *err) HC_MUST_USE;
/* Reads one. False: it is not there any more, or damaged (then it was named and set aside). */
bool hc_store_challenge_read(struct hc_store *store, const char *file,
                             struct hc_challenge *challenge) HC_MUST_USE;

struct hc_store_follower;
int hc_store_follow(struct hc_store *store, struct hc_store_follower **out,
                    struct hc_error *err) HC_MUST_USE;
void hc_store_unfollow(struct hc_store_follower *follower);
/* A descriptor that becomes readable when lines or challenges may have changed (inotify), or -1. */
int hc_store_follower_fd(const struct hc_store_follower *follower);
/* Empties that descriptor: before looking, so that a change in between is not lost. */
void hc_store_follower_drain(struct hc_store_follower *follower);
/* Says "these are the challenges (their files) that I mirror now"; replaces what it said before. */
int hc_store_follower_ack(struct hc_store_follower *follower, const struct hc_list *files,
                          struct hc_error *err) HC_MUST_USE;
/* True if every other live follower has acknowledged this token. */
bool hc_store_all_follow(struct hc_store *store, const struct hc_store_follower *self,
                         const char *token);

#endif
