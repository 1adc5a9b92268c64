/* One snapshot of what is told; see model.h. */
#include "agent/model.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/obtains.h"

static const char *const state_names[] = {
    [HC_JOB_READY] = "queued",
    [HC_JOB_RUNNING] = "ordering",
    [HC_JOB_FRESH] = "ok",
    [HC_JOB_FAILED] = "failed",
    [HC_JOB_CA] = "waiting-for-ca",
    [HC_JOB_ELSEWHERE] = "ordered-elsewhere",
    [HC_JOB_STORE] = "store-unusable",
    [HC_JOB_CLOCK] = "clock-wrong",
    [HC_JOB_CHECKING] = "looking",
    [HC_JOB_HELD] = "held",
};
_Static_assert(HC_COUNT(state_names) == HC_JOB_WAIT_COUNT, "every state has a name");

const char *hc_model_word(unsigned wait)
{
    return state_names[wait];
}

/* ---- states of watched pairs ---- */

/* Of lines beside `on`: whether they serve, else whether they can go. */
static const char *first_state(const struct hc_parts *parts, const struct hc_watch *watch)
{
    return hc_publisher_of(parts->publisher, watch->index)->first_until > 0 ? "first"
           : hc_publisher_needs_files(parts->publisher, watch->index)       ? "waiting"
                                                                            : "not-needed";
}

static const char *watch_state(const struct hc_parts *parts, const struct hc_watch *watch)
{
    static const char *const words[] = {[HC_WATCH_QUEUED] = "queued",
                                        [HC_WATCH_OK] = "ok",
                                        [HC_WATCH_BROKEN] = "files-broken",
                                        [HC_WATCH_HELD] = "held-back"};

    if (parts->env.conf->identities[watch->index].mode == HC_MODE_ON &&
        (!hc_watch_is_refused(watch) ||
         !hc_publisher_needs_files(parts->publisher, watch->index))) {
        return first_state(parts, watch);
    }
    return words[watch->state];
}

static int64_t watch_next(const struct hc_parts *parts, const struct hc_watch *watch)
{
    int64_t left_ms = watch->next_ms - hc_env_ms(&parts->env);

    return hc_env_now(&parts->env) + (left_ms > 0 ? left_ms / 1000 : 0);
}

/* ---- served ---- */

static bool jobs_are_served(const struct hc_parts *parts, size_t identity)
{
    int64_t now = hc_env_now(&parts->env);

    size_t count = 0;
    const struct hc_job *jobs = hc_jobs_of(parts->jobs, identity, &count);

    for (size_t i = 0; i < count; i++) {
        const struct hc_job *job = &jobs[i];
        const struct hc_line_info *info = hc_job_info(parts->jobs, job);

        if (info == NULL || info->not_after <= now || job->record.replace >= info->version ||
            !hc_identity_uses(parts->env.conf, job->identity, info->issuer)) {
            return false;
        }
    }
    return true;
}

bool hc_model_is_served(const struct hc_parts *parts, size_t identity)
{
    const struct hc_publication *served = hc_publisher_of(parts->publisher, identity);
    const struct hc_identity *one = &parts->env.conf->identities[identity];
    size_t first = hc_watches_first(parts->watches, identity);

    if (!served->published || !served->complete || served->again_ms > 0) {
        return false;
    }
    for (size_t i = 0; i < one->watched_count && one->mode == HC_MODE_WATCH; i++) {
        const struct hc_watch *watch = hc_watches_at(parts->watches, first + i);

        if (watch->state != HC_WATCH_OK || watch->pair == NULL) {
            return false;
        }
    }
    return jobs_are_served(parts, identity);
}

/* The state of the first of the identity's pairs that is not as it should be. */
const char *hc_model_pending(const struct hc_parts *parts, size_t identity, int64_t *next)
{
    size_t job_count = 0;
    size_t first = hc_watches_first(parts->watches, identity);
    size_t watch_count = parts->env.conf->identities[identity].watched_count;
    const struct hc_job *jobs = hc_jobs_of(parts->jobs, identity, &job_count);
    struct hc_ca *ca = NULL;

    for (size_t i = 0; i < job_count; i++) {
        enum hc_job_wait wait = hc_job_waits_for(parts->jobs, &jobs[i], &ca, next);

        if (wait != HC_JOB_FRESH) {
            return state_names[wait];
        }
    }
    for (size_t i = 0; i < watch_count && job_count == 0; i++) {
        const struct hc_watch *watch = hc_watches_at(parts->watches, first + i);

        if (watch->state != HC_WATCH_OK) {
            *next = watch_next(parts, watch);
            return watch_state(parts, watch);
        }
    }
    *next = 0;
    return "not published yet";
}

