/*
 * Jobs: every line that is to be obtained, what it waits for, and which are started now. What has
 * an order under way already goes first, then what serves nothing, then what ends soonest. But
 * while a CA is known to fail, whoever failed there less often asks first, whatever it is: an order
 * that always fails must not be the one that asks for all each time.
 */
#include <stdlib.h>

#include "agent/state.h"

#define LOOK_MS 60000 /* all jobs are looked at this often, whatever was expected */
#define IN_ALL  8     /* orders in all, those that only wait included: times hotcert_parallel */

/* So many that find no room for a look: those behind them are not asked whether they need one. */
#define TURNED_AWAY 64

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

int hc_jobs_new(struct hc_agent *agent, struct hc_error *err)
{
    const struct hc_conf *conf = agent->conf;
    size_t count = count_jobs(conf);

    if (count == 0) {
        return 0;
    }
    agent->jobs = calloc(count, sizeof(*agent->jobs));
    agent->queue = calloc(count, sizeof(struct hc_job *));
    agent->jobs_at = calloc(conf->identity_count, sizeof(struct hc_job *));
    if (agent->jobs == NULL || agent->jobs_at == NULL || agent->queue == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        if (identity->mode == HC_MODE_ON) {
            agent->jobs_at[i] = &agent->jobs[agent->job_count];
        }
        for (size_t k = 0; identity->mode == HC_MODE_ON && k < identity->set->key_types.count;
             k++) {
            struct hc_job *job = &agent->jobs[agent->job_count++];

            job->identity = identity;
            job->index = i;
            job->key_type = identity->set->key_types.items[k];
            hc_line_of(identity->id, job->key_type, job->line);
            hc_hex(job->name, job->line, HC_ID_SIZE);
        }
    }
    return 0;
}

struct hc_job *hc_jobs_of(const struct hc_agent *agent, size_t index, size_t *count)
{
    struct hc_job *jobs = agent->jobs_at != NULL ? agent->jobs_at[index] : NULL;

    *count = jobs != NULL ? agent->conf->identities[index].set->key_types.count : 0;
    return jobs;
}

void hc_jobs_halt(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->job_count; i++) {
        hc_obtain_free(agent->jobs[i].obtain);
        agent->jobs[i].obtain = NULL;
    }
    agent->jobs_dirty = true;
}

void hc_jobs_free(struct hc_agent *agent)
{
    hc_jobs_halt(agent);
    for (size_t i = 0; i < agent->job_count; i++) {
        hc_job_record_dispose(&agent->jobs[i].record);
    }
    free(agent->jobs);
    free(agent->queue);
    free(agent->jobs_at);
    agent->jobs = NULL;
    agent->queue = NULL;
    agent->jobs_at = NULL;
    agent->job_count = 0;
}

