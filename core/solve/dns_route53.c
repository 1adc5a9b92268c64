/*
 * The writer `route53`: Amazon Route 53. A record set holds all values of a name, so the set is
 * read, ours is added or taken out, and the whole is written (UPSERT; DELETE repeats it exactly). A
 * value that another writer's UPSERT swallowed meanwhile is noticed when the set is read once more,
 * and added anew.
 *
 *     zone -> read -> write -> (added:) in sync -> read again -> done
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "loop/timer.h"
#include "net/aws.h"
#include "net/aws_text.h"
#include "solve/route53_text.h"
#include "solve/writers.h"

#define URL         "https://route53.amazonaws.com"
#define SCOPE       "aws:amz:us-east-1:route53" /* it is in one place, whatever the region */
#define TTL_S       60
#define PARALLEL    16
#define LIMIT_MS    180000 /* of a change, without the wait for its servers */
#define PACE_MS     250    /* between requests: an account has five a second */
#define POLL_MS     2000
#define RETRY_MS    1000 /* doubles .. */
#define RETRY_MOST  30000
#define ROUNDS_MOST 5 /* of read and write */
#define REPLY_MAX   ((size_t)256 << 10)
#define ZONES_KEPT  16
#define ZONE_S      3600

struct route53;

struct change {
    LIST_ENTRY(change) link;
    struct route53 *writer;
    enum hc_writer_change what;
    const struct hc_txt_value *value;
    hc_writer_done *done;
    void *arg;
    void (*step)(struct change *c, const struct hc_aws_credentials *who); /* sends a request */
    int (*judge)(struct change *c, struct hc_bytes body, struct hc_error *err);
    struct hc_timer timer; /* for its turn to ask */
    uint64_t request;      /* in flight; 0: none */
    bool renewed;          /* they were refused once */
    unsigned failures, rounds;
    int64_t until_ms, sync_until_ms;
    const char *suffix;       /* of the name: the zone that is looked for */
    bool tried_soa;           /* the one that the DNS says comes first */
    char zone[HC_ROUTE53_ID]; /* its id */
    struct hc_route53_set set;
    struct hc_route53_change sent;
    bool written; /* the set is read to see whether ours is still in it */
};

struct zone {
    char name[256];
    char id[HC_ROUTE53_ID];
    int64_t until;
};

struct route53 {
    const struct hc_dns_block *block;
    struct hc_writer_env env;
    struct hc_aws *aws;
    char url[2048];
    char identity[128];
    int64_t next_ms; /* when the next request may be sent */
    struct zone zones[ZONES_KEPT];
    size_t zone_next;
    LIST_HEAD(, change) changes;
};

/* ---- the end of a change ---- */

static void change_free(struct change *c)
{
    const struct hc_writer_env *env = &c->writer->env;

    hc_timer_stop(&c->timer);
    if (c->request != 0) {
        env->http->cancel(env->http->self, c->request);
    }
    hc_aws_forget(c->writer->aws, c);
    hc_route53_set_dispose(&c->set);
    LIST_REMOVE(c, link);
    free(c);
}

static void finish(struct change *c, const struct hc_error *cause, bool spread)
{
    hc_writer_done *done = c->done;
    void *arg = c->arg;
    struct hc_error err;
    const struct hc_writer_result result = {.err = cause != NULL ? &err : NULL, .spread = spread};

    hc_error_init(&err);
    if (cause != NULL && (cause->problem == HC_P_DNS_WRITE || cause->problem == HC_P_DNS_REFUSED ||
                          cause->problem == HC_P_FETCH_FAILED)) {
        hc_error_set(&err, cause->problem == HC_P_DNS_REFUSED ? HC_P_DNS_REFUSED : HC_P_DNS_WRITE,
                     c->value->name, "%s: %s", c->writer->identity, cause->detail);
    } else if (cause != NULL) {
        err = *cause; /* of credentials, of the network */
    }
    change_free(c);
    done(arg, &result);
}

static int64_t now_ms(const struct change *c)
{
    return hc_now_ms(c->writer->env.clock);
}

/* ---- asking ---- */

