/* When CAs want certificates renewed; see windows.h. */
#include "agent/windows.h"

#include <stdlib.h>
#include <string.h>

#include "agent/select.h"
#include "conf/issuer.h"
#include "loop/timer.h"
#include "store/line.h"

#define PORTION  64 /* jobs that are gone over in one call */
#define PARALLEL 4  /* questions under way */
#define SPREAD   5  /* a new certificate is asked about within so many check intervals */
#define DAY_S    86400

struct hc_windows {
    struct hc_window_asks asks;
    size_t ask_next;  /* the next job to ask about, if it is time */
    size_t read_next; /* the next job whose record may have to be read .. */
    bool reading;     /* .. while this is set */
    bool read_again;  /* something changed during that */
    bool learned;     /* a job got to know its window */
    struct hc_timer due;
};

static struct hc_ca *ca_of(const struct hc_windows *windows, const struct hc_job *job,
                           const struct hc_line_info *info)
{
    const struct hc_list *use = &job->identity->set->use;

    for (size_t i = 0; i < use->count; i++) {
        struct hc_ca *ca = hc_cas_named(windows->asks.o.cas, use->items[i]);

        if (ca != NULL && strcmp(hc_ca_issuer(ca)->directory_url, info->issuer) == 0) {
            return ca;
        }
    }
    return NULL;
}

/* ---- the round ---- */

/* Who committed a version writes its record in a moment. */
static int64_t spread(const struct hc_windows *windows)
{
    return windows->asks.o.env->conf->check_interval * SPREAD;
}

static void read_one(struct hc_windows *windows, struct hc_job *job,
                     const struct hc_line_info *info)
{
    int64_t now = hc_env_now(windows->asks.o.env);
    struct hc_window_record record = {0};
    struct hc_window window;

    if (!hc_window_load(&windows->asks.o, job, info, &record)) {
        record.next = info->committed > now - spread(windows) ? now + spread(windows) : now;
    }
    window = hc_window_of(&record, info, now);
    hc_job_set_window(windows->asks.o.jobs, job, &window, record.window.explanation);
    hc_window_record_dispose(&record);
    windows->learned = true;
}

static void read_portion(struct hc_windows *windows)
{
    size_t count = hc_jobs_count(windows->asks.o.jobs);
    size_t end = windows->read_next + PORTION < count ? windows->read_next + PORTION : count;

    for (; windows->read_next < end; windows->read_next++) {
        struct hc_job *job = hc_jobs_at(windows->asks.o.jobs, windows->read_next);
        const struct hc_line_info *info = hc_job_info(windows->asks.o.jobs, job);

        if (info != NULL && !hc_window_is_of(&job->window, info)) {
            read_one(windows, job, info);
        }
    }
    if (end < count) {
        return;
    }
    windows->read_next = 0;
    windows->reading = windows->read_again;
    windows->read_again = false;
    if (windows->learned) {
        windows->learned = false;
        hc_events_tell(windows->asks.o.env->events, HC_EVENT_CA_CHANGED); /* jobs waited for that */
    }
}

static void ask_if_due(struct hc_windows *windows, struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(windows->asks.o.jobs, job);
    int64_t now = hc_env_now(windows->asks.o.env);
    const char *url = NULL;
    struct hc_ca *ca = NULL;

    if (info == NULL || !hc_window_is_of(&job->window, info) || now < job->window.next ||
        now >= info->not_after || hc_window_is_asked(&windows->asks, job)) {
        return;
    }
    ca = ca_of(windows, job, info);
    if (ca == NULL) {
        job->window.next = now + DAY_S;
    } else if (hc_ca_renewal_info(ca, &url) && url != NULL) {
        hc_window_ask(&windows->asks, job, info, hc_ca_issuer(ca), url);
    }
}

int64_t hc_windows_run(struct hc_windows *windows)
{
    size_t count = hc_jobs_count(windows->asks.o.jobs);

    if (hc_storage_store(windows->asks.o.storage) == NULL) {
        return -1; /* STORE_OPENED comes */
    }
    if (windows->reading) {
        read_portion(windows);
        return 0;
    }
    for (size_t i = 0; i < PORTION && windows->ask_next < count; i++) {
        if (windows->asks.count >= PARALLEL) {
            return hc_env_tick_ms(windows->asks.o.env); /* an answer comes before */
        }
        ask_if_due(windows, hc_jobs_at(windows->asks.o.jobs, windows->ask_next++));
    }
    if (windows->ask_next < count) {
        return 0;
    }
    windows->ask_next = 0;
    return hc_env_tick_ms(windows->asks.o.env);
}