int hc_job_load(struct hc_agent *agent, struct hc_job *job, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_job_record record;
    int rc = -1;

    memset(&record, 0, sizeof(record));
    if (hc_store_get(hc_agent_store(agent), "job", job->name, &text, err) == 0) {
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

void hc_jobs_load(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->job_count; i++) {
        struct hc_job *job = &agent->jobs[i];
        struct hc_error err;

        hc_error_init(&err);
        if (hc_job_load(agent, job, &err) != 0) {
            hc_log_error(agent->o.log, HC_LOG_WARN, "what was known of an order is lost", &err);
        }
    }
    agent->jobs_dirty = true;
}

/* A record that says nothing is not kept. */
static bool says_nothing(const struct hc_job_record *record)
{
    bool nothing = record->order_url == NULL && record->last.error.problem == HC_P_NONE &&
                   record->replace == 0;

    for (size_t i = 0; i < HC_RESETS_MAX; i++) {
        nothing = nothing && record->resets[i] == 0;
    }
    return nothing;
}

int hc_job_store(struct hc_agent *agent, struct hc_job *job, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    int rc = -1;

    if (says_nothing(&job->record)) {
        return hc_store_delete(hc_agent_store(agent), "job", job->name, err);
    }
    if (hc_job_record_encode(&job->record, &text, err) == 0) {
        rc = hc_store_put(hc_agent_store(agent), "job", job->name, hc_bytes_of(&text), err);
    }
    hc_buf_dispose(&text);
    return rc;
}

/* ---- looking at one ---- */

const struct hc_line_info *hc_job_info(const struct hc_agent *agent, const struct hc_job *job)
{
    return hc_inventory_find(hc_agent_inventory(agent), job->line);
}

int64_t hc_job_due(struct hc_agent *agent, const struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(agent, job);
    int64_t seen = hc_clock_watch_seen(agent->clock);

    if (info == NULL || job->record.replace >= info->version ||
        (seen > 0 && info->not_before > seen + HC_FUTURE_MOST) ||
        !hc_identity_uses(agent->conf, job->identity, info->issuer) ||
        (!hc_list_equal(&info->names, &job->identity->names) &&
         hc_outlook_wants(agent->outlooks, job->index, &info->names))) {
        return 0;
    }
    return hc_schedule_renew_at(info->not_before, info->not_after,
                                hc_schedule_share(job->line, info->serial));
}

int64_t hc_job_serving_until(const struct hc_agent *agent, const struct hc_job *job)
{
    return hc_publisher_until(agent->publisher, job->index);
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
static void add_refusals(const struct hc_agent *agent, const struct hc_job *job,
                         const struct hc_ca *ca, int64_t now, struct hc_issuer_standing *standing)
{
    const struct hc_list *names = hc_outlook_order(agent->outlooks, job->index);

    if (hc_ca_record(ca)->name_count == 0) {
        return;
    }
    add_ladder(ca, job->name, now, standing);
    for (size_t i = 0; i < names->count; i++) {
        add_ladder(ca, names->items[i], now, standing);
    }
}

/* What is known of the issuer as far as it concerns the job. */
static struct hc_issuer_standing standing_of(const struct hc_agent *agent, const struct hc_job *job,
                                             const struct hc_ca *ca, int64_t now)
{
    const struct hc_breaker *breaker = &hc_ca_record(ca)->breaker;
    struct hc_issuer_standing standing = {
        .failing_since = hc_breaker_failing_since(breaker, now),
        .ordered = job->record.order_url != NULL &&
                   strcmp(job->record.order_directory, hc_ca_issuer(ca)->directory_url) == 0,
    };

    add_refusals(agent, job, ca, now, &standing);
    if (breaker->failures > 0 && breaker->until > standing.next) {
        standing.next = breaker->until;
    }
    return standing;
}

static struct hc_ca *choose_ca(struct hc_agent *agent, const struct hc_job *job, int64_t now)
{
    struct hc_issuer_standing standings[HC_ISSUERS_IN_USE];
    struct hc_ca *cas[HC_ISSUERS_IN_USE];
    size_t count = 0;

    for (size_t i = 0; i < job->identity->set->use.count && count < HC_ISSUERS_IN_USE; i++) {
        struct hc_ca *ca = hc_cas_named(agent->cas, job->identity->set->use.items[i]);

        if (ca != NULL) {
            cas[count] = ca;
            standings[count++] = standing_of(agent, job, ca, now);
        }
    }
    if (count == 0) {
        return NULL;
    }
    return cas[hc_schedule_issuer(standings, count, now, hc_job_serving_until(agent, job))];
}

/* UTC, 0: the job does not pause. */
static int64_t paused_until(const struct hc_agent *agent, const struct hc_job *job,
                            const struct hc_ca *ca, int64_t now)
{
    int64_t left = hc_pause_left(&job->pause, ca, hc_ca_is_failing(ca), hc_agent_ms(agent));

    return left > 0 ? now + (left + 999) / 1000 : 0;
}

enum hc_job_wait hc_job_look(struct hc_agent *agent, const struct hc_job *job, int64_t now,
                             struct hc_ca **ca, int64_t *when)
{
    int64_t due = hc_job_due(agent, job);
    struct hc_ca *asked = choose_ca(agent, job, now);
    struct hc_issuer_standing refused = {.next = 0};

    *ca = job->obtain != NULL ? hc_obtain_ca(job->obtain) : asked;
    *when = 0;
    if (job->obtain != NULL) {
        return HC_JOB_RUNNING;
    }
    if (hc_clock_watch_is_wrong(agent->clock)) {
        return HC_JOB_CLOCK; /* also of what seems to be due later: by what clock? */
    }
    if (due > now && job->record.order_url == NULL) {
        *when = due;
        return HC_JOB_FRESH;
    }
    if (!hc_storage_ready(agent->storage) || asked == NULL) {
        return HC_JOB_STORE;
    }
    add_refusals(agent, job, asked, now, &refused);
    *when = refused.next;
    if (*when > now) {
        return HC_JOB_FAILED;
    }
    *when = hc_ca_record(asked)->breaker.until;
    if (!hc_breaker_allows(&hc_ca_record(asked)->breaker, now)) {
        return hc_ca_refuses(asked) ? HC_JOB_FAILED : HC_JOB_CA;
    }
    *when = paused_until(agent, job, asked, now);
    if (*when > now) {
        return HC_JOB_FAILED;
    }
    if (job->record.order_url == NULL && hc_outlook_is_looking(agent->outlooks, job->index)) {
        *when = 0;
        return HC_JOB_LOOKING;
    }
    if (job->record.order_url == NULL &&
        hc_outlook_holds(agent->outlooks, job->index, asked, when)) {
        return HC_JOB_HELD;
    }
    *when = 0;
    return hc_agent_ms(agent) < job->again_ms ? HC_JOB_ELSEWHERE : HC_JOB_READY;
}

const struct hc_last_error *hc_job_failure(const struct hc_agent *agent, const struct hc_job *job,
                                           const struct hc_ca *ca, enum hc_job_wait wait)
{
    if (ca != NULL && (wait == HC_JOB_CA || (wait == HC_JOB_FAILED && hc_ca_refuses(ca)))) {
        return &hc_ca_record(ca)->last; /* whoever asked it for all */
    }
    return wait == HC_JOB_STORE ? hc_storage_last(agent->storage) : &job->record.last;
}

/* ---- the queue ---- */

/* What is tried first: the smaller number. */
static int64_t urgency(const struct hc_agent *agent, const struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(agent, job);

    if (job->record.order_url != NULL) {
        return 0;
    }
    return info != NULL ? info->not_after : hc_job_serving_until(agent, job) > 0 ? 2 : 1;
}

struct queued {
    struct hc_job *job;
    int64_t urgency;
};

static int compare_queued(const void *a, const void *b)
{
    const struct queued *left = a;
    const struct queued *right = b;

    if (left->job->turn != right->job->turn) {
        return left->job->turn < right->job->turn ? -1 : 1;
    }
    if (left->urgency != right->urgency) {
        return left->urgency < right->urgency ? -1 : 1;
    }
    return left->job < right->job ? -1 : left->job > right->job;
}

static void sort_queue(struct hc_agent *agent)
{
    struct queued *items = calloc(agent->queue_count + 1, sizeof(*items));

    if (items == NULL) {
        return; /* unsorted is good enough for a machine without memory */
    }
    for (size_t i = 0; i < agent->queue_count; i++) {
        items[i] = (struct queued){agent->queue[i], urgency(agent, agent->queue[i])};
    }
    qsort(items, agent->queue_count, sizeof(*items), compare_queued);
    for (size_t i = 0; i < agent->queue_count; i++) {
        agent->queue[i] = items[i].job;
    }
    free(items);
}

/* By the lines in use. */
static void look_at_clock(struct hc_agent *agent, int64_t now)
{
    hc_clock_watch_begin(agent->clock, now);
    for (size_t i = 0; i < agent->job_count; i++) {
        const struct hc_line_info *info = hc_job_info(agent, &agent->jobs[i]);

        if (info != NULL) {
            hc_clock_watch_see(agent->clock, info);
        }
    }
    hc_clock_watch_judge(agent->clock);
}

/* Looks at every job: who is ready, and when the next may be. */
static void fill_queue(struct hc_agent *agent, int64_t now)
{
    int64_t now_ms = hc_agent_ms(agent);
    int64_t soonest = now_ms + LOOK_MS;

    look_at_clock(agent, now);
    hc_outlooks_plan(agent->outlooks);
    agent->queue_count = 0;
    for (size_t i = 0; i < agent->job_count; i++) {
        struct hc_job *job = &agent->jobs[i];
        struct hc_ca *ca = NULL;
        int64_t when = 0;
        enum hc_job_wait wait = hc_job_look(agent, job, now, &ca, &when);

        if (wait == HC_JOB_READY || wait == HC_JOB_LOOKING) {
            job->turn = hc_ca_is_failing(ca) ? hc_pause_failures(&job->pause, ca) : 0;
            agent->queue[agent->queue_count++] = job;
        } else if (wait == HC_JOB_ELSEWHERE && job->again_ms < soonest) {
            soonest = job->again_ms;
        } else if (when > now && when - now < LOOK_MS / 1000 &&
                   now_ms + (when - now) * 1000 < soonest) {
            soonest = now_ms + (when - now) * 1000;
        }
    }
    sort_queue(agent);
    agent->jobs_next_ms = soonest;
    agent->jobs_dirty = false;
}

/* Key types of one identity are ordered one after the other: the names are validated once. */
static bool identity_busy(const struct hc_agent *agent, const struct hc_job *job)
{
    size_t count = 0;
    const struct hc_job *jobs = hc_jobs_of(agent, job->index, &count);

    for (size_t i = 0; i < count; i++) {
        if (jobs[i].obtain != NULL) {
            return true;
        }
    }
    return false;
}

/* Before an order its names are looked at, unless that was done lately for this CA. */
static bool needs_look(const struct hc_agent *agent, const struct hc_job *job,
                       const struct hc_ca *ca)
{
    return job->record.order_url == NULL && !hc_outlook_is_fresh(agent->outlooks, job->index, ca);
}

/* True if a look is under way: the order comes when it is done. */
static bool look_first(struct hc_agent *agent, struct hc_job *job, struct hc_ca *ca)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_outlook_start(agent->outlooks, job->index, ca, &err) == 0) {
        return true;
    }
    hc_log_error(agent->o.log, HC_LOG_WARN, "the names are ordered without a look at them", &err);
    return false;
}

