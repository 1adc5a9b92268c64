/*
 * What the files of this folder share: the agent and its parts. Nobody else includes this.
 * Functions return 0, or -1 with what went wrong logged or handed up, as each one says.
 */
#ifndef HC_AGENT_STATE_H
#define HC_AGENT_STATE_H

#include <sys/queue.h>

#include "agent/agent.h"
#include "agent/answers.h"
#include "agent/cas.h"
#include "agent/chains.h"
#include "agent/clock.h"
#include "agent/files.h"
#include "agent/first.h"
#include "agent/garbage.h"
#include "agent/health.h"
#include "agent/inventory.h"
#include "agent/judge.h"
#include "agent/outlooks.h"
#include "agent/pause.h"
#include "agent/publisher.h"
#include "agent/record.h"
#include "agent/said.h"
#include "agent/select.h"
#include "agent/storage.h"
#include "agent/watches.h"
#include "loop/timer.h"
#include "preflight/leaveout.h"
#include "store/follower.h"
#include "store/line.h"
#include "store/lock.h"
#include "store/mark.h"
#include "store/record.h"

/* ---- follow.c ---- */

struct hc_follow {
    uint64_t mark;         /* of the inventory that we have */
    int64_t next_mark_ms;  /* looks at the lines are this far apart */
    int64_t next_sweep_ms; /* some lines are looked at then, whatever the mark says */
    int64_t next_look_ms;  /* a look even if nothing was announced */
    bool announced;
    struct hc_loop_fd news; /* in the loop where the store tells of changes */
    hc_said said;
};

/* ---- jobs.c ---- */

struct hc_obtain;

/* One line that is obtained: an identity and a key type. */
struct hc_job {
    const struct hc_identity *identity;
    size_t index; /* of the identity */
    enum hc_key_type key_type;
    unsigned char line[HC_ID_SIZE];
    char name[2 * HC_ID_SIZE + 1]; /* the line in hex: its name in the store */
    struct hc_job_record record;
    bool elsewhere;        /* another agent orders it */
    int64_t again_ms;      /* not looked at before */
    struct hc_pause pause; /* after failures that are no name's */
    unsigned turn;         /* in the queue: after those with less */
    hc_said said;
    struct hc_obtain *obtain;
};

struct hc_control;

struct hc_agent {
    struct hc_agent_options o;
    struct hc_timer due; /* something may be: the parts look */
    uint64_t looks;      /* how often they did */
    struct hc_loop_fd supervise;
    struct hc_loop_fd signals;
    bool ended;
    struct hc_conf *conf;
    struct hc_env env;
    struct hc_events events;
    struct hc_storage *storage;
    struct hc_answers *answers;
    struct hc_solver_set solvers;
    struct hc_follow follow;
    struct hc_cas *cas;
    struct hc_job *jobs;
    size_t job_count;
    struct hc_watches *watches;
    struct hc_job **jobs_at; /* the first of each identity's, or NULL */
    struct hc_publisher *publisher;
    struct hc_health *health;
    struct hc_garbage *garbage;
    struct hc_outlooks *outlooks;
    struct hc_judge judge;
    struct hc_control *control;
    struct hc_chains *chains;
    struct hc_keeper_client keeper;
    struct hc_job **queue; /* those that are ready, the most urgent first */
    size_t queue_count;
    LIST_HEAD(, hc_obtain) obtains; /* under way */
    size_t running;                 /* so many */
    struct hc_clock_watch *clock;
    bool jobs_dirty;      /* something changed that may make a job due */
    int64_t jobs_next_ms; /* when the next job may be due */
    int64_t started_ms;
    int64_t tick_ms; /* the next tick */
};

static inline int64_t hc_agent_now(const struct hc_agent *agent)
{
    return hc_now(agent->o.clock);
}

static inline int64_t hc_agent_ms(const struct hc_agent *agent)
{
    return hc_now_ms(agent->o.clock);
}

/* The directive hotcert_check_interval, in milliseconds. */
int64_t hc_agent_interval_ms(const struct hc_agent *agent);

/* The open store, or NULL, and the lines that it has. */
static inline struct hc_store *hc_agent_store(const struct hc_agent *agent)
{
    return hc_storage_store(agent->storage);
}

static inline struct hc_inventory *hc_agent_inventory(const struct hc_agent *agent)
{
    return hc_storage_inventory(agent->storage);
}

/* ---- follow.c ---- */

void hc_follow_start(struct hc_agent *agent);
void hc_follow_stop(struct hc_agent *agent);
/* Looks at challenges and versions if there may be news; milliseconds until the next look. */
int64_t hc_follow_run(struct hc_agent *agent);
/* A commit of our own is in the inventory already: no reason to read all lines. */
void hc_follow_committed(struct hc_agent *agent);

/* ---- jobs.c ---- */

