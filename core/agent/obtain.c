/*
 * One order: lock of the line, what the store knows by now, the order with its challenges, the
 * pair, the commit, the publication. Killed at any point, the next agent goes on from the state
 * that was stored before the step that depended on it.
 */
#include <stdlib.h>

#include "agent/state.h"
#include "preflight/refusal.h"

#define ELSEWHERE_MS    2000 /* looks at a line that another agent orders are this far apart */
#define ACCOUNT_WAIT_MS 500
#define UNSAFE_MS       60000

struct hc_obtain {
    LIST_ENTRY(hc_obtain) link;
    struct hc_agent *agent;
    struct hc_job *job;
    struct hc_ca *ca;
    struct hc_store_lock *lock;
    struct hc_order *order;
    struct hc_order_handler handler;
    struct hc_list names;      /* what is ordered */
    struct hc_answer *answers; /* presented now */
    size_t answer_count;
    struct hc_pair *pair;        /* obtained; waits for its commit */
    struct hc_findings findings; /* about it */
    int64_t started_ms;
};

const char *hc_obtain_activity(const struct hc_obtain *obtain)
{
    if (obtain->pair != NULL) {
        return "waiting until the store can be written";
    }
    return obtain->order != NULL ? obtain->agent->o.authority->activity(obtain->order) : "starting";
}

struct hc_ca *hc_obtain_ca(const struct hc_obtain *obtain)
{
    return obtain->ca;
}

static bool is_waiting(const struct hc_obtain *obtain)
{
    return obtain->pair != NULL ||
           (obtain->order != NULL && obtain->agent->o.authority->waiting(obtain->order));
}

int64_t hc_obtains_active(const struct hc_agent *agent)
{
    const struct hc_obtain *obtain = NULL;
    int64_t active = 0;

    LIST_FOREACH(obtain, &agent->obtains, link)
    {
        active += !is_waiting(obtain);
    }
    return active;
}

void hc_obtain_free(struct hc_obtain *obtain)
{
    if (obtain == NULL) {
        return;
    }
    if (obtain->order != NULL) {
        /* the next agent goes on: the CA may be asking for an answer right now */
        if (obtain->job->record.order_url != NULL) {
            obtain->agent->o.authority->leave(obtain->order);
        } else {
            obtain->agent->o.authority->cancel(obtain->order);
        }
    }
    hc_ca_end(obtain->ca);
    LIST_REMOVE(obtain, link);
    obtain->agent->running--;
    obtain->job->obtain = NULL;
    hc_pair_free(obtain->pair);
    hc_findings_dispose(&obtain->findings);
    hc_list_dispose(&obtain->names);
    hc_store_unlock(obtain->lock);
    free(obtain);
}

static const char *subject_of(const struct hc_obtain *obtain, char dst[HC_SUBJECT])
{
    return hc_identity_subject(obtain->job->identity, dst);
}

/* ---- the end ---- */

static void store_job(struct hc_agent *agent, struct hc_job *job)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_job_store(agent, job, &err) != 0) {
        hc_storage_failed(agent->storage, &err);
    }
}

/* What the issuer held against the names and the certificate is over: it issued. */
static void forget_failures(struct hc_obtain *obtain)
{
    hc_ca_forgive(obtain->ca, obtain->job->name);
    for (size_t i = 0; i < obtain->names.count; i++) {
        hc_ca_forgive(obtain->ca, obtain->names.items[i]);
    }
}

/* Durable, then served, then forgotten as a job. Frees the obtain if that went well. */
static void commit(struct hc_obtain *obtain)
{
    struct hc_agent *agent = obtain->agent;
    struct hc_job *job = obtain->job;
    struct hc_line_info info;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    memcpy(info.line, job->line, HC_ID_SIZE);
    info.mode = HC_MODE_ON;
    info.key_type = job->key_type;
    if (hc_strdup(hc_ca_issuer(obtain->ca)->directory_url, &info.issuer, &err) != 0 ||
        hc_strdup(hc_ca_issuer(obtain->ca)->name, &info.issuer_name, &err) != 0 ||
        hc_list_copy(&info.names, &obtain->names, &err) != 0 ||
        hc_storage_commit(agent->storage, &info, obtain->pair, &err) != 0) {
        hc_error_during(&err, "storing a certificate that was obtained");
        hc_storage_failed(agent->storage, &err);
        hc_line_info_dispose(&info);
        return;
    }
    hc_job_record_forget_order(&job->record);
    hc_last_error_clear(&job->record.last);
    job->record.replace = 0;
    job->said = 0;
    forget_failures(obtain);
    hc_health_note(agent->health, job->index, obtain->pair, &obtain->findings);
    hc_outlook_obtained(agent->outlooks, job->index, &obtain->names);
    store_job(agent, job);
    hc_ca_store(obtain->ca);
    hc_line_info_dispose(&info);
    hc_obtain_free(obtain);
}

