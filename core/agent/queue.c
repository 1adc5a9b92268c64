/* The queue of jobs; see queue.h. */
#include "agent/queue.h"

#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

#define REVIEW_MS 60000 /* all jobs are reviewed this often, whatever was expected */
#define NEWS_MS   300   /* after a commit: what the version says of the clock is noted, too */
#define BUSY_MS   500   /* an order that only waits from now on leaves room for another */
#define IN_ALL    8     /* orders in all, those that only wait included: times hotcert_parallel */

/* So many that find no room for a preflight: those behind them are not asked whether they need one.
 */
#define TURNED_AWAY 64

struct queued {
    struct hc_job *job;
    unsigned turn; /* after those with less */
    int64_t urgency;
};

struct hc_queue {
    struct hc_queue_options o;
    struct queued *items; /* those that are ready, the most urgent first */
    size_t count;
    bool awake;      /* something changed that may make a job due */
    int64_t next_ms; /* when the next job may be due */
    struct hc_timer due;
};

/* What is tried first: the smaller number. */
static int64_t urgency(const struct hc_queue *queue, const struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(queue->o.jobs, job);

    if (job->record.order != NULL) {
        return 0;
    }
    return info != NULL                                             ? info->not_after
           : hc_publisher_until(queue->o.publisher, job->index) > 0 ? 2
                                                                    : 1;
}

static int compare_queued(const void *a, const void *b)
{
    const struct queued *left = a;
    const struct queued *right = b;

    if (left->turn != right->turn) {
        return left->turn < right->turn ? -1 : 1;
    }
    if (left->urgency != right->urgency) {
        return left->urgency < right->urgency ? -1 : 1;
    }
    return left->job < right->job ? -1 : left->job > right->job;
}

/* By the lines in use. */
static void judge_clock(struct hc_queue *queue, int64_t now)
{
    hc_clock_watch_begin(queue->o.clock, now);
    for (size_t i = 0; i < hc_jobs_count(queue->o.jobs); i++) {
        const struct hc_line_info *info = hc_job_info(queue->o.jobs, hc_jobs_at(queue->o.jobs, i));

        if (info != NULL) {
            hc_clock_watch_see(queue->o.clock, info);
        }
    }
    hc_clock_watch_judge(queue->o.clock);
}

/* Reviews every job: who is ready, and when the next may be. */
static void fill_queue(struct hc_queue *queue, int64_t now)
{
    int64_t now_ms = hc_env_ms(queue->o.env);
    int64_t soonest = now_ms + REVIEW_MS;

    judge_clock(queue, now);
    hc_outlooks_plan(queue->o.outlooks);
    queue->count = 0;
    for (size_t i = 0; i < hc_jobs_count(queue->o.jobs); i++) {
        struct hc_job *job = hc_jobs_at(queue->o.jobs, i);
        struct hc_ca *ca = NULL;
        int64_t when = 0;
        enum hc_job_wait wait = hc_job_waits_for(queue->o.jobs, job, &ca, &when);

        if (wait == HC_JOB_READY || wait == HC_JOB_CHECKING) {
            queue->items[queue->count++] =
                (struct queued){job, hc_ca_is_failing(ca) ? hc_pause_failures(&job->pause, ca) : 0,
                                urgency(queue, job)};
        } else if (wait == HC_JOB_ELSEWHERE && job->again_ms < soonest) {
            soonest = job->again_ms;
        } else if (when > now && when - now < REVIEW_MS / 1000 &&
                   now_ms + (when - now) * 1000 < soonest) {
            soonest = now_ms + (when - now) * 1000;
        }
    }
    if (queue->count > 0) {
        qsort(queue->items, queue->count, sizeof(*queue->items), compare_queued);
    }
    queue->next_ms = soonest;
    queue->awake = false;
}

/* Key types of one identity are ordered one after the other: the names are validated once. */
static bool identity_busy(const struct hc_queue *queue, const struct hc_job *job)
{
    size_t count = 0;
    const struct hc_job *jobs = hc_jobs_of(queue->o.jobs, job->index, &count);

    for (size_t i = 0; i < count; i++) {
        if (jobs[i].at != NULL) {
            return true;
        }
    }
    return false;
}

/* Before an order its names are checked, unless that was done lately for this CA. */
static bool needs_preflight(const struct hc_queue *queue, const struct hc_job *job,
                            const struct hc_ca *ca)
{
    return job->record.order == NULL &&
           !hc_preflights_are_fresh(queue->o.preflights, job->index, ca);
}

/* True if a preflight is under way: the order comes when it is done. */
static bool check_names_first(struct hc_queue *queue, struct hc_job *job, struct hc_ca *ca)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_preflights_start(queue->o.preflights, job->index, ca, &err) == 0) {
        return true;
    }
    hc_log_error(queue->o.env->log, HC_LOG_WARN, "preflight could not start; ordering without it",
                 &err);
    return false;
}

/* True if nothing but the end of a preflight or of an order can let the job go on. */
static bool has_to_wait(const struct hc_queue *queue, const struct hc_job *job, size_t *turned_away)
{
    if (identity_busy(queue, job) || hc_preflights_is_running(queue->o.preflights, job->index)) {
        return true;
    }
    if (hc_preflights_running(queue->o.preflights) < HC_PREFLIGHTS_MOST ||
        !needs_preflight(queue, job, hc_preflights_latest(queue->o.preflights, job->index))) {
        return false;
    }
    ++*turned_away;
    return true;
}

