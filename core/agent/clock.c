/* Is this machine's clock behind? See clock.h. */
#include "agent/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/schedule.h"
#include "store/record.h"

#define ASK_MS     600000 /* a clock that seems wrong is compared with a CA's this often */
#define ASK_FOR_MS 10000
#define MARK_MAX   64 /* octets of the mark in the store */

/* What is known of one issuer's time. */
struct word {
    bool dated;    /* a reply said what time it is there .. */
    int64_t ahead; /* .. UTC, when the monotonic clock was 0 */
    int64_t start; /* the newest of its certificates in use, in this round */
};

struct hc_clock_watch {
    struct hc_clock_options o;
    bool wrong;         /* it is behind */
    int64_t seen;       /* what it said in the latest round */
    int64_t begun;      /* the newest start of a line in use that it saw come, in this round */
    int64_t good;       /* the same, in the rounds when it was right */
    int64_t ask_ms;     /* CAs are asked for their time again; 0: at once */
    struct word *words; /* as conf->issuers */
    struct hc_http_port port; /* what CAs are asked by */
    struct dated *asked;
};

bool hc_clock_watch_is_wrong(const struct hc_clock_watch *clock)
{
    return clock->wrong;
}

int64_t hc_clock_watch_seen(const struct hc_clock_watch *clock)
{
    return clock->seen;
}

/* ---- the Date of CAs ---- */

/* A request on its way. */
struct dated {
    struct dated *next;
    struct hc_clock_watch *clock;
    size_t issuer; /* issuer_count: it asks nobody whose word counts */
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

/* The number of the issuer at this address, issuer_count: none. */
static size_t issuer_of(const struct hc_conf *conf, const char *url)
{
    size_t len = origin_len(url);

    for (size_t i = 0; len > 0 && i < conf->issuer_count; i++) {
        const char *directory = conf->issuers[i].directory_url;

        if (directory != NULL && origin_len(directory) == len &&
            strncmp(directory, url, len) == 0) {
            return i;
        }
    }
    return conf->issuer_count;
}

void hc_clock_watch_note(struct hc_clock_watch *clock, size_t issuer, int64_t date)
{
    clock->words[issuer].dated = true;
    clock->words[issuer].ahead = date - hc_env_ms(clock->o.env) / 1000;
    if (clock->wrong) {
        hc_events_tell(clock->o.env->events, HC_EVENT_CLOCK_NEWS);
    }
}

/* Takes it out of the list and frees it. */
static void end_dated(struct hc_clock_watch *clock, struct dated *d)
{
    struct dated **at = &clock->asked;

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

    if (d->issuer < d->clock->o.env->conf->issuer_count && reply != NULL && reply->date > 0) {
        hc_clock_watch_note(d->clock, d->issuer, reply->date);
    }
    end_dated(d->clock, d);
    done(its, reply, err);
}

static int send_dated(void *self, const struct hc_http_request *request, hc_http_done *done,
                      void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_clock_watch *clock = self;
    const struct hc_http_port *real = clock->o.http;
    struct dated *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        return hc_error_nomem(err);
    }
    d->clock = clock;
    d->issuer = issuer_of(clock->o.env->conf, request->url);
    d->done = done;
    d->arg = arg;
    if (real->send(real->self, request, on_reply, d, &d->id, err) != 0) {
        free(d);
        return -1;
    }
    d->next = clock->asked;
    clock->asked = d;
    *id = d->id;
    return 0;
}

static struct dated *find_dated(const struct hc_clock_watch *clock, uint64_t id)
{
    struct dated *d = clock->asked;

    while (d != NULL && d->id != id) {
        d = d->next;
    }
    return d;
}

static void cancel_dated(void *self, uint64_t id)
{
    struct hc_clock_watch *clock = self;
    struct dated *d = find_dated(clock, id);

    if (d != NULL) {
        end_dated(clock, d);
    }
    clock->o.http->cancel(clock->o.http->self, id);
}

