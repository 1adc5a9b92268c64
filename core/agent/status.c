/* The agent's state as JSON; see status.h. */
#include "agent/status.h"

#include "agent/obtains.h"
#include "agent/watches.h"

static void set_time(json_t *object, const char *key, int64_t t)
{
    char text[HC_TIME_TEXT];

    json_object_set_new(object, key, t > 0 ? json_string(hc_time_format(t, text)) : json_null());
}

static json_t *json_of_list(const struct hc_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(array, json_string(list->items[i]));
    }
    return array;
}

/* The names, the lead first, if it is one of them. */
static json_t *json_of_names(const struct hc_identity *identity, const struct hc_list *names)
{
    json_t *array = json_array();
    const char *lead = identity->lead;

    if (lead != NULL && hc_list_has(names, lead)) {
        json_array_append_new(array, json_string(lead));
    } else {
        lead = NULL;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (lead == NULL || strcmp(names->items[i], lead) != 0) {
            json_array_append_new(array, json_string(names->items[i]));
        }
    }
    return array;
}

static void set_error(json_t *object, const struct hc_last_error *last)
{
    char text[HC_LOG_LINE];
    struct hc_error_text shown;
    struct hc_error err;
    json_t *error = NULL;

    if (last->error.problem != HC_P_NONE) {
        hc_kept_error_get(&last->error, &err);
        hc_error_render(&err, &shown);
        error = json_pack("{s:s, s:s, s:s}", "problem", hc_problem_row(last->error.problem)->slug,
                          "subject", shown.subject, "message",
                          hc_error_format(&err, text, sizeof(text)));
        set_time(error, "at", last->at);
    }
    json_object_set_new(object, "error", error != NULL ? error : json_null());
}

static void set_info(json_t *object, const struct hc_line_info *info)
{
    json_object_set_new(object, "serial",
                        info != NULL && info->serial != NULL ? json_string(info->serial)
                                                             : json_null());
    set_time(object, "not_before", info != NULL ? info->not_before : 0);
    set_time(object, "not_after", info != NULL ? info->not_after : 0);
    json_object_set_new(object, "issuer",
                        info != NULL && info->issuer_name != NULL ? json_string(info->issuer_name)
                                                                  : json_string(""));
}

static void set_flaws(json_t *object, const struct hc_parts *parts, size_t index)
{
    size_t count = 0;
    const enum hc_problem *found = hc_health_flaws(parts->health, index, &count);
    json_t *flaws = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(flaws, json_string(hc_problem_row(found[i])->slug));
    }
    json_object_set_new(object, "flawed", json_boolean(count > 0));
    json_object_set_new(object, "flaws", flaws);
}

/* ---- jobs ---- */

static const char *const state_names[] = {
    [HC_JOB_READY] = "queued",
    [HC_JOB_RUNNING] = "ordering",
    [HC_JOB_FRESH] = "ok",
    [HC_JOB_FAILED] = "failed",
    [HC_JOB_CA] = "waiting-for-ca",
    [HC_JOB_ELSEWHERE] = "ordered-elsewhere",
    [HC_JOB_STORE] = "store-unusable",
    [HC_JOB_CLOCK] = "clock-wrong",
    [HC_JOB_LOOKING] = "looking",
    [HC_JOB_HELD] = "held",
};
_Static_assert(HC_COUNT(state_names) == HC_JOB_WAIT_COUNT, "every state has a name");

const char *hc_status_word(unsigned wait)
{
    return state_names[wait];
}

static void set_failure(const struct hc_parts *parts, json_t *object, const struct hc_job *job,
                        const struct hc_ca *ca, enum hc_job_wait wait)
{
    const struct hc_ladder *whole =
        ca != NULL ? hc_issuer_record_find(hc_ca_record(ca), job->name) : NULL;
    unsigned failures = whole != NULL ? whole->failures : 0;

    for (size_t i = 0; ca != NULL && i < job->identity->names.count; i++) {
        const struct hc_ladder *ladder =
            hc_issuer_record_find(hc_ca_record(ca), job->identity->names.items[i]);

        failures = ladder != NULL && ladder->failures > failures ? ladder->failures : failures;
    }
    json_object_set_new(object, "failures", json_integer((json_int_t)failures));
    set_error(object, hc_job_failure(parts->jobs, job, ca, wait));
}

