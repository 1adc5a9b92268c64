/*
 * Questions to CAs when certificates are to be renewed (RFC 9773): sent, judged, kept in the store
 * and told to the jobs. Which are asked, and when, windows.h says.
 */
#ifndef HC_AGENT_WINDOW_ASK_H
#define HC_AGENT_WINDOW_ASK_H

#include <sys/queue.h>

#include "agent/jobs.h"
#include "net/http.h"

struct hc_windows_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_cas *cas;
    struct hc_jobs *jobs;
    const struct hc_http_port *http;
};

/* Its owner sets the first three. */
struct hc_window_asks {
    struct hc_windows_options o;
    void (*answered)(void *self); /* there is room for one more */
    void *self;
    LIST_HEAD(, question) questions;
    size_t count;
    uint64_t failed; /* a bit for each of the first issuers: it failed, and the log says so */
};

/* What the record says, if it is of this version. record: zeroed memory. */
bool hc_window_load(const struct hc_windows_options *o, const struct hc_job *job,
                    const struct hc_line_info *info, struct hc_window_record *record);
void hc_window_save(const struct hc_windows_options *o, const struct hc_job *job,
                    const struct hc_window_record *record);

/* Asks about the job's certificate; where that cannot be, the job is left alone for a while. */
void hc_window_ask(struct hc_window_asks *asks, struct hc_job *job, const struct hc_line_info *info,
                   const struct hc_issuer *issuer, const char *renewal_info);
bool hc_window_is_asked(const struct hc_window_asks *asks, const struct hc_job *job);
/* Ends the questions about the job, or all (NULL). */
void hc_window_drop(struct hc_window_asks *asks, const struct hc_job *job);

#endif
