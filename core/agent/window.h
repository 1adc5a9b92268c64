/*
 * When the CA wants a certificate renewed (RFC 9773): what a job knows of it, and the store's
 * record, which every agent on the store writes alike.
 */
#ifndef HC_AGENT_WINDOW_H
#define HC_AGENT_WINDOW_H

#include "acme/ari.h"
#include "pki/pair.h"
#include "store/info.h"
#include "store/store.h"

#define HC_WINDOW_SPAN INT32_MAX

/* What a job knows. Zeroed memory: the store was not asked yet. */
struct hc_window {
    int64_t start;       /* UTC; 0: there is no window */
    int64_t next;        /* the CA is not asked before */
    int64_t until;       /* the window counts until then: it was heard of lately */
    uint32_t span;       /* its length in seconds, at most HC_WINDOW_SPAN */
    uint32_t drawn;      /* seconds from start to the instant of this certificate */
    uint32_t version;    /* of the line that it is about, its low bits: hc_window_is_of() */
    uint8_t explanation; /* hc_job_explanation()'s number; 0: none */
};

/* The record. All texts are owned; zeroed memory is an empty one. */
struct hc_window_record {
    char *serial;    /* of the certificate that it is about */
    char *id;        /* see hc_ari_id(); "": it has none */
    char *directory; /* whose it is */
    char *account;   /* URL of the account that ordered it; "": not known */
    struct hc_ari_window window;
    int64_t next, until; /* as above */
    unsigned failures;   /* of questions, in a row */
};

/* Of a certificate that was just stored; account: NULL: not known. *record is zeroed memory. */
int hc_window_record_new(const struct hc_line_info *info, struct hc_pair *pair, const char *account,
                         struct hc_window_record *record, struct hc_error *err) HC_MUST_USE;
/*
 * name: the job's. HC_P_STORE_EMPTY: there is none of this version of its line; HC_P_STORE_DAMAGED.
 * *record is zeroed memory.
 */
int hc_window_record_load(struct hc_store *store, const char *name, const struct hc_line_info *info,
                          struct hc_window_record *record, struct hc_error *err) HC_MUST_USE;
int hc_window_record_store(struct hc_store *store, const char *name,
                           const struct hc_window_record *record, struct hc_error *err) HC_MUST_USE;
void hc_window_record_dispose(struct hc_window_record *record);

/* What a job is to know of it; all but the explanation. */
struct hc_window hc_window_of(const struct hc_window_record *record,
                              const struct hc_line_info *info, int64_t now);

/* Times of a clock that was ahead: nothing is waited for longer than a CA might ask for. */
void hc_window_pull_back(struct hc_window *window, int64_t now);

/* True if it is about this version. */
bool hc_window_is_of(const struct hc_window *window, const struct hc_line_info *info);
/* True if it is, there is a window, and it counts. */
bool hc_window_counts(const struct hc_window *window, const struct hc_line_info *info, int64_t now);

#endif