static json_t *json_of_job(const struct hc_parts *parts, const struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(parts->jobs, job);
    const struct hc_line_info *other =
        info == NULL ? hc_publisher_stand_in(parts->publisher, job->index) : NULL;
    struct hc_ca *ca = NULL;
    int64_t when = 0;
    enum hc_job_wait wait = hc_job_look(parts->jobs, job, &ca, &when);
    const char *activity = job->at != NULL ? hc_obtains_activity(parts->obtains, job) : NULL;
    json_t *object = json_object();

    json_object_set_new(object, "names", json_of_names(job->identity, &job->identity->names));
    json_object_set_new(object, "mode", json_string("on"));
    json_object_set_new(object, "key_type", json_string(hc_key_type_name(job->key_type)));
    set_info(object, info);
    if (info == NULL && ca != NULL) {
        json_object_set_new(object, "issuer", json_string(hc_ca_issuer(ca)->name));
    }
    json_object_set_new(object, "state", json_string(state_names[wait]));
    json_object_set_new(object, "activity", activity != NULL ? json_string(activity) : json_null());
    json_object_set_new(object, "served", json_boolean(hc_status_is_served(parts, job->index)));
    set_time(object, "lines_until", hc_publisher_of(parts->publisher, job->index)->first_until);
    json_object_set_new(object, "stand_in",
                        other != NULL ? json_string(other->serial) : json_null());
    set_flaws(object, parts, job->index);
    json_object_set_new(object, "left_out",
                        json_of_list(hc_outlook_left_out(parts->outlooks, job->index)));
    set_time(object, "next_try", when);
    set_failure(parts, object, job, ca, wait);
    json_object_set_new(object, "where", json_of_list(&job->identity->where));
    return object;
}

/* ---- watched pairs ---- */

/* What is followed: certificate, key, and the file with the chain, if there is one. */
static json_t *json_of_files(const struct hc_conf *conf, const struct hc_watched *watched)
{
    const int followed[] = {watched->certificate, watched->key, watched->chain};
    json_t *array = json_array();

    for (size_t i = 0; i < HC_COUNT(followed); i++) {
        if (followed[i] >= 0) {
            json_array_append_new(array, json_string(conf->files.items[followed[i]]));
        }
    }
    return array;
}

/* Of lines beside `on`: whether they serve, else whether they can go. */
static const char *first_state(const struct hc_parts *parts, const struct hc_watch *watch)
{
    return hc_publisher_of(parts->publisher, watch->index)->first_until > 0 ? "first"
           : hc_publisher_needs_files(parts->publisher, watch->index)       ? "waiting"
                                                                            : "not-needed";
}

static bool is_torn(const struct hc_watch *watch)
{
    return watch->state == HC_WATCH_BROKEN || watch->state == HC_WATCH_HELD;
}

static const char *watch_state(const struct hc_parts *parts, const struct hc_watch *watch)
{
    static const char *const words[] = {[HC_WATCH_QUEUED] = "queued",
                                        [HC_WATCH_OK] = "ok",
                                        [HC_WATCH_BROKEN] = "files-broken",
                                        [HC_WATCH_HELD] = "held-back"};

    if (parts->env.conf->identities[watch->index].mode == HC_MODE_ON &&
        (!is_torn(watch) || !hc_publisher_needs_files(parts->publisher, watch->index))) {
        return first_state(parts, watch);
    }
    return words[watch->state];
}

static int64_t watch_next(const struct hc_parts *parts, const struct hc_watch *watch)
{
    int64_t left_ms = watch->next_ms - hc_env_ms(&parts->env);

    return hc_env_now(&parts->env) + (left_ms > 0 ? left_ms / 1000 : 0);
}

