/* When CAs want certificates renewed: who is asked, how often, and what becomes of the answers. */
#include "agent/windows.h"

#include "agent_upper.h"

#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const hosts[] = {"a.example", NULL};

/* ---- a CA with renewal information ---- */

static struct {
    bool none;       /* its directory has no renewalInfo */
    long status;     /* of answers */
    int64_t start;   /* of the window */
    int64_t end;     /* the same */
    const char *why; /* explanationURL, or NULL */
    int64_t retry_after;
    int asked;
    char url[300];
    struct {
        hc_http_done *done;
        void *arg;
        uint64_t id;
        bool of_directory;
    } queue[16];
    size_t count;
    uint64_t last_id;
} ca;

static int ari_send(void *self HC_UNUSED, const struct hc_http_request *request, hc_http_done *tell,
                    void *arg, uint64_t *id, struct hc_error *err HC_UNUSED)
{
    bool of_directory = strstr(request->url, "/ari/") == NULL;

    *id = ++ca.last_id;
    ca.queue[ca.count].done = tell;
    ca.queue[ca.count].arg = arg;
    ca.queue[ca.count].id = *id;
    ca.queue[ca.count++].of_directory = of_directory;
    if (!of_directory) {
        ca.asked++;
        snprintf(ca.url, sizeof(ca.url), "%s", request->url);
    }
    return 0;
}

static void ari_cancel(void *self HC_UNUSED, uint64_t id)
{
    for (size_t i = 0; i < ca.count; i++) {
        if (ca.queue[i].id == id) {
            ca.queue[i] = ca.queue[--ca.count];
            return;
        }
    }
}

static const struct hc_http_port ari_port = {NULL, ari_send, ari_cancel};

static void answer_one(void)
{
    struct hc_http_reply reply = {.status = 200, .retry_after = -1, .location = ""};
    char body[1000];
    char start[HC_TIME_TEXT];
    char end[HC_TIME_TEXT];
    hc_http_done *tell = ca.queue[0].done;
    void *arg = ca.queue[0].arg;
    bool of_directory = ca.queue[0].of_directory;

    memmove(ca.queue, ca.queue + 1, --ca.count * sizeof(ca.queue[0]));
    if (of_directory) {
        snprintf(body, sizeof(body),
                 "{\"newNonce\":\"https://one.example/n\",\"newAccount\":\"https://one.example/a\","
                 "\"newOrder\":\"https://one.example/o\"%s}",
                 ca.none ? "" : ",\"renewalInfo\":\"https://one.example/ari\"");
    } else {
        reply.status = ca.status;
        reply.retry_after = ca.retry_after;
        snprintf(body, sizeof(body),
                 "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}%s%s%s}",
                 hc_time_format(ca.start, start), hc_time_format(ca.end, end),
                 ca.why != NULL ? ",\"explanationURL\":\"" : "", ca.why != NULL ? ca.why : "",
                 ca.why != NULL ? "\"" : "");
    }
    reply.body = (struct hc_bytes){(const unsigned char *)body, strlen(body)};
    tell(arg, &reply, NULL);
}

/* ---- the part ---- */

struct scene {
    struct upper u;
    struct hc_cas *cas; /* with its HTTP */
    struct hc_windows *windows;
    struct hc_job *job;
};

static struct hc_windows *new_windows(struct scene *s)
{
    struct hc_windows *windows = NULL;
    struct hc_error err = {0};

    must(hc_windows_new(&(struct hc_windows_options){.env = &s->u.b.env,
                                                     .storage = s->u.b.storage,
                                                     .cas = s->cas,
                                                     .jobs = s->u.jobs,
                                                     .http = &ari_port},
                        &windows, &err),
         &err);
    return windows;
}

static void begin(struct scene *s)
{
    struct hc_error err = {0};

    memset(&ca, 0, sizeof(ca));
    memset(s, 0, sizeof(*s));
    ca.status = 200;
    ca.retry_after = -1;
    new_upper(&s->u, on, hosts);
    must(hc_cas_new(&(struct hc_cas_options){.env = &s->u.b.env,
                                             .storage = s->u.b.storage,
                                             .authority = &fake_authority,
                                             .http = &ari_port},
                    &s->cas, &err),
         &err);
    s->windows = new_windows(s);
    (void)hc_storage_run(s->u.b.storage);
    s->job = hc_jobs_at(s->u.jobs, 0);
}

