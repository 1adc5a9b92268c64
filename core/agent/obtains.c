/* Orders under way; see obtains.h. */
#include "agent/obtains.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "agent/failure.h"
#include "agent/received.h"
#include "agent/takeover.h"
#include "conf/issuer.h"
#include "loop/timer.h"
#include "store/line.h"
#include "store/lock.h"

#define ELSEWHERE_MS    2000 /* reads of a line that another agent orders are this far apart */
#define ACCOUNT_WAIT_MS 500

struct obtain {
    LIST_ENTRY(obtain) link;
    struct hc_obtains *all;
    struct hc_job *job;
    struct hc_ca *ca;
    struct hc_store_lock *lock;
    struct hc_order *order;
    struct hc_order_handler handler;
    struct hc_list names;        /* what is ordered */
    struct hc_list methods;      /* of the name that was asked for last */
    struct hc_pair *pair;        /* obtained; waits for its commit */
    struct hc_findings findings; /* about it */
    int64_t started_ms;
};

struct hc_obtains {
    struct hc_obtains_options o;
    LIST_HEAD(, obtain) under_way;
    size_t count;        /* so many */
    struct hc_timer due; /* the store takes commits again */
};

static const char *activity_of(const struct obtain *obtain)
{
    if (obtain->pair != NULL) {
        return "waiting until the store can be written";
    }
    return obtain->order != NULL ? obtain->all->o.authority->activity(obtain->order) : "starting";
}

const char *hc_obtains_activity(const struct hc_obtains *obtains, const struct hc_job *job)
{
    const struct obtain *obtain = NULL;

    LIST_FOREACH(obtain, &obtains->under_way, link)
    {
        if (obtain->job == job) {
            return activity_of(obtain);
        }
    }
    return NULL;
}

size_t hc_obtains_count(const struct hc_obtains *obtains)
{
    return obtains->count;
}

static bool is_waiting(const struct obtain *obtain)
{
    return obtain->pair != NULL ||
           (obtain->order != NULL && obtain->all->o.authority->waiting(obtain->order));
}

int64_t hc_obtains_active(const struct hc_obtains *obtains)
{
    const struct obtain *obtain = NULL;
    int64_t active = 0;

    LIST_FOREACH(obtain, &obtains->under_way, link)
    {
        active += !is_waiting(obtain);
    }
    return active;
}

/* Ends it without a result; the order's state stays in the job's record. */
static void obtain_free(struct obtain *obtain)
{
    if (obtain->order != NULL) {
        /* the next agent goes on: the CA may be asking for an answer right now */
        if (obtain->job->record.order != NULL) {
            obtain->all->o.authority->leave(obtain->order);
        } else {
            obtain->all->o.authority->cancel(obtain->order);
        }
    }
    hc_ca_end(obtain->ca);
    LIST_REMOVE(obtain, link);
    obtain->all->count--;
    obtain->job->at = NULL;
    hc_pair_free(obtain->pair);
    hc_findings_dispose(&obtain->findings);
    hc_list_dispose(&obtain->names);
    hc_list_dispose(&obtain->methods);
    hc_store_unlock(obtain->lock);
    free(obtain);
}

static const char *subject_of(const struct obtain *obtain, char dst[HC_SUBJECT])
{
    return hc_identity_subject(obtain->job->identity, dst);
}

/* ---- the end ---- */

static void store_job(const struct obtain *obtain)
{
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_job_store(o->jobs, obtain->job, &err) != 0) {
        hc_storage_failed(o->storage, &err);
    }
}

/* What the issuer held against the names and the certificate is over: it issued. */
static void forget_failures(struct obtain *obtain)
{
    hc_ca_forgive(obtain->ca, hc_job_name(obtain->job, (char[HC_JOB_NAME]){0}));
    for (size_t i = 0; i < obtain->names.count; i++) {
        hc_ca_forgive(obtain->ca, obtain->names.items[i]);
    }
}

