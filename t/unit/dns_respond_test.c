/*
 * The responder's answers, octet by octet where that counts, and read by our own reader of replies
 * where it does not. At the end packets that nobody would send.
 */
#include "dns/respond.h"

#include <stdlib.h>

#include "dns/message.h"
#include "tap.h"

#define OPT "\0\0\x29\x10\0\0\0\0\0\0\0"
/* A cookie and a question for the server's name. */
#define OPTIONS "\0\0\x29\x10\0\0\0\0\0\0\20\0\12\0\10abcdefgh\0\3\0\0"

enum type { TXT = 16, DS = 43, ANY = 255, AXFR = 252 };

/* ---- what stands there ---- */

static const char *const *values; /* owner, value, owner, value .. NULL */
static bool known = true;

static bool ready(void *self HC_UNUSED)
{
    return known;
}

static void each(void *self HC_UNUSED, const char *owner, hc_dns_text_found *found, void *arg)
{
    for (size_t i = 0; values != NULL && values[i] != NULL; i += 2) {
        if (strcmp(values[i], owner) == 0) {
            found(arg, values[i + 1]);
        }
    }
}

static bool below(void *self HC_UNUSED, const char *owner)
{
    size_t len = strlen(owner);

    for (size_t i = 0; values != NULL && values[i] != NULL; i += 2) {
        size_t own = strlen(values[i]);

        if (own > len && values[i][own - len - 1] == '.' &&
            strcmp(values[i] + own - len, owner) == 0) {
            return true;
        }
    }
    return false;
}

static const struct hc_dns_texts texts = {NULL, ready, each, below};
static struct hc_dns_domain labels, zone;

static void make_domains(void)
{
    static const char *const words[] = {"ns.acme.example.net", "192.0.2.1", "2001:db8::1"};
    const char **names = calloc(1, sizeof(*names));
    struct hc_list servers = {NULL, 0, 0};
    struct hc_list nobody = {NULL, 0, 0};
    int rc = names != NULL ? 0 : -1;

    for (size_t i = 0; i < HC_COUNT(words) && rc == 0; i++) {
        rc = hc_list_add(&servers, words[i], NULL);
    }
    if (rc == 0) {
        names[0] = "example.org";
        hc_dns_domain_of_names(names, 1, &labels);
        rc = hc_dns_domain_serve(&labels, &nobody, "example.org", NULL);
    }
    if (rc != 0 || hc_dns_domain_of_zone("acme.example.net", &zone, NULL) != 0 ||
        hc_dns_domain_serve(&zone, &servers, "x.test", NULL) != 0) {
        printf("Bail out! no domains\n");
        exit(1);
    }
    hc_list_dispose(&servers);
}

/* ---- asking ---- */

static uint8_t dst[HC_DNS_TCP_ANSWER];

/* A query for a name, in its letters, and what stands behind it. Returns its length. */
static size_t write_query(uint8_t *out, const char *name, unsigned type, const char *rest,
                          size_t rest_len)
{
    static const char head[] = "\xab\xcd\1\20\0\1\0\0\0\0\0";
    size_t at = 12;

    memcpy(out, head, 11);
    out[11] = rest_len > 0;
    while (*name != '\0') {
        size_t label = strcspn(name, ".");

        out[at] = (uint8_t)label;
        memcpy(out + at + 1, name, label);
        at += label + 1;
        name += label + (name[label] == '.');
    }
    out[at++] = 0;
    out[at++] = (uint8_t)(type >> 8);
    out[at++] = (uint8_t)type;
    out[at++] = 0;
    out[at++] = 1;
    memcpy(out + at, rest, rest_len);
    return at + rest_len;
}

static size_t ask(const struct hc_dns_domain *domain, const char *name, unsigned type,
                  enum hc_dns_way way)
{
    uint8_t query[512];
    struct hc_bytes bytes = {query, write_query(query, name, type, OPT, sizeof(OPT) - 1)};

    return hc_dns_respond(domain, &texts, bytes, way, dst);
}

static unsigned flags(void)
{
    return (unsigned)dst[2] << 8 | dst[3];
}

static unsigned rcode(void)
{
    return dst[3] & 15u;
}

