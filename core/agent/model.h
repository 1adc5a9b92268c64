/*
 * One snapshot of all that is told of the agent: `list`, the status page, metrics and notifications
 * are renderings of it, and ask no part themselves. Times are UTC seconds, 0: there is none; texts
 * are raw (whoever renders one escapes it). What it points to is the parts': a snapshot is valid
 * until the loop goes on.
 */
#ifndef HC_AGENT_MODEL_H
#define HC_AGENT_MODEL_H

#include "agent/counters.h"
#include "agent/parts.h"
#include "agent/record.h"
#include "agent/responder.h"
#include "agent/watches.h"

/*
 * The version of what `list --json` and the status page's JSON say: raised when a field goes or
 * means something else. Fields may be added without.
 */
#define HC_MODEL_SCHEMA 1
#define HC_MODEL_FLAWS  8
#define HC_MODEL_FILES  3

/* One key type that is obtained, or one watched pair of files. */
struct hc_model_certificate {
    size_t index;     /* of the identity */
    const char *mode; /* "on", "watch"; "lines": certificate lines beside `on` */
    const struct hc_list *names;
    const char *lead;     /* the one of them that people know it by, or NULL */
    const char *key_type; /* NULL: not known yet */
    const char *serial;   /* NULL: there is no certificate */
    int64_t not_before;
    int64_t not_after;
    const char *issuer;   /* whose it is, or who is asked; "": nobody of ours */
    const char *state;    /* what it waits for, a word of docs/operations.md */
    const char *activity; /* what its order is doing, or NULL */
    bool served;          /* it, and all that the host is to have, is what is served */
    int64_t lines_until;  /* notAfter of certificate lines that serve in its place */
    const char *stand_in; /* serial of the pair that serves in its place, or NULL */
    bool has_flaws;       /* false: another of the host's certificates tells them */
    enum hc_problem flaws[HC_MODEL_FLAWS]; /* of what is served */
    size_t flaw_count;
    const struct hc_list *left_out;    /* names that are not ordered now; NULL: does not apply */
    int64_t renew_at;                  /* when it is due; watched files: 0 */
    const struct hc_window *window;    /* in which the CA wants it renewed; NULL: not known */
    const char *explanation;           /* of that: a URL, or NULL */
    int64_t next_try;                  /* when it is checked or tried next */
    unsigned failures;                 /* in a row */
    const struct hc_last_error *last;  /* problem HC_P_NONE: none */
    const char *files[HC_MODEL_FILES]; /* that are watched, NULL behind the last */
    const struct hc_list *where;       /* "file:line" of each host */
};

struct hc_model_issuer {
    const char *name;
    const char *directory_url;
    bool up;           /* it did its part last, or was not asked yet */
    unsigned failures; /* in a row, of the CA itself */
    int64_t failing_since;
    int64_t next_try;    /* it is left alone until then */
    const char *account; /* its URL, or NULL */
    const struct hc_counted_orders *orders;
    const struct hc_last_error *last;
};

struct hc_model {
    int64_t at;         /* when the snapshot was made */
    const char *server; /* "nginx", "httpd", "none" */
    int pid;
    const char *store;
    bool store_ready;
    const struct hc_last_error *store_error;
    bool clock_wrong;
    struct hc_model_certificate *certificates;
    size_t certificate_count;
    struct hc_model_issuer *issuers;
    size_t issuer_count;
    const struct hc_counters *counters;    /* since it began */
    const struct hc_dns_counts *responder; /* the same of our DNS server; NULL: there is none */
};

int hc_model_new(const struct hc_parts *parts, struct hc_model **out,
                 struct hc_error *err) HC_MUST_USE;
void hc_model_free(struct hc_model *model); /* NULL is fine */

/* One watched pair alone. */
void hc_model_of_watch(const struct hc_parts *parts, const struct hc_watch *watch,
                       struct hc_model_certificate *out);

/* True if the identity's own, current pairs of every key type are what is served. */
bool hc_model_is_served(const struct hc_parts *parts, size_t identity);
/* The word for the first of the identity's pairs that is not as it should be, and when it is tried
 * next. */
const char *hc_model_pending(const struct hc_parts *parts, size_t identity, int64_t *next);
/* The word for what a job (enum hc_job_wait) waits for. */
const char *hc_model_word(unsigned wait);

#endif
