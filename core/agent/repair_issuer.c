/* One missing issuer; see repair_issuer.h. */
#include "agent/repair_issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOP_MS      5000
#define AGAIN_FIRST 3600000 /* after a failure; doubles to a day */
#define AGAIN_LAST  86400000

static void stop(struct hc_repair_issuer *i)
{
    const struct hc_repairs_options *o = i->o;

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
static void stir(const struct hc_repair_issuer *i)
{
    if (i->o->stirred != NULL) {
        i->o->stirred(i->o->self);
    }
}

/* What went wrong last counts. Of problem p, about a URL. */
static void note(struct hc_repair_issuer *i, enum hc_problem p, const char *url, const char *detail)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, p, url, "%s", detail);
    hc_kept_error_set(&i->err, &err);
}

static void note_timeout(struct hc_repair_issuer *i)
{
    char detail[64];

    (void)snprintf(detail, sizeof(detail), "it took longer than %d s", HC_REPAIR_MS / 1000);
    note(i, HC_P_FETCH_TIMEOUT, i->hop, detail);
}

static void failed(struct hc_repair_issuer *i)
{
    struct hc_error err;

    stop(i);
    hc_pair_free(i->pair);
    i->pair = NULL;
    i->state = HC_REPAIR_FAILED;
    i->pause_ms = i->pause_ms == 0                ? AGAIN_FIRST
                  : i->pause_ms >= AGAIN_LAST / 2 ? AGAIN_LAST
                                                  : i->pause_ms * 2;
    i->again_ms = hc_now_ms(i->o->clock) + i->pause_ms;
    hc_kept_error_get(&i->err, &err);
    hc_kept_error_dispose(&i->err);
    hc_error_during(&err, "fetching the missing issuer from %s", i->url);
    if (err.problem == HC_P_UNTRUSTED_ROOT) {
        /* the operator has been told by the check; a root does not become another */
        i->pause_ms = AGAIN_LAST;
        i->again_ms = hc_now_ms(i->o->clock) + i->pause_ms;
        hc_log_error(i->o->log, HC_LOG_NOTICE, "a chain needs no repair", &err);
        return;
    }
    hc_log_error(i->o->log, HC_LOG_WARN, "a chain stays incomplete", &err);
}

/* ---- the request ---- */

static void redirected(struct hc_repair_issuer *i, const char *to)
{
    if (to[0] == '\0' || strlen(to) >= sizeof(i->hop)) {
        note(i, HC_P_FETCH_URL, i->hop, "it redirects without a usable Location");
        i->state = HC_REPAIR_CONNECT;
        i->next_address = i->address_count;
        return;
    }
    if (++i->hops > HC_REPAIR_HOPS) {
        char detail[64];

        (void)snprintf(detail, sizeof(detail), "it redirects more than %d times", HC_REPAIR_HOPS);
        note(i, HC_P_FETCH_URL, i->url, detail);
        i->state = HC_REPAIR_CONNECT;
        i->next_address = i->address_count;
        return;
    }
    (void)hc_copy(i->hop, sizeof(i->hop), to);
    i->state = HC_REPAIR_BEGIN;
}

static void came(struct hc_repair_issuer *i, struct hc_bytes body)
{
    struct hc_pair *better = NULL;
    struct hc_error err;

    hc_error_init(&err);
    i->state = HC_REPAIR_CONNECT; /* another address may have it */
    if (hc_repair_take(i->pair, body, i->hop, &better, &err) == 0) {
        hc_pair_free(better);
        hc_buf_reset(&i->bytes);
        if (hc_buf_append(&i->bytes, body.data, body.len, &err) == 0) {
            i->state = HC_REPAIR_CAME;
            return;
        }
    }
    hc_kept_error_set(&i->err, &err);
}

static void on_reply(void *arg, const struct hc_web_reply *reply, const struct hc_error *err)
{
    struct hc_repair_issuer *i = arg;
    char detail[32];

    i->request = 0;
    if (reply == NULL) {
        hc_kept_error_set(&i->err, err);
        i->state = HC_REPAIR_CONNECT;
    } else if (reply->status == 200) {
        came(i, reply->body);
    } else if (reply->status >= 300 && reply->status <= 399) {
        redirected(i, reply->location);
    } else {
        (void)snprintf(detail, sizeof(detail), "HTTP %ld", reply->status);
        note(i, HC_P_FETCH_FAILED, i->hop, detail);
        i->state = HC_REPAIR_CONNECT;
    }
    stir(i);
}