/* In its turn, after so long. */
static void ask_in(struct change *c, int64_t ms)
{
    struct route53 *writer = c->writer;
    int64_t at = now_ms(c) + ms;

    at = at < writer->next_ms ? writer->next_ms : at;
    if (ms == 0) {
        writer->next_ms = at + PACE_MS;
    }
    hc_timer_at(&c->timer, at);
}

static void ask(struct change *c, void (*step)(struct change *, const struct hc_aws_credentials *),
                int64_t ms)
{
    c->step = step;
    ask_in(c, ms);
}

static void on_credentials(void *arg, const struct hc_aws_credentials *who,
                           const struct hc_error *err)
{
    struct change *c = arg;

    if (err != NULL) {
        finish(c, err, false);
    } else {
        c->step(c, who);
    }
}

static void on_turn(void *self)
{
    struct change *c = self;

    hc_aws_get(c->writer->aws, on_credentials, c);
}

static bool is_one_of(const char *code, const char *const *codes)
{
    while (*codes != NULL && strcmp(code, *codes) != 0) {
        codes++;
    }
    return *codes != NULL;
}

static void begin_read(struct change *c);
static void begin_zone(struct change *c);

/* True if it goes on by itself, after a while. */
static bool is_tried_again(struct change *c, long status, const struct hc_aws_fault *fault)
{
    static const char *const busy[] = {
        "Throttling",           "ThrottlingException", "PriorRequestNotComplete",
        "RequestLimitExceeded", "ServiceUnavailable",  NULL};
    static const char *const old[] = {"ExpiredToken", "ExpiredTokenException",
                                      "InvalidClientTokenId", "UnrecognizedClientException", NULL};
    int64_t wait = RETRY_MS;

    if (is_one_of(fault->code, old) && !c->renewed) {
        c->renewed = true;
        hc_aws_reject(c->writer->aws);
        ask_in(c, 0);
        return true;
    }
    if (strcmp(fault->code, "InvalidChangeBatch") == 0 && ++c->rounds < ROUNDS_MOST &&
        now_ms(c) < c->until_ms) {
        begin_read(c); /* the set is not any more as it was read */
        return true;
    }
    if (!is_one_of(fault->code, busy) && status != 429 && status / 100 != 5) {
        return false;
    }
    for (unsigned i = 0; i < c->failures && wait < RETRY_MOST; i++) {
        wait *= 2;
    }
    c->failures++;
    if (now_ms(c) + wait > c->until_ms) {
        return false;
    }
    ask_in(c, wait + (int64_t)hc_random_below(c->writer->env.random, (uint64_t)wait / 2));
    return true;
}

static void refuse(struct change *c, long status, struct hc_bytes body)
{
    static const char *const denied[] = {"AccessDenied",
                                         "AccessDeniedException",
                                         "NoSuchHostedZone",
                                         "InvalidClientTokenId",
                                         "SignatureDoesNotMatch",
                                         "MissingAuthenticationToken",
                                         NULL};
    struct hc_aws_fault fault;
    struct hc_error err;

    hc_error_init(&err);
    hc_aws_take_fault(body, &fault);
    if (is_tried_again(c, status, &fault)) {
        return;
    }
    memset(c->writer->zones, 0, sizeof(c->writer->zones));
    if (fault.code[0] == '\0') {
        hc_error_set(&err, HC_P_DNS_WRITE, NULL, "it answered with status %ld", status);
    } else {
        hc_error_set(&err, is_one_of(fault.code, denied) ? HC_P_DNS_REFUSED : HC_P_DNS_WRITE, NULL,
                     "%s: %s", fault.code, fault.message);
    }
    finish(c, &err, false);
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct change *c = arg;
    struct hc_error own;

    c->request = 0;
    hc_error_init(&own);
    if (err != NULL) {
        static const struct hc_aws_fault nothing = {"", ""};

        /* 503: as of a service that is busy */
        if (!is_tried_again(c, 503, &nothing)) {
            finish(c, err, false);
        }
    } else if (reply->status / 100 != 2) {
        refuse(c, reply->status, reply->body);
    } else if (c->judge(c, reply->body, &own) != 0) {
        finish(c, &own, false);
    }
}

