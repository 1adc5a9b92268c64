/* When CAs want certificates renewed; see windows.h. */
#include "agent/windows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "agent/select.h"
#include "conf/issuer.h"
#include "loop/timer.h"
#include "store/line.h"

#define PORTION    64 /* jobs that are gone over in one call */
#define PARALLEL   4  /* questions under way */
#define SPREAD     5  /* a new certificate is asked about within so many check intervals */
#define DAY_S      86400
#define FAIL_S     60 /* the first pause after a failure; doubled to HC_ARI_PAUSE_S */
#define TIMEOUT_MS 10000

/* One that a CA was sent. */
struct question {
    LIST_ENTRY(question) link;
    struct hc_windows *windows;
    struct hc_job *job;
    const struct hc_issuer *issuer;
    struct hc_window_record record;
    uint64_t id;
};

struct hc_windows {
    struct hc_windows_options o;
    LIST_HEAD(, question) questions;
    size_t asked;    /* of them */
    size_t cursor;   /* the next job to go over */
    bool read;       /* in this pass a job learned something */
    uint64_t failed; /* a bit for each of the first issuers: it failed, and the log says so */
    struct hc_timer due;
};

/* ---- records ---- */

static void save(const struct hc_windows *windows, const struct hc_job *job,
                 const struct hc_window_record *record)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_store(windows->o.storage) != NULL &&
        hc_window_record_store(hc_storage_store(windows->o.storage),
                               hc_job_name(job, (char[HC_JOB_NAME]){0}), record, &err) != 0) {
        hc_storage_failed(windows->o.storage, &err);
    }
}

/* What the record says, if it is of this version. record: zeroed memory. */
static bool load(const struct hc_windows *windows, const struct hc_job *job,
                 const struct hc_line_info *info, struct hc_window_record *record)
{
    struct hc_error err;

    hc_error_init(&err); /* whatever is wrong with it, the CA is asked again */
    return hc_storage_store(windows->o.storage) != NULL &&
           hc_window_record_load(hc_storage_store(windows->o.storage),
                                 hc_job_name(job, (char[HC_JOB_NAME]){0}), info, record, &err) == 0;
}

/* ---- questions ---- */

static struct hc_ca *ca_of(const struct hc_windows *windows, const struct hc_job *job,
                           const struct hc_line_info *info)
{
    const struct hc_list *use = &job->identity->set->use;

    for (size_t i = 0; i < use->count; i++) {
        struct hc_ca *ca = hc_cas_named(windows->o.cas, use->items[i]);

        if (ca != NULL && strcmp(hc_ca_issuer(ca)->directory_url, info->issuer) == 0) {
            return ca;
        }
    }
    return NULL;
}

static void question_free(struct question *question)
{
    struct hc_windows *windows = question->windows;

    if (question->id != 0) {
        windows->o.http->cancel(windows->o.http->self, question->id);
    }
    LIST_REMOVE(question, link);
    windows->asked--;
    hc_window_record_dispose(&question->record);
    free(question);
}

static bool is_asked(const struct hc_windows *windows, const struct hc_job *job)
{
    const struct question *question = NULL;

    LIST_FOREACH(question, &windows->questions, link)
    {
        if (question->job == job) {
            return true;
        }
    }
    return false;
}

/* Once for each issuer until it answers again. */
static void tell_failure(struct hc_windows *windows, const struct hc_issuer *issuer,
                         const struct hc_error *err)
{
    size_t number = (size_t)(issuer - windows->o.env->conf->issuers);
    uint64_t bit = (uint64_t)1 << (number < 63 ? number : 63);
    struct hc_error_text text;

    if ((windows->failed & bit) == 0) {
        windows->failed |= bit;
        hc_error_render(err, &text);
        hc_logf(windows->o.env->log, HC_LOG_NOTICE,
                "issuer %s: cannot learn when the CA wants certificates renewed (%s); hotcert "
                "renews by its own rule until it can",
                issuer->name, text.detail);
    }
}

static void forget_failure(struct hc_windows *windows, const struct hc_issuer *issuer)
{
    size_t number = (size_t)(issuer - windows->o.env->conf->issuers);

    windows->failed &= ~((uint64_t)1 << (number < 63 ? number : 63));
}

static void tell_window(const struct hc_windows *windows, const struct hc_job *job)
{
    const struct hc_window *window = &job->window;
    int64_t due = hc_job_due(windows->o.jobs, job);
    bool early =
        window->explanation != NULL || window->start + window->span <= hc_env_now(windows->o.env);
    char start[HC_TIME_TEXT];
    char end[HC_TIME_TEXT];
    char at[HC_TIME_TEXT];

    hc_logf(windows->o.env->log, early ? HC_LOG_NOTICE : HC_LOG_INFO,
            "%s: the CA wants the certificate renewed between %s and %s%s%s; renewal at %s",
            hc_identity_label(job->identity), hc_time_format(window->start, start),
            hc_time_format(window->start + window->span, end),
            window->explanation != NULL ? ", see " : "",
            window->explanation != NULL ? window->explanation : "",
            due > 0 ? hc_time_format(due, at) : "once");
}

