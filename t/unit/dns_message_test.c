/* DNS messages: what is sent, what of a reply is believed, what is refused. */
#include <stdlib.h>

#include "dns/message.h"
#include "tap.h"

static struct hc_dns_question question_for(const char *host, enum hc_dns_type type)
{
    struct hc_dns_question q = {.type = type, .recurse = true};

    if (hc_dname_from_host(host, &q.name, NULL) != 0) {
        printf("Bail out! %s is no name\n", host);
        exit(1);
    }
    return q;
}

/* A reply is written piece by piece. */
struct packet {
    uint8_t data[HC_DNS_REPLY_MAX + 100];
    size_t len;
};

static void put16(struct packet *p, unsigned v)
{
    p->data[p->len++] = (uint8_t)(v >> 8);
    p->data[p->len++] = (uint8_t)v;
}

static void put_name(struct packet *p, const char *host)
{
    struct hc_dname n;

    if (hc_dname_from_host(host, &n, NULL) == 0) {
        memcpy(p->data + p->len, n.wire, n.len);
        p->len += n.len;
    }
}

static void begin(struct packet *p, unsigned id, unsigned flags, const char *host, unsigned type)
{
    p->len = 0;
    put16(p, id);
    put16(p, flags);
    put16(p, 1);
    put16(p, 0);
    put16(p, 0);
    put16(p, 0);
    put_name(p, host);
    put16(p, type);
    put16(p, 1);
}

static void put_record(struct packet *p, const char *owner, unsigned type, const void *data,
                       size_t len)
{
    put_name(p, owner);
    put16(p, type);
    put16(p, 1);
    put16(p, 0);
    put16(p, 300);
    put16(p, (unsigned)len);
    memcpy(p->data + p->len, data, len);
    p->len += len;
    p->data[7]++;
}

static void put_alias(struct packet *p, const char *owner, const char *target)
{
    struct hc_dname n;

    if (hc_dname_from_host(target, &n, NULL) == 0) {
        put_record(p, owner, HC_DNS_CNAME, n.wire, n.len);
    }
}

static enum hc_dns_read read_packet(const struct packet *p, const char *host, enum hc_dns_type type,
                                    struct hc_dns_reply *out)
{
    struct hc_dns_question q = question_for(host, type);
    /* a copy of exactly its size, so that a read beyond the end is seen by the sanitizer */
    uint8_t *exact = malloc(p->len > 0 ? p->len : 1);
    enum hc_dns_read result = HC_DNS_READ_FAILED;
    struct hc_error err = {0};

    if (exact != NULL) {
        memcpy(exact, p->data, p->len);
        result = hc_dns_reply_read(exact, p->len, &q, 7, out, &err);
        free(exact);
    }
    return result;
}

static void test_query(void)
{
    struct hc_dns_question q = question_for("www.Example.net", HC_DNS_CAA);
    uint8_t wire[HC_DNS_QUERY_MAX];
    size_t len = 0;
    struct hc_error err = {0};

    is_int(hc_dns_query_write(&q, 0x1234, false, wire, &len, &err), 0, "a query is written");
    is_int(len, 12 + 17 + 4 + 11, "with an OPT record");
    is_int(wire[0] << 8 | wire[1], 0x1234, "its id is the one given");
    is_int(wire[2], 1, "recursion is desired");
    is_int(wire[3] & 0x10, 0, "checking is not disabled");
    ok(memcmp(wire + 13, "www", 3) == 0 && memcmp(wire + 17, "example", 7) == 0,
       "the name is lower case");
    is_int(wire[len - 8] << 8 | wire[len - 7], HC_DNS_UDP_SIZE, "EDNS offers 1232 octets");
    q.recurse = false;
    q.checking_disabled = true;
    is_int(hc_dns_query_write(&q, 1, true, wire, &len, &err), 0, "a plain query is written");
    is_int(len, 12 + 17 + 4, "without an OPT record");
    is_int(wire[2], 0, "no recursion");
    is_int(wire[3] & 0x10, 0x10, "checking disabled");
}