/* True if nothing but the end of a look or of an order can let the job go on. */
static bool has_to_wait(const struct hc_agent *agent, const struct hc_job *job, size_t *turned_away)
{
    if (identity_busy(agent, job) || hc_outlook_is_looking(agent->outlooks, job->index)) {
        return true;
    }
    if (hc_outlooks_looking(agent->outlooks) < HC_LOOKING_MOST ||
        !needs_look(agent, job, hc_outlook_looked_for(agent->outlooks, job->index))) {
        return false;
    }
    ++*turned_away;
    return true;
}

/* True if the job stays in the queue. */
static bool start_one(struct hc_agent *agent, struct hc_job *job, int64_t now)
{
    struct hc_ca *ca = NULL;
    int64_t when = 0;

    if (hc_job_look(agent, job, now, &ca, &when) != HC_JOB_READY) {
        agent->jobs_dirty = true;
        return false;
    }
    if (needs_look(agent, job, ca)) {
        if (!hc_ca_is_known(ca)) {
            return false; /* all jobs are looked at when its directory was read */
        }
        if (hc_outlooks_looking(agent->outlooks) >= HC_LOOKING_MOST || look_first(agent, job, ca)) {
            return true;
        }
    }
    hc_obtain_start(agent, job, ca);
    return false;
}