void hc_obtains_run(struct hc_agent *agent)
{
    struct hc_obtain *next = NULL;

    for (struct hc_obtain *obtain = LIST_FIRST(&agent->obtains); obtain != NULL; obtain = next) {
        next = LIST_NEXT(obtain, link);
        if (obtain->pair != NULL && hc_storage_ready(agent->storage)) {
            commit(obtain);
        }
    }
}

/* Held against a name, or a certificate, at this issuer alone: another may see it otherwise. */
static void count_failure(struct hc_obtain *obtain, const char *name, int64_t retry_after)
{
    struct hc_agent *agent = obtain->agent;

    hc_ca_hold(obtain->ca, name, hc_job_serving_until(agent, obtain->job), retry_after);
}

/* What the CA holds against single names. */
static void count_names(struct hc_obtain *obtain, const struct hc_order_result *result)
{
    struct hc_agent *agent = obtain->agent;

    for (size_t i = 0; i < result->name_count; i++) {
        const struct hc_order_name *name = &result->names[i];

        /* a CA says when to come again once, for all of the names that it lists */
        count_failure(obtain, name->name,
                      name->error.foreign.retry_after > 0 ? name->error.foreign.retry_after
                                                          : result->error.foreign.retry_after);
        hc_outlook_refused(agent->outlooks, obtain->job->index, name->name, &name->error);
    }
}

/* A line for each name at fault, unless a look tells what it finds in the same line. */
static void say_names(struct hc_obtain *obtain, const struct hc_order_result *result)
{
    struct hc_agent *agent = obtain->agent;
    bool told = hc_outlook_compare(agent->outlooks, obtain->job->index, obtain->ca);
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < result->name_count; i++) {
        const struct hc_order_name *name = &result->names[i];

        hc_logf(agent->o.log, told ? HC_LOG_INFO : HC_LOG_ERROR, "%s: %s", name->name,
                hc_refusal_describe(&name->error, NULL, text, sizeof(text)));
    }
}

/* What would the job wait for if it were not being ordered? */
static enum hc_job_wait look_beyond(const struct hc_obtain *obtain, struct hc_ca **ca,
                                    int64_t *when)
{
    struct hc_agent *agent = obtain->agent;
    struct hc_job *job = obtain->job;
    struct hc_obtain *kept = job->obtain;
    enum hc_job_wait wait = HC_JOB_READY;

    job->obtain = NULL;
    wait = hc_job_look(agent, job, hc_agent_now(agent), ca, when);
    job->obtain = kept;
    return wait;
}

/* err: why, or NULL: the lines of the names say it. */
static void say_failed(struct hc_obtain *obtain, const struct hc_error *err)
{
    struct hc_agent *agent = obtain->agent;
    int64_t now = hc_agent_now(agent);
    char subject[HC_SUBJECT];
    char text[HC_LOG_LINE];
    char wait[32];
    struct hc_ca *ca = NULL;
    int64_t when = 0;

    (void)look_beyond(obtain, &ca, &when);
    hc_logf(agent->o.log, HC_LOG_ERROR, "%s: no certificate from %s%s%s; tried again %s%s",
            subject_of(obtain, subject), hc_ca_issuer(obtain->ca)->name, err != NULL ? ": " : "",
            err != NULL ? hc_error_format(err, text, sizeof(text)) : "",
            when > now ? "in " : "at once",
            when > now ? hc_duration_format(when - now, wait, sizeof(wait)) : "");
}

/* True if this machine failed: that says nothing of the CA, nor of the names. */
static bool is_local(const struct hc_error *err)
{
    return hc_error_class(err) == HC_CLASS_INTERNAL || err->problem == HC_P_TABLE_FULL;
}

/* The CA failed, or at least this order at it. */
static void fail_ca_wide(struct hc_obtain *obtain, const struct hc_error *err)
{
    struct hc_job *job = obtain->job;
    struct hc_agent *agent = obtain->agent;
    char subject[HC_SUBJECT];

    hc_ca_failed(obtain->ca, err);
    hc_pause_fail(&job->pause, obtain->ca, hc_agent_ms(agent));
    if (job->record.order_url != NULL &&
        hc_pause_is_hopeless(&job->pause, hc_ca_worked_ms(obtain->ca))) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: the order at %s is given up after %u failures",
                subject_of(obtain, subject), hc_ca_issuer(obtain->ca)->name, job->pause.failures);
        hc_job_record_forget_order(&job->record);
    }
}