int hc_jobs_new(struct hc_agent *agent, struct hc_error *err) HC_MUST_USE;
void hc_jobs_free(struct hc_agent *agent);
void hc_jobs_load(struct hc_agent *agent);
/* The jobs of one identity, which are neighbours; *count 0: it has none. */
struct hc_job *hc_jobs_of(const struct hc_agent *agent, size_t index, size_t *count);
/* The cause of what these names failed of is gone: they need not wait (four times an hour). */
void hc_jobs_forgive(struct hc_agent *agent, size_t identity, const struct hc_list *names);
/* Reads the job's record anew: another agent may have changed it. */
int hc_job_load(struct hc_agent *agent, struct hc_job *job, struct hc_error *err) HC_MUST_USE;
/* Starts what is due; milliseconds until something may be due. */
int64_t hc_jobs_run(struct hc_agent *agent);
/* Ends what is under way, to be resumed: the store is going. */
void hc_jobs_halt(struct hc_agent *agent);
/* Why a job is not being ordered at this moment. */
enum hc_job_wait {
    HC_JOB_READY,     /* it may be started */
    HC_JOB_RUNNING,   /* it is being ordered, or waits for its commit */
    HC_JOB_FRESH,     /* its pair is good: when says until when */
    HC_JOB_FAILED,    /* it failed: when says when it is tried again */
    HC_JOB_CA,        /* its CA failed: when says when that is asked again */
    HC_JOB_ELSEWHERE, /* another agent orders it */
    HC_JOB_STORE,     /* the store cannot be used */
    HC_JOB_CLOCK,     /* the clock is wrong */
    HC_JOB_LOOKING,   /* its names are being looked at */
    HC_JOB_HELD,      /* no order for its names: when says until when */
    HC_JOB_WAIT_COUNT,
};
/* ca: who would be asked (or is). when: UTC seconds, 0: now. Both may be NULL. */
enum hc_job_wait hc_job_look(struct hc_agent *agent, const struct hc_job *job, int64_t now,
                             struct hc_ca **ca, int64_t *when);
/* What a job in this state failed of last, at whichever place that is known. Borrowed. */
const struct hc_last_error *hc_job_failure(const struct hc_agent *agent, const struct hc_job *job,
                                           const struct hc_ca *ca, enum hc_job_wait wait);
/* The pair of the job's own line, or NULL. */
const struct hc_line_info *hc_job_info(const struct hc_agent *agent, const struct hc_job *job);
/* When the job's pair is to be renewed; 0: now. */
int64_t hc_job_due(struct hc_agent *agent, const struct hc_job *job);
/* The notAfter of what serves the job's identity now; 0: nothing does. */
int64_t hc_job_serving_until(const struct hc_agent *agent, const struct hc_job *job);
int hc_job_store(struct hc_agent *agent, struct hc_job *job, struct hc_error *err) HC_MUST_USE;

/* ---- obtain.c ---- */

/* Starts an order for the job at ca. What goes wrong is logged and counted. */
void hc_obtain_start(struct hc_agent *agent, struct hc_job *job, struct hc_ca *ca);
/* Tries again to commit what could not be committed. */
void hc_obtains_run(struct hc_agent *agent);
/* Those under way that do not only wait for a time that the CA named, or for the disk. */
int64_t hc_obtains_active(const struct hc_agent *agent);
/* Ends it without a result; the order's state stays in the job's record. */
void hc_obtain_free(struct hc_obtain *obtain);
/* For `list`: what it is doing. */
const char *hc_obtain_activity(const struct hc_obtain *obtain);
struct hc_ca *hc_obtain_ca(const struct hc_obtain *obtain);

/* ---- received.c ---- */

/*
 * Makes the pair of an order that went well, unless it is not what was ordered or the one in use is
 * better: then err says why, and its retry_after when it may be otherwise. *pair and *findings are
 * the caller's.
 */
int hc_received_take(struct hc_agent *agent, const struct hc_job *job, const struct hc_list *names,
                     const struct hc_order_result *result, struct hc_pair **pair,
                     struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/* ---- takeover.c ---- */

/* Reads what other agents did with the job's line. 1: no order is needed, 0: it is, -1: err. */
int hc_line_refresh(struct hc_agent *agent, struct hc_job *job, struct hc_error *err) HC_MUST_USE;
/* A pair of the same names, key type and an issuer in use becomes the line's own. The same. */
int hc_line_adopt(struct hc_agent *agent, struct hc_job *job, struct hc_error *err) HC_MUST_USE;

/* ---- control.c ---- */

int hc_control_new(struct hc_agent *agent, struct hc_error *err) HC_MUST_USE;
void hc_control_free(struct hc_agent *agent);
/* Answers those that wait; milliseconds until one of them has waited long enough, -1: none. */
int64_t hc_control_run(struct hc_agent *agent);
/* True if the name is one of the identity's; under watch also if its certificate has it. */
bool hc_identity_has(const struct hc_agent *agent, size_t index, const char *name);

#endif
