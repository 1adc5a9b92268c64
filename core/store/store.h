/*
 * The store: the durable home of pairs, accounts, jobs and pending challenges; a folder of the
 * worker user's. docs/store.md describes its layout. Used by agent, loader and commands; all calls
 * block (disk). Everything read from it is hostile until it verified.
 *
 * This header opens it. What is in it has a header each: line.h (pairs and their versions),
 * record.h, lock.h, challenge.h, follower.h, mark.h. What needs no folder: seal.h (bytes under a
 * secret), info.h, head.h, version.h and envelope.h (the bytes of a version and of a record).
 */
#ifndef HC_STORE_STORE_H
#define HC_STORE_STORE_H

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/use.h"

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
 * Opened to READ it may be used by several threads.
 *
 * A child that is forked must not use its parent's store. Root should take on the owner's rights
 * before it reads one.
 */
int hc_store_open(const char *path, enum hc_store_use use,
                  const unsigned char secret[HC_SECRET_SIZE], const struct hc_log *log,
                  struct hc_store **out, struct hc_error *err) HC_MUST_USE;
/* For tests: on these file operations, which outlive the store. */
struct hc_fs;
struct hc_store_options {
    const char *path;
    enum hc_store_use use;
    const unsigned char *secret; /* HC_SECRET_SIZE of it, or NULL */
    const struct hc_log *log;    /* or NULL */
    const struct hc_fs *fs;
};
int hc_store_open_on(const struct hc_store_options *options, struct hc_store **out,
                     struct hc_error *err) HC_MUST_USE;

void hc_store_close(struct hc_store *store);

/* True if nothing is sealed in it, or it does not exist: a new secret harms nothing. */
int hc_store_is_empty(const char *path, bool *empty, struct hc_error *err) HC_MUST_USE;

/*
 * Whether it can be written: brings a file to the disk and removes it again. HC_P_STORE_WRITE says
 * why not. Leaves nothing, so that an empty store stays empty.
 */
int hc_store_probe(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

#endif
