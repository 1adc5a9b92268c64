/* Questions to CAs when certificates are to be renewed; see window_ask.h. */
#include "agent/window_ask.h"

#include <stdlib.h>
#include <string.h>

#include "store/line.h"

#define DAY_S      86400
#define SOON_S     60 /* the queue reviews all jobs this often anyway */
#define FAIL_S     60 /* the first pause after a failure; doubled to HC_ARI_PAUSE_S */
#define TIMEOUT_MS 10000

/* One that a CA was sent. */
struct question {
    LIST_ENTRY(question) link;
    struct hc_window_asks *asks;
    struct hc_job *job;
    const struct hc_issuer *issuer;
    struct hc_window_record record;
    uint64_t id;
};

void hc_window_save(const struct hc_windows_options *o, const struct hc_job *job,
                    const struct hc_window_record *record)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_store(o->storage) != NULL &&
        hc_window_record_store(hc_storage_store(o->storage),
                               hc_job_name(job, (char[HC_JOB_NAME]){0}), record, &err) != 0) {
        hc_storage_failed(o->storage, &err);
    }
}

bool hc_window_load(const struct hc_windows_options *o, const struct hc_job *job,
                    const struct hc_line_info *info, struct hc_window_record *record)
{
    struct hc_error err;

    hc_error_init(&err); /* whatever is wrong with it, the CA is asked again */
    return hc_storage_store(o->storage) != NULL &&
           hc_window_record_load(hc_storage_store(o->storage),
                                 hc_job_name(job, (char[HC_JOB_NAME]){0}), info, record, &err) == 0;
}

static void question_free(struct question *question)
{
    struct hc_window_asks *asks = question->asks;

    if (question->id != 0) {
        asks->o.http->cancel(asks->o.http->self, question->id);
    }
    LIST_REMOVE(question, link);
    asks->count--;
    hc_window_record_dispose(&question->record);
    free(question);
}

bool hc_window_is_asked(const struct hc_window_asks *asks, const struct hc_job *job)
{
    const struct question *question = NULL;

    LIST_FOREACH(question, &asks->questions, link)
    {
        if (question->job == job) {
            return true;
        }
    }
    return false;
}

/* Once for each issuer until it answers again. */
static void tell_failure(struct hc_window_asks *asks, const struct hc_issuer *issuer,
                         const struct hc_error *err)
{
    size_t number = (size_t)(issuer - asks->o.env->conf->issuers);
    uint64_t bit = (uint64_t)1 << (number < 63 ? number : 63);
    struct hc_error_text text;

    if ((asks->failed & bit) == 0) {
        asks->failed |= bit;
        hc_error_render(err, &text);
        hc_logf(asks->o.env->log, HC_LOG_NOTICE,
                "issuer %s: cannot learn when the CA wants certificates renewed (%s); hotcert "
                "renews by its own rule until it can",
                issuer->name, text.detail);
    }
}

static void forget_failure(struct hc_window_asks *asks, const struct hc_issuer *issuer)
{
    size_t number = (size_t)(issuer - asks->o.env->conf->issuers);

    asks->failed &= ~((uint64_t)1 << (number < 63 ? number : 63));
}