static void test_dropped(void)
{
    struct packet p;
    struct hc_dns_reply reply;

    begin(&p, 8, 0x8180, "www.example.net", HC_DNS_A);
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "another id is not ours");
    begin(&p, 7, 0x8180, "evil.example.net", HC_DNS_A);
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "another name is not ours");
    begin(&p, 7, 0x8180, "www.example.net", HC_DNS_AAAA);
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "another type is not ours");
    begin(&p, 7, 0x0180, "www.example.net", HC_DNS_A);
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "a query is not a reply");
    begin(&p, 7, 0x8180, "www.example.net", HC_DNS_A);
    p.data[5] = 0;
    p.len = 12;
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "a reply without a question is not ours");
    p.data[3] = 0x81;
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_REPLY,
           "unless it is FORMERR");
    is_int(reply.rcode, HC_DNS_FORMERR, "which it says");
    hc_dns_reply_dispose(&reply);
    begin(&p, 7, 0x8180, "www.example.net", HC_DNS_A);
    p.len = 11;
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "half a header is nothing");
}

static void test_records(void)
{
    struct packet p;
    struct hc_dns_reply reply;
    struct hc_dname name;
    size_t at = 0;
    char text[HC_DNS_RECORD_TEXT];
    const struct hc_dns_record *r = NULL;

    begin(&p, 7, 0x8580, "www.example.net", HC_DNS_A);
    put_record(&p, "www.example.net", HC_DNS_A, "\xcb\x00\x71\x07", 4);
    is_int(read_packet(&p, "WWW.example.net.", HC_DNS_A, &reply), HC_DNS_READ_REPLY,
           "the name's case does not matter");
    ok(reply.authoritative, "authoritative is seen");
    is_int(reply.answers, 1, "one answer");
    if (hc_dname_from_host("www.example.net", &name, NULL) != 0) {
        ok(false, "the name is a name");
    }
    r = hc_dns_reply_next(&reply, &name, HC_DNS_A, &at);
    is_str(r != NULL ? hc_dns_record_format(r, text) : NULL,
           "www.example.net. 300 IN A 203.0.113.7", "the record in presentation form");
    hc_dns_reply_dispose(&reply);
    hc_dns_reply_dispose(&reply);
    ok(reply.records == NULL, "disposing twice is fine");

    begin(&p, 7, 0x8180, "www.example.net", HC_DNS_A);
    p.data[2] |= 2;
    p.len -= 3;
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_NOT_OURS,
           "a truncated question is not ours");
    p.len += 3;
    is_int(read_packet(&p, "www.example.net", HC_DNS_A, &reply), HC_DNS_READ_REPLY,
           "TC is a reply");
    ok(reply.truncated && reply.records == NULL, "of which nothing is read");
}