/* True if the job stays in the queue. */
static bool start_one(struct hc_queue *queue, struct hc_job *job)
{
    struct hc_ca *ca = NULL;
    int64_t when = 0;

    if (hc_job_waits_for(queue->o.jobs, job, &ca, &when) != HC_JOB_READY) {
        queue->awake = true;
        return false;
    }
    if (needs_preflight(queue, job, ca)) {
        if (!hc_ca_ensure_known(ca)) {
            return false; /* all jobs are reviewed when its directory was read */
        }
        if (hc_preflights_running(queue->o.preflights) >= HC_PREFLIGHTS_MOST ||
            check_names_first(queue, job, ca)) {
            return true;
        }
    }
    hc_obtains_start(queue->o.obtains, job, ca);
    return false;
}

/*
 * From the front of the queue, until there is no room for one more order, or none for a preflight.
 * What the loop goes over is bounded by what is under way, not by the queue.
 */
static void start_queued(struct hc_queue *queue)
{
    int64_t parallel = queue->o.env->conf->parallel;
    int64_t active = hc_obtains_active(queue->o.obtains);
    size_t turned_away = 0;
    size_t kept = 0;
    size_t i = 0;

    for (; i < queue->count && active < parallel && turned_away < TURNED_AWAY &&
           hc_obtains_count(queue->o.obtains) < (size_t)(parallel * IN_ALL);
         i++) {
        struct queued one = queue->items[i];

        if (has_to_wait(queue, one.job, &turned_away) || start_one(queue, one.job)) {
            queue->items[kept++] = one;
        }
        active += one.job->at != NULL;
    }
    memmove(queue->items + kept, queue->items + i, (queue->count - i) * sizeof(*queue->items));
    queue->count -= i - kept;
}

int64_t hc_queue_run(struct hc_queue *queue)
{
    int64_t now = hc_env_now(queue->o.env);
    int64_t now_ms = hc_env_ms(queue->o.env);

    if (queue->awake || now_ms >= queue->next_ms) {
        fill_queue(queue, now);
    }
    if (queue->count > 0) {
        start_queued(queue);
    }
    if (queue->awake) {
        return 20; /* not at once: whatever keeps changing must not keep a CPU busy */
    }
    if (queue->count > 0 && queue->next_ms > now_ms + BUSY_MS) {
        return BUSY_MS;
    }
    return queue->next_ms > now_ms ? queue->next_ms - now_ms : 0;
}

static void on_due(void *self)
{
    struct hc_queue *queue = self;
    int64_t unsettled = hc_env_unsettled(queue->o.env);

    hc_timer_in(&queue->due, unsettled > 0 ? unsettled : hc_queue_run(queue));
}

/* ---- what is told ---- */

void hc_queue_wake(struct hc_queue *queue)
{
    queue->awake = true;
    hc_timer_within(&queue->due, 0);
}

bool hc_queue_is_awake(const struct hc_queue *queue)
{
    return queue->awake;
}

size_t hc_queue_count(const struct hc_queue *queue)
{
    return queue->count;
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_queue *queue = self;
    int64_t soon = 0;

    switch (event->kind) {
    case HC_EVENT_STORE_READY:
    case HC_EVENT_STORE_CLOSING:
    case HC_EVENT_CA_CHANGED:
    case HC_EVENT_CLOCK_NEWS:
    case HC_EVENT_LINES_CHANGED:
    case HC_EVENT_ORDER_ENDED:
        hc_queue_wake(queue);
        break;
    case HC_EVENT_PREFLIGHT_ENDED:
        queue->awake = queue->awake || event->changed;
        hc_timer_within(&queue->due, 0); /* who waits for it goes on */
        break;
    case HC_EVENT_LINE_COMMITTED:
        soon = hc_env_ms(queue->o.env) + NEWS_MS;
        queue->next_ms = soon < queue->next_ms ? soon : queue->next_ms;
        hc_timer_within(&queue->due,
                        queue->count > 0 ? 0 : NEWS_MS); /* there is room for another */
        break;
    case HC_EVENT_ORDER_OBTAINED:
    case HC_EVENT_ORDER_FAILED:
    case HC_EVENT_STORE_IDENTITY:
    case HC_EVENT_STORE_OPENED:
    case HC_EVENT_LINE_FOUND:
    case HC_EVENT_PUBLISHED:
    case HC_EVENT_CLOCK_SET:
    case HC_EVENT_ISSUER_ARRIVED:
    case HC_EVENT_FILES_CHECKED:
    case HC_EVENT_KINDS:
        break;
    }
}

int hc_queue_new(const struct hc_queue_options *options, struct hc_queue **out,
                 struct hc_error *err)
{
    struct hc_queue *queue = calloc(1, sizeof(*queue));

    if (queue == NULL) {
        return hc_error_nomem(err);
    }
    queue->o = *options;
    hc_timer_init(&queue->due, options->env->loop, "jobs", on_due, queue);
    hc_queue_wake(queue);
    queue->items = calloc(hc_jobs_count(options->jobs) + 1, sizeof(*queue->items));
    if (queue->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (hc_events_add(options->env->events, on_event, queue, err) != 0) {
        goto failed;
    }
    *out = queue;
    return 0;
failed:
    hc_queue_free(queue);
    return -1;
}

void hc_queue_free(struct hc_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    hc_events_remove(queue->o.env->events, queue);
    hc_timer_stop(&queue->due);
    free(queue->items);
    free(queue);
}
