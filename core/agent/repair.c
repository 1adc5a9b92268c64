/* Missing issuers; see repair.h. */
#include "agent/repair.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conf/name.h"
#include "net/fetch.h"

#define ADDRESSES   4 /* of a host that are tried */
#define HOP_MS      5000
#define AGAIN_FIRST 3600000 /* after a failure; doubles to a day */
#define AGAIN_LAST  86400000

enum state {
    KEPT,    /* its bytes are at hand */
    BEGIN,   /* the host of url is to be looked up */
    LOOKUP,  /* A and AAAA are asked */
    CONNECT, /* the next address is to be tried */
    FETCH,   /* a request is in flight */
    CAME,    /* arrived() is to be called */
    FAILED,  /* not before again_ms */
};

/* One issuer by its URL. */
struct issuer {
    struct issuer *next;
    struct hc_repairs *repairs;
    char url[HC_AIA_URL_MAX];
    struct hc_pair *pair; /* that misses it: what comes must have signed its last certificate */
    struct hc_buf bytes;
    enum state state;
    int64_t deadline_ms;
    int64_t again_ms;
    int64_t pause_ms;
    /* where it is now */
    char hop[HC_HTTP_URL_MAX + 1];
    unsigned hops;
    struct hc_fetch_target target;
    uint64_t ask[2]; /* A, AAAA; 0: not in flight */
    struct hc_address addresses[ADDRESSES];
    size_t address_count;
    size_t next_address;
    uint64_t request;
    struct hc_error err; /* the last thing that went wrong */
};

struct hc_repairs {
    struct hc_repairs_options o;
    struct issuer *issuers;
    size_t count;
};

static void stop(struct issuer *i)
{
    const struct hc_repairs_options *o = &i->repairs->o;

    for (int k = 0; k < 2; k++) {
        if (i->ask[k] != 0) {
            o->dns->cancel(o->dns->self, i->ask[k]);
            i->ask[k] = 0;
        }
    }
    if (i->request != 0) {
        o->web->cancel(o->web->self, i->request);
        i->request = 0;
    }
}

/* There is something to do for hc_repairs_run(). */
static void stir(const struct issuer *i)
{
    if (i->repairs->o.stirred != NULL) {
        i->repairs->o.stirred(i->repairs->o.self);
    }
}

static void failed(struct issuer *i)
{
    stop(i);
    hc_pair_free(i->pair);
    i->pair = NULL;
    i->state = FAILED;
    i->pause_ms = i->pause_ms == 0                ? AGAIN_FIRST
                  : i->pause_ms >= AGAIN_LAST / 2 ? AGAIN_LAST
                                                  : i->pause_ms * 2;
    i->again_ms = hc_now_ms(i->repairs->o.clock) + i->pause_ms;
    hc_error_during(&i->err, "fetching the missing issuer from %s", i->url);
    if (i->err.problem == HC_P_UNTRUSTED_ROOT) {
        /* the operator has been told by the check; a root does not become another */
        i->pause_ms = AGAIN_LAST;
        i->again_ms = hc_now_ms(i->repairs->o.clock) + i->pause_ms;
        hc_log_error(i->repairs->o.log, HC_LOG_NOTICE, "a chain needs no repair", &i->err);
        return;
    }
    hc_log_error(i->repairs->o.log, HC_LOG_WARN, "a chain stays incomplete", &i->err);
}

/* ---- the request ---- */

static void redirected(struct issuer *i, const char *to)
{
    if (to[0] == '\0' || strlen(to) >= sizeof(i->hop)) {
        hc_error_set(&i->err, HC_P_FETCH_URL, i->hop, "it redirects without a usable Location");
        i->state = CONNECT;
        i->next_address = i->address_count;
        return;
    }
    if (++i->hops > HC_REPAIR_HOPS) {
        hc_error_set(&i->err, HC_P_FETCH_URL, i->url, "it redirects more than %d times",
                     HC_REPAIR_HOPS);
        i->state = CONNECT;
        i->next_address = i->address_count;
        return;
    }
    (void)hc_copy(i->hop, sizeof(i->hop), to);
    i->state = BEGIN;
}

