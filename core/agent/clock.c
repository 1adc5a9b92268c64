/*
 * This machine's clock: is it behind? No single sign may stop all orders, since one CA may be in
 * error; schedule.h weighs them. Signs are the date of the build, what this clock has judged good
 * before (kept in the store), certificates of the lines in use, by issuer, and the Date of CAs'
 * replies, which the port below reads on their way through.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/state.h"

#define ASK_MS     600000 /* a clock that seems wrong is compared with a CA's this often */
#define ASK_FOR_MS 10000
#define MARK_MAX   64 /* octets of the mark in the store */

/* ---- the Date of CAs ---- */

/* A request on its way. */
struct dated {
    struct dated *next;
    struct hc_agent *agent;
    struct hc_ca *ca; /* NULL: it asks nobody whose word counts */
    hc_http_done *done;
    void *arg;
    uint64_t id;
};

/* "https://ca.example:14000" of "https://ca.example:14000/dir": its length; 0: none to trust. */
static size_t origin_len(const char *url)
{
    static const char scheme[] = "https://";
    size_t len = sizeof(scheme) - 1;

    return strncmp(url, scheme, len) == 0 ? len + strcspn(url + len, "/") : 0;
}

static struct hc_ca *ca_of(const struct hc_agent *agent, const char *url)
{
    size_t len = origin_len(url);

    for (size_t i = 0; len > 0 && i < agent->ca_count; i++) {
        const char *directory = agent->cas[i].issuer->directory_url;

        if (directory != NULL && origin_len(directory) == len &&
            strncmp(directory, url, len) == 0) {
            return &agent->cas[i];
        }
    }
    return NULL;
}

/* Takes it out of the list and frees it. */
static void end_dated(struct hc_agent *agent, struct dated *d)
{
    struct dated **at = &agent->clock.asked;

    while (*at != NULL && *at != d) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = d->next;
    }
    free(d);
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct dated *d = arg;
    hc_http_done *done = d->done;
    void *its = d->arg;

    if (d->ca != NULL && reply != NULL && reply->date > 0) {
        d->ca->dated = true;
        d->ca->ahead = reply->date - hc_agent_ms(d->agent) / 1000;
        d->agent->jobs_dirty = d->agent->jobs_dirty || d->agent->clock.wrong;
    }
    end_dated(d->agent, d);
    done(its, reply, err);
}

static int send_dated(void *self, const struct hc_http_request *request, hc_http_done *done,
                      void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_agent *agent = self;
    const struct hc_http_port *real = agent->clock.real;
    struct dated *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        return hc_error_nomem(err);
    }
    d->agent = agent;
    d->ca = ca_of(agent, request->url);
    d->done = done;
    d->arg = arg;
    if (real->send(real->self, request, on_reply, d, &d->id, err) != 0) {
        free(d);
        return -1;
    }
    d->next = agent->clock.asked;
    agent->clock.asked = d;
    *id = d->id;
    return 0;
}

static struct dated *find_dated(const struct hc_agent *agent, uint64_t id)
{
    struct dated *d = agent->clock.asked;

    while (d != NULL && d->id != id) {
        d = d->next;
    }
    return d;
}

static void cancel_dated(void *self, uint64_t id)
{
    struct hc_agent *agent = self;
    struct dated *d = find_dated(agent, id);

    if (d != NULL) {
        end_dated(agent, d);
    }
    agent->clock.real->cancel(agent->clock.real->self, id);
}

void hc_clock_new(struct hc_agent *agent)
{
    struct hc_clock_watch *clock = &agent->clock;

    clock->asked = NULL;
    if (agent->o.http == NULL) {
        return;
    }
    clock->real = agent->o.http;
    clock->port = (struct hc_http_port){agent, send_dated, cancel_dated};
    agent->o.http = &clock->port;
}

void hc_clock_free(struct hc_agent *agent)
{
    struct dated *d = NULL;

    while ((d = agent->clock.asked) != NULL) {
        cancel_dated(agent, d->id);
    }
}

static void ignore_reply(void *arg HC_UNUSED, const struct hc_http_reply *reply HC_UNUSED,
                         const struct hc_error *err HC_UNUSED)
{
}

/* While orders are held, nobody else asks: the CAs' clocks may say that ours is right after all. */
static void ask_for_date(struct hc_agent *agent)
{
    int64_t now_ms = hc_agent_ms(agent);

    if (agent->o.http == NULL || now_ms < agent->clock.ask_ms) {
        return;
    }
    agent->clock.ask_ms = now_ms + ASK_MS;
    for (size_t i = 0; i < agent->ca_count; i++) {
        const struct hc_issuer *issuer = agent->cas[i].issuer;
        struct hc_http_request request = {
            .method = HC_HTTP_GET,
            .url = issuer->directory_url,
            .ca_bundle = issuer->ca_bundle,
            .timeout_ms = ASK_FOR_MS,
        };
        struct hc_error err;
        uint64_t id = 0;

        hc_error_init(&err);
        if (issuer->directory_url != NULL &&
            agent->o.http->send(agent->o.http->self, &request, ignore_reply, NULL, &id, &err) !=
                0) {
            hc_log_error(agent->o.log, HC_LOG_INFO, "asking a CA for its time", &err);
        }
    }
}

/* ---- what was judged good ---- */

