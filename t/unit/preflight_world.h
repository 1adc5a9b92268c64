/*
 * A world for preflights of a test's own: a clock, a DNS and a web that say what rows say, and one
 * preflight run in it.
 */
#ifndef HC_T_PREFLIGHT_WORLD_H
#define HC_T_PREFLIGHT_WORLD_H

#include <arpa/inet.h>
#include <stdlib.h>

#include "dns/zone.h"
#include "preflight/preflight.h"
#include "tap.h"

/* ---- the clock --------------------------------------------------------------------------- */

static int64_t now_ms = 1000000;

static inline int64_t fake_now(void *self)
{
    (void)self;
    return now_ms / 1000;
}

static inline int64_t fake_ms(void *self)
{
    (void)self;
    return now_ms;
}

static const struct hc_clock fake_clock = {NULL, fake_now, fake_ms};

/* ---- the DNS ----------------------------------------------------------------------------- */

enum side { RESOLVER, OWN };

/*
 * What is answered: "" is NODATA, "!NX", "!FAIL" (SERVFAIL unless checking is disabled),
 * "!SERVFAIL",
 * "!SILENT", "!LAME" (nothing, by who does not know), "!REFERRAL"; else records "A 192.0.2.1",
 * "CNAME x.net", "CAA issue ca.net", "TXT ..", "NS ..", with
 * "|" between. Rows are looked for from the first; times counts how often a row is used (0:
 * always).
 */
struct row {
    enum side side;
    const char *name;
    enum hc_dns_type type;
    const char *answer;
    int times;
};

static struct row *rows;
static size_t row_count;
static unsigned asked[2];

struct pending {
    uint64_t id;
    struct hc_dns_question question;
    enum side side;
    hc_dns_done *done;
    void *arg;
    int64_t until;
};
static struct pending pending[2048];
static size_t pending_count;
static uint64_t last_id;

static inline int fake_ask(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                           uint64_t *id, struct hc_error *err)
{
    (void)self;
    (void)err;
    *id = ++last_id;
    pending[pending_count++] = (struct pending){
        *id, ask->question, ask->servers != NULL ? OWN : RESOLVER, done, arg, ask->deadline_ms};
    return 0;
}

static inline void fake_cancel(void *self, uint64_t id)
{
    (void)self;
    for (size_t i = 0; i < pending_count; i++) {
        if (pending[i].id == id) {
            pending[i] = pending[--pending_count];
            return;
        }
    }
}

static const struct hc_dns_port fake_dns = {NULL, fake_ask, fake_cancel};

/* A reply under construction. */
static struct hc_dns_record records[200];
static struct hc_dname owners[HC_DNS_OWNERS];
static uint8_t pool[16384];
static size_t pool_len;

static inline void put_record(struct hc_dns_reply *reply, const struct hc_dname *owner,
                              unsigned type, const void *data, size_t len)
{
    struct hc_dns_record *r = &records[reply->answers + reply->authorities];

    if (reply->owner_count == 0 || !hc_dname_equal(&owners[reply->owner_count - 1], owner)) {
        owners[reply->owner_count++] = *owner;
    }
    memcpy(pool + pool_len, data, len);
    *r = (struct hc_dns_record){&owners[reply->owner_count - 1], type, 300, (uint16_t)len,
                                pool + pool_len};
    pool_len += len;
}

static inline void put_name(struct hc_dns_reply *reply, struct hc_dname *owner, unsigned type,
                            const char *target)
{
    struct hc_dname n;

    if (hc_dname_from_host(target, &n, NULL) == 0) {
        put_record(reply, owner, type, n.wire, n.len);
        reply->answers++;
    }
    if (type == HC_DNS_CNAME) {
        *owner = n;
    }
}

static inline void put_text(struct hc_dns_reply *reply, struct hc_dname *owner, char *text)
{
    uint8_t data[300];

    if (strncmp(text, "A ", 2) == 0 && inet_pton(AF_INET, text + 2, data) == 1) {
        put_record(reply, owner, HC_DNS_A, data, 4);
        reply->answers++;
    } else if (strncmp(text, "AAAA ", 5) == 0 && inet_pton(AF_INET6, text + 5, data) == 1) {
        put_record(reply, owner, HC_DNS_AAAA, data, 16);
        reply->answers++;
    } else if (strncmp(text, "CNAME ", 6) == 0) {
        put_name(reply, owner, HC_DNS_CNAME, text + 6);
    } else if (strncmp(text, "NS ", 3) == 0) {
        put_name(reply, owner, HC_DNS_NS, text + 3);
    } else if (strncmp(text, "CAA issue ", 10) == 0) {
        memcpy(data, "\0\5issue", 7);
        memcpy(data + 7, text + 10, strlen(text + 10));
        put_record(reply, owner, HC_DNS_CAA, data, 7 + strlen(text + 10));
        reply->answers++;
    } else if (strncmp(text, "TXT ", 4) == 0) {
        data[0] = (uint8_t)strlen(text + 4);
        memcpy(data + 1, text + 4, strlen(text + 4));
        put_record(reply, owner, HC_DNS_TXT, data, 1u + data[0]);
        reply->answers++;
    } else if (strcmp(text, "CAA critical") == 0) {
        put_record(reply, owner, HC_DNS_CAA, "\x80\3tbsx", 6);
        reply->answers++;
    } else {
        printf("Bail out! no such record: %s\n", text);
        exit(1);
    }
}

