/* Answers of an authoritative server; see respond.h. */
#include "dns/respond.h"

#include <string.h>

#include "dns/message.h"
#include "dns/query.h"

#define FLAG_QR    0x8000u
#define FLAG_AA    0x0400u
#define FLAG_TC    0x0200u
#define FLAG_RD    0x0100u
#define FLAG_CD    0x0010u
#define OPCODE     0x7800u
#define CLASS_IN   1u
#define TYPE_TXT   16u
#define TYPE_OPT   41u
#define TYPE_IXFR  251u
#define TYPE_AXFR  252u
#define TYPE_ANY   255u
#define BADVERS    16u
#define OPT_LENGTH 11
#define POINTER    0xc000u

/* An answer that is being written. What does not fit makes it full, and is not there. */
struct answer {
    const struct hc_dns_domain *domain;
    const struct hc_dns_texts *texts;
    struct hc_dns_query query;
    uint8_t *dst;
    size_t cap;
    size_t len;
    bool full;
    unsigned rcode;
    bool authoritative;
    struct hc_dname apex;
    char owner[HC_DNAME_TEXT]; /* of the question, for the texts */
    unsigned answers, authorities;
};

/* ---- octets ---- */

static void put(struct answer *a, const void *data, size_t len)
{
    if (a->full || len > a->cap - a->len) {
        a->full = true;
        return;
    }
    memcpy(a->dst + a->len, data, len);
    a->len += len;
}

static void put16(struct answer *a, unsigned number)
{
    const uint8_t octets[2] = {(uint8_t)(number >> 8), (uint8_t)number};

    put(a, octets, sizeof(octets));
}

static void put32(struct answer *a, uint32_t number)
{
    put16(a, number >> 16);
    put16(a, number & 0xffffu);
}

/* ---- records ---- */

/* Up to its data. The owner stands in the question: skip octets of its name are passed over. */
static void put_record(struct answer *a, size_t skip, unsigned type, uint32_t ttl, size_t len)
{
    put16(a, POINTER | (unsigned)(HC_DNS_HEADER + skip));
    put16(a, type);
    put16(a, CLASS_IN);
    put32(a, ttl);
    put16(a, (unsigned)len);
}

/* Where the zone's own name begins in the question's. */
static size_t apex_at(const struct answer *a)
{
    return (size_t)a->query.name.len - a->apex.len;
}

/* "hostmaster" below the first name server, as SOA has addresses; without room, that itself. */
static struct hc_dname mailbox_of(const struct hc_dname *server)
{
    static const uint8_t label[] = "\012hostmaster";
    size_t len = sizeof(label) - 1;
    struct hc_dname out = *server;

    if (server->len + len <= HC_DNAME_WIRE) {
        memcpy(out.wire, label, len);
        memcpy(out.wire + len, server->wire, server->len);
        out.len = (uint8_t)(server->len + len);
    }
    return out;
}

/* Serial, refresh, retry, expire, and how long a "no" is kept. */
static const uint32_t times[] = {1, 3600, 600, 86400, HC_DNS_NONE_TTL};

bool hc_dns_soa_is_responders(const uint8_t *data, size_t len)
{
    const size_t tail = sizeof(times);
    struct hc_dname server;
    struct hc_dname mailbox;

    /* two names, of which the second follows from the first, and numbers of no other server */
    for (size_t at = 1; len > tail && at < len - tail; at++) {
        if (hc_dname_from_wire(data, at, &server) == 0) {
            bool good = hc_dname_from_wire(data + at, len - tail - at, &mailbox) == 0;
            struct hc_dname want = mailbox_of(&server);

            for (size_t i = 0; i < HC_COUNT(times); i++) {
                const uint8_t *number = data + len - tail + 4 * i;

                good = good && ((uint32_t)number[0] << 24 | (uint32_t)number[1] << 16 |
                                (uint32_t)number[2] << 8 | number[3]) == times[i];
            }
            return good && hc_dname_equal(&want, &mailbox);
        }
    }
    return false;
}

