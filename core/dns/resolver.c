/*
 * Look-ups side by side; see resolver.h. A lookup goes from server to server and round to round;
 * each try is an hc_exchange. Nothing is called back from where a lookup is being worked on:
 * what is complete goes to a list first, so that callbacks may ask and cancel as they like.
 */
#include "dns/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/kept_error.h"
#include "dns/exchange.h"
#include "dns/nameservers.h"
#include "loop/timer.h"

#define ACTIVE_MAX  200 /* sockets open at a time; what is more waits for its turn */
#define WAITING_MAX 20000

enum stage { STAGE_QUEUED, STAGE_ACTIVE, STAGE_COMPLETE };

struct lookup {
    TAILQ_ENTRY(lookup) link;
    struct hc_resolver *resolver;
    enum stage stage;
    uint64_t id;
    struct hc_dns_question question;
    struct hc_dns_server servers[HC_RESOLVER_SERVERS];
    size_t server_count;
    size_t first; /* the server that the lookup began with */
    size_t tried; /* servers tried in this round */
    unsigned round;
    bool silent;     /* somebody of this round did not answer in time */
    unsigned serial; /* of the resolvers that it asks; 0: a zone's servers */
    int64_t deadline_ms;
    struct hc_exchange exchange;
    struct hc_loop_fd guest; /* its socket */
    struct hc_timer timer;   /* the end of this try */
    bool has_reply;          /* reply is the end, or a refusal to fall back on */
    struct hc_dns_reply reply;
    struct hc_dns_server from;
    struct hc_kept_error error; /* of the latest try that failed */
    hc_dns_done *done;
    void *arg;
};
TAILQ_HEAD(lookups, lookup);

struct hc_resolver {
    struct hc_dns_port port;
    struct hc_loop *loop;
    struct hc_timer work; /* set while something is complete, or queued and could begin */
    struct hc_nameservers own;
    const struct hc_clock *clock;
    const struct hc_random *random;
    const struct hc_log *log;
    uint64_t last_id;
    struct lookups queued;
    struct lookups active;
    struct lookups complete;
    size_t active_count;
    size_t queued_count;
};

static struct lookups *list_of(struct hc_resolver *r, enum stage stage)
{
    switch (stage) {
    case STAGE_QUEUED:
        return &r->queued;
    case STAGE_ACTIVE:
        return &r->active;
    case STAGE_COMPLETE:
        break;
    }
    return &r->complete;
}

static void move_to(struct hc_resolver *r, struct lookup *l, enum stage stage)
{
    TAILQ_REMOVE(list_of(r, l->stage), l, link);
    r->active_count -= l->stage == STAGE_ACTIVE;
    r->queued_count -= l->stage == STAGE_QUEUED;
    l->stage = stage;
    r->active_count += stage == STAGE_ACTIVE;
    TAILQ_INSERT_TAIL(list_of(r, stage), l, link);
}

/* The try is over. */
static void close_try(struct lookup *l)
{
    hc_loop_fd_remove(&l->guest);
    hc_timer_stop(&l->timer);
    hc_exchange_close(&l->exchange);
}

static void lookup_free(struct lookup *l)
{
    if (l != NULL) {
        close_try(l);
        hc_dns_reply_dispose(&l->reply);
        hc_kept_error_dispose(&l->error);
        free(l);
    }
}

/* Of the server that is being tried. */
static size_t place(const struct lookup *l)
{
    return (l->first + l->tried) % l->server_count;
}

static struct hc_dns_server *current(struct lookup *l)
{
    return &l->servers[place(l)];
}

static void complete(struct hc_resolver *r, struct lookup *l)
{
    close_try(l);
    move_to(r, l, STAGE_COMPLETE);
    hc_timer_within(&r->work, 0);
}

/* Keeps what the latest failure was, with the server that it was about. */
static void note_failure(struct hc_resolver *r, struct lookup *l, const struct hc_error *err)
{
    char name[HC_DNAME_TEXT];
    char type[16];
    char server[HC_DNS_SERVER_TEXT];
    struct hc_error failure;
    struct hc_error_text text;

    hc_error_init(&failure);
    hc_error_set(&failure,
                 err->problem == HC_P_OUT_OF_MEMORY ? HC_P_OUT_OF_MEMORY : HC_P_DNS_FAILED,
                 hc_dname_format(&l->question.name, name), "%s %s: %s",
                 hc_dns_type_format((unsigned)l->question.type, type),
                 hc_dns_server_format(current(l), server), err->detail);
    hc_kept_error_set(&l->error, &failure);
    hc_error_render(&failure, &text);
    hc_logf(r->log, HC_LOG_DEBUG, "dns: %s %s", text.subject, text.detail);
}

static void on_ready(void *self, unsigned events);

