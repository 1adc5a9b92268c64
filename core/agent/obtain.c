/* One order under way; see obtain.h. */
#include "agent/obtain.h"

#include <stdlib.h>
#include <string.h>

#include "agent/takeover.h"
#include "conf/issuer.h"
#include "store/lock.h"

#define ELSEWHERE_MS    2000 /* reads of a line that another agent orders are this far apart */
#define ACCOUNT_WAIT_MS 500

const char *hc_obtain_activity(const struct hc_obtain *obtain)
{
    if (obtain->pair != NULL) {
        return "waiting until the store can be written";
    }
    return obtain->order != NULL ? obtain->e->authority->activity(obtain->order) : "starting";
}

bool hc_obtain_is_waiting(const struct hc_obtain *obtain)
{
    return obtain->pair != NULL ||
           (obtain->order != NULL && obtain->e->authority->waiting(obtain->order));
}

/* ---- what its order asks and tells ---- */

static int on_persist(void *self, const struct hc_order_state *state, struct hc_error *err)
{
    struct hc_obtain *obtain = self;
    const struct hc_line_info *info = hc_job_info(obtain->e->jobs, obtain->job);
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
    if (hc_job_store(obtain->e->jobs, obtain->job, err) != 0) {
        return hc_error_during(err, "storing the state of an order");
    }
    hc_outlook_ordered(obtain->e->outlooks, obtain->job->index);
    return 0;
}

static const struct hc_list *methods_of(void *self, const char *name)
{
    struct hc_obtain *obtain = self;
    const struct hc_scope *set = obtain->job->identity->set;
    struct hc_error err;

    hc_error_init(&err);
    hc_list_dispose(&obtain->methods);
    if (hc_ca_methods(obtain->ca, name, set, &obtain->methods, &err) != 0) {
        return hc_issuer_methods(hc_ca_issuer(obtain->ca), set);
    }
    hc_ruled_out_last(
        hc_preflights_ruled_out(obtain->e->preflights, obtain->job->index, obtain->ca), name,
        &obtain->methods);
    return &obtain->methods;
}

static void on_tried(void *self, const char *name, const char *method, const struct hc_error *err)
{
    struct hc_obtain *obtain = self;

    hc_ca_tried(obtain->ca, name, obtain->job->identity->set, method, err == NULL);
}

/* ---- life ---- */

struct hc_obtain *hc_obtain_new(struct hc_obtains *all, const struct hc_obtain_env *e,
                                struct hc_job *job, struct hc_ca *ca,
                                void (*done)(void *self, const struct hc_order_result *result))
{
    struct hc_obtain *obtain = calloc(1, sizeof(*obtain));

    if (obtain == NULL) {
        return NULL;
    }
    obtain->all = all;
    obtain->e = e;
    obtain->job = job;
    obtain->ca = ca;
    obtain->started_ms = hc_env_ms(e->env);
    obtain->handler = (struct hc_order_handler){
        .self = obtain,
        .persist = on_persist,
        .methods = methods_of,
        .tried = on_tried,
        .done = done,
    };
    job->at = ca;
    hc_ca_begin(ca);
    return obtain;
}

void hc_obtain_free(struct hc_obtain *obtain)
{
    if (obtain->order != NULL) {
        /* the next agent goes on: the CA may be asking for an answer right now */
        if (obtain->job->record.order != NULL) {
            obtain->e->authority->leave(obtain->order);
        } else {
            obtain->e->authority->cancel(obtain->order);
        }
    }
    hc_ca_end(obtain->ca);
    obtain->job->at = NULL;
    hc_pair_free(obtain->pair);
    hc_findings_dispose(&obtain->findings);
    hc_list_dispose(&obtain->names);
    hc_list_dispose(&obtain->methods);
    hc_store_unlock(obtain->lock);
    free(obtain);
}

/* ---- the beginning ---- */

/*
 * What the order replaces, for newOrder; the caller's to free. NULL: nothing that this CA would
 * know as this account's.
 */
static char *replaces_of(const struct hc_obtain *obtain)
{
    const struct hc_obtain_env *e = obtain->e;
    const struct hc_line_info *info = hc_job_info(e->jobs, obtain->job);
    const char *account = hc_ca_account_url(obtain->ca);
    struct hc_window_record record = {0};
    struct hc_error err;
    char *replaces = NULL;

    hc_error_init(&err);
    if (info == NULL || account == NULL ||
        hc_pause_failures(&obtain->job->pause, obtain->ca) > 0 || /* maybe of that */
        strcmp(info->issuer, hc_ca_issuer(obtain->ca)->directory_url) != 0 ||
        hc_window_record_load(hc_storage_store(e->storage),
                              hc_job_name(obtain->job, (char[HC_JOB_NAME]){0}), info, &record,
                              &err) != 0) {
        return NULL;
    }
    if (record.id[0] != '\0' && strcmp(record.account, account) == 0) {
        replaces = record.id;
        record.id = NULL;
    }
    hc_window_record_dispose(&record);
    return replaces;
}

static int place_order(struct hc_obtain *obtain, struct hc_error *err)
{
    const struct hc_obtain_env *o = obtain->e;
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
    char *replaces = NULL;
    int rc = -1;

    if (hc_list_copy(&obtain->names, names, err) != 0) {
        return -1;
    }
    if (!resume) {
        hc_job_record_forget_order(record);
    }
    options.names = &obtain->names;
    replaces = resume ? NULL : replaces_of(obtain);
    options.replaces = replaces;
    rc = hc_ca_order(obtain->ca, &options, &obtain->order, err);
    free(replaces);
    return rc;
}

/* Under the lock: true if what other agents met with meanwhile is a reason not to order here now.
 */
static bool is_forestalled(const struct hc_obtain *obtain)
{
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = HC_JOB_READY;

    hc_ca_refresh(obtain->ca);
    wait = hc_job_prospect(obtain->e->jobs, obtain->job, &ca, &when);
    return wait == HC_JOB_FAILED || wait == HC_JOB_CA || ca != obtain->ca;
}

int hc_obtain_begin(struct hc_obtain *obtain, struct hc_error *err)
{
    const struct hc_obtain_env *o = obtain->e;
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
