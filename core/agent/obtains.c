/* Orders under way; see obtains.h. */
#include "agent/obtains.h"

#include <stdlib.h>
#include <string.h>

#include "agent/failure.h"
#include "agent/received.h"
#include "conf/issuer.h"
#include "loop/timer.h"
#include "store/line.h"

struct hc_obtains {
    struct hc_obtain_env o;
    LIST_HEAD(, hc_obtain) under_way;
    size_t count;        /* so many */
    struct hc_timer due; /* the store takes commits again */
};

const char *hc_obtains_activity(const struct hc_obtains *obtains, const struct hc_job *job)
{
    const struct hc_obtain *obtain = NULL;

    LIST_FOREACH(obtain, &obtains->under_way, link)
    {
        if (obtain->job == job) {
            return hc_obtain_activity(obtain);
        }
    }
    return NULL;
}

size_t hc_obtains_count(const struct hc_obtains *obtains)
{
    return obtains->count;
}

int64_t hc_obtains_active(const struct hc_obtains *obtains)
{
    const struct hc_obtain *obtain = NULL;
    int64_t active = 0;

    LIST_FOREACH(obtain, &obtains->under_way, link)
    {
        active += !hc_obtain_is_waiting(obtain);
    }
    return active;
}

static void end(struct hc_obtain *obtain)
{
    LIST_REMOVE(obtain, link);
    obtain->all->count--;
    hc_obtain_free(obtain);
}

static const char *subject_of(const struct hc_obtain *obtain, char dst[HC_SUBJECT])
{
    return hc_identity_subject(obtain->job->identity, dst);
}

/* ---- the end ---- */

static void store_job(const struct hc_obtain *obtain)
{
    const struct hc_obtain_env *o = obtain->e;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_job_store(o->jobs, obtain->job, &err) != 0) {
        hc_storage_failed(o->storage, &err);
    }
}

/* What the issuer held against the names and the certificate is over: it issued. */
static void forget_failures(struct hc_obtain *obtain)
{
    hc_ca_forgive(obtain->ca, hc_job_name(obtain->job, (char[HC_JOB_NAME]){0}));
    for (size_t i = 0; i < obtain->names.count; i++) {
        hc_ca_forgive(obtain->ca, obtain->names.items[i]);
    }
}

/* Durable, then served, then forgotten as a job. Frees the obtain if that went well. */
static void commit(struct hc_obtain *obtain)
{
    const struct hc_obtain_env *o = obtain->e;
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
    end(obtain);
}

void hc_obtains_run(struct hc_obtains *obtains)
{
    struct hc_obtain *next = NULL;

    for (struct hc_obtain *obtain = LIST_FIRST(&obtains->under_way); obtain != NULL;
         obtain = next) {
        next = LIST_NEXT(obtain, link);
        if (obtain->pair != NULL && hc_storage_ready(obtains->o.storage)) {
            commit(obtain);
        }
    }
}

/* Counted, said, stored. Frees the obtain. */
static void fail(struct hc_obtain *obtain, const struct hc_order_result *result,
                 const struct hc_error *err)
{
    const struct hc_obtain_env *o = obtain->e;
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
    end(obtain);
    hc_events_raise(o->env->events, &failed);
    hc_events_tell(o->env->events, HC_EVENT_ORDER_ENDED);
}

static void on_done(void *self, const struct hc_order_result *result)
{
    struct hc_obtain *obtain = self;
    const struct hc_obtain_env *o = obtain->e;
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

/* ---- the beginning ---- */

void hc_obtains_start(struct hc_obtains *obtains, struct hc_job *job, struct hc_ca *ca)
{
    struct hc_obtain *obtain = hc_obtain_new(obtains, &obtains->o, job, ca, on_done);
    struct hc_order_result nothing = {.ca_wide = false};
    struct hc_error err;
    char subject[HC_SUBJECT];
    int rc = 0;

    hc_error_init(&err);
    if (obtain == NULL) {
        return;
    }
    LIST_INSERT_HEAD(&obtains->under_way, obtain, link);
    obtains->count++;
    rc = hc_obtain_begin(obtain, &err);
    if (rc < 0) {
        fail(obtain, &nothing, &err);
    } else if (rc == 0) {
        end(obtain);
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
    struct hc_obtain *next = NULL;

    for (struct hc_obtain *at = LIST_FIRST(&obtains->under_way); at != NULL; at = next) {
        next = LIST_NEXT(at, link);
        end(at);
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

int hc_obtains_new(const struct hc_obtain_env *options, struct hc_obtains **out,
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