/* Durable, then served, then forgotten as a job. Frees the obtain if that went well. */
static void commit(struct obtain *obtain)
{
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_job *job = obtain->job;
    struct hc_event obtained = {
        .kind = HC_EVENT_ORDER_OBTAINED,
        .index = job->index,
        .issuer = hc_ca_issuer(obtain->ca)->name,
        .renewal = hc_job_info(o->jobs, job) != NULL,
        .pair = obtain->pair,
    };
    struct hc_line_info info;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    memcpy(info.line, job->line, HC_ID_SIZE);
    info.key_type = job->key_type;
    if (hc_line_info_ordered(hc_ca_issuer(obtain->ca), job->identity->set, &obtain->names, &info,
                             &err) != 0 ||
        hc_storage_commit(o->storage, &info, obtain->pair, &err) != 0) {
        hc_error_during(&err, "storing a certificate that was obtained");
        hc_storage_failed(o->storage, &err);
        hc_line_info_dispose(&info);
        return;
    }
    hc_job_record_forget_order(&job->record);
    hc_last_error_clear(&job->record.last);
    job->record.replace = 0;
    job->said = 0;
    forget_failures(obtain);
    hc_health_note(o->health, job->index, obtain->pair, &obtain->findings);
    hc_outlook_obtained(o->outlooks, job->index, &obtain->names);
    store_job(obtain);
    hc_ca_store(obtain->ca);
    hc_line_info_dispose(&info);
    hc_events_raise(o->env->events, &obtained);
    obtain_free(obtain);
}

void hc_obtains_run(struct hc_obtains *obtains)
{
    struct obtain *next = NULL;

    for (struct obtain *obtain = LIST_FIRST(&obtains->under_way); obtain != NULL; obtain = next) {
        next = LIST_NEXT(obtain, link);
        if (obtain->pair != NULL && hc_storage_ready(obtains->o.storage)) {
            commit(obtain);
        }
    }
}

/* Counted, said, stored. Frees the obtain. */
static void fail(struct obtain *obtain, const struct hc_order_result *result,
                 const struct hc_error *err)
{
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_failure failure = {
        .env = o->env,
        .storage = o->storage,
        .publisher = o->publisher,
        .outlooks = o->outlooks,
        .jobs = o->jobs,
        .job = obtain->job,
        .ca = obtain->ca,
        .asked = obtain->order != NULL,
    };
    struct hc_event failed = {
        .kind = HC_EVENT_ORDER_FAILED,
        .index = obtain->job->index,
        .issuer = hc_ca_issuer(obtain->ca)->name,
        .problem = err->problem,
    };

    hc_failure_take(&failure, result, err);
    store_job(obtain);
    hc_ca_store(obtain->ca); /* before another agent has the lock, and asks in its turn */
    obtain_free(obtain);
    hc_events_raise(o->env->events, &failed);
    hc_events_tell(o->env->events, HC_EVENT_ORDER_ENDED);
}

static void on_done(void *self, const struct hc_order_result *result)
{
    struct obtain *obtain = self;
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_error err = result->error;
    struct hc_order_result judged = *result;
    struct hc_received received = {
        .env = o->env,
        .storage = o->storage,
        .judge = o->judge,
        .chains = o->chains,
        .identity = obtain->job->identity,
        .key_type = obtain->job->key_type,
        .line = obtain->job->line,
        .names = &obtain->names,
        .left_out = hc_outlook_left_out(o->outlooks, obtain->job->index),
    };
    char subject[HC_SUBJECT];

    if (!hc_error_is_set(&err) &&
        hc_received_take(&received, result, &obtain->pair, &obtain->findings, &err) != 0) {
        judged.order_dead = true; /* the same order would give the same certificate */
        judged.ca_wide = false;
        judged.name_count = 0;
    }
    if (hc_error_is_set(&err)) {
        fail(obtain, &judged, &err); /* the result is the order's, so it goes with it */
        return;
    }
    o->authority->cancel(obtain->order);
    obtain->order = NULL;
    hc_ca_worked(obtain->ca);
    memset(&obtain->job->pause, 0, sizeof(obtain->job->pause));
    hc_logf(o->env->log, HC_LOG_INFO, "%s: obtained from %s in %lld ms",
            subject_of(obtain, subject), hc_ca_issuer(obtain->ca)->name,
            (long long)(hc_env_ms(o->env) - obtain->started_ms));
    commit(obtain);
}