const struct hc_http_port *hc_clock_watch_http(const struct hc_clock_watch *clock)
{
    return clock->o.http != NULL ? &clock->port : NULL;
}

static void ignore_reply(void *arg HC_UNUSED, const struct hc_http_reply *reply HC_UNUSED,
                         const struct hc_error *err HC_UNUSED)
{
}

/* Built-in issuers are defined in every configuration, and nobody's business for that. */
static bool is_used(const struct hc_conf *conf, const struct hc_issuer *issuer)
{
    for (size_t i = 0; i < conf->set_count; i++) {
        if (hc_list_has(&conf->sets[i]->use, issuer->name)) {
            return true;
        }
    }
    return false;
}

/* While orders are held, nobody else asks: the clocks of the CAs in use may say that ours is right
 * after all. */
static void ask_for_date(struct hc_clock_watch *clock)
{
    const struct hc_conf *conf = clock->o.env->conf;
    int64_t now_ms = hc_env_ms(clock->o.env);

    if (clock->o.http == NULL || now_ms < clock->ask_ms) {
        return;
    }
    clock->ask_ms = now_ms + ASK_MS;
    for (size_t i = 0; i < conf->issuer_count; i++) {
        const struct hc_issuer *issuer = &conf->issuers[i];
        struct hc_http_request request = {
            .method = HC_HTTP_GET,
            .url = issuer->directory_url,
            .ca_bundle = issuer->ca_bundle,
            .timeout_ms = ASK_FOR_MS,
        };
        struct hc_error err;
        uint64_t id = 0;

        hc_error_init(&err);
        if (issuer->directory_url != NULL && is_used(conf, issuer) &&
            clock->port.send(clock->port.self, &request, ignore_reply, NULL, &id, &err) != 0) {
            hc_log_error(clock->o.env->log, HC_LOG_INFO, "asking a CA for its time", &err);
        }
    }
}

/* ---- what was judged good ---- */

static int64_t read_mark(struct hc_clock_watch *clock)
{
    struct hc_buf text = HC_BUF_INIT(MARK_MAX);
    struct hc_error err;
    int64_t mark = 0;
    char *end = NULL;

    hc_error_init(&err);
    if (hc_store_get(hc_storage_store(clock->o.storage), "clock", "good", &text, &err) == 0) {
        mark = strtoll(hc_buf_text(&text), &end, 10);
        mark = end != NULL && *end == '\n' && mark > 0 ? mark : 0;
    } else if (err.problem != HC_P_STORE_EMPTY) {
        hc_log_error(clock->o.env->log, HC_LOG_WARN,
                     "saved clock state is unreadable; starting fresh", &err);
    }
    hc_buf_dispose(&text);
    return mark;
}

static void write_mark(struct hc_clock_watch *clock, int64_t good)
{
    char text[MARK_MAX];
    int len = snprintf(text, sizeof(text), "%" PRId64 "\n", good);
    struct hc_error err;

    hc_error_init(&err);
    if (good == clock->good || !hc_storage_ready(clock->o.storage)) {
        return;
    }
    if (hc_store_put(hc_storage_store(clock->o.storage), "clock", "good",
                     (struct hc_bytes){(const unsigned char *)text, (size_t)len}, &err) != 0) {
        hc_storage_failed(clock->o.storage, &err);
        return;
    }
    clock->good = good;
}

/* ---- the judgement ---- */

void hc_clock_watch_see(struct hc_clock_watch *clock, const struct hc_line_info *info)
{
    const struct hc_conf *conf = clock->o.env->conf;

    if (info->not_before <= clock->seen && info->not_before > clock->begun) {
        clock->begun = info->not_before;
    }
    for (size_t i = 0; i < conf->issuer_count; i++) {
        const char *directory = conf->issuers[i].directory_url;

        if (directory != NULL && info->not_before > clock->words[i].start &&
            strcmp(info->issuer, directory) == 0) {
            clock->words[i].start = info->not_before;
        }
    }
}