static void put_soa(struct answer *a, uint32_t ttl)
{
    const struct hc_dname *server = &a->domain->ns[0].name;
    struct hc_dname mailbox = mailbox_of(server);

    put_record(a, apex_at(a), HC_DNS_SOA, ttl, server->len + mailbox.len + sizeof(times));
    put(a, server->wire, server->len);
    put(a, mailbox.wire, mailbox.len);
    for (size_t i = 0; i < HC_COUNT(times); i++) {
        put32(a, times[i]);
    }
}

static void put_ns(struct answer *a)
{
    uint32_t ttl = a->domain->ns_guessed ? 0 : HC_DNS_APEX_TTL;

    for (size_t i = 0; i < a->domain->ns_count; i++) {
        const struct hc_dname *server = &a->domain->ns[i].name;

        put_record(a, 0, HC_DNS_NS, ttl, server->len);
        put(a, server->wire, server->len);
        a->answers++;
    }
}

static void put_text(void *arg, const char *value)
{
    struct answer *a = arg;
    size_t len = strlen(value);
    const uint8_t octet = (uint8_t)len;

    if (len > 255) {
        return;
    }
    put_record(a, 0, TYPE_TXT, HC_DNS_TEXT_TTL, len + 1);
    put(a, &octet, 1);
    put(a, value, len);
    a->answers++;
}

static void put_addresses(struct answer *a, const struct hc_dns_ns *ns, bool ipv6)
{
    for (size_t i = 0; i < ns->count; i++) {
        if (ns->addresses[i].ipv6 == ipv6) {
            put_record(a, 0, ipv6 ? HC_DNS_AAAA : HC_DNS_A, HC_DNS_APEX_TTL, ipv6 ? 16 : 4);
            put(a, ns->addresses[i].octets, ipv6 ? 16 : 4);
            a->answers++;
        }
    }
}

/* ---- what there is ---- */

static bool asks_for(const struct answer *a, unsigned type)
{
    return a->query.type == type || a->query.type == TYPE_ANY;
}

static void note_text(void *arg, const char *value HC_UNUSED)
{
    *(bool *)arg = true;
}

/* A name exists, too, if another one does below it. */
static bool name_exists(const struct answer *a)
{
    bool found = hc_dname_equal(&a->query.name, &a->apex) ||
                 hc_dns_domain_knows(a->domain, &a->query.name) ||
                 hc_dns_domain_has_ns_below(a->domain, &a->query.name);

    if (!found) {
        a->texts->each(a->texts->self, a->owner, note_text, &found);
    }
    return found || a->texts->below(a->texts->self, a->owner);
}

static void put_all(struct answer *a)
{
    const struct hc_dns_ns *ns = hc_dns_domain_ns(a->domain, &a->query.name);
    bool apex = hc_dname_equal(&a->query.name, &a->apex);

    if (apex && asks_for(a, HC_DNS_SOA)) {
        put_soa(a, HC_DNS_NONE_TTL); /* who asks wants to know whether we answer now */
        a->answers++;
    }
    /* a resolver (it does not ask for recursion) that is given a guess leaves the delegation for it
     */
    if (apex && asks_for(a, HC_DNS_NS) &&
        (!a->domain->ns_guessed || (a->query.flags & FLAG_RD) != 0)) {
        put_ns(a);
    }
    if (asks_for(a, TYPE_TXT)) {
        a->texts->each(a->texts->self, a->owner, put_text, a);
    }
    if (ns != NULL && asks_for(a, HC_DNS_A)) {
        put_addresses(a, ns, false);
    }
    if (ns != NULL && asks_for(a, HC_DNS_AAAA)) {
        put_addresses(a, ns, true);
    }
}