static void connect_next(struct hc_repair_issuer *i, int64_t now_ms)
{
    const struct hc_web_port *web = i->o->web;
    int64_t left = i->deadline_ms - now_ms;
    struct hc_web_ask ask = {0};
    struct hc_error err;

    if (left <= 0) {
        note_timeout(i);
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
    hc_error_init(&err);
    if (web->ask(web->self, &ask, on_reply, i, &i->request, &err) != 0) {
        hc_kept_error_set(&i->err, &err);
        i->request = 0;
        failed(i);
        return;
    }
    i->state = HC_REPAIR_FETCH;
}

/* ---- the addresses ---- */

/* Only what the Internet routes is asked: a certificate must not make us talk to our own network.
 */
static void vet(struct hc_repair_issuer *i, const struct hc_address *address)
{
    const char *why = hc_address_reserved(address);
    char text[HC_ADDRESS_TEXT];
    char detail[200];

    if (why != NULL) {
        (void)snprintf(detail, sizeof(detail), "its host is at %s, %s",
                       hc_address_format(address, text), why);
        note(i, HC_P_FETCH_URL, i->hop, detail);
    } else if (i->address_count < HC_REPAIR_ADDRESSES) {
        i->addresses[i->address_count++] = *address;
    }
}

static void note_first(struct hc_repair_issuer *i, const struct hc_error *err)
{
    if (!hc_kept_error_is_set(&i->err)) {
        hc_kept_error_set(&i->err, err);
    }
}

static void take_addresses(struct hc_repair_issuer *i, const struct hc_dns_reply *reply,
                           enum hc_dns_type type)
{
    size_t len = type == HC_DNS_AAAA ? 16 : 4;
    const struct hc_dns_record *record = NULL;
    struct hc_dname name;
    struct hc_dname end;
    unsigned links = 0;
    size_t at = 0;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_dname_from_host(i->target.host, &name, &err) != 0 ||
        hc_dns_reply_follow(reply, &name, &end, &links, &err) != 0) {
        note_first(i, &err);
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

static void on_answer(struct hc_repair_issuer *i, int which, const struct hc_dns_reply *reply,
                      const struct hc_error *err)
{
    i->ask[which] = 0;
    if (reply != NULL) {
        take_addresses(i, reply, which == 0 ? HC_DNS_A : HC_DNS_AAAA);
    } else {
        note_first(i, err);
    }
    if (i->ask[0] == 0 && i->ask[1] == 0) {
        if (!hc_kept_error_is_set(&i->err)) {
            note(i, HC_P_FETCH_FAILED, i->hop, "its host has no address");
        }
        i->state = HC_REPAIR_CONNECT;
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

static void resolve(struct hc_repair_issuer *i)
{
    const struct hc_dns_port *dns = i->o->dns;
    struct hc_dns_ask ask = {.deadline_ms = i->deadline_ms};
    struct hc_error err;

    hc_error_init(&err);
    ask.question.recurse = true;
    if (hc_dname_from_host(i->target.host, &ask.question.name, &err) != 0) {
        goto failed;
    }
    i->state = HC_REPAIR_LOOKUP;
    ask.question.type = HC_DNS_A;
    if (dns->ask(dns->self, &ask, on_a, i, &i->ask[0], &err) != 0) {
        i->ask[0] = 0;
        goto failed;
    }
    ask.question.type = HC_DNS_AAAA;
    if (dns->ask(dns->self, &ask, on_aaaa, i, &i->ask[1], &err) == 0) {
        return;
    }
    i->ask[1] = 0;
failed:
    hc_kept_error_set(&i->err, &err);
    failed(i);
}

static void begin(struct hc_repair_issuer *i)
{
    struct hc_address address;
    struct hc_error err;

    hc_error_init(&err);
    hc_kept_error_dispose(&i->err);
    i->address_count = i->next_address = 0;
    if (hc_fetch_target(i->hop, NULL, &i->target, &err) != 0) {
        hc_kept_error_set(&i->err, &err);
        failed(i);
        return;
    }
    if (i->target.tls) {
        note(i, HC_P_FETCH_URL, i->hop, "hotcert fetches issuers over plain http only");
        failed(i);
        return;
    }
    if (hc_address_parse(i->target.host, &address) == 0) {
        vet(i, &address);
        i->state = HC_REPAIR_CONNECT;
        return;
    }
    resolve(i);
}

/* ---- the whole ---- */

void hc_repair_issuer_want(struct hc_repair_issuer *i, struct hc_pair *pair, int64_t now_ms)
{
    if (i->state != HC_REPAIR_FAILED || now_ms < i->again_ms) {
        return;
    }
    i->pair = hc_pair_ref(pair);
    i->deadline_ms = now_ms + HC_REPAIR_MS;
    i->hops = 0;
    i->state = HC_REPAIR_BEGIN;
    (void)hc_copy(i->hop, sizeof(i->hop), i->url);
    stir(i);
}

static void arrive(struct hc_repair_issuer *i)
{
    const struct hc_repairs_options *o = i->o;

    hc_pair_free(i->pair);
    i->pair = NULL;
    i->pause_ms = i->again_ms = 0;
    i->state = HC_REPAIR_KEPT;
    hc_logf(o->log, HC_LOG_NOTICE, "fetched the missing issuer of a chain from %s", i->url);
    o->keep(o->self, i->url, hc_bytes_of(&i->bytes));
    o->arrived(o->self);
}

bool hc_repair_issuer_step(struct hc_repair_issuer *i, int64_t now_ms)
{
    switch (i->state) {
    case HC_REPAIR_KEPT:
    case HC_REPAIR_FAILED:
        return false;
    case HC_REPAIR_CAME:
        arrive(i);
        return true;
    case HC_REPAIR_BEGIN:
        begin(i);
        return true;
    case HC_REPAIR_CONNECT:
        connect_next(i, now_ms);
        return true;
    case HC_REPAIR_LOOKUP:
    case HC_REPAIR_FETCH:
        if (now_ms >= i->deadline_ms) {
            note_timeout(i);
            failed(i);
            return true;
        }
        return false;
    }
    return false;
}

void hc_repair_issuer_free(struct hc_repair_issuer *i)
{
    stop(i);
    hc_pair_free(i->pair);
    hc_buf_dispose(&i->bytes);
    hc_kept_error_dispose(&i->err);
    free(i);
}