static void tell_window(const struct hc_window_asks *asks, const struct hc_job *job)
{
    const struct hc_window *window = &job->window;
    int64_t due = hc_job_due(asks->o.jobs, job);
    const char *why = hc_job_explanation(asks->o.jobs, job);
    bool early = why != NULL || window->start + window->span <= hc_env_now(asks->o.env);
    char start[HC_TIME_TEXT];
    char end[HC_TIME_TEXT];
    char at[HC_TIME_TEXT];

    hc_logf(asks->o.env->log, early ? HC_LOG_NOTICE : HC_LOG_INFO,
            "%s: the CA wants the certificate renewed between %s and %s%s%s; renewal at %s",
            hc_identity_label(job->identity), hc_time_format(window->start, start),
            hc_time_format(window->start + window->span, end), why != NULL ? ", see " : "",
            why != NULL ? why : "", due > 0 ? hc_time_format(due, at) : "once");
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

static void set_window(struct hc_window_asks *asks, struct hc_job *job,
                       const struct hc_line_info *info, const struct hc_window_record *record)
{
    struct hc_window before = job->window;
    struct hc_window window = hc_window_of(record, info, hc_env_now(asks->o.env));

    hc_job_set_window(asks->o.jobs, job, &window, record->window.explanation);
    if (window.start == 0 || (window.start == before.start && window.span == before.span)) {
        return;
    }
    tell_window(asks, job);
    if (hc_job_due(asks->o.jobs, job) <= hc_env_now(asks->o.env) + SOON_S) {
        hc_events_tell(asks->o.env->events, HC_EVENT_CA_CHANGED);
    }
}

/*
 * What other agents on the store wrote meanwhile. True: one of them asked later, and what it wrote
 * counts. Whose the certificate is knows who ordered it.
 */
static bool is_overtaken(const struct hc_window_asks *asks, struct question *question,
                         const struct hc_line_info *info)
{
    int64_t now = hc_env_now(asks->o.env);
    struct hc_window_record written = {0};
    char *account = NULL;

    if (!hc_window_load(&asks->o, question->job, info, &written)) {
        return false;
    }
    if (written.next > now && written.next <= now + HC_ARI_PAUSE_MOST) {
        hc_window_record_dispose(&question->record);
        question->record = written;
        return true;
    }
    account = question->record.account;
    question->record.account = written.account;
    written.account = account;
    hc_window_record_dispose(&written);
    return false;
}

static void take_answer(struct question *question, const struct hc_http_reply *reply,
                        const struct hc_error *cause)
{
    struct hc_window_asks *asks = question->asks;
    const struct hc_line_info *info = hc_job_info(asks->o.jobs, question->job);
    struct hc_error err;

    hc_error_init(&err);
    if (info == NULL || strcmp(info->serial, question->record.serial) != 0) {
        return; /* it was about a certificate that is no more */
    }
    if (!is_overtaken(asks, question, info)) {
        judge(&question->record, reply, cause, hc_env_now(asks->o.env), &err);
        if (hc_error_is_set(&err)) {
            tell_failure(asks, question->issuer, &err);
        } else {
            forget_failure(asks, question->issuer);
        }
        hc_window_save(&asks->o, question->job, &question->record);
    }
    set_window(asks, question->job, info, &question->record);
}

static void on_answer(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct question *question = arg;
    struct hc_window_asks *asks = question->asks;

    question->id = 0;
    take_answer(question, reply, cause);
    question_free(question);
    asks->answered(asks->self);
}

/* The record to go on with: the store's, or a new one of the pair in the store. */
static int prepare(const struct hc_window_asks *asks, const struct hc_job *job,
                   const struct hc_line_info *info, struct hc_window_record *record,
                   struct hc_error *err)
{
    struct hc_line_info read;
    struct hc_pair *pair = NULL;
    int rc = -1;

    if (hc_window_load(&asks->o, job, info, record)) {
        return 0;
    }
    memset(&read, 0, sizeof(read));
    if (hc_store_current(hc_storage_store(asks->o.storage), job->line, &pair, &read, err) == 0 &&
        pair != NULL) {
        rc = hc_window_record_new(&read, pair, NULL, record, err);
    }
    hc_line_info_dispose(&read);
    hc_pair_free(pair);
    return rc;
}

static int send_one(struct question *question, const char *renewal_info, struct hc_error *err)
{
    const struct hc_http_port *http = question->asks->o.http;
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
void hc_window_ask(struct hc_window_asks *asks, struct hc_job *job, const struct hc_line_info *info,
                   const struct hc_issuer *issuer, const char *renewal_info)
{
    struct question *question = calloc(1, sizeof(*question));
    struct hc_error err;

    hc_error_init(&err);
    job->window.next = hc_env_now(asks->o.env) + HC_ARI_PAUSE_S;
    if (question == NULL) {
        return;
    }
    question->asks = asks;
    question->job = job;
    question->issuer = issuer;
    LIST_INSERT_HEAD(&asks->questions, question, link);
    asks->count++;
    if (prepare(asks, job, info, &question->record, &err) != 0 || question->record.id[0] == '\0' ||
        send_one(question, renewal_info, &err) != 0) {
        if (hc_error_is_set(&err)) {
            tell_failure(asks, issuer, &err);
        }
        question_free(question);
    }
}

void hc_window_drop(struct hc_window_asks *asks, const struct hc_job *job)
{
    struct question *next = NULL;

    for (struct question *at = LIST_FIRST(&asks->questions); at != NULL; at = next) {
        next = LIST_NEXT(at, link);
        if (job == NULL || at->job == job) {
            question_free(at);
        }
    }
}