/* What was answered, or nothing. Changes the record. */
static void judge(struct hc_window_record *record, const struct hc_http_reply *reply,
                  const struct hc_error *cause, int64_t now, struct hc_error *err)
{
    struct hc_ari_window window = {0};
    int64_t pause = 0;

    if (cause != NULL) {
        *err = *cause;
    } else if (reply->status != 200) {
        hc_error_set(err, HC_P_CA_REPLY, NULL, "HTTP %ld", reply->status);
    } else if (hc_ari_parse(reply->body, &window, err) == 0) {
        hc_ari_window_dispose(&record->window);
        record->window = window;
        record->failures = 0;
        record->next = now + hc_ari_pause(reply->retry_after);
        record->until = record->next + DAY_S;
        return;
    }
    pause = (int64_t)FAIL_S << (record->failures < 10 ? record->failures : 10);
    record->failures += record->failures < 99;
    if (reply != NULL && reply->retry_after > 0) {
        pause = hc_ari_pause(reply->retry_after);
    }
    record->next = now + (pause < HC_ARI_PAUSE_S ? pause : HC_ARI_PAUSE_S);
}

static void on_answer(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct question *question = arg;
    struct hc_windows *windows = question->windows;
    struct hc_job *job = question->job;
    struct hc_window before = job->window;
    struct hc_window window;
    struct hc_error err;

    hc_error_init(&err);
    question->id = 0;
    judge(&question->record, reply, cause, hc_env_now(windows->o.env), &err);
    if (hc_error_is_set(&err)) {
        tell_failure(windows, question->issuer, &err);
    } else {
        forget_failure(windows, question->issuer);
    }
    save(windows, job, &question->record);
    window = hc_window_of(&question->record);
    hc_job_set_window(windows->o.jobs, job, &window, question->record.window.explanation);
    if (window.start != before.start || window.span != before.span) {
        tell_window(windows, job);
        hc_events_tell(windows->o.env->events, HC_EVENT_CA_CHANGED);
    }
    question_free(question);
    hc_timer_within(&windows->due, 0);
}

/* The record to go on with: the store's, or a new one of the pair in the store. */
static int prepare(const struct hc_windows *windows, const struct hc_job *job,
                   const struct hc_line_info *info, struct hc_window_record *record,
                   struct hc_error *err)
{
    struct hc_line_info read;
    struct hc_pair *pair = NULL;
    int rc = -1;

    if (load(windows, job, info, record)) {
        return 0;
    }
    memset(&read, 0, sizeof(read));
    if (hc_store_current(hc_storage_store(windows->o.storage), job->line, &pair, &read, err) == 0 &&
        pair != NULL) {
        rc = hc_window_record_new(&read, pair, NULL, record, err);
    }
    hc_line_info_dispose(&read);
    hc_pair_free(pair);
    return rc;
}

