/*
 * Lines: lines/<line>/<n>.pair. Versions are immutable files, numbered; a commit is write, fsync,
 * rename, fsync of the folder. The newest version that verifies is the current one; what does not
 * verify is set aside under damaged/ by the driving agent, and the version before is used.
 * HC_STORE_VERSIONS are kept.
 */
#ifndef HC_STORE_LINE_H
#define HC_STORE_LINE_H

#include "pki/pair.h"
#include "store/info.h"
#include "store/store.h"

#define HC_STORE_VERSIONS 3

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
 * One line's, by its hex digits; *found: false if it has none that can be used (what is wrong is in
 * the log, once). info is zeroed memory, the caller's to dispose.
 */
int hc_store_line_info(struct hc_store *store, const char *line, struct hc_line_info *info,
                       bool *found, struct hc_error *err) HC_MUST_USE;

/*
 * Every line's newest readable version's info, in no order (with the secret: verified; without:
 * protected against accidents only). each borrows the info, and returns non-zero to stop.
 */
int hc_store_each(struct hc_store *store, int (*each)(void *arg, const struct hc_line_info *info),
                  void *arg, struct hc_error *err) HC_MUST_USE;

/* Wipes and removes a line; that there is none is fine. */
int hc_store_remove(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    struct hc_error *err) HC_MUST_USE;

#endif