/* Opens a try at the current server. False if that failed at once. */
static bool open_try(struct hc_resolver *r, struct lookup *l, unsigned how)
{
    struct hc_error err = {0};
    int64_t now = hc_now_ms(r->clock);
    int64_t length = HC_RESOLVER_TRY_MS;

    for (unsigned i = 0; i < l->round && i < 4; i++) {
        length += length / 2;
    }
    close_try(l);
    if (hc_exchange_open(&l->exchange, &l->question, current(l), how, r->random, &err) != 0) {
        note_failure(r, l, &err);
        return false;
    }
    l->guest = (struct hc_loop_fd){
        l->exchange.fd, hc_exchange_events(&l->exchange), "dns", on_ready, l, NULL};
    if (hc_loop_fd_add(r->loop, &l->guest, &err) != 0) {
        note_failure(r, l, &err);
        return false;
    }
    hc_timer_at(&l->timer, now + length < l->deadline_ms ? now + length : l->deadline_ms);
    return true;
}

/* Goes on to the next server, or round; completes the lookup when there is none. */
static void next_try(struct hc_resolver *r, struct lookup *l)
{
    for (;;) {
        l->tried++;
        if (l->tried >= l->server_count) {
            /* once all have said no, asking again at once would only be noise; and a refusal is
             * not worth waiting until the end for a better word from the silent ones */
            if (!l->silent || (l->has_reply && l->round > 0)) {
                break;
            }
            l->tried = 0;
            l->round++;
            l->silent = false;
        }
        if (hc_now_ms(r->clock) >= l->deadline_ms) {
            break;
        }
        if (open_try(r, l, 0)) {
            return;
        }
    }
    complete(r, l);
}

static void take_reply(struct hc_resolver *r, struct lookup *l, struct hc_dns_reply *reply)
{
    bool odd = reply->rcode == HC_DNS_FORMERR || reply->rcode == HC_DNS_NOTIMP ||
               reply->rcode == 16; /* BADVERS */

    if (reply->truncated) {
        hc_dns_reply_dispose(reply);
        if (!open_try(r, l, HC_EXCHANGE_TCP | (l->exchange.plain ? HC_EXCHANGE_PLAIN : 0))) {
            next_try(r, l);
        }
        return;
    }
    if (odd && !l->exchange.plain) {
        /* RFC 6891 section 7: perhaps it is EDNS that this server does not take */
        hc_dns_reply_dispose(reply);
        if (!open_try(r, l, HC_EXCHANGE_PLAIN)) {
            next_try(r, l);
        }
        return;
    }
    hc_dns_reply_dispose(&l->reply);
    l->reply = *reply;
    l->has_reply = true;
    l->from = *current(l);
    if (hc_dns_reply_is_refusal(reply, &l->question)) {
        next_try(r, l);
        return;
    }
    hc_nameservers_answered(&r->own, l->serial, place(l));
    complete(r, l);
}

static void on_ready(void *self, unsigned events HC_UNUSED)
{
    struct lookup *l = self;
    struct hc_resolver *r = l->resolver;
    struct hc_dns_reply reply;
    struct hc_error err = {0};

    switch (hc_exchange_step(&l->exchange, &reply, &err)) {
    case HC_EXCHANGE_WAITING:
        if (hc_loop_fd_change(&l->guest, hc_exchange_events(&l->exchange), &err) == 0) {
            return;
        }
        break;
    case HC_EXCHANGE_REPLY:
        take_reply(r, l, &reply);
        return;
    case HC_EXCHANGE_FAILED:
        break;
    }
    note_failure(r, l, &err);
    next_try(r, l);
}

static void on_time(void *self)
{
    struct lookup *l = self;
    struct hc_resolver *r = l->resolver;
    struct hc_error err = {0};

    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
    note_failure(r, l, &err);
    l->silent = true;
    hc_nameservers_silent(&r->own, l->serial, place(l));
    next_try(r, l);
}

static void begin(struct hc_resolver *r, struct lookup *l)
{
    struct hc_error err = {0};

    move_to(r, l, STAGE_ACTIVE);
    if (l->serial == r->own.serial) {
        l->first = r->own.preferred;
    }
    if (hc_now_ms(r->clock) >= l->deadline_ms) {
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "there was no time left to ask");
        note_failure(r, l, &err);
        complete(r, l);
        return;
    }
    if (!open_try(r, l, 0)) {
        next_try(r, l);
    }
}

static struct lookup *find(struct hc_resolver *r, uint64_t id)
{
    static const enum stage stages[] = {STAGE_QUEUED, STAGE_ACTIVE, STAGE_COMPLETE};
    struct lookup *l = NULL;

    for (size_t i = 0; i < HC_COUNT(stages); i++) {
        TAILQ_FOREACH(l, list_of(r, stages[i]), link)
        {
            if (l->id == id) {
                return l;
            }
        }
    }
    return NULL;
}

static void cancel(void *self, uint64_t id)
{
    struct hc_resolver *r = self;
    struct lookup *l = find(r, id);

    if (l != NULL) {
        move_to(r, l, STAGE_COMPLETE);
        TAILQ_REMOVE(&r->complete, l, link);
        lookup_free(l);
        hc_timer_within(&r->work, r->queued_count > 0 ? 0 : -1);
    }
}