static void finish(struct scene *s)
{
    hc_storage_close(s->u.b.storage);
    hc_windows_free(s->windows);
    hc_cas_free(s->cas);
    is_int(ca.count, 0, "no question is left behind");
    end_upper(&s->u);
}

static void commit(struct scene *s)
{
    struct hc_pair *pair = new_pair("DNS:a.example", 90);

    is_int(commit_pair(&s->u.b, 0, pair), 0, "a certificate is committed");
    hc_pair_free(pair);
}

/* All that is due, and all answers to it. */
static void round_of(struct scene *s)
{
    for (int i = 0; i < 10; i++) {
        (void)hc_windows_run(s->windows);
        while (ca.count > 0) {
            answer_one();
        }
    }
}

static void suggest(int64_t start, int64_t end)
{
    ca.start = start;
    ca.end = end;
}

static int64_t own_rule(const struct scene *s)
{
    const struct hc_line_info *info = hc_job_info(s->u.jobs, s->job);

    return hc_schedule_renew_at(info->not_before, info->not_after,
                                hc_schedule_share(s->job->line, info->serial));
}

static int64_t due(const struct scene *s)
{
    return hc_job_due(s->u.jobs, s->job);
}

/* ---- tests ---- */

static void the_ca_s_window_decides(void)
{
    struct scene s;
    int64_t at = 0;
    int asked = 0;

    begin(&s);
    commit(&s);
    is_int(due(&s), own_rule(&s), "before it was asked the own rule decides");
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    ok(s.job->window.next >= clock_now && s.job->window.next < clock_now + 300,
       "new certificates are asked about within minutes, not all at once");
    pass_time(300);
    round_of(&s);
    is_int(ca.asked, 1, "the CA is asked");
    ok(strncmp(ca.url, "https://one.example/ari/", 24) == 0 && strchr(ca.url + 24, '.') != NULL,
       "by its identifier");
    at = due(&s);
    ok(at >= ca.start && at < ca.end && at != own_rule(&s), "an instant of the window counts");
    is_int(s.u.b.raised[HC_EVENT_CA_CHANGED] > 0, 1, "whoever waits for it is told");
    asked = ca.asked;
    pass_time(21000);
    round_of(&s);
    is_int(ca.asked, asked, "no question before six hours are over");
    pass_time(1000);
    round_of(&s);
    is_int(ca.asked, asked + 1, "then one");
    is_int(due(&s), at, "the same window has the same instant");
    ca.retry_after = 7200;
    pass_time(22000);
    round_of(&s);
    asked = ca.asked;
    pass_time(7300);
    round_of(&s);
    is_int(ca.asked, asked + 1, "the CA names the pace");
    suggest(clock_now + 50 * DAY, clock_now + 51 * DAY);
    pass_time(7300);
    round_of(&s);
    ok(due(&s) >= ca.start && due(&s) < ca.end, "another window is another instant");
    finish(&s);
}

static void it_is_kept_and_shared(void)
{
    struct scene s;
    struct hc_event opened = {.kind = HC_EVENT_STORE_OPENED};
    struct hc_ca *asked = NULL;
    int64_t at = 0;
    int64_t when = 0;
    int questions = 0;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    ca.why = "https://one.example/why";
    round_of(&s);
    at = due(&s);
    questions = ca.asked;
    hc_windows_free(s.windows);
    s.job->window = (struct hc_window){.version = 0};
    s.windows = new_windows(&s);
    hc_events_raise(&s.u.b.events, &opened);
    pass_time(80 * DAY);
    is_int(hc_job_waits_for(s.u.jobs, s.job, &asked, &when), HC_JOB_STORE,
           "nothing is ordered before the store said when it is wanted");
    pass_time(-80 * DAY);
    round_of(&s);
    is_int(due(&s), at, "another agent on the store has the same instant");
    is_int(ca.asked, questions, "and asks nobody");
    is_str(hc_job_explanation(s.u.jobs, s.job), "https://one.example/why", "and knows why");
    is_int(count_in_log("see https://one.example/why"), 1, "the log said so once");
    finish(&s);
}