/* Every negative answer has the SOA of the zone "net" or of what stands below it. */
static inline void put_soa(struct hc_dns_reply *reply, const struct hc_dname *name)
{
    struct hc_dname zone = *name;

    while (hc_dname_labels(&zone) > 2) {
        (void)hc_dname_climb(&zone);
    }
    put_record(reply, &zone, HC_DNS_SOA, "", 0);
    reply->authorities++;
}

static const struct row standing[] = {
    /* each zone has one server, ns.ZONE, at 9.9.9.9 */
    {RESOLVER, "ns", HC_DNS_A, "A 9.9.9.9", 0},
};

static inline const char *answer_of(const struct pending *p)
{
    char name[HC_DNAME_TEXT];
    static char ns[HC_DNAME_TEXT + 8];

    hc_dname_format(&p->question.name, name);
    name[strlen(name) - 1] = '\0';
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].side == p->side && rows[i].type == p->question.type && rows[i].times >= 0 &&
            strcmp(rows[i].name, name) == 0) {
            rows[i].times = rows[i].times == 1 ? -1 : rows[i].times > 0 ? rows[i].times - 1 : 0;
            return rows[i].answer;
        }
    }
    if (p->question.type == HC_DNS_NS) {
        snprintf(ns, sizeof(ns), "NS ns.%s", name);
        return ns;
    }
    if (strncmp(name, "ns.", 3) == 0 && p->question.type == HC_DNS_A) {
        return standing[0].answer;
    }
    return "";
}

/* Fills in a reply; -1: silence. */
static inline int make_reply(const struct pending *p, struct hc_dns_reply *reply)
{
    const char *answer = answer_of(p);
    struct hc_dname owner = p->question.name;
    char text[8192];
    char *save = NULL;

    pool_len = 0;
    *reply = (struct hc_dns_reply){.authoritative = p->side == OWN,
                                   .recursive = p->side == RESOLVER,
                                   .records = records,
                                   .owners = owners};
    hc_copy(text, sizeof(text), answer);
    if (strcmp(answer, "!SILENT") == 0) {
        return -1;
    }
    if (strcmp(answer, "!SERVFAIL") == 0 ||
        (strcmp(answer, "!FAIL") == 0 && !p->question.checking_disabled)) {
        reply->rcode = HC_DNS_SERVFAIL;
        return 0;
    }
    if (strcmp(answer, "!LAME") == 0 || strcmp(answer, "!REFERRAL") == 0) {
        reply->authoritative = reply->recursive = false;
        if (strcmp(answer, "!REFERRAL") == 0) {
            put_record(reply, &owner, HC_DNS_NS, "", 0);
            reply->authorities++;
        }
        return 0;
    }
    if (answer[0] != '!') {
        for (char *one = strtok_r(text, "|", &save); one != NULL;
             one = strtok_r(NULL, "|", &save)) {
            if (strcmp(one, "NX") == 0) {
                reply->rcode = HC_DNS_NXDOMAIN;
            } else {
                put_text(reply, &owner, one);
            }
        }
    }
    if (strcmp(answer, "!NX") == 0) {
        reply->rcode = HC_DNS_NXDOMAIN;
    }
    if (reply->answers == 0 || reply->rcode == HC_DNS_NXDOMAIN) {
        put_soa(reply, &owner);
    }
    return 0;
}

/* Answers what is asked, until nothing is asked any more; silent ones when their time is over. */
static inline void pump_dns(void)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < pending_count; i++) {
            struct pending p = pending[i];
            struct hc_dns_reply reply;
            struct hc_dns_server from = {.len = sizeof(struct sockaddr_in)};
            struct hc_error err = {0};
            bool spoke = false;

            from.addr.ss_family = AF_INET;
            spoke = make_reply(&p, &reply) == 0;
            if (!spoke && now_ms < p.until) {
                continue;
            }
            pending[i] = pending[--pending_count];
            asked[p.side]++;
            if (!spoke) {
                hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
            }
            (p.done)(p.arg, spoke ? &reply : NULL, spoke ? &from : NULL, spoke ? NULL : &err);
            moved = true;
            break;
        }
    }
}

/* ---- the web ----------------------------------------------------------------------------- */

struct web_row {
    const char *address;
    const char *url;  /* or NULL: any */
    long status;      /* 0: unreachable, -1: its turn did not come */
    const char *text; /* body, or location */
};
static const struct web_row *web_rows;
static size_t web_row_count;
static unsigned web_asked;