static struct hc_clock_signs read_signs(const struct hc_clock_watch *clock)
{
    struct hc_clock_signs signs = {.built = clock->o.built, .good = clock->good};
    int64_t now = clock->seen;
    int64_t first = 0;

    for (size_t i = 0; i < clock->o.env->conf->issuer_count; i++) {
        const struct word *word = &clock->words[i];
        int64_t theirs = word->ahead + hc_env_ms(clock->o.env) / 1000;
        int64_t newest = word->dated && theirs - HC_CLOCK_APART > word->start
                             ? theirs - HC_CLOCK_APART
                             : word->start;

        signs.confirmed = signs.confirmed || (word->dated && theirs <= now + HC_CLOCK_APART &&
                                              theirs >= now - HC_CLOCK_APART);
        signs.issuers = newest > first ? first : newest > signs.issuers ? newest : signs.issuers;
        first = newest > first ? newest : first;
    }
    return signs;
}

static void say_wrong(struct hc_clock_watch *clock, enum hc_clock_verdict verdict,
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
    hc_log_error(clock->o.env->log, HC_LOG_ERROR, "placing no orders", &err);
}

/* A clock that is ahead at boot is set back once there is a network. */
void hc_clock_watch_begin(struct hc_clock_watch *clock, int64_t now)
{
    int64_t before = clock->seen;
    char wait[32];

    clock->seen = now;
    clock->begun = 0;
    for (size_t i = 0; i < clock->o.env->conf->issuer_count; i++) {
        clock->words[i].start = 0;
    }
    if (now + HC_CLOCK_SLACK < before) {
        hc_logf(clock->o.env->log, HC_LOG_NOTICE,
                "the clock was set back by %s; restarting retry timers",
                hc_duration_format(before - now, wait, sizeof(wait)));
        hc_events_tell(clock->o.env->events, HC_EVENT_CLOCK_SET);
    }
}

void hc_clock_watch_judge(struct hc_clock_watch *clock)
{
    int64_t now = clock->seen;
    struct hc_clock_signs signs = read_signs(clock);
    enum hc_clock_verdict verdict = hc_schedule_clock(now, &signs);
    bool wrong = verdict != HC_CLOCK_RIGHT;

    if (wrong && !clock->wrong) {
        say_wrong(clock, verdict, &signs, now);
    } else if (!wrong && clock->wrong) {
        hc_logf(clock->o.env->log, HC_LOG_NOTICE, "the clock is right again; orders resume");
    }
    clock->wrong = wrong;
    if (wrong) {
        ask_for_date(clock);
        return;
    }
    clock->ask_ms = 0;
    /* a mark from the future, which a clock that was ahead left, does not outlive a CA's word */
    if (clock->begun > clock->good || clock->good > now + HC_CLOCK_SLACK) {
        write_mark(clock, clock->begun);
    }
}

/* ---- life ---- */

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_clock_watch *clock = self;

    if (event->kind == HC_EVENT_STORE_OPENED) {
        clock->good = read_mark(clock);
    }
}

int hc_clock_watch_new(const struct hc_clock_options *options, struct hc_clock_watch **out,
                       struct hc_error *err)
{
    struct hc_clock_watch *clock = calloc(1, sizeof(*clock));

    if (clock == NULL) {
        return hc_error_nomem(err);
    }
    clock->o = *options;
    clock->port = (struct hc_http_port){clock, send_dated, cancel_dated};
    clock->words = calloc(options->env->conf->issuer_count + 1, sizeof(*clock->words));
    if (clock->words == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (hc_events_add(options->env->events, on_event, clock, err) != 0) {
        goto failed;
    }
    *out = clock;
    return 0;
failed:
    hc_clock_watch_free(clock);
    return -1;
}

void hc_clock_watch_free(struct hc_clock_watch *clock)
{
    struct dated *d = NULL;

    if (clock == NULL) {
        return;
    }
    hc_events_remove(clock->o.env->events, clock);
    while ((d = clock->asked) != NULL) {
        cancel_dated(clock, d->id);
    }
    free(clock->words);
    free(clock);
}
