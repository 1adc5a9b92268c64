/* Jobs; see jobs.h. */
#include "agent/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "agent/select.h"
#include "store/line.h"
#include "store/record.h"

#define EXPLANATIONS 64 /* that are kept; more than that no CA has */

struct hc_jobs {
    struct hc_jobs_options o;
    struct hc_job *items;
    size_t count;
    struct hc_job **first;       /* of each identity, or NULL */
    struct hc_list explanations; /* of windows: a CA has few */
    bool awaits_windows;
};

/* ---- life ---- */

static size_t count_jobs(const struct hc_conf *conf)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        count +=
            conf->identities[i].mode == HC_MODE_ON ? conf->identities[i].set->key_types.count : 0;
    }
    return count;
}

static void add_identity(struct hc_jobs *jobs, size_t index)
{
    const struct hc_identity *identity = &jobs->o.env->conf->identities[index];

    if (identity->mode != HC_MODE_ON) {
        return;
    }
    jobs->first[index] = &jobs->items[jobs->count];
    for (size_t k = 0; k < identity->set->key_types.count; k++) {
        struct hc_job *job = &jobs->items[jobs->count++];

        job->identity = identity;
        job->index = (uint32_t)index;
        job->key_type = identity->set->key_types.items[k];
        hc_line_of(identity->id, job->key_type, job->line);
    }
}

static void on_event(void *self, const struct hc_event *event);

int hc_jobs_new(const struct hc_jobs_options *options, struct hc_jobs **out, struct hc_error *err)
{
    const struct hc_conf *conf = options->env->conf;
    struct hc_jobs *jobs = calloc(1, sizeof(*jobs));

    if (jobs == NULL) {
        return hc_error_nomem(err);
    }
    jobs->o = *options;
    jobs->items = calloc(count_jobs(conf) + 1, sizeof(*jobs->items));
    jobs->first = calloc(conf->identity_count + 1, sizeof(struct hc_job *));
    if (jobs->items == NULL || jobs->first == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        add_identity(jobs, i);
    }
    if (hc_events_add(options->env->events, on_event, jobs, err) != 0) {
        goto failed;
    }
    *out = jobs;
    return 0;
failed:
    hc_jobs_free(jobs);
    return -1;
}

void hc_jobs_free(struct hc_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    hc_events_remove(jobs->o.env->events, jobs);
    for (size_t i = 0; i < jobs->count; i++) {
        hc_job_record_dispose(&jobs->items[i].record);
    }
    hc_list_dispose(&jobs->explanations);
    free(jobs->items);
    free(jobs->first);
    free(jobs);
}

const char *hc_job_name(const struct hc_job *job, char name[HC_JOB_NAME])
{
    hc_hex(name, job->line, HC_ID_SIZE);
    return name;
}

size_t hc_jobs_count(const struct hc_jobs *jobs)
{
    return jobs->count;
}

struct hc_job *hc_jobs_at(const struct hc_jobs *jobs, size_t i)
{
    return &jobs->items[i];
}

struct hc_job *hc_jobs_of(const struct hc_jobs *jobs, size_t index, size_t *count)
{
    struct hc_job *first = jobs->first[index];

    *count = first != NULL ? jobs->o.env->conf->identities[index].set->key_types.count : 0;
    return first;
}

/* ---- what is remembered ---- */

int hc_job_load(const struct hc_jobs *jobs, struct hc_job *job, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_job_record record;
    int rc = -1;

    memset(&record, 0, sizeof(record));
    if (hc_store_get(hc_storage_store(jobs->o.storage), "job",
                     hc_job_name(job, (char[HC_JOB_NAME]){0}), &text, err) == 0) {
        rc = hc_job_record_decode(hc_bytes_of(&text), &record, err);
    } else if (err->problem == HC_P_STORE_EMPTY) {
        hc_error_init(err);
        rc = 0;
    }
    if (rc == 0) {
        /* another agent may have written the record after the operator asked this one */
        if (job->record.replace > record.replace) {
            record.replace = job->record.replace;
        }
        hc_job_record_dispose(&job->record);
        job->record = record;
    }
    hc_buf_dispose(&text);
    return rc;
}

static void load_identity(struct hc_jobs *jobs, size_t index)
{
    size_t count = 0;
    struct hc_job *items = hc_jobs_of(jobs, index, &count);

    for (size_t i = 0; i < count; i++) {
        struct hc_error err;

        hc_error_init(&err);
        if (hc_job_load(jobs, &items[i], &err) != 0) {
            hc_log_error(jobs->o.env->log, HC_LOG_WARN,
                         "saved order state is unreadable; starting fresh", &err);
        }
    }
}

/* A record that says nothing is not kept. */
static bool says_nothing(const struct hc_job_record *record)
{
    bool nothing =
        record->order == NULL && record->last.error.problem == HC_P_NONE && record->replace == 0;

    for (size_t i = 0; i < HC_RESETS_MAX; i++) {
        nothing = nothing && record->resets[i] == 0;
    }
    return nothing;
}