static void test_caa_form(void)
{
    static const struct {
        const char *data;
        size_t len;
        const char *text;
    } rows[] = {
        {"\0\5issue\0", 8, "example.net. 300 IN CAA 0 issue \"\\000\""},
        {"\x80\3tbsUnknown", 12, "example.net. 300 IN CAA 128 tbs \"Unknown\""},
        {"\0\5issue", 7, "example.net. 300 IN CAA 0 issue \"\""},
        {"\0\5issue\"\\;", 10, "example.net. 300 IN CAA 0 issue \"\\\"\\\\;\""},
        {"\0\0", 2, "example.net. 300 IN CAA \\# 2 0000"},
        {"\0\3a-bx", 6, "example.net. 300 IN CAA \\# 6 0003612d6278"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct packet p;
        struct hc_dns_reply reply;
        char text[HC_DNS_RECORD_TEXT];

        begin(&p, 7, 0x8180, "example.net", HC_DNS_CAA);
        put_record(&p, "example.net", HC_DNS_CAA, rows[i].data, rows[i].len);
        is_int(read_packet(&p, "example.net", HC_DNS_CAA, &reply), HC_DNS_READ_REPLY,
               "a CAA record is read, whatever it says");
        is_str(reply.answers == 1 ? hc_dns_record_format(&reply.records[0], text) : NULL,
               rows[i].text, rows[i].text);
        hc_dns_reply_dispose(&reply);
    }
}

static void test_chains(void)
{
    struct packet p;
    struct hc_dns_reply reply;
    struct hc_dns_reply copy;
    struct hc_dname name;
    struct hc_dname end;
    struct hc_error err = {0};
    unsigned links = 0;
    char text[HC_DNAME_TEXT];
    char owner[32];
    char target[32];

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    put_alias(&p, "a.test", "b.test");
    put_alias(&p, "b.test", "c.test");
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_REPLY, "two CNAMEs are read");
    is_int(hc_dname_from_host("a.test", &name, &err), 0, "a name");
    is_int(hc_dns_reply_follow(&reply, &name, &end, &links, &err), 0, "they are followed");
    is_int(links, 2, "both");
    is_str(hc_dname_format(&end, text), "c.test.", "to their end");
    is_int(hc_dns_reply_copy(&reply, &copy, &err), 0, "a reply is copied");
    hc_dns_reply_dispose(&reply);
    is_int(hc_dns_reply_follow(&copy, &name, &end, &links, &err), 0, "the copy stands alone");
    hc_dns_reply_dispose(&copy);

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    put_alias(&p, "a.test", "b.test");
    put_alias(&p, "b.test", "a.test");
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_REPLY, "a loop is read");
    is_int(hc_dns_reply_follow(&reply, &name, &end, &links, &err), -1, "and not followed for ever");
    is_int(err.problem, HC_P_DNS_FAILED, "it is dns-failed");
    hc_dns_reply_dispose(&reply);

    for (int n = HC_DNS_CHAIN; n <= HC_DNS_CHAIN + 1; n++) {
        hc_error_init(&err);
        begin(&p, 7, 0x8180, "n0.test", HC_DNS_A);
        for (int i = 0; i < n; i++) {
            snprintf(owner, sizeof(owner), "n%d.test", i);
            snprintf(target, sizeof(target), "n%d.test", i + 1);
            put_alias(&p, owner, target);
        }
        is_int(read_packet(&p, "n0.test", HC_DNS_A, &reply), HC_DNS_READ_REPLY, "a long chain");
        is_int(hc_dname_from_host("n0.test", &name, &err), 0, "its first name");
        is_int(hc_dns_reply_follow(&reply, &name, &end, &links, &err), n > HC_DNS_CHAIN ? -1 : 0,
               n > HC_DNS_CHAIN ? "eleven are too many" : "ten are followed");
        hc_dns_reply_dispose(&reply);
    }
}

/* RFC 1035 section 4.2.2: the length before a message over TCP has 16 bits. */
static void test_whole_sets(void)
{
    static struct packet p;
    struct hc_dns_reply reply;
    struct hc_dns_reply copy;
    struct hc_dname name;
    struct hc_error err = {0};
    const struct hc_dns_record *r = NULL;
    const struct hc_dns_record *last = NULL;
    unsigned count = 0;
    size_t at = 0;

    begin(&p, 7, 0x8180, "a.test", HC_DNS_CAA);
    while (p.len + 28 <= HC_DNS_REPLY_MAX) {
        count++;
        put16(&p, 0xc00c);
        put16(&p, HC_DNS_CAA);
        put16(&p, 1);
        put16(&p, 0);
        put16(&p, 300);
        put16(&p, 16);
        memcpy(p.data + p.len, "\0\5issueno.test..", 16);
        p.len += 16;
    }
    memcpy(p.data + p.len - 16, "\x80\3tbs0123456789.", 16);
    p.data[6] = (uint8_t)(count >> 8);
    p.data[7] = (uint8_t)count;
    is_int(read_packet(&p, "a.test", HC_DNS_CAA, &reply), HC_DNS_READ_REPLY,
           "a reply as large as TCP can carry is read");
    is_int(reply.answers, count, "with every record of it");
    is_int(hc_dns_reply_copy(&reply, &copy, &err), 0, "and copied");
    hc_dns_reply_dispose(&reply);
    is_int(hc_dname_from_host("a.test", &name, &err), 0, "its name");
    for (count = 0; (r = hc_dns_reply_next(&copy, &name, HC_DNS_CAA, &at)) != NULL; count++) {
        last = r;
    }
    is_int(count, (int)copy.answers, "the copy has every record");
    ok(last != NULL && last->len == 16 && last->data[0] == 0x80, "up to the last");
    hc_dns_reply_dispose(&copy);
}

