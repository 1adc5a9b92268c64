/*
 * What the agent remembers over restarts, as small JSON texts that the store seals: of every job
 * its last error and the order that is under way; of every issuer its breaker and the retry state
 * of each name and certificate that failed there. Reading is strict: a text that is not ours is
 * refused as a whole.
 */
#ifndef HC_AGENT_RECORD_H
#define HC_AGENT_RECORD_H

#include <openssl/evp.h>

#include "agent/issuer_record.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define HC_RECORD_MAX ((size_t)1 << 20)

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

int hc_issuer_record_encode(const struct hc_issuer_record *record, struct hc_buf *out,
                            struct hc_error *err) HC_MUST_USE;
/* The same; times that a wrong clock left are pulled back. */
int hc_issuer_record_decode(struct hc_bytes text, int64_t now, struct hc_issuer_record *record,
                            struct hc_error *err) HC_MUST_USE;

#endif