static void a_window_in_the_past_is_now(void)
{
    struct scene s;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now - 7200, clock_now - 3600);
    round_of(&s);
    ok(due(&s) > clock_now && due(&s) <= clock_now + DAY,
       "but not within a day of the certificate's coming: a CA might say so always");
    pass_time(DAY);
    ok(due(&s) <= clock_now, "then it is due");
    is_int(count_in_log("the CA wants the certificate renewed between"), 1, "the log says why");
    finish(&s);
}

static void failures_cost_nothing(void)
{
    struct scene s;
    int64_t at = 0;
    int asked = 0;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    ca.status = 503;
    round_of(&s);
    is_int(due(&s), own_rule(&s), "without an answer the own rule decides");
    is_int(count_in_log("cannot learn when the CA wants certificates renewed"), 1, "said once");
    ok(!hc_ca_is_failing(hc_cas_named(s.cas, "one")), "and orders go on");
    asked = ca.asked;
    pass_time(30);
    round_of(&s);
    is_int(ca.asked, asked, "not again at once");
    pass_time(40);
    round_of(&s);
    is_int(ca.asked, asked + 1, "but after a minute");
    ca.status = 200;
    pass_time(200);
    round_of(&s);
    at = due(&s);
    ok(at != own_rule(&s), "once it answers its window counts");
    ca.status = 404;
    pass_time(22000);
    round_of(&s);
    is_int(due(&s), at, "and goes on counting while the CA fails");
    for (int i = 0; i < 8; i++) {
        pass_time(21600);
        round_of(&s);
    }
    is_int(due(&s), own_rule(&s), "but not for longer than a day");
    is_int(count_in_log("cannot learn when the CA wants certificates renewed"), 2, "said again");
    finish(&s);
}

static void another_certificate_is_asked_about_anew(void)
{
    struct scene s;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    round_of(&s);
    commit(&s);
    is_int(due(&s), own_rule(&s), "the old one's window says nothing of it");
    pass_time(300);
    (void)hc_windows_run(s.windows);
    is_int(ca.count, 1, "a question is under way");
    commit(&s);
    is_int(ca.count, 0, "about a certificate that is no more: dropped");
    finish(&s);
}

static void a_clock_that_was_ahead_delays_nothing(void)
{
    struct scene s;
    struct hc_event set = {.kind = HC_EVENT_CLOCK_SET};
    int asked = 0;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    pass_time(80 * DAY);
    round_of(&s);
    asked = ca.asked;
    pass_time(-80 * DAY);
    hc_events_raise(&s.u.b.events, &set);
    round_of(&s);
    is_int(ca.asked, asked + 1, "the CA is asked again");
    ok(s.job->window.next <= clock_now + DAY && s.job->window.until <= clock_now + 2 * DAY,
       "and no time of the wrong clock is left");
    finish(&s);
}

/* As another agent does it: it commits, and its record comes a moment later. */
static void commit_elsewhere(struct scene *s, bool with_record, int64_t next)
{
    const struct hc_line_info *info = NULL;
    struct hc_window_record record = {0};
    struct hc_event changed = {.kind = HC_EVENT_LINES_CHANGED};
    struct hc_pair *pair = new_pair("DNS:a.example", 90);
    struct hc_error err = {0};

    hc_windows_free(s->windows);
    is_int(commit_pair(&s->u.b, 0, pair), 0, "another agent commits");
    info = hc_job_info(s->u.jobs, s->job);
    if (with_record) {
        must(hc_window_record_new(info, pair, "https://one.example/account/7", &record, &err),
             &err);
        record.next = next;
        must(hc_window_record_store(hc_storage_store(s->u.b.storage),
                                    hc_job_name(s->job, (char[HC_JOB_NAME]){0}), &record, &err),
             &err);
        hc_window_record_dispose(&record);
    }
    hc_pair_free(pair);
    s->windows = new_windows(s);
    hc_events_raise(&s->u.b.events, &changed);
}

static struct hc_window_record record_of(struct scene *s)
{
    struct hc_window_record record = {0};
    struct hc_error err = {0};

    must(hc_window_record_load(hc_storage_store(s->u.b.storage),
                               hc_job_name(s->job, (char[HC_JOB_NAME]){0}),
                               hc_job_info(s->u.jobs, s->job), &record, &err),
         &err);
    return record;
}