static void follow_nameservers(struct hc_resolver *r)
{
    char text[256];

    if (hc_nameservers_follow(&r->own, hc_now_ms(r->clock))) {
        hc_logf(r->log, HC_LOG_INFO, "dns: %s has changed; asking %s from now on",
                r->own.resolv_conf, hc_resolver_describe(r, text, sizeof(text)));
    }
}

static int ask(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg, uint64_t *id,
               struct hc_error *err)
{
    struct hc_resolver *r = self;
    bool own = ask->servers == NULL || ask->server_count == 0;
    const struct hc_dns_server *servers = own ? r->own.servers : ask->servers;
    size_t count = 0;
    struct lookup *l = NULL;

    if (r->queued_count >= WAITING_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "more than %d lookups are waiting",
                            WAITING_MAX);
    }
    l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return hc_error_nomem(err);
    }
    if (own) {
        follow_nameservers(r);
    }
    count = own ? r->own.count : ask->server_count;
    l->id = ++r->last_id;
    l->question = ask->question;
    l->serial = own ? r->own.serial : 0;
    l->server_count = count < HC_RESOLVER_SERVERS ? count : HC_RESOLVER_SERVERS;
    memcpy(l->servers, servers, l->server_count * sizeof(l->servers[0]));
    l->deadline_ms =
        ask->deadline_ms > 0 ? ask->deadline_ms : hc_now_ms(r->clock) + HC_RESOLVER_ASK_MS;
    l->done = done;
    l->arg = arg;
    l->stage = STAGE_QUEUED;
    l->resolver = r;
    hc_timer_init(&l->timer, r->loop, "dns", on_time, l);
    r->queued_count++;
    TAILQ_INSERT_TAIL(&r->queued, l, link);
    *id = l->id;
    hc_timer_within(&r->work, 0);
    return 0;
}

static void begin_queued(struct hc_resolver *r)
{
    struct lookup *l = NULL;

    while (r->active_count < ACTIVE_MAX && (l = TAILQ_FIRST(&r->queued)) != NULL) {
        begin(r, l);
    }
}

/* One reply at a time. The lookup is off every list by then: it cannot be cancelled. */
static void on_work(void *self)
{
    struct hc_resolver *r = self;
    struct lookup *l = NULL;

    begin_queued(r);
    l = TAILQ_FIRST(&r->complete);
    if (l == NULL) {
        return;
    }
    hc_timer_in(&r->work, 0); /* the callback may free the resolver */
    TAILQ_REMOVE(&r->complete, l, link);
    if (l->has_reply) {
        l->done(l->arg, &l->reply, &l->from, NULL);
    } else {
        struct hc_error err;

        hc_kept_error_get(&l->error, &err);
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "nobody answered");
        l->done(l->arg, NULL, NULL, &err);
    }
    lookup_free(l);
}

int hc_resolver_new(const struct hc_resolver_options *options, struct hc_resolver **out,
                    struct hc_error *err)
{
    struct hc_resolver *r = calloc(1, sizeof(*r));

    *out = NULL;
    if (r == NULL) {
        return hc_error_nomem(err);
    }
    r->port = (struct hc_dns_port){.self = r, .ask = ask, .cancel = cancel};
    r->loop = options->loop;
    r->clock = hc_loop_clock(options->loop);
    r->random = options->random;
    r->log = options->log;
    TAILQ_INIT(&r->queued);
    TAILQ_INIT(&r->active);
    TAILQ_INIT(&r->complete);
    hc_timer_init(&r->work, r->loop, "dns", on_work, r);
    if (hc_nameservers_init(&r->own, options->servers, options->resolv_conf, hc_now_ms(r->clock),
                            err) != 0) {
        hc_resolver_free(r);
        return -1;
    }
    *out = r;
    return 0;
}

static void drain(struct lookups *list)
{
    struct lookup *l = NULL;

    while ((l = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, l, link);
        lookup_free(l);
    }
}

void hc_resolver_free(struct hc_resolver *r)
{
    if (r == NULL) {
        return;
    }
    drain(&r->queued);
    drain(&r->active);
    drain(&r->complete);
    hc_timer_stop(&r->work);
    hc_nameservers_dispose(&r->own);
    free(r);
}

const struct hc_dns_port *hc_resolver_port(struct hc_resolver *r)
{
    return &r->port;
}

char *hc_resolver_describe(const struct hc_resolver *r, char *dst, size_t cap)
{
    size_t used = 0;
    char text[HC_DNS_SERVER_TEXT];

    dst[0] = '\0';
    for (size_t i = 0; i < r->own.count && used < cap; i++) {
        int n = snprintf(dst + used, cap - used, "%s%s", i > 0 ? ", " : "",
                         hc_dns_server_format(&r->own.servers[i], text));

        used += n > 0 ? (size_t)n : 0;
    }
    return dst;
}