/* A request with this path; body: empty for GET. */
static void send_request(struct change *c, const struct hc_aws_credentials *who, const char *path,
                         struct hc_bytes body)
{
    const struct hc_writer_env *env = &c->writer->env;
    char token[HC_AWS_TOKEN + 32];
    const char *const headers[] = {token, NULL};
    const struct hc_http_login login = {.user = who->id, .password = who->secret, .scope = SCOPE};
    struct hc_buf url = HC_BUF_INIT(HC_HTTP_URL_MAX);
    struct hc_http_request request = {
        .method = body.len > 0 ? HC_HTTP_POST : HC_HTTP_GET,
        .content_type = body.len > 0 ? "text/xml" : NULL,
        .headers = who->token[0] != '\0' ? headers : NULL,
        .login = &login,
        .body = body,
        .max_body = REPLY_MAX,
    };
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    (void)snprintf(token, sizeof(token), "x-amz-security-token: %s", who->token);
    if (hc_buf_printf(&url, &err, "%s/2013-04-01/%s", c->writer->url, path) == 0) {
        request.url = hc_buf_text(&url);
        rc = env->http->send(env->http->self, &request, on_reply, c, &c->request, &err);
    }
    OPENSSL_cleanse(token, sizeof(token));
    hc_buf_dispose(&url);
    if (rc != 0) {
        c->request = 0;
        finish(c, &err, false);
    }
}

static void get(struct change *c, const struct hc_aws_credentials *who, const char *path)
{
    send_request(c, who, path, (struct hc_bytes){NULL, 0});
}

/* before, the name escaped, behind: a path. */
static void get_named(struct change *c, const struct hc_aws_credentials *who, const char *before,
                      const char *name, const char *behind)
{
    struct hc_buf path = HC_BUF_INIT(HC_HTTP_URL_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_buf_puts(&path, before, &err) != 0 || hc_aws_put_escaped(&path, name, &err) != 0 ||
        hc_buf_puts(&path, behind, &err) != 0) {
        finish(c, &err, false);
    } else {
        get(c, who, hc_buf_text(&path));
    }
    hc_buf_dispose(&path);
}

/* ---- in sync ---- */

static void send_sync(struct change *c, const struct hc_aws_credentials *who)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "change/%s", c->sent.id);
    get(c, who, path);
}

static int judge_sync(struct change *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_route53_change now;

    if (hc_route53_take_change(body, &now, err) != 0) {
        return -1;
    }
    if (now.in_sync) {
        c->written = true;
        begin_read(c);
    } else if (now_ms(c) + POLL_MS > c->sync_until_ms) {
        finish(c, NULL, false); /* the servers themselves are asked for the rest */
    } else {
        ask_in(c, POLL_MS);
    }
    return 0;
}

/* ---- write ---- */