static bool has(unsigned flag)
{
    return (flags() & flag) != 0;
}

#define AA 0x0400u
#define TC 0x0200u

static unsigned answers(void)
{
    return (unsigned)dst[6] << 8 | dst[7];
}

static unsigned authorities(void)
{
    return (unsigned)dst[8] << 8 | dst[9];
}

static bool holds(size_t len, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= len; i++) {
        if (memcmp(dst + i, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- facts ---- */

#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

static void test_octets(void)
{
    static const char *const there[] = {"_acme-challenge.example.org", VALUE, NULL};
    static const char want[] = "\xab\xcd\x85\x10\0\1\0\1\0\0\0\1" /* AA, RD and CD as asked */
                               "\17_aCme-challEnge\7eXample\3org\0\0\20\0\1" /* its letters */
                               "\xc0\x0c\0\20\0\1\0\0\0\0\0\x2c\x2b" VALUE   /* the text */
                               "\0\0\x29\x04\xd0\0\0\0\0\0\0";               /* EDNS */
    uint8_t query[512];
    struct hc_bytes bytes = {query, 0};
    size_t len = 0;

    values = there;
    bytes.len =
        write_query(query, "_aCme-challEnge.eXample.org", TXT, OPTIONS, sizeof(OPTIONS) - 1);
    len = hc_dns_respond(&labels, &texts, bytes, HC_DNS_OVER_UDP, dst);
    is_int(len, sizeof(want) - 1, "an answer is as long as it should be");
    ok(memcmp(dst, want, len) == 0, "and has these octets: no cookie, no name of the server");
    bytes.len = write_query(query, "_acme-challenge.example.org", TXT, "", 0);
    len = hc_dns_respond(&labels, &texts, bytes, HC_DNS_OVER_UDP, dst);
    is_int(dst[11], 0, "who asks without EDNS is answered without");
    is_int(len, sizeof(want) - 1 - 11, "and so shorter");
}

static void test_labels(void)
{
    static const char *const two[] = {"_acme-challenge.example.org",
                                      "one",
                                      "_acme-challenge.example.org",
                                      "two",
                                      "_x._acme-challenge.example.org",
                                      "three",
                                      NULL};
    size_t len = 0;

    values = two;
    len = ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(answers() == 2 && holds(len, "\3one") && holds(len, "\3two"), "two values at once");
    len = ask(&labels, "_x._acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(answers() == 1 && holds(len, "\5three"), "one of a label below");
    (void)ask(&labels, "_y._acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(rcode() == HC_DNS_NXDOMAIN && has(AA) && authorities() == 1, "another one does not exist");
    values = NULL;
    (void)ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(rcode() == HC_DNS_NOERROR && has(AA) && answers() == 0 && authorities() == 1,
       "without a value the label exists, with nothing in it");
    for (unsigned i = 0; i < 4; i++) {
        static const unsigned nothing[] = {HC_DNS_CAA, HC_DNS_A, HC_DNS_CNAME, DS};

        (void)ask(&labels, "_acme-challenge.example.org", nothing[i], HC_DNS_OVER_UDP);
        ok(rcode() == HC_DNS_NOERROR && answers() == 0 && authorities() == 1, "nor of this type");
    }
    len = ask(&labels, "_acme-challenge.example.org", HC_DNS_NS, HC_DNS_OVER_UDP);
    ok(answers() == 1 && holds(len, "\7example\3org"), "NS: the name itself, if nothing is said");
    (void)ask(&labels, "_acme-challenge.example.org", ANY, HC_DNS_OVER_UDP);
    is_int(answers(), 2, "all that there is: SOA and NS");
}

/* Nobody said which name servers the labels have; the zone's are configured. */
static void test_guess(void)
{
    uint8_t query[512];
    struct hc_bytes bytes = {query, 0};

    values = NULL;
    bytes.len = write_query(query, "_acme-challenge.example.org", HC_DNS_NS, "", 0);
    query[2] = 0; /* as a resolver asks */
    (void)!hc_dns_respond(&labels, &texts, bytes, HC_DNS_OVER_UDP, dst);
    ok(answers() == 0 && authorities() == 1 && rcode() == HC_DNS_NOERROR,
       "resolvers are not given a guess");
    bytes.len = write_query(query, "acme.example.net", HC_DNS_NS, "", 0);
    query[2] = 0;
    (void)!hc_dns_respond(&zone, &texts, bytes, HC_DNS_OVER_UDP, dst);
    is_int(answers(), 1, "but what is configured");
}

static void test_refused(void)
{
    static const char *const names[] = {"example.org",
                                        "www.example.org",
                                        "org",
                                        "example.com",
                                        "_acme-challenge.example.com",
                                        "_acme-challenge.www.example.org"};
    uint8_t query[512];
    struct hc_bytes bytes = {query, 0};

    values = NULL;
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        size_t len = ask(&labels, names[i], TXT, HC_DNS_OVER_UDP);

        ok(rcode() == HC_DNS_REFUSED && !has(AA) && answers() + authorities() == 0, names[i]);
        is_int(len, 12 + strlen(names[i]) + 2 + 4 + 11, "no octet more than the question");
    }
    (void)ask(&labels, "_acme-challenge.example.org", AXFR, HC_DNS_OVER_TCP);
    is_int(rcode(), HC_DNS_REFUSED, "no zone is given away");
    bytes.len = write_query(query, "_acme-challenge.example.org", TXT, "", 0);
    query[bytes.len - 1] = 3;
    (void)!hc_dns_respond(&labels, &texts, bytes, HC_DNS_OVER_UDP, dst);
    is_int(rcode(), HC_DNS_REFUSED, "nor anything of class CH");
}

static void test_zone(void)
{
    static const char *const deep[] = {"a.b.acme.example.net", "value", NULL};
    size_t len = 0;

    values = deep;
    len = ask(&zone, "acme.example.net", HC_DNS_SOA, HC_DNS_OVER_UDP);
    ok(answers() == 1 && has(AA) && holds(len, "\12hostmaster\2ns\4acme"), "SOA of the zone");
    (void)ask(&zone, "a.b.acme.example.net", TXT, HC_DNS_OVER_UDP);
    is_int(answers(), 1, "a value deep in it");
    (void)ask(&zone, "b.acme.example.net", TXT, HC_DNS_OVER_UDP);
    ok(rcode() == HC_DNS_NOERROR && authorities() == 1, "what stands above one exists, empty");
    (void)ask(&zone, "c.acme.example.net", TXT, HC_DNS_OVER_UDP);
    is_int(rcode(), HC_DNS_NXDOMAIN, "what does not is not there");
    len = ask(&zone, "ns.acme.example.net", HC_DNS_A, HC_DNS_OVER_UDP);
    ok(answers() == 1 && holds(len, "\4\xc0"), "the address of the name server");
    (void)ask(&zone, "ns.acme.example.net", HC_DNS_AAAA, HC_DNS_OVER_UDP);
    is_int(answers(), 1, "of both families");
    (void)ask(&zone, "ns.acme.example.net", TXT, HC_DNS_OVER_UDP);
    ok(rcode() == HC_DNS_NOERROR && authorities() == 1, "and nothing else");
    (void)ask(&zone, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    is_int(rcode(), HC_DNS_REFUSED, "no label of any host");
}

static void test_sizes(void)
{
    static const char *many[2 * 30 + 1];
    size_t len = 0;

    for (size_t i = 0; i < 30; i++) {
        many[2 * i] = "_acme-challenge.example.org";
        many[2 * i + 1] = VALUE;
    }
    values = many;
    len = ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(has(TC) && answers() == 0 && len <= 512, "thirty values over UDP: none, and TC");
    len = ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_TCP);
    ok(!has(TC) && answers() == 30 && len > 512, "over TCP all of them");
    many[2 * 7] = NULL;
    len = ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(!has(TC) && answers() == 7 && len <= 512, "seven go over UDP");
    len = ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_TOO_OFTEN);
    ok(has(TC) && answers() == 0 && rcode() == 0 && !has(AA), "who asks too often gets TC");
    is_int(len, 12 + 28 + 1 + 4 + 11, "and no octet more");
    known = false;
    (void)ask(&labels, "_acme-challenge.example.org", TXT, HC_DNS_OVER_UDP);
    ok(rcode() == HC_DNS_SERVFAIL && !has(AA), "SERVFAIL while it is not known what there is");
    (void)ask(&labels, "example.com", TXT, HC_DNS_OVER_UDP);
    is_int(rcode(), HC_DNS_REFUSED, "though what is not ours is known");
    known = true;
}

static void test_our_reader(void)
{
    struct hc_dns_question question = {.type = HC_DNS_NS};
    struct hc_dns_reply reply;
    struct hc_dname target;
    char text[HC_DNAME_TEXT];
    uint8_t query[HC_DNS_QUERY_MAX];
    struct hc_bytes bytes = {query, 0};
    size_t len = 0;
    size_t at = 0;

    if (hc_dname_from_host("acme.example.net", &question.name, NULL) != 0 ||
        hc_dns_query_write(&question, 7, false, query, &bytes.len, NULL) != 0) {
        return;
    }
    len = hc_dns_respond(&zone, &texts, bytes, HC_DNS_OVER_UDP, dst);
    is_int(hc_dns_reply_read(dst, len, &question, 7, &reply, NULL), HC_DNS_READ_REPLY,
           "our own reader takes it");
    ok(reply.authoritative && reply.answers == 1, "one record, of who knows");
    ok(hc_dns_record_target(hc_dns_reply_next(&reply, &question.name, HC_DNS_NS, &at), &target) ==
           0,
       "it is an NS record");
    is_str(hc_dname_format(&target, text), "ns.acme.example.net.", "of this server");
    hc_dns_reply_dispose(&reply);
}

/* ---- what nobody would send ---- */

static uint32_t state = 12345;

static unsigned number(unsigned below_this)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below_this;
}

/* Sane or not, what comes back is one of ours: a reply with that id that is not too long. */
static bool is_sane(struct hc_bytes query, enum hc_dns_way way)
{
    size_t most = way == HC_DNS_OVER_TCP ? HC_DNS_TCP_ANSWER : HC_DNS_UDP_ANSWER;
    size_t len = hc_dns_respond(number(2) == 0 ? &labels : &zone, &texts, query, way, dst);

    if (len == 0) {
        return query.len < 12 || (query.data[2] & 0x80) != 0;
    }
    return len >= 12 && len <= most && memcmp(dst, query.data, 2) == 0 && (dst[2] & 0x80) != 0;
}

static bool try_packet(const uint8_t *packet, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    struct hc_bytes query = {exact, len};
    bool sane = false;

    if (exact != NULL) {
        memcpy(exact, packet, len);
        sane = is_sane(query, (enum hc_dns_way)number(3));
    }
    free(exact);
    return sane;
}

static void test_hostile(void)
{
    static const char *const names[] = {"_acme-challenge.example.org", "x.acme.example.net",
                                        "acme.example.net", "example.com"};
    static const char *const there[] = {"_acme-challenge.example.org", "v", "x.acme.example.net",
                                        VALUE, NULL};
    uint8_t packet[600];
    int sane = 0;

    values = there;
    for (int i = 0; i < 5000; i++) { /* noise */
        size_t len = number(sizeof(packet));

        for (size_t k = 0; k < len; k++) {
            packet[k] = (uint8_t)number(256);
        }
        sane += try_packet(packet, len);
    }
    is_int(sane, 5000, "five thousand random packets");
    sane = 0;
    for (int i = 0; i < 20000; i++) { /* questions that were damaged */
        size_t len = write_query(packet, names[number(4)], number(2) == 0 ? TXT : number(300),
                                 OPTIONS, sizeof(OPTIONS) - 1);

        for (unsigned k = number(4); k > 0; k--) {
            packet[number((unsigned)len)] = (uint8_t)number(256);
        }
        sane += try_packet(packet, number(3) == 0 ? number((unsigned)len + 1) : len);
    }
    is_int(sane, 20000, "twenty thousand damaged questions");
}

int main(void)
{
    make_domains();
    test_octets();
    test_labels();
    test_guess();
    test_refused();
    test_zone();
    test_sizes();
    test_our_reader();
    test_hostile();
    hc_dns_domain_dispose(&labels);
    hc_dns_domain_dispose(&zone);
    return done();
}