/* ---- jobs ---- */

static void set_flaws(const struct hc_parts *parts, struct hc_model_certificate *c)
{
    enum hc_problem found[HC_FLAWS_TOLD];
    size_t count = hc_health_flaws(parts->health, c->index, found);

    _Static_assert(HC_FLAWS_TOLD < HC_MODEL_FLAWS, "one of the files themselves has room");
    c->has_flaws = true;
    for (size_t i = 0; i < count; i++) {
        c->flaws[c->flaw_count++] = found[i];
    }
}

/* Of the worst of its names, or of the certificate as a whole. */
static unsigned failures_of(const struct hc_job *job, const struct hc_ca *ca)
{
    const struct hc_list *names = &job->identity->names;
    const struct hc_ladder *ladder =
        hc_issuer_record_find(hc_ca_record(ca), hc_job_name(job, (char[HC_JOB_NAME]){0}));
    unsigned failures = ladder != NULL ? ladder->failures : 0;

    for (size_t i = 0; i < names->count; i++) {
        ladder = hc_issuer_record_find(hc_ca_record(ca), names->items[i]);
        failures = ladder != NULL && ladder->failures > failures ? ladder->failures : failures;
    }
    return failures;
}

static void of_job(const struct hc_parts *parts, const struct hc_job *job,
                   struct hc_model_certificate *c)
{
    const struct hc_line_info *info = hc_job_info(parts->jobs, job);
    const struct hc_line_info *other =
        info == NULL ? hc_publisher_stand_in(parts->publisher, job->index) : NULL;
    struct hc_ca *ca = NULL;
    enum hc_job_wait wait = hc_job_waits_for(parts->jobs, job, &ca, &c->next_try);

    c->index = job->index;
    c->mode = "on";
    c->names = &job->identity->names;
    c->lead = job->identity->lead;
    c->key_type = hc_key_type_name(job->key_type);
    c->serial = info != NULL ? info->serial : NULL;
    c->not_before = info != NULL ? info->not_before : 0;
    c->not_after = info != NULL ? info->not_after : 0;
    c->issuer = info != NULL && info->issuer_name != NULL ? info->issuer_name : "";
    if (info == NULL && ca != NULL) {
        c->issuer = hc_ca_issuer(ca)->name;
    }
    c->state = state_names[wait];
    c->activity = job->at != NULL ? hc_obtains_activity(parts->obtains, job) : NULL;
    c->served = hc_model_is_served(parts, job->index);
    c->lines_until = hc_publisher_of(parts->publisher, job->index)->first_until;
    c->stand_in = other != NULL ? other->serial : NULL;
    set_flaws(parts, c);
    c->left_out = hc_outlook_left_out(parts->outlooks, job->index);
    c->renew_at = hc_job_due(parts->jobs, job);
    if (info != NULL && hc_window_counts(&job->window, info, hc_env_now(&parts->env))) {
        c->window = &job->window;
        c->explanation = hc_job_explanation(parts->jobs, job);
    }
    c->failures = ca != NULL ? failures_of(job, ca) : 0;
    c->last = hc_job_failure(parts->jobs, job, ca, wait);
    c->where = &job->identity->where;
}

/* ---- watched pairs ---- */

/* Certificate, key, and the file with the chain, if there is one. */
static void set_files(const struct hc_conf *conf, const struct hc_watched *watched,
                      struct hc_model_certificate *c)
{
    const int followed[HC_MODEL_FILES] = {watched->certificate, watched->key, watched->chain};
    size_t count = 0;

    for (size_t i = 0; i < HC_MODEL_FILES; i++) {
        if (followed[i] >= 0) {
            c->files[count++] = conf->files.items[followed[i]];
        }
    }
}

void hc_model_of_watch(const struct hc_parts *parts, const struct hc_watch *watch,
                       struct hc_model_certificate *c)
{
    static const struct hc_last_error none;
    const struct hc_identity *identity = &parts->env.conf->identities[watch->index];
    const struct hc_pair *pair = watch->pair;
    bool first = identity->mode == HC_MODE_ON;
    bool told = !first || hc_publisher_needs_files(parts->publisher, watch->index);