struct web_pending {
    char url[600];
    struct hc_address address;
    hc_web_done *done;
    void *arg;
    uint64_t id;
};
static struct web_pending web_pending[64];
static size_t web_pending_count;

static inline int fake_web_ask(void *self, const struct hc_web_ask *ask, hc_web_done *done,
                               void *arg, uint64_t *id, struct hc_error *err)
{
    struct web_pending *p = &web_pending[web_pending_count++];

    (void)self;
    (void)err;
    hc_copy(p->url, sizeof(p->url), ask->url);
    p->address = *ask->address;
    p->done = done;
    p->arg = arg;
    p->id = *id = ++last_id;
    return 0;
}

static inline void fake_web_cancel(void *self, uint64_t id)
{
    (void)self;
    for (size_t i = 0; i < web_pending_count; i++) {
        if (web_pending[i].id == id) {
            web_pending[i] = web_pending[--web_pending_count];
            return;
        }
    }
}

static const struct hc_web_port fake_web = {NULL, fake_web_ask, fake_web_cancel};

static inline void answer_web(const struct web_pending *p)
{
    char address[HC_ADDRESS_TEXT];
    struct hc_web_reply reply = {.status = 404, .location = ""};
    struct hc_error err = {0};

    web_asked++;
    hc_address_format(&p->address, address);
    for (size_t i = 0; i < web_row_count; i++) {
        const struct web_row *r = &web_rows[i];

        if (strcmp(r->address, address) != 0 || (r->url != NULL && strcmp(r->url, p->url) != 0)) {
            continue;
        }
        if (r->status == 0) {
            hc_error_set(&err, HC_P_FETCH_FAILED, NULL, "connection refused");
            (p->done)(p->arg, NULL, &err);
            return;
        }
        if (r->status < 0) {
            hc_error_set(&err, HC_P_TIMED_OUT, NULL, "there was no time left to ask");
            (p->done)(p->arg, NULL, &err);
            return;
        }
        reply.status = r->status;
        reply.server = r->status == 401 ? "micro_httpd" : "";
        if (r->status >= 300 && r->status < 400) {
            reply.location = r->text;
        } else {
            reply.body = (struct hc_bytes){(const unsigned char *)r->text, strlen(r->text)};
        }
        break;
    }
    (p->done)(p->arg, &reply, NULL);
}

static inline void pump_web(void)
{
    while (web_pending_count > 0) {
        struct web_pending p = web_pending[--web_pending_count];

        answer_web(&p);
    }
}

/* ---- one preflight ----------------------------------------------------------------------- */

struct got {
    unsigned done;
    enum hc_preflight_verdict verdict;
    bool leave_out;
    enum hc_problem cause;
    struct hc_findings findings;
    int64_t took;
};

static inline void keep(void *self, const struct hc_preflight_result *result)
{
    struct got *got = self;
    struct hc_error err = {0};

    got->done++;
    got->verdict = result->names[0].verdict;
    got->leave_out = result->names[0].leave_out;
    got->cause = result->names[0].cause;
    if (hc_findings_take(&got->findings, &result->names[0].findings, &err) != 0) {
        got->done = 100;
    }
}

static char *ca_items[] = {(char[]){"ca.net"}};
static char *method_items[] = {(char[]){"http-01"}};
static char *own_items[] = {(char[]){"8.8.4.4"}};
static const struct hc_list ca_list = {ca_items, 1, 1};
static const struct hc_list method_list = {method_items, 1, 1};
static const struct hc_list own_list = {own_items, 1, 1};

static struct hc_loop *loop;

static inline struct hc_preflight_options options_for(const struct hc_list *names)
{
    struct hc_preflight_options o = {
        .names = names,
        .caa_domains = &ca_list,
        .methods = &method_list,
        .network = HC_NETWORK_PUBLIC,
        .dns = &fake_dns,
        .loop = loop,
        .own = &own_list,
        .done = keep,
    };

    return o;
}

static inline void run(const struct hc_preflight_options *o, struct got *got)
{
    struct hc_preflight *p = NULL;
    struct hc_error err = {0};
    int64_t start = now_ms;
    struct hc_preflight_options mine = *o;

    memset(got, 0, sizeof(*got));
    memset(asked, 0, sizeof(asked));
    web_asked = 0;
    mine.self = got;
    if (hc_preflight_start(&mine, &p, &err) != 0) {
        ok(false, "it starts");
        return;
    }
    for (int i = 0; i < 5000 && got->done == 0; i++) {
        (void)!hc_loop_pass(loop, 0, NULL);
        pump_dns();
        pump_web();
        now_ms += 10;
    }
    got->took = now_ms - start;
    hc_preflight_free(p);
    is_int(pending_count + web_pending_count, 0, "nothing is left in flight");
}

#endif
