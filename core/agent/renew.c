/*
 * `renew` of the control socket: what the operator wants tried now, for the hosts of one name, for
 * all that failed, or for all. One host's trouble keeps no other from its turn.
 */
#include "agent/renew.h"

#include <stdlib.h>
#include <string.h>

#include "agent/queue.h"
#include "agent/status.h"
#include "agent/watches.h"

/* What is asked for. */
struct wish {
    bool force;
    bool new_account;
};

/* What came of it. */
struct renewal {
    int found;
    int orders; /* due, or made so */
    bool used_up;
    char before[HC_LOG_LINE]; /* what the one that is tried again failed of; "": nothing */
    const char *waits;        /* why what is due is not ordered now; NULL: it is */
};

struct hc_renewal {
    const struct hc_parts *parts;
    bool *chosen; /* as conf->identities */
    bool many;    /* the answer has an object for each of them */
    json_t *answer;
};

/* That says nothing of names, and asked no CA to validate any. */
static bool is_unreachable(enum hc_problem p)
{
    return p == HC_P_CA_UNREACHABLE || p == HC_P_CA_TIMEOUT || p == HC_P_CA_TLS ||
           p == HC_P_CA_ERROR;
}

static void store_job(const struct hc_parts *parts, struct hc_job *job)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_ready(parts->storage) && job->at == NULL &&
        hc_job_store(parts->jobs, job, &err) != 0) {
        hc_storage_failed(parts->storage, &err);
    }
}

bool hc_job_renew(const struct hc_parts *parts, struct hc_job *job, bool force)
{
    const struct hc_line_info *info = hc_job_info(parts->jobs, job);
    int64_t now = hc_env_now(&parts->env);
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = hc_job_waits_for(parts->jobs, job, &ca, &when);
    bool changed = false;

    if (wait == HC_JOB_FAILED || wait == HC_JOB_CA) {
        changed = !is_unreachable(hc_job_failure(parts->jobs, job, ca, wait)->error.problem);
        if (changed && !hc_schedule_take_reset(job->record.resets, now)) {
            return false;
        }
        hc_ca_forgive(ca, hc_job_name(job, (char[HC_JOB_NAME]){0}));
        hc_ca_reset(ca, &job->identity->names);
    }
    if (force && info != NULL) {
        job->record.replace = info->version;
        changed = true;
    }
    job->again_ms = 0;
    memset(&job->pause, 0, sizeof(job->pause));
    hc_outlook_vouch(parts->outlooks, job->index);
    hc_queue_wake(parts->queue);
    if (changed) {
        store_job(parts, job);
    }
    return true;
}

static void renew_job(const struct hc_parts *parts, struct hc_job *job, bool force,
                      struct renewal *r)
{
    int64_t now = hc_env_now(&parts->env);
    struct hc_error before;
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = hc_job_waits_for(parts->jobs, job, &ca, &when);
    const struct hc_last_error *failed = wait == HC_JOB_CA || wait == HC_JOB_FAILED
                                             ? hc_job_failure(parts->jobs, job, ca, wait)
                                             : NULL;

    r->found++;
    if (failed != NULL && hc_kept_error_is_set(&failed->error)) {
        /* it is forgotten by what follows */
        hc_kept_error_get(&failed->error, &before);
        hc_error_format(&before, r->before, sizeof(r->before));
    }
    if (!hc_job_renew(parts, job, force)) {
        r->used_up = true;
        return;
    }
    if (hc_job_due(parts->jobs, job) > now) {
        return;
    }
    r->orders++;
    wait = hc_job_waits_for(parts->jobs, job, &ca, &when);
    if (wait == HC_JOB_STORE || wait == HC_JOB_CLOCK || wait == HC_JOB_HELD) {
        r->waits = hc_model_word(wait);
    }
}

static void renew_identity(const struct hc_parts *parts, size_t index, bool force,
                           struct renewal *r)
{
    size_t jobs = 0;
    struct hc_job *job = hc_jobs_of(parts->jobs, index, &jobs);

    for (size_t i = 0; i < jobs; i++) {
        renew_job(parts, &job[i], force, r);
    }
}

/* Without what checks of watched files find. */
static json_t *json_of(const struct renewal *r)
{
    return json_pack("{s:b, s:i, s:i, s:s, s:s, s:[]}", "ok", 1, "found", r->found, "orders",
                     r->orders, "before", r->before, "waits", r->waits != NULL ? r->waits : "",
                     "watched");
}

/* Lines beside `on` are no answer to what becomes of the host. */
static size_t told_files(const struct hc_parts *parts, size_t index)
{
    size_t jobs = 0;

    (void)hc_jobs_of(parts->jobs, index, &jobs);
    return jobs == 0 ? parts->env.conf->identities[index].watched_count : 0;
}

/* What checks of an identity's files found, into its object. */
static void add_watched(const struct hc_parts *parts, size_t index, json_t *object)
{
    size_t first = hc_watches_first(parts->watches, index);
    size_t count = told_files(parts, index);
    json_int_t found = json_integer_value(json_object_get(object, "found"));
    struct hc_model_certificate c;

    for (size_t i = 0; i < count; i++) {
        hc_model_of_watch(parts, hc_watches_at(parts->watches, first + i), &c);
        json_array_append_new(json_object_get(object, "watched"), hc_status_certificate(&c));
    }
    json_object_set_new(object, "found", json_integer(found + (json_int_t)count));
}

/* ---- which ones ---- */