static void test_what_is_kept(void)
{
    struct packet p;
    struct hc_dns_reply reply;

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    put_record(&p, "a.test", 16, "\3txt", 4);
    put_record(&p, "a.test", HC_DNS_A, "\1\2\3\4", 4);
    put_record(&p, "a.test", 10, "null", 4);
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_REPLY, "a reply of many types");
    is_int(reply.answers, 1, "what was not asked for is not kept");
    hc_dns_reply_dispose(&reply);
}

static void test_signatures(void)
{
    static const uint8_t rrsig[] = {0, 1, 13, 2,  0, 0,   1,   44,  0,   0, 0, 2, 0, 0,
                                    0, 1, 48, 57, 4, 't', 'e', 's', 't', 0, 1, 2, 3, 4};
    struct hc_dns_question q = question_for("a.test", HC_DNS_A);
    struct packet p;
    struct hc_dns_reply reply;
    struct hc_error err = {0};
    uint8_t query[HC_DNS_QUERY_MAX];
    size_t len = 0;

    begin(&p, 7, 0x81a0, "a.test", HC_DNS_A);
    put_record(&p, "a.test", HC_DNS_A, "\1\2\3\4", 4);
    put_record(&p, "a.test", HC_DNS_RRSIG, rrsig, sizeof(rrsig));
    is_int(hc_dns_reply_read(p.data, p.len, &q, 7, &reply, &err), HC_DNS_READ_REPLY, "a reply");
    is_int(reply.answers, 1, "signatures that were not asked for are not kept");
    ok(reply.authentic && !reply.dnssec_ok, "AD, without EDNS");
    hc_dns_reply_dispose(&reply);

    q.dnssec_ok = true;
    is_int(hc_dns_reply_read(p.data, p.len, &q, 7, &reply, &err), HC_DNS_READ_REPLY, "the same");
    is_int(reply.answers, 2, "with those that were");
    is_int(reply.records[1].len, (long long)sizeof(rrsig), "all of it");
    ok(memcmp(reply.records[1].data, rrsig, sizeof(rrsig)) == 0, "octet by octet");
    hc_dns_reply_dispose(&reply);
    is_int(hc_dns_query_write(&q, 7, false, query, &len, &err), 0, "a question for signatures");
    ok(len > 4 && (query[len - 4] & 0x80) != 0, "has DO");
    q.dnssec_ok = false;
    is_int(hc_dns_query_write(&q, 7, false, query, &len, &err), 0, "one that is not");
    ok(len > 4 && (query[len - 4] & 0x80) == 0, "has not");
}

