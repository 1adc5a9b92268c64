/*
 * Jobs: every line that is to be obtained, what is remembered of it, and what it waits for.
 * hc_job_waits_for() is a pure question. Which are started is the queue's to say, and the orders
 * are obtains'.
 *
 * Hears STORE_IDENTITY, and PREFLIGHT_ENDED: names that are well again need not wait.
 */
#ifndef HC_AGENT_JOBS_H
#define HC_AGENT_JOBS_H

#include "agent/clock.h"
#include "agent/outlooks.h"
#include "agent/pause.h"
#include "agent/said.h"
#include "agent/window.h"

struct hc_jobs;

struct hc_jobs_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    const struct hc_clock_watch *clock;
    struct hc_publisher *publisher;
    struct hc_cas *cas;
    const struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
};

/* One line that is obtained. What an order changes of it is changed by that order alone. */
struct hc_job {
    const struct hc_identity *identity;
    uint32_t index; /* of the identity */
    enum hc_key_type key_type;
    unsigned char line[HC_ID_SIZE];
    struct hc_job_record record;
    struct hc_ca *at;        /* where it is being ordered; NULL: it is not */
    int64_t again_ms;        /* not reviewed before */
    struct hc_pause pause;   /* after failures that are no name's */
    struct hc_window window; /* windows' to change, by hc_job_set_window() */
    hc_said said;
};

int hc_jobs_new(const struct hc_jobs_options *options, struct hc_jobs **out,
                struct hc_error *err) HC_MUST_USE;
void hc_jobs_free(struct hc_jobs *jobs); /* NULL is fine */

/* The line in hex: the job's name in the store. Returns name. */
#define HC_JOB_NAME (2 * HC_ID_SIZE + 1)
const char *hc_job_name(const struct hc_job *job, char name[HC_JOB_NAME]);

size_t hc_jobs_count(const struct hc_jobs *jobs);
struct hc_job *hc_jobs_at(const struct hc_jobs *jobs, size_t i);
/* The jobs of one identity, which are neighbours; *count 0: it has none. */
struct hc_job *hc_jobs_of(const struct hc_jobs *jobs, size_t index, size_t *count);

/* Why a job is not being ordered at this moment. */
enum hc_job_wait {
    HC_JOB_READY,     /* it may be started */
    HC_JOB_RUNNING,   /* it is being ordered, or waits for its commit */
    HC_JOB_FRESH,     /* its pair is good: when says until when */
    HC_JOB_FAILED,    /* it failed: when says when it is tried again */
    HC_JOB_CA,        /* its CA failed: when says when that is asked again */
    HC_JOB_ELSEWHERE, /* another agent orders it */
    HC_JOB_STORE,     /* the store cannot be used, or was not read whole yet */
    HC_JOB_CLOCK,     /* the clock is wrong */
    HC_JOB_CHECKING,  /* its names are being checked */
    HC_JOB_HELD,      /* no order for its names: when says until when */
    HC_JOB_WAIT_COUNT,
};
/* ca: who would be asked (or is). when: UTC seconds, 0: now. Changes nothing. */
enum hc_job_wait hc_job_waits_for(const struct hc_jobs *jobs, const struct hc_job *job,
                                  struct hc_ca **ca, int64_t *when);
/* The same, as if it were not being ordered. */
enum hc_job_wait hc_job_prospect(const struct hc_jobs *jobs, const struct hc_job *job,
                                 struct hc_ca **ca, int64_t *when);
/* What a job in this state failed of last, at whichever place that is known. Borrowed. */
const struct hc_last_error *hc_job_failure(const struct hc_jobs *jobs, const struct hc_job *job,
                                           const struct hc_ca *ca, enum hc_job_wait wait);
/* The pair of the job's own line, or NULL. */
const struct hc_line_info *hc_job_info(const struct hc_jobs *jobs, const struct hc_job *job);
/* When the job's pair is to be renewed; 0: now. */
int64_t hc_job_due(const struct hc_jobs *jobs, const struct hc_job *job);

/* explanation: copied; or NULL. */
void hc_job_set_window(struct hc_jobs *jobs, struct hc_job *job, const struct hc_window *window,
                       const char *explanation);

/* A URL, borrowed; or NULL. */
const char *hc_job_explanation(const struct hc_jobs *jobs, const struct hc_job *job);
/* Somebody sets windows: no certificate is renewed before its window was. */
void hc_jobs_await_windows(struct hc_jobs *jobs);

/* Reads the job's record anew: another agent may have changed it. */
int hc_job_load(const struct hc_jobs *jobs, struct hc_job *job, struct hc_error *err) HC_MUST_USE;
int hc_job_store(const struct hc_jobs *jobs, struct hc_job *job, struct hc_error *err) HC_MUST_USE;

#endif