static void who_ordered_it_is_not_forgotten(void)
{
    struct scene s;
    struct hc_window_record record;
    struct hc_window_record late = {0};
    struct hc_error err = {0};
    int64_t at = 0;

    begin(&s);
    (void)hc_windows_run(s.windows);
    commit_elsewhere(&s, false, 0);
    (void)hc_windows_run(s.windows);
    (void)hc_windows_run(s.windows);
    is_int(ca.asked, 0, "whoever committed it is given a moment to say so");
    suggest(clock_now + 62 * DAY, clock_now + 64 * DAY);
    pass_time(300);
    for (int i = 0; i < 4; i++) {
        (void)hc_windows_run(s.windows);
        if (ca.count > 0 && ca.queue[0].of_directory) {
            answer_one();
        }
    }
    is_int(ca.asked, 1, "then the CA is asked");
    late.serial = strdup(hc_job_info(s.u.jobs, s.job)->serial);
    late.id = strdup("key.serial");
    late.directory = strdup(hc_job_info(s.u.jobs, s.job)->issuer);
    late.account = strdup("https://one.example/account/7");
    late.next = clock_now;
    must(hc_window_record_store(hc_storage_store(s.u.b.storage),
                                hc_job_name(s.job, (char[HC_JOB_NAME]){0}), &late, &err),
         &err);
    hc_window_record_dispose(&late);
    round_of(&s);
    record = record_of(&s);
    is_str(record.account, "https://one.example/account/7", "its account stands after our answer");
    ok(record.window.start == ca.start, "beside the window");
    hc_window_record_dispose(&record);
    finish(&s);

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now - 7200, clock_now - 3600);
    (void)hc_windows_run(s.windows);
    (void)hc_windows_run(s.windows);
    while (ca.count > 0 && ca.queue[0].of_directory) {
        answer_one();
        (void)hc_windows_run(s.windows);
    }
    is_int(ca.count, 1, "a question about the first is under way");
    commit_elsewhere(&s, true, clock_now + 1000);
    at = own_rule(&s);
    for (int i = 0; i < 4; i++) {
        (void)hc_windows_run(s.windows);
    }
    is_int(due(&s), at, "the window of a certificate that is no more is not taken for the next's");
    record = record_of(&s);
    is_str(record.account, "https://one.example/account/7", "nor its record");
    hc_window_record_dispose(&record);
    finish(&s);
}

/* The answer comes when the line has another version, of which nobody told us yet. */
static void an_answer_may_come_too_late(void)
{
    struct scene s;
    struct hc_pair *pair = NULL;

    begin(&s);
    commit(&s);
    pass_time(300);
    suggest(clock_now - 7200, clock_now - 3600);
    for (int i = 0; i < 6 && ca.asked == 0; i++) {
        (void)hc_windows_run(s.windows);
        while (ca.count > 0 && ca.queue[0].of_directory) {
            answer_one();
        }
    }
    is_int(ca.asked, 1, "a question is under way");
    hc_events_remove(&s.u.b.events, s.windows);
    pair = new_pair("DNS:a.example", 90);
    is_int(commit_pair(&s.u.b, 0, pair), 0, "a version comes unheard");
    hc_pair_free(pair);
    answer_one();
    ok(!hc_window_is_of(&s.job->window, hc_job_info(s.u.jobs, s.job)),
       "the answer is not taken for one about it");
    is_int(due(&s), own_rule(&s), "nor does it decide");
    finish(&s);
}

static void a_ca_without_is_left_alone(void)
{
    struct scene s;

    begin(&s);
    ca.none = true;
    commit(&s);
    pass_time(300);
    round_of(&s);
    pass_time(40000);
    round_of(&s);
    is_int(ca.asked, 0, "its directory names no place to ask");
    is_int(due(&s), own_rule(&s), "the own rule decides");
    finish(&s);
}

int main(void)
{
    the_ca_s_window_decides();
    it_is_kept_and_shared();
    a_window_in_the_past_is_now();
    failures_cost_nothing();
    another_certificate_is_asked_about_anew();
    a_clock_that_was_ahead_delays_nothing();
    who_ordered_it_is_not_forgotten();
    an_answer_may_come_too_late();
    a_ca_without_is_left_alone();
    return done();
}