static void came(struct issuer *i, struct hc_bytes body)
{
    struct hc_pair *better = NULL;

    i->state = CONNECT; /* another address may have it */
    if (hc_repair_take(i->pair, body, i->hop, &better, &i->err) != 0) {
        return;
    }
    hc_pair_free(better);
    hc_buf_reset(&i->bytes);
    if (hc_buf_append(&i->bytes, body.data, body.len, &i->err) == 0) {
        i->state = CAME;
    }
}

static void on_reply(void *arg, const struct hc_web_reply *reply, const struct hc_error *err)
{
    struct issuer *i = arg;

    i->request = 0;
    hc_error_init(&i->err);
    if (reply == NULL) {
        i->err = *err;
        i->state = CONNECT;
    } else if (reply->status == 200) {
        came(i, reply->body);
    } else if (reply->status >= 300 && reply->status <= 399) {
        redirected(i, reply->location);
    } else {
        hc_error_set(&i->err, HC_P_FETCH_FAILED, i->hop, "HTTP %ld", reply->status);
        i->state = CONNECT;
    }
    stir(i);
}

static void connect_next(struct issuer *i, int64_t now_ms)
{
    const struct hc_web_port *web = i->repairs->o.web;
    int64_t left = i->deadline_ms - now_ms;
    struct hc_web_ask ask = {0};

    if (left <= 0) {
        hc_error_init(&i->err);
        hc_error_set(&i->err, HC_P_FETCH_TIMEOUT, i->hop, "it took longer than %d s",
                     HC_REPAIR_MS / 1000);
    }
    if (left <= 0 || i->next_address >= i->address_count) {
        failed(i);
        return;
    }
    ask.url = i->hop;
    ask.address = &i->addresses[i->next_address++];
    ask.port = i->target.port;
    ask.wait_ms = left;
    ask.timeout_ms = left < HOP_MS ? left : HOP_MS;
    ask.max_body = HC_REPAIR_BYTES;
    hc_error_init(&i->err);
    if (web->ask(web->self, &ask, on_reply, i, &i->request, &i->err) != 0) {
        i->request = 0;
        failed(i);
        return;
    }
    i->state = FETCH;
}

/* ---- the addresses ---- */

/* Only what the Internet routes is asked: a certificate must not make us talk to our own network.
 */
static void vet(struct issuer *i, const struct hc_address *address)
{
    const char *why = hc_address_reserved(address);
    char text[HC_ADDRESS_TEXT];

    if (why != NULL) {
        hc_error_init(&i->err);
        hc_error_set(&i->err, HC_P_FETCH_URL, i->hop, "its host is at %s, %s",
                     hc_address_format(address, text), why);
    } else if (i->address_count < ADDRESSES) {
        i->addresses[i->address_count++] = *address;
    }
}

static void take_addresses(struct issuer *i, const struct hc_dns_reply *reply,
                           enum hc_dns_type type)
{
    size_t len = type == HC_DNS_AAAA ? 16 : 4;
    const struct hc_dns_record *record = NULL;
    struct hc_dname name;
    struct hc_dname end;
    unsigned links = 0;
    size_t at = 0;

    if (hc_dname_from_host(i->target.host, &name, &i->err) != 0 ||
        hc_dns_reply_follow(reply, &name, &end, &links, &i->err) != 0) {
        return;
    }
    while ((record = hc_dns_reply_next(reply, &end, type, &at)) != NULL) {
        struct hc_address address = {.ipv6 = type == HC_DNS_AAAA};

        if (record->len == len) {
            memcpy(address.octets, record->data, len);
            vet(i, &address);
        }
    }
}