static int send_one(struct question *question, const char *renewal_info, struct hc_error *err)
{
    const struct hc_http_port *http = question->windows->o.http;
    struct hc_buf url = HC_BUF_INIT(HC_HTTP_URL_MAX);
    struct hc_http_request request = {
        .method = HC_HTTP_GET,
        .ca_bundle = question->issuer->ca_bundle,
        .max_body = HC_ARI_BODY_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    int rc = hc_ari_url(renewal_info, question->record.id, &url, err);

    if (rc == 0) {
        request.url = hc_buf_text(&url);
        rc = http->send(http->self, &request, on_answer, question, &question->id, err);
    }
    hc_buf_dispose(&url);
    return rc;
}

/* Where it cannot be asked, the job is left alone for a while. */
static void ask(struct hc_windows *windows, struct hc_job *job, const struct hc_line_info *info,
                const struct hc_issuer *issuer, const char *renewal_info)
{
    struct question *question = calloc(1, sizeof(*question));
    struct hc_error err;

    hc_error_init(&err);
    job->window.next = hc_env_now(windows->o.env) + HC_ARI_PAUSE_S;
    if (question == NULL) {
        return;
    }
    question->windows = windows;
    question->job = job;
    question->issuer = issuer;
    LIST_INSERT_HEAD(&windows->questions, question, link);
    windows->asked++;
    if (prepare(windows, job, info, &question->record, &err) != 0 ||
        question->record.id[0] == '\0' || send_one(question, renewal_info, &err) != 0) {
        if (hc_error_is_set(&err)) {
            tell_failure(windows, issuer, &err);
        }
        question_free(question);
    }
}

/* ---- the round ---- */

static void read_one(struct hc_windows *windows, struct hc_job *job,
                     const struct hc_line_info *info)
{
    struct hc_window_record record = {0};
    struct hc_window window = {.next = 0};

    if (load(windows, job, info, &record)) {
        window = hc_window_of(&record);
        hc_window_pull_back(&window, hc_env_now(windows->o.env));
    }
    hc_job_set_window(windows->o.jobs, job, &window, record.window.explanation);
    hc_window_record_dispose(&record);
    windows->read = true;
}

static void go_over(struct hc_windows *windows, struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(windows->o.jobs, job);
    int64_t now = hc_env_now(windows->o.env);
    const char *url = NULL;
    struct hc_ca *ca = NULL;

    if (info == NULL) {
        windows->read |= job->window.unread;
        job->window = (struct hc_window){.start = 0};
        return;
    }
    if (job->window.unread) {
        read_one(windows, job, info);
    }
    if (now < job->window.next || now >= info->not_after || windows->asked >= PARALLEL ||
        is_asked(windows, job)) {
        return;
    }
    ca = ca_of(windows, job, info);
    if (ca == NULL) {
        job->window = (struct hc_window){.next = now + DAY_S};
    } else if (hc_ca_renewal_info(ca, &url) && url != NULL) {
        ask(windows, job, info, hc_ca_issuer(ca), url);
    }
}

int64_t hc_windows_run(struct hc_windows *windows)
{
    size_t count = hc_jobs_count(windows->o.jobs);
    size_t end = windows->cursor + PORTION < count ? windows->cursor + PORTION : count;

    if (hc_storage_store(windows->o.storage) == NULL) {
        return -1; /* STORE_OPENED comes */
    }
    for (; windows->cursor < end; windows->cursor++) {
        go_over(windows, hc_jobs_at(windows->o.jobs, windows->cursor));
    }
    if (windows->cursor < count) {
        return 0;
    }
    windows->cursor = 0;
    if (windows->read) {
        windows->read = false;
        hc_events_tell(windows->o.env->events, HC_EVENT_CA_CHANGED); /* nothing is unread now */
    }
    return hc_env_tick_ms(windows->o.env);
}

static void on_due(void *self)
{
    struct hc_windows *windows = self;

    hc_timer_in(&windows->due, hc_windows_run(windows));
}

/* ---- events ---- */

static struct hc_job *job_of(const struct hc_windows *windows, const unsigned char *line)
{
    for (size_t i = 0; i < hc_jobs_count(windows->o.jobs); i++) {
        struct hc_job *job = hc_jobs_at(windows->o.jobs, i);

        if (memcmp(job->line, line, HC_ID_SIZE) == 0) {
            return job;
        }
    }
    return NULL;
}

static void drop_questions(struct hc_windows *windows, const struct hc_job *job)
{
    struct question *next = NULL;

    for (struct question *at = LIST_FIRST(&windows->questions); at != NULL; at = next) {
        next = LIST_NEXT(at, link);
        if (job == NULL || at->job == job) {
            question_free(at);
        }
    }
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
    drop_questions(windows, job);
    if (hc_window_record_new(info, pair, ca != NULL ? hc_ca_account_url(ca) : NULL, &record,
                             &err) == 0) {
        record.next =
            hc_env_now(windows->o.env) +
            (int64_t)hc_random_below(windows->o.env->random,
                                     (uint64_t)windows->o.env->conf->check_interval * SPREAD);
        save(windows, job, &record);
    }
    window = hc_window_of(&record);
    hc_job_set_window(windows->o.jobs, job, &window, NULL);
    hc_window_record_dispose(&record);
}

static void read_all_again(struct hc_windows *windows)
{
    for (size_t i = 0; i < hc_jobs_count(windows->o.jobs); i++) {
        hc_jobs_at(windows->o.jobs, i)->window.unread = true;
    }
    windows->cursor = 0;
    hc_timer_within(&windows->due, 0);
}

static void begin_waits_anew(struct hc_windows *windows)
{
    for (size_t i = 0; i < hc_jobs_count(windows->o.jobs); i++) {
        hc_window_pull_back(&hc_jobs_at(windows->o.jobs, i)->window, hc_env_now(windows->o.env));
    }
    hc_timer_within(&windows->due, 0);
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_windows *windows = self;
    struct hc_job *job = NULL;

    switch (event->kind) {
    case HC_EVENT_STORE_OPENED:
    case HC_EVENT_LINES_CHANGED:
        read_all_again(windows);
        break;
    case HC_EVENT_CLOCK_SET:
        begin_waits_anew(windows);
        break;
    case HC_EVENT_STORE_CLOSING:
        drop_questions(windows, NULL);
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
            drop_questions(windows, job);
            read_one(windows, job, event->line);
        }
        break;
    default:
        break;
    }
}

int hc_windows_new(const struct hc_windows_options *options, struct hc_windows **out,
                   struct hc_error *err)
{
    struct hc_windows *windows = calloc(1, sizeof(*windows));

    if (windows == NULL) {
        return hc_error_nomem(err);
    }
    windows->o = *options;
    LIST_INIT(&windows->questions);
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
    hc_events_remove(windows->o.env->events, windows);
    hc_timer_stop(&windows->due);
    drop_questions(windows, NULL);
    free(windows);
}