int hc_job_store(const struct hc_jobs *jobs, struct hc_job *job, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    int rc = -1;

    if (says_nothing(&job->record)) {
        return hc_store_delete(hc_storage_store(jobs->o.storage), "job",
                               hc_job_name(job, (char[HC_JOB_NAME]){0}), err);
    }
    if (hc_job_record_encode(&job->record, &text, err) == 0) {
        rc = hc_store_put(hc_storage_store(jobs->o.storage), "job",
                          hc_job_name(job, (char[HC_JOB_NAME]){0}), hc_bytes_of(&text), err);
    }
    hc_buf_dispose(&text);
    return rc;
}

/* ---- what one waits for ---- */

const struct hc_line_info *hc_job_info(const struct hc_jobs *jobs, const struct hc_job *job)
{
    return hc_inventory_find(hc_storage_inventory(jobs->o.storage), job->line);
}

int64_t hc_job_due(const struct hc_jobs *jobs, const struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(jobs, job);
    int64_t seen = hc_clock_watch_seen(jobs->o.clock);

    if (info == NULL || job->record.replace >= info->version ||
        (seen > 0 && info->not_before > seen + HC_FUTURE_MOST) ||
        !hc_identity_uses(jobs->o.env->conf, job->identity, info->issuer) ||
        (!hc_list_equal(&info->names, &job->identity->names) &&
         hc_outlook_wants(jobs->o.outlooks, job->index, &info->names))) {
        return 0;
    }
    if (hc_window_counts(&job->window, info, hc_env_now(jobs->o.env))) {
        return hc_schedule_renew_by_window(info->not_before, info->not_after, info->committed,
                                           job->window.start + job->window.drawn);
    }
    return hc_schedule_renew_at(info->not_before, info->not_after,
                                hc_schedule_share(job->line, info->serial));
}

/* Its number; 0: there is no room. */
static uint8_t number_of(struct hc_list *texts, const char *explanation)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->items[i], explanation) == 0) {
            return (uint8_t)(i + 1);
        }
    }
    return texts->count < EXPLANATIONS && hc_list_add(texts, explanation, NULL) == 0
               ? (uint8_t)texts->count
               : 0;
}

void hc_job_set_window(struct hc_jobs *jobs, struct hc_job *job, const struct hc_window *window,
                       const char *explanation)
{
    job->window = *window;
    job->window.explanation = explanation != NULL ? number_of(&jobs->explanations, explanation) : 0;
}

const char *hc_job_explanation(const struct hc_jobs *jobs, const struct hc_job *job)
{
    uint8_t number = job->window.explanation;

    return number > 0 ? jobs->explanations.items[number - 1] : NULL;
}

void hc_jobs_await_windows(struct hc_jobs *jobs)
{
    jobs->awaits_windows = true;
}

/* True while nobody has read when the CA wants the job's certificate renewed. */
static bool awaits_window(const struct hc_jobs *jobs, const struct hc_job *job)
{
    const struct hc_line_info *info = jobs->awaits_windows ? hc_job_info(jobs, job) : NULL;

    return info != NULL && !hc_window_is_of(&job->window, info);
}

/* Adds what the issuer's record holds against one name. */
static void add_ladder(const struct hc_ca *ca, const char *name, int64_t now,
                       struct hc_issuer_standing *standing)
{
    const struct hc_ladder *ladder = hc_issuer_record_find(hc_ca_record(ca), name);
    unsigned refusals = ladder != NULL ? hc_ladder_refusals(ladder, now) : 0;

    standing->refusals = refusals > standing->refusals ? refusals : standing->refusals;
    if (ladder != NULL && ladder->next > standing->next) {
        standing->next = ladder->next;
    }
}

/* What the issuer refused: the job's worst name, or its certificate as a whole. */
static void add_refusals(const struct hc_jobs *jobs, const struct hc_job *job,
                         const struct hc_ca *ca, int64_t now, struct hc_issuer_standing *standing)
{
    const struct hc_list *names = hc_outlook_order(jobs->o.outlooks, job->index);

    if (hc_ca_record(ca)->name_count == 0) {
        return;
    }
    add_ladder(ca, hc_job_name(job, (char[HC_JOB_NAME]){0}), now, standing);
    for (size_t i = 0; i < names->count; i++) {
        add_ladder(ca, names->items[i], now, standing);
    }
}

/* What is known of the issuer as far as it concerns the job. */
static struct hc_issuer_standing standing_of(const struct hc_jobs *jobs, const struct hc_job *job,
                                             const struct hc_ca *ca, int64_t now)
{
    const struct hc_breaker *breaker = &hc_ca_record(ca)->breaker;
    struct hc_issuer_standing standing = {
        .failing_since = hc_breaker_failing_since(breaker, now),
        .ordered = job->record.order != NULL &&
                   strcmp(job->record.order->directory, hc_ca_issuer(ca)->directory_url) == 0,
    };

    add_refusals(jobs, job, ca, now, &standing);
    if (breaker->failures > 0 && breaker->until > standing.next) {
        standing.next = breaker->until;
    }
    return standing;
}