static bool has_failed(const struct hc_parts *parts, size_t index)
{
    size_t jobs = 0;
    size_t first = hc_watches_first(parts->watches, index);
    const struct hc_job *job = hc_jobs_of(parts->jobs, index, &jobs);

    for (size_t i = 0; i < jobs; i++) {
        struct hc_ca *ca = NULL;
        int64_t when = 0;
        enum hc_job_wait wait = hc_job_waits_for(parts->jobs, &job[i], &ca, &when);

        if (wait == HC_JOB_FAILED || wait == HC_JOB_CA || wait == HC_JOB_HELD) {
            return true;
        }
    }
    for (size_t i = 0; i < parts->env.conf->identities[index].watched_count && jobs == 0; i++) {
        if (hc_watch_is_refused(hc_watches_at(parts->watches, first + i))) {
            return true;
        }
    }
    return false;
}

/* Marks the identities that are meant; how many. */
static size_t choose(const struct hc_parts *parts, const char *name, bool failed, bool *chosen)
{
    size_t count = 0;

    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        chosen[i] = name != NULL ? hc_watches_name(parts->watches, i, name)
                                 : !failed || has_failed(parts, i);
        count += chosen[i];
    }
    return count;
}

/* ---- answers ---- */

/* Accounts that the CAs of the chosen refused. */
static int give_up_accounts(const struct hc_parts *parts, const char *name, const bool *chosen,
                            struct hc_error *err)
{
    int given_up = 0;

    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        const struct hc_list *use = &parts->env.conf->identities[i].set->use;

        for (size_t k = 0; chosen[i] && k < use->count; k++) {
            struct hc_ca *ca = hc_cas_named(parts->cas, use->items[k]);
            int rc = ca != NULL ? hc_ca_new_account(ca, err) : 0;

            if (rc < 0) {
                return -1;
            }
            given_up += rc;
        }
    }
    return given_up > 0 ? 0 : hc_error_set(err, HC_P_ACCOUNT_GOOD, name, NULL);
}

static json_t *renew_name(const struct hc_parts *parts, const char *name, const struct wish *wish,
                          const bool *chosen, struct hc_error *err)
{
    struct renewal r = {.found = 0};

    if (wish->new_account && give_up_accounts(parts, name, chosen, err) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        if (chosen[i]) {
            renew_identity(parts, i, wish->force, &r);
        }
    }
    if (r.used_up) {
        hc_error_set(err, HC_P_RENEW_OFTEN, name, NULL);
        return NULL;
    }
    return json_of(&r);
}

/* An object for each host, under the name that people know it by. */
static json_t *renew_many(const struct hc_parts *parts, const struct wish *wish, const bool *chosen)
{
    json_t *renewed = json_array();

    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        struct renewal r = {.found = 0};
        json_t *one = NULL;

        if (!chosen[i]) {
            continue;
        }
        renew_identity(parts, i, wish->force, &r);
        one = json_of(&r);
        json_object_set_new(one, "name",
                            json_string(hc_identity_label(&parts->env.conf->identities[i])));
        if (r.used_up) {
            json_object_set_new(one, "problem",
                                json_string(hc_problem_row(HC_P_RENEW_OFTEN)->slug));
        }
        json_array_append_new(renewed, one);
    }
    return json_pack("{s:b, s:o}", "ok", 1, "renewed", renewed);
}

static int begin(struct hc_renewal *renewal, const json_t *request, struct hc_error *err)
{
    const struct hc_parts *parts = renewal->parts;
    const char *name = json_string_value(json_object_get(request, "name"));
    bool failed = json_is_true(json_object_get(request, "failed"));
    bool many = failed || json_is_true(json_object_get(request, "all"));
    struct wish wish = {.force = json_is_true(json_object_get(request, "force")),
                        .new_account = json_is_true(json_object_get(request, "new_account"))};

    renewal->many = many;
    if ((name != NULL) == many || (many && wish.new_account)) {
        return hc_error_set(err, HC_P_NOT_FOUND, NULL, "no name is given");
    }
    if (choose(parts, name, failed, renewal->chosen) == 0 && !many) {
        return hc_error_set(err, HC_P_NOT_FOUND, name, NULL);
    }
    hc_watches_hurry(parts->watches, renewal->chosen);
    renewal->answer = many ? renew_many(parts, &wish, renewal->chosen)
                           : renew_name(parts, name, &wish, renewal->chosen, err);
    if (renewal->answer == NULL) {
        return hc_error_is_set(err) ? -1 : hc_error_nomem(err);
    }
    return 0;
}

int hc_renewal_new(const struct hc_parts *parts, const json_t *request, struct hc_renewal **out,
                   struct hc_error *err)
{
    struct hc_renewal *renewal = calloc(1, sizeof(*renewal));

    if (renewal == NULL) {
        return hc_error_nomem(err);
    }
    renewal->parts = parts;
    renewal->chosen = calloc(parts->env.conf->identity_count + 1, sizeof(*renewal->chosen));
    if (renewal->chosen == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (begin(renewal, request, err) != 0) {
        goto failed;
    }
    *out = renewal;
    return 0;
failed:
    hc_renewal_free(renewal);
    return -1;
}

bool hc_renewal_is_ready(const struct hc_renewal *renewal)
{
    return !hc_watches_are_hurried(renewal->parts->watches, renewal->chosen);
}

json_t *hc_renewal_answer(struct hc_renewal *renewal)
{
    json_t *answer = renewal->answer;
    size_t number = 0;

    for (size_t i = 0; i < renewal->parts->env.conf->identity_count; i++) {
        if (renewal->chosen[i]) {
            add_watched(renewal->parts, i,
                        renewal->many ? json_array_get(json_object_get(answer, "renewed"), number++)
                                      : answer);
        }
    }
    renewal->answer = NULL;
    return answer;
}

void hc_renewal_free(struct hc_renewal *renewal)
{
    if (renewal == NULL) {
        return;
    }
    json_decref(renewal->answer);
    free(renewal->chosen);
    free(renewal);
}