/* RFC 2308 section 2.2. */
static void test_lame(void)
{
    static const struct {
        const char *what;
        unsigned flags;  /* 0x8580: AA, RD, RA */
        unsigned answer; /* type of a record in the answer, or 0 */
        const char *authority_owner;
        unsigned authority; /* type of a record in the authority section, or 0 */
        bool recurse;
        bool lame;
    } rows[] = {
        {"records", 0x8100, HC_DNS_CAA, "", 0, true, false},
        {"nothing, with the SOA", 0x8100, 0, "test", HC_DNS_SOA, true, false},
        {"nothing, of a stub that recurses", 0x8180, 0, "", 0, true, false},
        {"nothing, of an authoritative server", 0x8500, 0, "", 0, true, false},
        {"nothing at all", 0x8100, 0, "", 0, true, true},
        {"a referral", 0x8100, 0, "test", HC_DNS_NS, true, true},
        {"a referral of who says that it recurses", 0x8180, 0, "test", HC_DNS_NS, true, true},
        {"an SOA of another zone", 0x8100, 0, "other", HC_DNS_SOA, true, true},
        {"an alias alone, of an authoritative server", 0x8500, HC_DNS_CNAME, "", 0, true, true},
        {"SERVFAIL", 0x8102, 0, "", 0, true, false},
        {"records of who is not authoritative", 0x8180, HC_DNS_CAA, "", 0, false, true},
        {"nothing, of the zone's own server", 0x8400, 0, "", 0, false, false},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_dns_question q = question_for("a.test", HC_DNS_CAA);
        struct hc_dns_reply reply;
        struct packet p;

        q.recurse = rows[i].recurse;
        begin(&p, 7, rows[i].flags, "a.test", HC_DNS_CAA);
        if (rows[i].answer == HC_DNS_CNAME) {
            put_alias(&p, "a.test", "b.other");
        } else if (rows[i].answer != 0) {
            put_record(&p, "a.test", HC_DNS_CAA, "\0\5issueca.test", 14);
        }
        if (rows[i].authority == HC_DNS_NS) {
            put_record(&p, rows[i].authority_owner, HC_DNS_NS, "\2ns\0", 4);
        } else if (rows[i].authority == HC_DNS_SOA) {
            static const uint8_t soa[22] = {0};

            put_record(&p, rows[i].authority_owner, HC_DNS_SOA, soa, sizeof(soa));
        }
        if (rows[i].authority != 0) {
            p.data[7]--;
            p.data[9]++;
        }
        is_int(read_packet(&p, "a.test", HC_DNS_CAA, &reply), HC_DNS_READ_REPLY, rows[i].what);
        is_int(hc_dns_reply_is_lame(&reply, &q), rows[i].lame, rows[i].lame ? "is lame" : "is not");
        hc_dns_reply_dispose(&reply);
    }
}

static void test_hostile(void)
{
    struct packet p;
    struct packet good;
    struct hc_dns_reply reply;
    int read = 0;

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    p.data[7] = 1;
    p.data[p.len++] = 0xc0;
    p.data[p.len] = (uint8_t)(p.len - 1);
    p.len++;
    put16(&p, HC_DNS_A);
    put16(&p, 1);
    put16(&p, 0);
    put16(&p, 0);
    put16(&p, 0);
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_MALFORMED,
           "a compression pointer to itself is malformed");

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    for (int i = 0; i < HC_DNS_OWNERS + 1; i++) {
        char owner[16];

        snprintf(owner, sizeof(owner), "n%d.test", i);
        put_record(&p, owner, HC_DNS_A, "\1\2\3\4", 4);
    }
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_MALFORMED,
           "records of more names than are kept are refused");

    begin(&p, 7, 0x8180, "a.test", HC_DNS_A);
    memset(p.data + p.len, 0, sizeof(p.data) - p.len);
    p.len = HC_DNS_REPLY_MAX + 1;
    is_int(read_packet(&p, "a.test", HC_DNS_A, &reply), HC_DNS_READ_MALFORMED,
           "a reply beyond the maximum is refused");

    begin(&good, 7, 0x8180, "a.test", HC_DNS_CAA);
    put_alias(&good, "a.test", "b.test");
    put_record(&good, "b.test", HC_DNS_CAA, "\0\5issueca.test", 14);
    for (size_t len = 0; len < good.len; len++) {
        p = good;
        p.len = len;
        if (read_packet(&p, "a.test", HC_DNS_CAA, &reply) == HC_DNS_READ_REPLY) {
            read++;
            hc_dns_reply_dispose(&reply);
        }
    }
    is_int(read, 0, "no truncation of a good reply is taken for a reply");
    for (size_t i = 0; i < good.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            p = good;
            p.data[i] ^= (uint8_t)(1 << bit);
            if (read_packet(&p, "a.test", HC_DNS_CAA, &reply) == HC_DNS_READ_REPLY) {
                hc_dns_reply_dispose(&reply);
            }
        }
    }
    ok(true, "no flipped bit brings the reader down");
}

int main(void)
{
    test_query();
    test_dropped();
    test_records();
    test_caa_form();
    test_chains();
    test_whole_sets();
    test_what_is_kept();
    test_signatures();
    test_lame();
    test_hostile();
    return done();
}