/* The answer of a zone of ours. */
static void answer_in_zone(struct answer *a)
{
    if (!a->texts->ready(a->texts->self)) {
        a->rcode = HC_DNS_SERVFAIL;
        return;
    }
    a->authoritative = true;
    put_all(a);
    if (a->answers > 0) {
        return;
    }
    a->rcode = name_exists(a) ? HC_DNS_NOERROR : HC_DNS_NXDOMAIN;
    put_soa(a, HC_DNS_NONE_TTL);
    a->authorities++;
}

static void answer_good(struct answer *a)
{
    if (a->query.class != CLASS_IN || a->query.type == TYPE_AXFR || a->query.type == TYPE_IXFR ||
        a->query.type == TYPE_OPT || !hc_dns_domain_find(a->domain, &a->query.name, &a->apex)) {
        a->rcode = HC_DNS_REFUSED;
        return;
    }
    hc_dname_format(&a->query.name, a->owner);
    a->owner[strlen(a->owner) - 1] = '\0';
    answer_in_zone(a);
}

/* ---- the message ---- */

/* Behind the answer, where room was kept for it. */
static void put_edns(struct answer *a)
{
    static const uint8_t root = 0;

    a->cap += OPT_LENGTH;
    put(a, &root, 1);
    put16(a, TYPE_OPT);
    put16(a, HC_DNS_UDP_SIZE);
    put16(a, (a->rcode >> 4) << 8);
    put16(a, a->query.dnssec_ok ? 0x8000u : 0);
    put16(a, 0);
}

static void put_header(struct answer *a, bool truncated)
{
    size_t end = a->len;
    unsigned flags = FLAG_QR | (a->query.flags & (OPCODE | FLAG_RD | FLAG_CD)) | (a->rcode & 15u);

    flags |= a->authoritative ? FLAG_AA : 0;
    flags |= truncated ? FLAG_TC : 0;
    a->len = 0;
    put16(a, a->query.id);
    put16(a, flags);
    put16(a, a->query.question != NULL);
    put16(a, a->answers);
    put16(a, a->authorities);
    put16(a, a->query.edns);
    a->len = end;
}

static void answer(struct answer *a, enum hc_dns_query_state state)
{
    switch (state) {
    case HC_DNS_QUERY_GOOD:
        answer_good(a);
        break;
    case HC_DNS_QUERY_MALFORMED:
        a->rcode = HC_DNS_FORMERR;
        break;
    case HC_DNS_QUERY_UNKNOWN:
        a->rcode = HC_DNS_NOTIMP;
        break;
    case HC_DNS_QUERY_VERSION:
        a->rcode = BADVERS;
        break;
    case HC_DNS_QUERY_DROPPED:
        break;
    }
}

size_t hc_dns_respond(const struct hc_dns_domain *domain, const struct hc_dns_texts *texts,
                      struct hc_bytes query, enum hc_dns_way way, uint8_t *dst)
{
    struct answer a = {.domain = domain, .texts = texts, .dst = dst, .len = HC_DNS_HEADER};
    enum hc_dns_query_state state = hc_dns_query_read(query.data, query.len, &a.query);
    size_t start = HC_DNS_HEADER;
    bool truncated = false;

    if (state == HC_DNS_QUERY_DROPPED) {
        return 0;
    }
    a.cap = way == HC_DNS_OVER_TCP ? HC_DNS_TCP_ANSWER : HC_DNS_UDP_ANSWER;
    a.cap -= a.query.edns ? OPT_LENGTH : 0;
    if (a.query.question != NULL) {
        put(&a, a.query.question, a.query.question_len);
    }
    start = a.len;
    if (way != HC_DNS_TOO_OFTEN || state != HC_DNS_QUERY_GOOD) {
        answer(&a, state);
    }
    truncated = a.full || (way == HC_DNS_TOO_OFTEN && state == HC_DNS_QUERY_GOOD);
    if (truncated) { /* half a set says nothing */
        a.len = start;
        a.answers = a.authorities = 0;
        a.full = false;
    }
    if (a.query.edns) {
        put_edns(&a);
    }
    put_header(&a, truncated);
    return a.len;
}