/* ---- on the way ---- */

static int on_persist(void *self, const struct hc_order_state *state, struct hc_error *err)
{
    struct obtain *obtain = self;
    const struct hc_line_info *info = hc_job_info(obtain->all->o.jobs, obtain->job);
    const struct hc_job_order order = {
        .url = state->order_url,
        .directory = hc_ca_issuer(obtain->ca)->directory_url,
        .names = obtain->names,
        .key = state->key,
        .base = info != NULL ? info->version : 0,
    };

    hc_job_record_forget_order(&obtain->job->record);
    if (hc_job_order_new(&order, &obtain->job->record.order, err) != 0) {
        return -1;
    }
    if (hc_job_store(obtain->all->o.jobs, obtain->job, err) != 0) {
        return hc_error_during(err, "storing the state of an order");
    }
    hc_outlook_ordered(obtain->all->o.outlooks, obtain->job->index);
    return 0;
}

/* ---- the beginning ---- */

static const struct hc_list *methods_of(void *self, const char *name)
{
    struct obtain *obtain = self;
    const struct hc_scope *set = obtain->job->identity->set;
    struct hc_error err;

    hc_error_init(&err);
    hc_list_dispose(&obtain->methods);
    if (hc_ca_methods(obtain->ca, name, set, &obtain->methods, &err) != 0) {
        return hc_issuer_methods(hc_ca_issuer(obtain->ca), set);
    }
    hc_ruled_out_last(
        hc_preflights_ruled_out(obtain->all->o.preflights, obtain->job->index, obtain->ca), name,
        &obtain->methods);
    return &obtain->methods;
}

static void on_tried(void *self, const char *name, const char *method, const struct hc_error *err)
{
    struct obtain *obtain = self;

    hc_ca_tried(obtain->ca, name, obtain->job->identity->set, method, err == NULL);
}

static struct obtain *obtain_new(struct hc_obtains *obtains, struct hc_job *job, struct hc_ca *ca)
{
    struct obtain *obtain = calloc(1, sizeof(*obtain));

    if (obtain == NULL) {
        return NULL;
    }
    obtain->all = obtains;
    obtain->job = job;
    obtain->ca = ca;
    obtain->started_ms = hc_env_ms(obtains->o.env);
    obtain->handler = (struct hc_order_handler){
        .self = obtain,
        .persist = on_persist,
        .methods = methods_of,
        .tried = on_tried,
        .done = on_done,
    };
    job->at = ca;
    hc_ca_begin(ca);
    LIST_INSERT_HEAD(&obtains->under_way, obtain, link);
    obtains->count++;
    return obtain;
}

