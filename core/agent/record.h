/*
 * What the agent remembers over restarts, as small JSON texts that the store seals: of every job
 * its last error and the order that is under way; of every issuer its breaker and the retry state
 * of each name and certificate that failed there. Reading is strict: a text that is not ours is
 * refused as a whole.
 */
#ifndef HC_AGENT_RECORD_H
#define HC_AGENT_RECORD_H

#include <openssl/evp.h>

#include "agent/breaker.h"
#include "agent/schedule.h"
#include "agent/tried.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/kept_error.h"
#include "base/str.h"

#define HC_RECORD_MAX   ((size_t)1 << 20)
#define HC_RECORD_NAMES 5000 /* names with failures that one issuer's record keeps */

/* The last thing that went wrong, and when. problem HC_P_NONE: nothing. */
struct hc_last_error {
    struct hc_kept_error error;
    int64_t at;
};

void hc_last_error_set(struct hc_last_error *last, const struct hc_error *err, int64_t at);
void hc_last_error_clear(struct hc_last_error *last);

/* An order that was placed: what is needed to go on with it. */
struct hc_job_order {
    char *url;
    char *directory;
    struct hc_list names;
    EVP_PKEY *key;
    uint64_t base; /* the line's version when it was placed; 0: none. A later one ends it */
};

/* A copy of all that it says, with a reference to its key; hc_job_record_forget_order() frees it.
 */
int hc_job_order_new(const struct hc_job_order *order, struct hc_job_order **out,
                     struct hc_error *err) HC_MUST_USE;

/* Zeroed memory is the record of a job that was never tried. */
struct hc_job_record {
    int64_t resets[HC_RESETS_MAX];
    struct hc_last_error last;
    uint64_t replace;           /* `renew --force`: this version, whatever its dates say; 0: none */
    struct hc_job_order *order; /* under way, or NULL: few have one at a time */
};

int hc_job_record_encode(const struct hc_job_record *record, struct hc_buf *out,
                         struct hc_error *err) HC_MUST_USE;
/* *record is zeroed memory or disposed. */
int hc_job_record_decode(struct hc_bytes text, struct hc_job_record *record,
                         struct hc_error *err) HC_MUST_USE;
/* Forgets the order that was under way, if any; its key is wiped with its last reference. */
void hc_job_record_forget_order(struct hc_job_record *record);
void hc_job_record_dispose(struct hc_job_record *record);

/*
 * The retry state of one name at one issuer; or of a certificate that failed as a whole. One that
 * was cleared stays for a day without failures, so that agents on one store agree which is later.
 */
struct hc_name_ladder {
    char *name; /* a certificate's is its line in hex, which no host name can be */
    struct hc_ladder ladder;
};

struct hc_issuer_record {
    struct hc_breaker breaker;
    int64_t resets[HC_RESETS_MAX];
    char mark[2 * HC_ID_SIZE + 1]; /* the configuration under which it failed */
    struct hc_last_error last;
    struct hc_name_ladder *names; /* sorted */
    size_t name_count;
    size_t name_cap;
    struct hc_tried tried; /* methods, by name */
};

int hc_issuer_record_encode(const struct hc_issuer_record *record, struct hc_buf *out,
                            struct hc_error *err) HC_MUST_USE;
/* The same; times that a wrong clock left are pulled back. */
int hc_issuer_record_decode(struct hc_bytes text, int64_t now, struct hc_issuer_record *record,
                            struct hc_error *err) HC_MUST_USE;
/* The name's ladder or NULL: nothing is held against it. */
struct hc_ladder *hc_issuer_record_find(const struct hc_issuer_record *record, const char *name);
/* The same, made if it is not there. NULL: no memory. */
struct hc_ladder *hc_issuer_record_name(struct hc_issuer_record *record, const char *name);
/* Forgets what is held against the name. True if anything was. */
bool hc_issuer_record_clear(struct hc_issuer_record *record, const char *name, int64_t now);
/* The same for all. */
void hc_issuer_record_clear_all(struct hc_issuer_record *record, int64_t now);
/*
 * Takes over what another agent wrote: of the breaker (with the last error) and of each name what
 * is later. -1: no memory, and then some of it is missing.
 */
int hc_issuer_record_merge(struct hc_issuer_record *record, const struct hc_issuer_record *other,
                           int64_t now, struct hc_error *err) HC_MUST_USE;
/* The clock was set back: pulls back all times. */
void hc_issuer_record_pull_back(struct hc_issuer_record *record, int64_t now);
void hc_issuer_record_dispose(struct hc_issuer_record *record);

#endif