    memset(c, 0, sizeof(*c));
    c->index = watch->index;
    c->mode = first ? "lines" : "watch";
    c->names = identity->names.count > 0 || pair == NULL ? &identity->names : hc_pair_names(pair);
    c->lead = identity->lead;
    c->issuer = "";
    if (pair != NULL) {
        c->key_type = hc_key_type_name(hc_pair_key_type(pair));
        c->serial = hc_pair_serial(pair);
        c->not_before = hc_pair_not_before(pair);
        c->not_after = hc_pair_not_after(pair);
    }
    c->state = watch_state(parts, watch);
    c->served =
        first ? hc_publisher_of(parts->publisher, watch->index)->first_until > 0 && pair != NULL
              : hc_model_is_served(parts, watch->index);
    if (!first) {
        set_flaws(parts, c);
    }
    if (!first && watch->stale) {
        c->flaws[c->flaw_count++] = HC_P_FILE_REPLACED;
    }
    c->next_try = watch_next(parts, watch);
    c->failures = hc_watch_is_refused(watch) && told ? 1 : 0;
    c->last = told ? &watch->last : &none;
    set_files(parts->env.conf, watch->files, c);
    c->where = &identity->where;
}

/* ---- issuers ---- */

static void of_issuer(const struct hc_ca *ca, int64_t now, struct hc_model_issuer *out)
{
    const struct hc_breaker *breaker = &hc_ca_record(ca)->breaker;

    out->name = hc_ca_issuer(ca)->name;
    out->directory_url = hc_ca_issuer(ca)->directory_url;
    out->up = !hc_ca_is_failing(ca);
    out->failures = breaker->failures;
    out->failing_since = hc_breaker_failing_since(breaker, now);
    out->next_try = out->up ? 0 : breaker->until;
    out->account = hc_ca_account_url(ca);
    out->last = &hc_ca_record(ca)->last;
}

/* ---- all ---- */

static void fill(const struct hc_parts *parts, struct hc_model *model)
{
    for (size_t i = 0; i < hc_jobs_count(parts->jobs); i++) {
        of_job(parts, hc_jobs_at(parts->jobs, i), &model->certificates[model->certificate_count++]);
    }
    for (size_t i = 0; i < hc_watches_count(parts->watches); i++) {
        hc_model_of_watch(parts, hc_watches_at(parts->watches, i),
                          &model->certificates[model->certificate_count++]);
    }
    for (size_t i = 0; i < parts->env.conf->issuer_count; i++) {
        if (parts->env.conf->issuers[i].directory_url != NULL) {
            model->issuers[model->issuer_count].orders = &parts->counters->orders[i];
            of_issuer(hc_cas_at(parts->cas, i), model->at, &model->issuers[model->issuer_count++]);
        }
    }
}

int hc_model_new(const struct hc_parts *parts, struct hc_model **out, struct hc_error *err)
{
    static const char *const servers[] = {
        [HC_SERVER_NGINX] = "nginx", [HC_SERVER_HTTPD] = "httpd", [HC_SERVER_NONE] = "none"};
    const struct hc_conf *conf = parts->env.conf;
    size_t count = hc_jobs_count(parts->jobs) + hc_watches_count(parts->watches);
    struct hc_model *model = calloc(1, sizeof(*model));

    if (model == NULL) {
        return hc_error_nomem(err);
    }
    model->certificates = calloc(count + 1, sizeof(*model->certificates));
    model->issuers = calloc(conf->issuer_count + 1, sizeof(*model->issuers));
    if (model->certificates == NULL || model->issuers == NULL) {
        hc_model_free(model);
        return hc_error_nomem(err);
    }
    model->at = hc_env_now(&parts->env);
    model->server = servers[conf->server];
    model->pid = (int)getpid();
    model->store = conf->store;
    model->store_ready = hc_storage_ready(parts->storage);
    model->store_error = hc_storage_last(parts->storage);
    model->clock_wrong = hc_clock_watch_is_wrong(parts->clock);
    model->counters = parts->counters;
    model->responder = hc_responder_counts(parts->responder);
    fill(parts, model);
    *out = model;
    return 0;
}

void hc_model_free(struct hc_model *model)
{
    if (model == NULL) {
        return;
    }
    free(model->certificates);
    free(model->issuers);
    free(model);
}