static int has_value(const struct change *c, const char *quoted)
{
    for (size_t i = 0; i < c->set.values.count; i++) {
        if (strcmp(c->set.values.items[i], quoted) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void send_write(struct change *c, const struct hc_aws_credentials *who)
{
    struct hc_buf body = HC_BUF_INIT(REPLY_MAX);
    struct hc_buf quoted = HC_BUF_INIT(1024);
    char path[96];
    const char *action = "UPSERT";
    struct hc_error err;
    int at = 0;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_route53_quote(c->value->value, &quoted, &err);
    at = rc == 0 ? has_value(c, hc_buf_text(&quoted)) : -1;
    if (rc == 0 && c->what == HC_WRITER_ADD && at < 0) {
        rc = hc_list_add(&c->set.values, hc_buf_text(&quoted), &err);
    } else if (c->what == HC_WRITER_REMOVE && at >= 0 && c->set.values.count == 1) {
        action = "DELETE";
    } else if (c->what == HC_WRITER_REMOVE && at >= 0) {
        free(c->set.values.items[at]);
        c->set.values.items[at] = c->set.values.items[--c->set.values.count];
    }
    if (!c->set.there) {
        c->set.ttl = c->writer->block->ttl > 0 ? c->writer->block->ttl : TTL_S;
    }
    (void)snprintf(path, sizeof(path), "hostedzone/%s/rrset/", c->zone);
    if (rc == 0 && hc_route53_put_change(&body, action, c->value->name, &c->set, &err) == 0) {
        send_request(c, who, path, hc_bytes_of(&body));
    } else {
        finish(c, &err, false);
    }
    hc_buf_dispose(&body);
    hc_buf_dispose(&quoted);
}

static int judge_write(struct change *c, struct hc_bytes body, struct hc_error *err)
{
    if (hc_route53_take_change(body, &c->sent, err) != 0) {
        return -1;
    }
    if (c->what == HC_WRITER_REMOVE) {
        finish(c, NULL, false);
        return 0;
    }
    c->sync_until_ms = now_ms(c) + c->writer->block->propagation_timeout * 1000;
    c->until_ms = c->sync_until_ms + LIMIT_MS;
    c->judge = judge_sync;
    ask(c, send_sync, c->sent.in_sync ? 0 : POLL_MS);
    return 0;
}

/* ---- read ---- */

static void send_read(struct change *c, const struct hc_aws_credentials *who)
{
    char before[96];

    (void)snprintf(before, sizeof(before), "hostedzone/%s/rrset?maxitems=1&name=", c->zone);
    get_named(c, who, before, c->value->name, ".&type=TXT");
}

static int judge_read(struct change *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_buf quoted = HC_BUF_INIT(1024);
    bool there = false;

    if (hc_route53_take_set(body, c->value->name, &c->set, err) != 0 ||
        hc_route53_quote(c->value->value, &quoted, err) != 0) {
        hc_buf_dispose(&quoted);
        return -1;
    }
    there = has_value(c, hc_buf_text(&quoted)) >= 0;
    hc_buf_dispose(&quoted);
    if (there == (c->what == HC_WRITER_ADD)) {
        finish(c, NULL, c->written);
    } else if (!c->set.plain) {
        return hc_error_set(err, HC_P_DNS_REFUSED, NULL,
                            "the TXT record set of this name is an alias or has a routing policy");
    } else if (c->written && ++c->rounds >= ROUNDS_MOST) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL, "somebody else overwrites the record set");
    } else {
        c->written = false;
        c->judge = judge_write;
        ask(c, send_write, 0);
    }
    return 0;
}

static void begin_read(struct change *c)
{
    c->judge = judge_read;
    ask(c, send_read, 0);
}

/* ---- zone ---- */

static void found_zone(struct change *c, const char *id)
{
    (void)hc_copy(c->zone, sizeof(c->zone), id);
    begin_read(c);
}

static const char *kept_zone(const struct change *c)
{
    for (size_t i = 0; i < ZONES_KEPT; i++) {
        const struct zone *zone = &c->writer->zones[i];

        if (zone->until > hc_now(c->writer->env.clock) && strcmp(zone->name, c->suffix) == 0) {
            return zone->id;
        }
    }
    return NULL;
}

static void keep_zone(struct change *c, const char *id)
{
    struct zone *zone = &c->writer->zones[c->writer->zone_next++ % ZONES_KEPT];

    if (hc_copy(zone->name, sizeof(zone->name), c->suffix) &&
        hc_copy(zone->id, sizeof(zone->id), id)) {
        zone->until = hc_now(c->writer->env.clock) + ZONE_S;
    }
}

/* The next shorter suffix of at least two labels; false: there is none. */
static bool next_suffix(struct change *c)
{
    const char *dot = NULL;

    if (!c->tried_soa) {
        c->tried_soa = true;
        c->suffix = c->value->name;
        return true;
    }
    dot = strchr(c->suffix, '.');
    if (dot == NULL || strchr(dot + 1, '.') == NULL) {
        return false;
    }
    c->suffix = dot + 1;
    return true;
}

static void send_zone(struct change *c, const struct hc_aws_credentials *who)
{
    get_named(c, who, "hostedzonesbyname?dnsname=", c->suffix, ".&maxitems=20");
}

static int judge_zone(struct change *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_route53_zones zones = {.name = c->suffix};

    if (hc_route53_take_zones(body, &zones, err) != 0) {
        return -1;
    }
    if (zones.count > 1) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "there are %zu public hosted zones of %s: name one with hosted_zone",
                            zones.count, c->suffix);
    }
    if (zones.count == 1) {
        keep_zone(c, zones.id);
        found_zone(c, zones.id);
        return 0;
    }
    if (!next_suffix(c)) {
        return hc_error_set(err, HC_P_DNS_REFUSED, NULL,
                            "it has no public hosted zone that this name is in");
    }
    begin_zone(c);
    return 0;
}