json_t *hc_status_of_watch(const struct hc_parts *parts, const struct hc_watch *watch)
{
    json_t *object = json_object();
    const struct hc_identity *identity = &parts->env.conf->identities[watch->index];
    const struct hc_list *names = identity->names.count > 0 || watch->pair == NULL
                                      ? &identity->names
                                      : hc_pair_names(watch->pair);
    bool first = identity->mode == HC_MODE_ON;
    bool serves = first ? hc_publisher_of(parts->publisher, watch->index)->first_until > 0 &&
                              watch->pair != NULL
                        : hc_status_is_served(parts, watch->index);
    bool told = !first || hc_publisher_needs_files(parts->publisher, watch->index);
    const struct hc_last_error none = {.at = 0};

    json_object_set_new(object, "names", json_of_names(identity, names));
    json_object_set_new(object, "mode", json_string(first ? "lines" : "watch"));
    json_object_set_new(object, "key_type",
                        watch->pair != NULL
                            ? json_string(hc_key_type_name(hc_pair_key_type(watch->pair)))
                            : json_null());
    json_object_set_new(object, "serial",
                        watch->pair != NULL ? json_string(hc_pair_serial(watch->pair))
                                            : json_null());
    set_time(object, "not_before", watch->pair != NULL ? hc_pair_not_before(watch->pair) : 0);
    set_time(object, "not_after", watch->pair != NULL ? hc_pair_not_after(watch->pair) : 0);
    json_object_set_new(object, "issuer", json_string(""));
    json_object_set_new(object, "state", json_string(watch_state(parts, watch)));
    json_object_set_new(object, "served", json_boolean(serves));
    if (!first) {
        set_flaws(object, parts, watch->index); /* else its jobs tell */
    }
    if (!first && watch->stale) {
        json_array_append_new(json_object_get(object, "flaws"),
                              json_string(hc_problem_row(HC_P_FILE_REPLACED)->slug));
        json_object_set_new(object, "flawed", json_true());
    }
    set_time(object, "next_try", watch_next(parts, watch));
    json_object_set_new(object, "failures", json_integer(is_torn(watch) && told ? 1 : 0));
    set_error(object, told ? &watch->last : &none);
    json_object_set_new(object, "files", json_of_files(parts->env.conf, watch->files));
    json_object_set_new(object, "where", json_of_list(&identity->where));
    return object;
}

json_t *hc_status_certificates(const struct hc_parts *parts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < hc_jobs_count(parts->jobs); i++) {
        json_array_append_new(array, json_of_job(parts, hc_jobs_at(parts->jobs, i)));
    }
    for (size_t i = 0; i < hc_watches_count(parts->watches); i++) {
        json_array_append_new(array, hc_status_of_watch(parts, hc_watches_at(parts->watches, i)));
    }
    return array;
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

bool hc_status_is_served(const struct hc_parts *parts, size_t identity)
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
static const char *unserved_state(const struct hc_parts *parts, size_t identity, int64_t *next)
{
    size_t job_count = 0;
    size_t first = hc_watches_first(parts->watches, identity);
    size_t watch_count = parts->env.conf->identities[identity].watched_count;
    const struct hc_job *jobs = hc_jobs_of(parts->jobs, identity, &job_count);
    struct hc_ca *ca = NULL;

    for (size_t i = 0; i < job_count; i++) {
        enum hc_job_wait wait = hc_job_look(parts->jobs, &jobs[i], &ca, next);

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

void hc_status_describe(const struct hc_parts *parts, size_t identity, char *dst, size_t cap)
{
    int64_t next = 0;
    const char *state = unserved_state(parts, identity, &next);
    int64_t now = hc_env_now(&parts->env);
    char text[HC_TIME_TEXT];
    const char *when = hc_time_format(next, text);

    if (next <= now) {
        snprintf(dst, cap, "%s", state);
        return;
    }
    /* the time of the day says enough if that comes but once until then */
    snprintf(dst, cap, "%s, tried again %s", state,
             next - now < 86400 ? when + sizeof("2026-03-04T") - 1 : when);
}

/* ---- without an agent ---- */

json_t *hc_status_of_info(const struct hc_line_info *info, int64_t now)
{
    json_t *object = json_object();

    json_object_set_new(object, "names", json_of_list(&info->names));
    json_object_set_new(object, "mode", json_string(info->mode == HC_MODE_WATCH ? "watch" : "on"));
    json_object_set_new(object, "key_type", json_string(hc_key_type_name(info->key_type)));
    set_info(object, info);
    json_object_set_new(object, "state",
                        json_string(info->not_after <= now ? "expired" : "stored"));
    json_object_set_new(object, "served", json_null());
    json_object_set_new(object, "next_try", json_null());
    json_object_set_new(object, "failures", json_integer(0));
    json_object_set_new(object, "error", json_null());
    return object;
}