static void on_answer(struct issuer *i, int which, const struct hc_dns_reply *reply,
                      const struct hc_error *err)
{
    i->ask[which] = 0;
    if (reply != NULL) {
        take_addresses(i, reply, which == 0 ? HC_DNS_A : HC_DNS_AAAA);
    } else if (!hc_error_is_set(&i->err)) {
        i->err = *err;
    }
    if (i->ask[0] == 0 && i->ask[1] == 0) {
        hc_error_set(&i->err, HC_P_FETCH_FAILED, i->hop, "its host has no address");
        i->state = CONNECT;
        stir(i);
    }
}

static void on_a(void *arg, const struct hc_dns_reply *reply,
                 const struct hc_dns_server *from HC_UNUSED, const struct hc_error *err)
{
    on_answer(arg, 0, reply, err);
}

static void on_aaaa(void *arg, const struct hc_dns_reply *reply,
                    const struct hc_dns_server *from HC_UNUSED, const struct hc_error *err)
{
    on_answer(arg, 1, reply, err);
}

static void look_up(struct issuer *i)
{
    const struct hc_dns_port *dns = i->repairs->o.dns;
    struct hc_dns_ask ask = {.deadline_ms = i->deadline_ms};

    ask.question.recurse = true;
    if (hc_dname_from_host(i->target.host, &ask.question.name, &i->err) != 0) {
        failed(i);
        return;
    }
    i->state = LOOKUP;
    ask.question.type = HC_DNS_A;
    if (dns->ask(dns->self, &ask, on_a, i, &i->ask[0], &i->err) != 0) {
        i->ask[0] = 0;
        failed(i);
        return;
    }
    ask.question.type = HC_DNS_AAAA;
    if (dns->ask(dns->self, &ask, on_aaaa, i, &i->ask[1], &i->err) != 0) {
        i->ask[1] = 0;
        failed(i);
    }
}

static void begin(struct issuer *i)
{
    struct hc_address address;

    hc_error_init(&i->err);
    i->address_count = i->next_address = 0;
    if (hc_fetch_target(i->hop, NULL, &i->target, &i->err) != 0) {
        failed(i);
        return;
    }
    if (i->target.tls) {
        hc_error_set(&i->err, HC_P_FETCH_URL, i->hop,
                     "hotcert fetches issuers over plain http only");
        failed(i);
        return;
    }
    if (hc_address_parse(i->target.host, &address) == 0) {
        vet(i, &address);
        i->state = CONNECT;
        return;
    }
    look_up(i);
}

/* ---- the shelf ---- */

static void issuer_free(struct issuer *i)
{
    stop(i);
    hc_pair_free(i->pair);
    hc_buf_dispose(&i->bytes);
    free(i);
}

static struct issuer *find(struct hc_repairs *repairs, const char *url)
{
    for (struct issuer *i = repairs->issuers; i != NULL; i = i->next) {
        if (strcmp(i->url, url) == 0) {
            return i;
        }
    }
    return NULL;
}

static struct issuer *add(struct hc_repairs *repairs, const char *url)
{
    struct issuer *i = repairs->count < HC_REPAIR_ISSUERS ? calloc(1, sizeof(*i)) : NULL;

    if (i == NULL) {
        return NULL;
    }
    i->repairs = repairs;
    i->bytes.max = HC_REPAIR_BYTES;
    i->state = FAILED;
    (void)hc_copy(i->url, sizeof(i->url), url);
    i->next = repairs->issuers;
    repairs->issuers = i;
    repairs->count++;
    if (repairs->o.load(repairs->o.self, url, &i->bytes) && i->bytes.len > 0) {
        i->state = KEPT;
    }
    return i;
}

static void want(struct issuer *i, struct hc_pair *pair, int64_t now_ms)
{
    if (i->state != FAILED || now_ms < i->again_ms) {
        return;
    }
    i->pair = hc_pair_ref(pair);
    i->deadline_ms = now_ms + HC_REPAIR_MS;
    i->hops = 0;
    i->state = BEGIN;
    (void)hc_copy(i->hop, sizeof(i->hop), i->url);
    stir(i);
}

