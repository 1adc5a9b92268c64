/*
 * Watched files as loader and agent read them: through the keeper, or, where there is none, with
 * their own rights. Who has a loop reads by reading.h: hc_files_stamp() and hc_files_read() wait.
 */
#ifndef HC_AGENT_FILES_H
#define HC_AGENT_FILES_H

#include "base/buf.h"
#include "keeper/keeper.h"
#include "pki/pair.h"

/* What a watched pair is made of; see struct hc_watched. Of a folder only the stamp is taken. */
enum hc_files_part {
    HC_FILES_CERTIFICATE,
    HC_FILES_KEY,
    HC_FILES_PASSPHRASES,
    HC_FILES_CHAIN,
    HC_FILES_STORE,
    HC_FILES_FOLDER,
};
#define HC_FILES_PARTS 6

/* The content of one watched pair, and their stamps. Zeroed memory is empty. */
struct hc_files {
    struct hc_buf parts[HC_FILES_PARTS];
    struct hc_file_stamp stamps[HC_FILES_PARTS];
};

/* The number of a part in hc_conf.files, -1: there is no such part. */
int hc_files_index(const struct hc_watched *watched, size_t part);
/* True if a pair does not depend on the part: what cannot be had of it counts as absent. */
bool hc_files_is_optional(size_t part);
/* Content (unless out is NULL) and stamp of one file with our own rights. */
int hc_files_own(const char *path, size_t part, struct hc_buf *out, struct hc_file_stamp *stamp,
                 struct hc_error *err) HC_MUST_USE;

/*
 * The stamps of the files now; absent parts are zeroed, and so are CA certificates (file or
 * folder) that cannot be had: a pair does not depend on them.
 */
int hc_files_stamp(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                   const struct hc_watched *watched, struct hc_file_stamp stamps[HC_FILES_PARTS],
                   struct hc_error *err) HC_MUST_USE;

/*
 * Reads them all and stamps each again afterwards. 1: read; 0: something changed meanwhile, read
 * again soon; -1: err names the file.
 */
int hc_files_read(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_files *out,
                  struct hc_error *err) HC_MUST_USE;

/* -1 if one of the files has no name any more: it is mounted by itself, and was replaced. */
int hc_files_reachable(const struct hc_conf *conf, const struct hc_watched *watched,
                       const struct hc_file_stamp stamps[HC_FILES_PARTS],
                       struct hc_error *err) HC_MUST_USE;

bool hc_files_same(const struct hc_file_stamp a[HC_FILES_PARTS],
                   const struct hc_file_stamp b[HC_FILES_PARTS]);

/* A number that tells such states of the files apart; never 0. */
uint64_t hc_files_mark(const struct hc_file_stamp stamps[HC_FILES_PARTS]);

/* The pair that they hold; as hc_pair_from_pem(). */
int hc_files_pair(const struct hc_files *files, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_pair **out,
                  struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/*
 * The error that a finding against this pair is: of the file and line that it names, or of the
 * certificate's file ("certificate 1 (leaf)" alone would not say of which). Returns -1.
 */
int hc_files_fault(const struct hc_conf *conf, const struct hc_watched *watched,
                   const struct hc_finding *finding, struct hc_error *err);

void hc_files_dispose(struct hc_files *files);

#endif