static void begin_zone(struct change *c)
{
    const char *kept = kept_zone(c);

    if (kept != NULL) {
        found_zone(c, kept);
        return;
    }
    c->judge = judge_zone;
    ask(c, send_zone, 0);
}

static bool is_below(const char *name, const char *zone)
{
    size_t len = strlen(name);
    size_t of = strlen(zone);

    return len >= of && strcmp(name + len - of, zone) == 0 &&
           (len == of || name[len - of - 1] == '.');
}

/* ---- the writer ---- */

static void change(void *self, enum hc_writer_change what, const struct hc_txt_value *value,
                   hc_writer_done *done, void *arg)
{
    struct route53 *writer = self;
    struct change *c = calloc(1, sizeof(*c));
    struct hc_error err;
    const struct hc_writer_result failed = {.err = &err};

    hc_error_init(&err);
    if (c == NULL || writer->env.http == NULL) {
        (void)(c == NULL
                   ? hc_error_nomem(&err)
                   : hc_error_set(&err, HC_P_INTERNAL, value->name, "nothing can be fetched"));
        free(c);
        done(arg, &failed);
        return;
    }
    c->writer = writer;
    c->what = what;
    c->value = value;
    c->done = done;
    c->arg = arg;
    LIST_INSERT_HEAD(&writer->changes, c, link);
    hc_timer_init(&c->timer, writer->env.loop, "Route 53", on_turn, c);
    c->until_ms = now_ms(c) + LIMIT_MS;
    /* where the DNS leads is where it can be seen: a longer zone here may be delegated by nobody */
    c->tried_soa = value->zone == NULL || !is_below(value->name, value->zone);
    c->suffix = c->tried_soa ? value->name : value->zone;
    if (writer->block->hosted_zone != NULL) {
        found_zone(c, writer->block->hosted_zone);
    } else {
        begin_zone(c);
    }
}

static void cancel(void *self, const void *arg)
{
    struct route53 *writer = self;
    struct change *next = NULL;

    for (struct change *c = LIST_FIRST(&writer->changes); c != NULL; c = next) {
        next = LIST_NEXT(c, link);
        if (c->arg == arg) {
            change_free(c);
        }
    }
}

static void close_writer(void *self)
{
    struct route53 *writer = self;

    while (!LIST_EMPTY(&writer->changes)) {
        change_free(LIST_FIRST(&writer->changes));
    }
    hc_aws_free(writer->aws);
    free(writer);
}

static void set_url(struct route53 *writer, const struct hc_aws_options *options)
{
    const char *url = writer->block->endpoint;
    size_t len = 0;

    url = url != NULL ? url : hc_aws_endpoint(options, "ROUTE_53");
    url = url != NULL ? url : URL;
    len = strlen(url);
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    (void)snprintf(writer->url, sizeof(writer->url), "%.*s", (int)len, url);
}

int hc_dns_route53_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    struct route53 *writer = calloc(1, sizeof(*writer));
    const struct hc_aws_options options = {
        .clock = env->clock,
        .http = env->http,
        .files = env->secrets,
        .redaction = env->redaction,
        .credentials = block->credentials,
        .role_arn = block->role_arn,
    };

    if (writer == NULL) {
        return hc_error_nomem(err);
    }
    writer->block = block;
    writer->env = *env;
    LIST_INIT(&writer->changes);
    set_url(writer, &options);
    (void)hc_copy(writer->identity, sizeof(writer->identity), "Route 53");
    if (hc_aws_new(&options, &writer->aws, err) != 0) {
        free(writer);
        return -1;
    }
    *out = (struct hc_dns_writer){
        .self = writer,
        .parallel = PARALLEL,
        .change = change,
        .cancel = cancel,
        .identity = writer->identity,
        .close = close_writer,
    };
    return 0;
}