static int place_order(struct obtain *obtain, struct hc_error *err)
{
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_job_record *record = &obtain->job->record;
    const struct hc_job_order *order = record->order;
    bool resume = order != NULL &&
                  strcmp(order->directory, hc_ca_issuer(obtain->ca)->directory_url) == 0 &&
                  order->names.count > 0;
    struct hc_order_state state = {resume ? order->url : NULL, resume ? order->key : NULL};
    const struct hc_list *names =
        resume ? &order->names : hc_outlook_order(o->outlooks, obtain->job->index);
    struct hc_order_options options = {
        .key_type = obtain->job->key_type,
        .profile = hc_issuer_profile(hc_ca_issuer(obtain->ca), obtain->job->identity->set),
        .handler = &obtain->handler,
        .solvers = o->solvers,
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
static bool is_forestalled(const struct obtain *obtain)
{
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = HC_JOB_READY;

    hc_ca_refresh(obtain->ca);
    wait = hc_job_prospect(obtain->all->o.jobs, obtain->job, &ca, &when);
    return wait == HC_JOB_FAILED || wait == HC_JOB_CA || ca != obtain->ca;
}

/* 1: under way, 0: not now (the next review of the job says when), -1: err. */
static int start(struct obtain *obtain, struct hc_error *err)
{
    const struct hc_obtains_options *o = &obtain->all->o;
    struct hc_job *job = obtain->job;
    struct hc_takeover takeover = {o->env, o->storage, o->jobs};
    int rc = 0;

    if (hc_store_lock(hc_storage_store(o->storage), HC_LOCK_LINE,
                      hc_job_name(job, (char[HC_JOB_NAME]){0}), &obtain->lock, err) != 0) {
        if (err->problem != HC_P_LOCKED) {
            return -1;
        }
        hc_error_init(err);
        job->again_ms = hc_env_ms(o->env) + ELSEWHERE_MS;
        return 0;
    }
    rc = hc_takeover_refresh(&takeover, job, err);
    if (rc == 0) {
        rc = hc_takeover_adopt(&takeover, job, err);
    }
    if (rc > 0) {
        hc_job_record_forget_order(&job->record); /* left over from before the commit */
        job->record.replace = 0;
        return hc_job_store(o->jobs, job, err);
    }
    if (rc < 0) {
        return -1;
    }
    if (is_forestalled(obtain)) {
        return 0;
    }
    rc = hc_ca_open(obtain->ca, err);
    if (rc == 0) {
        job->again_ms = hc_env_ms(o->env) + ACCOUNT_WAIT_MS;
    }
    return rc > 0 && place_order(obtain, err) != 0 ? -1 : rc;
}

void hc_obtains_start(struct hc_obtains *obtains, struct hc_job *job, struct hc_ca *ca)
{
    struct obtain *obtain = obtain_new(obtains, job, ca);
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
        obtain_free(obtain);
        hc_events_tell(obtains->o.env->events, HC_EVENT_ORDER_ENDED);
    } else {
        hc_logf(obtains->o.env->log, HC_LOG_INFO, "%s: %s at %s, %s", subject_of(obtain, subject),
                job->record.order != NULL ? "continuing the order" : "ordering",
                hc_ca_issuer(ca)->name, hc_key_type_name(job->key_type));
    }
}

/* ---- life ---- */

/* Ends what is under way, to be resumed. */
static void halt(struct hc_obtains *obtains)
{
    struct obtain *next = NULL;

    for (struct obtain *at = LIST_FIRST(&obtains->under_way); at != NULL; at = next) {
        next = LIST_NEXT(at, link);
        obtain_free(at);
    }
}

static void on_due(void *self)
{
    hc_obtains_run(self);
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_obtains *obtains = self;

    if (event->kind == HC_EVENT_STORE_CLOSING) {
        halt(obtains);
    } else if (event->kind == HC_EVENT_STORE_READY) {
        hc_timer_in(&obtains->due, 0);
    }
}

int hc_obtains_new(const struct hc_obtains_options *options, struct hc_obtains **out,
                   struct hc_error *err)
{
    struct hc_obtains *obtains = calloc(1, sizeof(*obtains));

    if (obtains == NULL) {
        return hc_error_nomem(err);
    }
    obtains->o = *options;
    LIST_INIT(&obtains->under_way);
    hc_timer_init(&obtains->due, options->env->loop, "orders", on_due, obtains);
    if (hc_events_add(options->env->events, on_event, obtains, err) != 0) {
        free(obtains);
        return -1;
    }
    *out = obtains;
    return 0;
}

void hc_obtains_free(struct hc_obtains *obtains)
{
    if (obtains == NULL) {
        return;
    }
    hc_events_remove(obtains->o.env->events, obtains);
    hc_timer_stop(&obtains->due);
    halt(obtains);
    free(obtains);
}