/* The pair with its next issuer, or NULL if that is not at hand. */
static struct hc_pair *complete_once(struct hc_repairs *repairs, struct hc_pair *pair)
{
    int64_t now_ms = hc_now_ms(repairs->o.clock);
    char url[HC_AIA_URL_MAX];
    struct hc_pair *better = NULL;
    struct issuer *i = NULL;

    if (!hc_repair_url(pair, url)) {
        return NULL;
    }
    i = find(repairs, url);
    if (i == NULL) {
        i = add(repairs, url);
    }
    if (i == NULL) {
        return NULL;
    }
    if (i->state == KEPT || i->state == CAME) {
        if (hc_repair_take(pair, hc_bytes_of(&i->bytes), url, &better, NULL) == 0) {
            return better;
        }
        /* the issuer's certificate at this URL is another by now, or was kept damaged */
        if (i->state == KEPT) {
            i->state = FAILED;
        }
    }
    want(i, pair, now_ms);
    return NULL;
}

struct hc_pair *hc_repairs_complete(struct hc_repairs *repairs, struct hc_pair *pair,
                                    bool (*incomplete)(void *arg, const struct hc_pair *pair),
                                    void *arg)
{
    struct hc_pair *best = hc_pair_ref(pair);

    for (int step = 0; step < HC_REPAIR_STEPS && incomplete(arg, best); step++) {
        struct hc_pair *better = complete_once(repairs, best);

        if (better == NULL) {
            break;
        }
        hc_pair_free(best);
        best = better;
    }
    return best;
}

static void arrive(struct issuer *i)
{
    const struct hc_repairs_options *o = &i->repairs->o;

    hc_pair_free(i->pair);
    i->pair = NULL;
    i->pause_ms = i->again_ms = 0;
    i->state = KEPT;
    hc_logf(o->log, HC_LOG_NOTICE, "fetched the missing issuer of a chain from %s", i->url);
    o->keep(o->self, i->url, hc_bytes_of(&i->bytes));
    o->arrived(o->self);
}

/* True if anything changed. */
static bool step(struct issuer *i, int64_t now_ms)
{
    switch (i->state) {
    case KEPT:
    case FAILED:
        return false;
    case CAME:
        arrive(i);
        return true;
    case BEGIN:
        begin(i);
        return true;
    case CONNECT:
        connect_next(i, now_ms);
        return true;
    case LOOKUP:
    case FETCH:
        if (now_ms >= i->deadline_ms) {
            hc_error_init(&i->err);
            hc_error_set(&i->err, HC_P_FETCH_TIMEOUT, i->hop, "it took longer than %d s",
                         HC_REPAIR_MS / 1000);
            failed(i);
            return true;
        }
        return false;
    }
    return false;
}

int64_t hc_repairs_run(struct hc_repairs *repairs)
{
    int64_t now_ms = hc_now_ms(repairs->o.clock);
    int64_t next = -1;

    for (struct issuer *i = repairs->issuers; i != NULL; i = i->next) {
        /* arrived() may add issuers, at the head; none is taken away */
        while (step(i, now_ms)) {
        }
        if ((i->state == LOOKUP || i->state == FETCH) &&
            (next < 0 || i->deadline_ms - now_ms < next)) {
            next = i->deadline_ms - now_ms;
        }
    }
    for (struct issuer *i = repairs->issuers; i != NULL; i = i->next) {
        if (i->state == BEGIN || i->state == CONNECT || i->state == CAME) {
            next = 0;
        }
    }
    return next;
}

int hc_repairs_new(const struct hc_repairs_options *options, struct hc_repairs **out,
                   struct hc_error *err)
{
    struct hc_repairs *repairs = calloc(1, sizeof(*repairs));

    if (repairs == NULL) {
        return hc_error_nomem(err);
    }
    repairs->o = *options;
    *out = repairs;
    return 0;
}

void hc_repairs_free(struct hc_repairs *repairs)
{
    if (repairs == NULL) {
        return;
    }
    while (repairs->issuers != NULL) {
        struct issuer *i = repairs->issuers;

        repairs->issuers = i->next;
        issuer_free(i);
    }
    free(repairs);
}