static int64_t read_mark(struct hc_agent *agent)
{
    struct hc_buf text = HC_BUF_INIT(MARK_MAX);
    struct hc_error err;
    int64_t mark = 0;
    char *end = NULL;

    hc_error_init(&err);
    if (hc_store_get(hc_agent_store(agent), "clock", "good", &text, &err) == 0) {
        mark = strtoll(hc_buf_text(&text), &end, 10);
        mark = end != NULL && *end == '\n' && mark > 0 ? mark : 0;
    } else if (err.problem != HC_P_STORE_EMPTY) {
        hc_log_error(agent->o.log, HC_LOG_WARN, "what the clock said before is lost", &err);
    }
    hc_buf_dispose(&text);
    return mark;
}

void hc_clock_load(struct hc_agent *agent)
{
    agent->clock.good = read_mark(agent);
}

static void write_mark(struct hc_agent *agent, int64_t good)
{
    char text[MARK_MAX];
    int len = snprintf(text, sizeof(text), "%" PRId64 "\n", good);
    struct hc_error err;

    hc_error_init(&err);
    if (good == agent->clock.good || !hc_storage_ready(agent->storage)) {
        return;
    }
    if (hc_store_put(hc_agent_store(agent), "clock", "good",
                     (struct hc_bytes){(const unsigned char *)text, (size_t)len}, &err) != 0) {
        hc_storage_failed(agent->storage, &err);
        return;
    }
    agent->clock.good = good;
}

/* The newest start of a line in use that has come. */
static int64_t newest_begun(const struct hc_agent *agent, int64_t now)
{
    int64_t newest = 0;

    for (size_t i = 0; i < agent->job_count; i++) {
        const struct hc_line_info *info = hc_job_info(agent, &agent->jobs[i]);

        if (info != NULL && info->not_before <= now && info->not_before > newest) {
            newest = info->not_before;
        }
    }
    return newest;
}

/* ---- the judgement ---- */

/* The newest that this issuer's certificates in use and its own clock say of the time. */
static int64_t word_of(const struct hc_agent *agent, const struct hc_ca *ca)
{
    int64_t newest = ca->dated ? ca->ahead + hc_agent_ms(agent) / 1000 - HC_CLOCK_APART : 0;

    for (size_t i = 0; i < agent->job_count; i++) {
        const struct hc_line_info *info = hc_job_info(agent, &agent->jobs[i]);

        if (info != NULL && info->not_before > newest && ca->issuer->directory_url != NULL &&
            strcmp(info->issuer, ca->issuer->directory_url) == 0) {
            newest = info->not_before;
        }
    }
    return newest;
}

static struct hc_clock_signs read_signs(const struct hc_agent *agent, int64_t now)
{
    struct hc_clock_signs signs = {.built = agent->o.built, .good = agent->clock.good};
    int64_t first = 0;

    for (size_t i = 0; i < agent->ca_count; i++) {
        const struct hc_ca *ca = &agent->cas[i];
        int64_t word = word_of(agent, ca);
        int64_t theirs = ca->ahead + hc_agent_ms(agent) / 1000;

        signs.confirmed = signs.confirmed || (ca->dated && theirs <= now + HC_CLOCK_APART &&
                                              theirs >= now - HC_CLOCK_APART);
        signs.issuers = word > first ? first : word > signs.issuers ? word : signs.issuers;
        first = word > first ? word : first;
    }
    return signs;
}

static void say_wrong(struct hc_agent *agent, enum hc_clock_verdict verdict,
                      const struct hc_clock_signs *signs, int64_t now)
{
    static const char *const reasons[] = {
        [HC_CLOCK_RIGHT] = "",
        [HC_CLOCK_BEFORE_BUILD] = "hotcert was built",
        [HC_CLOCK_BEFORE_GOOD] = "a certificate that it was right for began",
        [HC_CLOCK_BEFORE_ISSUERS] = "two issuers have certificates or clocks later than",
    };
    const int64_t times[] = {0, signs->built, signs->good, signs->issuers};
    char text[HC_TIME_TEXT];
    char sign[HC_TIME_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_CLOCK_WRONG, NULL, "it says %s, but %s %s", hc_time_format(now, text),
                 reasons[verdict], hc_time_format(times[verdict], sign));
    hc_log_error(agent->o.log, HC_LOG_ERROR, "no orders are placed", &err);
}

/* A clock that is ahead at boot is set back once there is a network. */
static void look_for_step_back(struct hc_agent *agent, int64_t now)
{
    char wait[32];

    if (now + HC_CLOCK_SLACK < agent->clock.seen) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "the clock was set back by %s; what waits, waits anew",
                hc_duration_format(agent->clock.seen - now, wait, sizeof(wait)));
        hc_cas_mend(agent, now);
        hc_outlooks_mend(agent, now);
    }
    agent->clock.seen = now;
}

void hc_clock_look(struct hc_agent *agent, int64_t now)
{
    struct hc_clock_signs signs = read_signs(agent, now);
    enum hc_clock_verdict verdict = hc_schedule_clock(now, &signs);
    bool wrong = verdict != HC_CLOCK_RIGHT;
    int64_t begun = 0;

    look_for_step_back(agent, now);
    if (wrong && !agent->clock.wrong) {
        say_wrong(agent, verdict, &signs, now);
    } else if (!wrong && agent->clock.wrong) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "the clock is right again; orders go on");
    }
    agent->clock.wrong = wrong;
    if (wrong) {
        ask_for_date(agent);
        return;
    }
    agent->clock.ask_ms = 0;
    begun = newest_begun(agent, now);
    /* a mark from the future, which a clock that was ahead left, does not outlive a CA's word */
    if (begun > agent->clock.good || agent->clock.good > now + HC_CLOCK_SLACK) {
        write_mark(agent, begun);
    }
}