static void on_due(void *self)
{
    struct hc_windows *windows = self;

    hc_timer_in(&windows->due, hc_windows_run(windows));
}

/* ---- events ---- */

static struct hc_job *job_of(const struct hc_windows *windows, const unsigned char *line)
{
    for (size_t i = 0; i < hc_jobs_count(windows->asks.o.jobs); i++) {
        struct hc_job *job = hc_jobs_at(windows->asks.o.jobs, i);

        if (memcmp(job->line, line, HC_ID_SIZE) == 0) {
            return job;
        }
    }
    return NULL;
}

/* Another certificate: nothing is known of it but who ordered it. */
static void on_commit(struct hc_windows *windows, struct hc_job *job,
                      const struct hc_line_info *info, struct hc_pair *pair)
{
    struct hc_window_record record = {0};
    struct hc_window window;
    const struct hc_ca *ca = ca_of(windows, job, info);
    struct hc_error err;

    hc_error_init(&err);
    hc_window_drop(&windows->asks, job);
    if (hc_window_record_new(info, pair, ca != NULL ? hc_ca_account_url(ca) : NULL, &record,
                             &err) == 0) {
        record.next =
            hc_env_now(windows->asks.o.env) +
            (int64_t)hc_random_below(windows->asks.o.env->random, (uint64_t)spread(windows));
        hc_window_save(&windows->asks.o, job, &record);
    }
    window = hc_window_of(&record, info, hc_env_now(windows->asks.o.env));
    hc_job_set_window(windows->asks.o.jobs, job, &window, NULL);
    hc_window_record_dispose(&record);
}

/* Another agent committed versions; or, forget: the store may be another one altogether. */
static void read_again(struct hc_windows *windows, bool forget)
{
    for (size_t i = 0; forget && i < hc_jobs_count(windows->asks.o.jobs); i++) {
        hc_jobs_at(windows->asks.o.jobs, i)->window = (struct hc_window){.version = 0};
    }
    windows->read_again = windows->reading;
    windows->reading = true;
    hc_timer_within(&windows->due, 0);
}

static void begin_waits_anew(struct hc_windows *windows)
{
    for (size_t i = 0; i < hc_jobs_count(windows->asks.o.jobs); i++) {
        hc_window_pull_back(&hc_jobs_at(windows->asks.o.jobs, i)->window,
                            hc_env_now(windows->asks.o.env));
    }
    hc_timer_within(&windows->due, 0);
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_windows *windows = self;
    struct hc_job *job = NULL;

    switch (event->kind) {
    case HC_EVENT_STORE_OPENED:
        read_again(windows, true);
        break;
    case HC_EVENT_LINES_CHANGED:
        read_again(windows, false);
        break;
    case HC_EVENT_CLOCK_SET:
        begin_waits_anew(windows);
        break;
    case HC_EVENT_STORE_CLOSING:
        hc_window_drop(&windows->asks, NULL);
        break;
    case HC_EVENT_LINE_COMMITTED:
        job = job_of(windows, event->line->line);
        if (job != NULL) {
            on_commit(windows, job, event->line, event->pair);
        }
        break;
    case HC_EVENT_LINE_FOUND:
        job = job_of(windows, event->line->line);
        if (job != NULL) {
            hc_window_drop(&windows->asks, job);
            read_one(windows, job, event->line);
        }
        break;
    default:
        break;
    }
}

static void on_room(void *self)
{
    hc_timer_within(&((struct hc_windows *)self)->due, 0);
}

int hc_windows_new(const struct hc_windows_options *options, struct hc_windows **out,
                   struct hc_error *err)
{
    struct hc_windows *windows = calloc(1, sizeof(*windows));

    if (windows == NULL) {
        return hc_error_nomem(err);
    }
    windows->asks.o = *options;
    windows->asks.answered = on_room;
    windows->asks.self = windows;
    hc_jobs_await_windows(options->jobs);
    LIST_INIT(&windows->asks.questions);
    hc_timer_init(&windows->due, options->env->loop, "renewal windows", on_due, windows);
    if (hc_events_add(options->env->events, on_event, windows, err) != 0) {
        hc_windows_free(windows);
        return -1;
    }
    *out = windows;
    return 0;
}

void hc_windows_free(struct hc_windows *windows)
{
    if (windows == NULL) {
        return;
    }
    hc_events_remove(windows->asks.o.env->events, windows);
    hc_timer_stop(&windows->due);
    hc_window_drop(&windows->asks, NULL);
    free(windows);
}