/* The CA did its part, if it was asked; the names or the certificate failed. */
static void fail_names(struct hc_obtain *obtain, const struct hc_order_result *result,
                       const struct hc_error *err)
{
    struct hc_job *job = obtain->job;

    if (obtain->order != NULL) {
        hc_ca_worked(obtain->ca); /* else nobody asked it */
    }
    memset(&job->pause, 0, sizeof(job->pause));
    count_names(obtain, result);
    if (result->name_count == 0) {
        bool final = hc_ca_is_final(err->problem, 1);

        count_failure(obtain, job->name,
                      final && err->foreign.retry_after < HC_CA_FINAL_S ? HC_CA_FINAL_S
                                                                        : err->foreign.retry_after);
    }
    say_failed(obtain, result->name_count == 0 ? err : NULL);
    say_names(obtain, result);
}

static void fail(struct hc_obtain *obtain, const struct hc_order_result *result,
                 const struct hc_error *err)
{
    struct hc_agent *agent = obtain->agent;
    struct hc_job *job = obtain->job;
    struct hc_ca *ca = obtain->ca;

    if (result->order_dead) {
        hc_job_record_forget_order(&job->record);
    }
    hc_last_error_set(&job->record.last, err, hc_agent_now(agent));
    if (obtain->order == NULL && err->problem == HC_P_STORE_UNSAFE) {
        /* one file of the line's: there is a pair that cannot be read now, so none is ordered */
        job->again_ms = hc_agent_ms(agent) + UNSAFE_MS;
        job->elsewhere = false;
        hc_say_once(agent->o.log, &job->said, HC_LOG_ERROR, "not ordered", err);
    } else if (hc_storage_problem(err->problem)) {
        hc_ca_give_back(ca);
        hc_storage_failed(agent->storage, err);
    } else if (is_local(err)) {
        hc_ca_give_back(ca);
        hc_pause_fail(&job->pause, NULL, hc_agent_ms(agent));
        say_failed(obtain, err);
    } else if (result->ca_wide) {
        fail_ca_wide(obtain, err);
    } else {
        fail_names(obtain, result, err);
    }
    agent->jobs_dirty = true;
    store_job(agent, job);
    hc_ca_store(ca); /* before another agent has the lock, and asks in its turn */
    hc_obtain_free(obtain);
}

static void on_done(void *self, const struct hc_order_result *result)
{
    struct hc_obtain *obtain = self;
    struct hc_agent *agent = obtain->agent;
    struct hc_error err = result->error;
    struct hc_order_result judged = *result;
    char subject[HC_SUBJECT];

    if (!hc_error_is_set(&err) && hc_received_take(agent, obtain->job, &obtain->names, result,
                                                   &obtain->pair, &obtain->findings, &err) != 0) {
        judged.order_dead = true; /* the same order would give the same certificate */
        judged.ca_wide = false;
        judged.name_count = 0;
    }
    if (hc_error_is_set(&err)) {
        fail(obtain, &judged, &err); /* the result is the order's, so it goes with it */
        return;
    }
    agent->o.authority->cancel(obtain->order);
    obtain->order = NULL;
    hc_ca_worked(obtain->ca);
    memset(&obtain->job->pause, 0, sizeof(obtain->job->pause));
    hc_logf(agent->o.log, HC_LOG_INFO, "%s: obtained from %s in %lld ms",
            subject_of(obtain, subject), hc_ca_issuer(obtain->ca)->name,
            (long long)(hc_agent_ms(agent) - obtain->started_ms));
    commit(obtain);
}

/* ---- on the way ---- */

static int on_persist(void *self, const struct hc_order_state *state, struct hc_error *err)
{
    struct hc_obtain *obtain = self;
    struct hc_job_record *record = &obtain->job->record;
    const struct hc_line_info *info = hc_job_info(obtain->agent, obtain->job);

    hc_job_record_forget_order(record);
    record->order_base = info != NULL ? info->version : 0;
    if (EVP_PKEY_up_ref(state->key) != 1) {
        return hc_error_nomem(err);
    }
    record->order_key = state->key;
    if (hc_strdup(state->order_url, &record->order_url, err) != 0 ||
        hc_strdup(hc_ca_issuer(obtain->ca)->directory_url, &record->order_directory, err) != 0 ||
        hc_list_copy(&record->order_names, &obtain->names, err) != 0) {
        hc_job_record_forget_order(record);
        return -1;
    }
    if (hc_job_store(obtain->agent, obtain->job, err) != 0) {
        return hc_error_during(err, "storing the state of an order");
    }
    hc_outlook_ordered(obtain->agent->outlooks, obtain->job->index);
    return 0;
}