/*
 * From the front of the queue, until there is no room for one more order, or none for a look. What
 * the loop goes over is bounded by what is under way, not by the queue.
 */
static void start_queued(struct hc_agent *agent, int64_t now)
{
    int64_t parallel = agent->conf->parallel;
    int64_t active = hc_obtains_active(agent);
    size_t turned_away = 0;
    size_t kept = 0;
    size_t i = 0;

    for (; i < agent->queue_count && active < parallel && turned_away < TURNED_AWAY &&
           agent->running < (size_t)(parallel * IN_ALL);
         i++) {
        struct hc_job *job = agent->queue[i];

        if (has_to_wait(agent, job, &turned_away) || start_one(agent, job, now)) {
            agent->queue[kept++] = job;
        }
        active += job->obtain != NULL;
    }
    memmove(agent->queue + kept, agent->queue + i,
            (agent->queue_count - i) * sizeof(struct hc_job *));
    agent->queue_count -= i - kept;
}

int64_t hc_jobs_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_now(agent);
    int64_t now_ms = hc_agent_ms(agent);

    if (agent->jobs_dirty || now_ms >= agent->jobs_next_ms) {
        fill_queue(agent, now);
    }
    if (agent->queue_count > 0) {
        start_queued(agent, now);
    }
    if (agent->jobs_dirty) {
        return 20; /* not at once: whatever keeps changing must not keep a CPU busy */
    }
    return agent->jobs_next_ms > now_ms ? agent->jobs_next_ms - now_ms : 0;
}

void hc_jobs_forgive(struct hc_agent *agent, size_t identity, const struct hc_list *names)
{
    int64_t now = hc_agent_now(agent);
    size_t count = 0;
    struct hc_job *jobs = hc_jobs_of(agent, identity, &count);

    for (size_t i = 0; i < count; i++) {
        struct hc_job *job = &jobs[i];

        if (!hc_schedule_take_reset(job->record.resets, now)) {
            continue;
        }
        for (size_t k = 0; k < agent->conf->issuer_count; k++) {
            hc_ca_forgive(hc_cas_at(agent->cas, k), job->name);
        }
        hc_cas_forgive(agent->cas, names);
    }
    agent->jobs_dirty = true;
}