static struct hc_ca *choose_ca(const struct hc_jobs *jobs, const struct hc_job *job, int64_t now)
{
    struct hc_issuer_standing standings[HC_ISSUERS_IN_USE];
    struct hc_ca *cas[HC_ISSUERS_IN_USE];
    size_t count = 0;

    for (size_t i = 0; i < job->identity->set->use.count && count < HC_ISSUERS_IN_USE; i++) {
        struct hc_ca *ca = hc_cas_named(jobs->o.cas, job->identity->set->use.items[i]);

        if (ca != NULL) {
            cas[count] = ca;
            standings[count++] = standing_of(jobs, job, ca, now);
        }
    }
    if (count == 0) {
        return NULL;
    }
    return cas[hc_schedule_issuer(standings, count, now,
                                  hc_publisher_until(jobs->o.publisher, job->index))];
}

/* UTC, 0: the job does not pause. */
static int64_t paused_until(const struct hc_jobs *jobs, const struct hc_job *job,
                            const struct hc_ca *ca, int64_t now)
{
    int64_t left = hc_pause_left(&job->pause, ca, hc_ca_is_failing(ca), hc_env_ms(jobs->o.env));

    return left > 0 ? now + (left + 999) / 1000 : 0;
}

enum hc_job_wait hc_job_prospect(const struct hc_jobs *jobs, const struct hc_job *job,
                                 struct hc_ca **ca, int64_t *when)
{
    int64_t now = hc_env_now(jobs->o.env);
    int64_t due = hc_job_due(jobs, job);
    struct hc_ca *asked = choose_ca(jobs, job, now);
    struct hc_issuer_standing refused = {.next = 0};

    *ca = asked;
    *when = 0;
    if (hc_clock_watch_is_wrong(jobs->o.clock)) {
        return HC_JOB_CLOCK; /* also of what seems to be due later: by what clock? */
    }
    if (due > now && job->record.order == NULL) {
        *when = due;
        return HC_JOB_FRESH;
    }
    if (!hc_storage_ready(jobs->o.storage) || asked == NULL ||
        (job->record.order == NULL && awaits_window(jobs, job))) {
        return HC_JOB_STORE;
    }
    add_refusals(jobs, job, asked, now, &refused);
    *when = refused.next;
    if (*when > now) {
        return HC_JOB_FAILED;
    }
    *when = hc_ca_record(asked)->breaker.until;
    if (!hc_breaker_allows(&hc_ca_record(asked)->breaker, now)) {
        return hc_ca_refuses(asked) ? HC_JOB_FAILED : HC_JOB_CA;
    }
    *when = paused_until(jobs, job, asked, now);
    if (*when > now) {
        return HC_JOB_FAILED;
    }
    if (job->record.order == NULL && hc_preflights_is_running(jobs->o.preflights, job->index)) {
        *when = 0;
        return HC_JOB_CHECKING;
    }
    if (job->record.order == NULL && hc_outlook_holds(jobs->o.outlooks, job->index, asked, when)) {
        return HC_JOB_HELD;
    }
    *when = 0;
    return hc_env_ms(jobs->o.env) < job->again_ms ? HC_JOB_ELSEWHERE : HC_JOB_READY;
}

enum hc_job_wait hc_job_waits_for(const struct hc_jobs *jobs, const struct hc_job *job,
                                  struct hc_ca **ca, int64_t *when)
{
    if (job->at != NULL) {
        *ca = job->at;
        *when = 0;
        return HC_JOB_RUNNING;
    }
    return hc_job_prospect(jobs, job, ca, when);
}

const struct hc_last_error *hc_job_failure(const struct hc_jobs *jobs, const struct hc_job *job,
                                           const struct hc_ca *ca, enum hc_job_wait wait)
{
    if (ca != NULL && (wait == HC_JOB_CA || (wait == HC_JOB_FAILED && hc_ca_refuses(ca)))) {
        return &hc_ca_record(ca)->last; /* whoever asked it for all */
    }
    return wait == HC_JOB_STORE ? hc_storage_last(jobs->o.storage) : &job->record.last;
}

/* ---- what is told ---- */

/* The cause of what these names failed of is gone: they need not wait (four times an hour). */
static void forgive(struct hc_jobs *jobs, size_t index, const struct hc_list *names)
{
    int64_t now = hc_env_now(jobs->o.env);
    size_t count = 0;
    struct hc_job *items = hc_jobs_of(jobs, index, &count);

    for (size_t i = 0; i < count; i++) {
        if (!hc_schedule_take_reset(items[i].record.resets, now)) {
            continue;
        }
        for (size_t k = 0; k < jobs->o.env->conf->issuer_count; k++) {
            hc_ca_forgive(hc_cas_at(jobs->o.cas, k),
                          hc_job_name(&items[i], (char[HC_JOB_NAME]){0}));
        }
        hc_cas_forgive(jobs->o.cas, names);
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_jobs *jobs = self;

    if (event->kind == HC_EVENT_STORE_IDENTITY) {
        load_identity(jobs, event->index);
    } else if (event->kind == HC_EVENT_PREFLIGHT_ENDED && event->names->count > 0) {
        forgive(jobs, event->index, event->names);
    }
}