/* ---- the beginning ---- */

static struct hc_obtain *obtain_new(struct hc_agent *agent, struct hc_job *job, struct hc_ca *ca)
{
    struct hc_obtain *obtain = calloc(1, sizeof(*obtain));

    if (obtain == NULL) {
        return NULL;
    }
    obtain->agent = agent;
    obtain->job = job;
    obtain->ca = ca;
    obtain->started_ms = hc_agent_ms(agent);
    obtain->handler = (struct hc_order_handler){
        .self = obtain,
        .persist = on_persist,
        .done = on_done,
    };
    job->obtain = obtain;
    hc_ca_begin(ca);
    LIST_INSERT_HEAD(&agent->obtains, obtain, link);
    agent->running++;
    return obtain;
}

static int place_order(struct hc_obtain *obtain, struct hc_error *err)
{
    struct hc_agent *agent = obtain->agent;
    struct hc_job_record *record = &obtain->job->record;
    struct hc_order_state state = {record->order_url, record->order_key};
    bool resume = record->order_url != NULL &&
                  strcmp(record->order_directory, hc_ca_issuer(obtain->ca)->directory_url) == 0 &&
                  record->order_names.count > 0;
    const struct hc_list *names =
        resume ? &record->order_names : hc_outlook_order(agent->outlooks, obtain->job->index);
    struct hc_order_options options = {
        .key_type = obtain->job->key_type,
        .handler = &obtain->handler,
        .methods = &obtain->job->identity->set->challenges,
        .solvers = &agent->solvers,
        .resume = resume ? &state : NULL,
    };

    if (hc_list_copy(&obtain->names, names, err) != 0) {
        return -1;
    }
    if (!resume) {
        hc_job_record_forget_order(record);
    }
    options.names = &obtain->names;
    return hc_ca_order(obtain->ca, &options, &obtain->order, err);
}

/* Under the lock: true if what other agents met with meanwhile is a reason not to order here now.
 */
static bool is_forestalled(const struct hc_obtain *obtain)
{
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = HC_JOB_READY;

    hc_ca_refresh(obtain->ca);
    wait = look_beyond(obtain, &ca, &when);
    return wait == HC_JOB_FAILED || wait == HC_JOB_CA || ca != obtain->ca;
}

/* 1: under way, 0: not now (the next look at the job says when), -1: err. */
static int start(struct hc_obtain *obtain, struct hc_error *err)
{
    struct hc_agent *agent = obtain->agent;
    struct hc_job *job = obtain->job;
    int rc = 0;

    job->elsewhere = false;
    if (hc_store_lock(hc_agent_store(agent), "line", job->name, &obtain->lock, err) != 0) {
        if (err->problem != HC_P_LOCKED) {
            return -1;
        }
        hc_error_init(err);
        job->elsewhere = true;
        job->again_ms = hc_agent_ms(agent) + ELSEWHERE_MS;
        return 0;
    }
    rc = hc_line_refresh(agent, job, err);
    if (rc == 0) {
        rc = hc_line_adopt(agent, job, err);
    }
    if (rc > 0) {
        hc_job_record_forget_order(&job->record); /* left over from before the commit */
        job->record.replace = 0;
        return hc_job_store(agent, job, err);
    }
    if (rc < 0) {
        return -1;
    }
    if (is_forestalled(obtain)) {
        return 0;
    }
    rc = hc_ca_open(obtain->ca, err);
    if (rc == 0) {
        job->elsewhere = true;
        job->again_ms = hc_agent_ms(agent) + ACCOUNT_WAIT_MS;
    }
    return rc > 0 && place_order(obtain, err) != 0 ? -1 : rc;
}

void hc_obtain_start(struct hc_agent *agent, struct hc_job *job, struct hc_ca *ca)
{
    struct hc_obtain *obtain = obtain_new(agent, job, ca);
    struct hc_order_result nothing = {.ca_wide = false};
    struct hc_error err;
    char subject[HC_SUBJECT];
    int rc = 0;

    hc_error_init(&err);
    if (obtain == NULL) {
        return;
    }
    rc = start(obtain, &err);
    if (rc < 0) {
        fail(obtain, &nothing, &err);
    } else if (rc == 0) {
        agent->jobs_dirty = true;
        hc_obtain_free(obtain);
    } else {
        hc_logf(agent->o.log, HC_LOG_INFO, "%s: %s at %s, %s", subject_of(obtain, subject),
                job->record.order_url != NULL ? "going on with the order" : "ordering",
                hc_ca_issuer(ca)->name, hc_key_type_name(job->key_type));
    }
}
