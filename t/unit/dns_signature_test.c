/* Signatures of record sets: which are good, and what is wrong with the others. */
#include "dns/signature.h"

#include "signed_reply.h"
#include "tap.h"

#define WWW "www.example.test. 300 IN A 192.0.2.1\nwww.example.test. 300 IN A 192.0.2.2"

static struct pen zone_pen, other_pen, parent_pen;

static struct hc_keys keys_of(struct pen *pen, const char *zone)
{
    struct hc_keys keys = {.zone = dname(zone), .count = 1};

    keys.items[0].rr = pen->dnskey;
    keys.items[0].tag = ldns_calc_keytag(pen->dnskey);
    keys.items[0].algorithm = 13;
    return keys;
}

static struct hc_signature check(const struct hc_dns_reply *reply, const char *owner, unsigned type,
                                 unsigned tries)
{
    struct hc_dname name = dname(owner);
    struct hc_dns_set set = {.reply = reply, .owner = &name, .type = type};
    struct hc_keys keys = keys_of(&zone_pen, "example.test");
    struct hc_dnssec_work work = {.now = PEN_NOW, .left = tries};
    struct hc_signature signature;

    hc_signature_check(&set, &keys, &work, &signature);
    ok(work.left + work.tries == tries, "each try is counted");
    return signature;
}

static void a_good_one_is_found(void)
{
    struct draft d;
    struct hc_dns_reply reply;

    draft_begin(&d);
    draft_set(&d, &zone_pen, WWW);
    reply = draft_end(&d, 0);
    is_int(check(&reply, "www.example.test", HC_DNS_A, 24).flaw, HC_SIGNATURE_GOOD, "good");
    is_int(check(&reply, "www.example.test", HC_DNS_AAAA, 24).flaw, HC_SIGNATURE_MISSING,
           "nothing covers another type");
    is_int(check(&reply, "www.example.test", HC_DNS_A, 0).flaw, HC_SIGNATURE_COSTLY,
           "but no reply costs more than its share");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_set(&d, &zone_pen, WWW);
    draft_set(&d, NULL, "www.example.test. 300 IN A 192.0.2.1");
    reply = draft_end(&d, 0);
    is_int(check(&reply, "www.example.test", HC_DNS_A, 24).flaw, HC_SIGNATURE_GOOD,
           "a record that is there twice counts once");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_set(&d, &other_pen, WWW);
    draft_set(&d, &zone_pen,
              "www.example.test. 300 IN A 192.0.2.1\nwww.example.test. 300 IN A "
              "192.0.2.2");
    reply = draft_end(&d, 0);
    is_int(check(&reply, "www.example.test", HC_DNS_A, 24).flaw, HC_SIGNATURE_GOOD,
           "of several one is enough");
    hc_dns_reply_dispose(&reply);
}

static void one(const char *name, struct pen *pen, const char *added, enum hc_signature_flaw flaw,
                const char *words)
{
    struct hc_dname owner = dname("www.example.test");
    struct hc_keys keys = keys_of(&zone_pen, "example.test");
    struct hc_signature signature;
    struct hc_dns_reply reply;
    struct hc_error err = {0};
    struct draft d;

    draft_begin(&d);
    draft_set(&d, pen, WWW);
    if (added != NULL) {
        draft_set(&d, NULL, added);
    }
    reply = draft_end(&d, 0);
    signature = check(&reply, "www.example.test", HC_DNS_A, 24);
    is_int(signature.flaw, flaw, name);
    is_str(hc_dnssec_name(hc_signature_fail(
               &(struct hc_dns_set){.reply = &reply, .owner = &owner, .type = HC_DNS_A}, &keys,
               &signature, &err)),
           "broken", "the zone is to blame");
    ok(strstr(err.detail, words) != NULL, words);
    is_str(err.subject, "example.test.", "the zone is named");
    is_int(hc_signature_is_of_time(&signature),
           flaw == HC_SIGNATURE_EXPIRED || flaw == HC_SIGNATURE_EARLY, "whether time is at fault");
    hc_dns_reply_dispose(&reply);
}

static void what_is_wrong_is_said(void)
{
    one("there is none", NULL, NULL, HC_SIGNATURE_MISSING,
        "A of www.example.test. has no signature (RRSIG), although the zone example.test. is "
        "signed");
    one("a record more than was signed", &zone_pen, "www.example.test. 300 IN A 192.0.2.3",
        HC_SIGNATURE_WRONG, "does not match its records");
    one("another key of the zone's name", &other_pen, NULL, HC_SIGNATURE_KEY,
        "which is not among the keys of the zone example.test.");
    one("the zone above signed it", &parent_pen, NULL, HC_SIGNATURE_SIGNER,
        "names the signer test., but it is in the zone example.test.");
    pen_times(&zone_pen, PEN_FROM - 7200, PEN_NOW - 3601);
    one("it has expired", &zone_pen, NULL, HC_SIGNATURE_EXPIRED, "expired on 2027-01-15T06:59:59Z");
    pen_times(&zone_pen, PEN_NOW + 3601, PEN_UNTIL);
    one("it is not valid yet", &zone_pen, NULL, HC_SIGNATURE_EARLY,
        "is not valid before 2027-01-15T09:00:01Z");
    pen_times(&zone_pen, PEN_NOW, PEN_NOW);
    one("it is valid this very second", &zone_pen, NULL, HC_SIGNATURE_GOOD, "A of www");
    pen_times(&zone_pen, PEN_FROM, PEN_NOW - 3600);
    one("it has expired an hour ago: clocks differ", &zone_pen, NULL, HC_SIGNATURE_GOOD,
        "A of www");
    one("but that helps no other flaw", &zone_pen, "www.example.test. 300 IN A 192.0.2.3",
        HC_SIGNATURE_WRONG, "does not match its records");
    pen_times(&zone_pen, PEN_NOW + 3600, PEN_UNTIL);
    one("it begins in an hour", &zone_pen, NULL, HC_SIGNATURE_GOOD, "A of www");
    pen_times(&zone_pen, PEN_FROM, PEN_UNTIL);
}

/* Made from a reply to a question for a longer name. */
static void labels_that_the_name_does_not_have(void)
{
    struct hc_dname owner = dname("example.test");
    struct hc_dns_set set = {.owner = &owner, .type = HC_DNS_A};
    struct hc_keys keys = keys_of(&zone_pen, "example.test");
    struct hc_signature signature;
    struct hc_dns_reply reply;
    struct hc_error err = {0};
    struct draft d;

    draft_begin(&d);
    draft_set(&d, &zone_pen, "www.example.test. 300 IN A 192.0.2.1");
    draft_rename(&d, 0, "example.test.");
    reply = draft_end(&d, 0);
    set.reply = &reply;
    signature = check(&reply, "example.test", HC_DNS_A, 24);
    is_int(signature.flaw, HC_SIGNATURE_LABELS, "a signature for a longer name");
    hc_signature_fail(&set, &keys, &signature, &err);
    is_str(err.detail,
           "the signature of A of example.test. is for a name of 3 labels, longer than this one",
           "is told as such");
    hc_dns_reply_dispose(&reply);
}

/* What cannot be read is held against nobody. */
static void records_that_cannot_be_read(void)
{
    struct hc_dname owner = dname("www.example.test");
    struct hc_dns_set set = {.owner = &owner, .type = HC_DNS_A};
    struct hc_keys keys = keys_of(&zone_pen, "example.test");
    struct hc_signature signature;
    struct hc_dns_reply reply;
    struct hc_error err = {0};
    struct draft d;

    draft_begin(&d);
    draft_set(&d, &zone_pen, WWW);
    reply = draft_end(&d, 0);
    reply.records[0].len = 3;
    set.reply = &reply;
    signature = check(&reply, "www.example.test", HC_DNS_A, 24);
    is_int(signature.flaw, HC_SIGNATURE_UNREAD, "an address of three octets");
    is_str(hc_dnssec_name(hc_signature_fail(&set, &keys, &signature, &err)), "unchecked",
           "is not called broken");
    hc_dns_reply_dispose(&reply);
}

/* RSA is verified for every zone, but not with keys that take milliseconds. */
static void a_costly_key(void)
{
    static uint8_t wire[1100];
    static const struct {
        const char *what;
        uint8_t head[3];
        size_t size;
        enum hc_signature_flaw flaw;
    } keys[] = {
        {"4096 bits", {3, 1, 0}, 1 + 3 + 512, HC_SIGNATURE_WRONG},
        {"more than that", {3, 1, 0}, 1 + 3 + 513, HC_SIGNATURE_COSTLY},
        {"a huge exponent", {0, 1, 0}, 3 + 256 + 256, HC_SIGNATURE_COSTLY},
        {"nothing at all", {0, 0, 0}, 0, HC_SIGNATURE_WRONG},
    };
    struct hc_dname owner = dname("www.example.test");
    struct hc_dns_reply reply;
    struct draft d;

    draft_begin(&d);
    draft_set(&d, NULL,
              WWW "\nwww.example.test. 300 IN RRSIG A 8 3 300 20270116000000 "
                  "20270114000000 7 example.test. AAAA");
    reply = draft_end(&d, 0);
    for (size_t i = 0; i < HC_COUNT(keys); i++) {
        ldns_rr *rr = ldns_rr_clone(zone_pen.dnskey);
        struct hc_keys set = {.zone = dname("example.test"), .count = 1};
        struct hc_dnssec_work work = {.now = PEN_NOW, .left = HC_DNSSEC_TRIES};
        struct hc_signature signature;

        memset(wire, 0xff, sizeof(wire));
        memcpy(wire, keys[i].head, sizeof(keys[i].head));
        ldns_rdf_deep_free(
            ldns_rr_set_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_B64, keys[i].size, wire), 3));
        set.items[0] = (struct hc_key){.rr = rr, .tag = 7, .algorithm = 8};
        hc_signature_check(&(struct hc_dns_set){.reply = &reply, .owner = &owner, .type = HC_DNS_A},
                           &set, &work, &signature);
        is_int(signature.flaw, keys[i].flaw, keys[i].what);
        ldns_rr_free(rr);
    }
    hc_dns_reply_dispose(&reply);
}

static void a_large_set_costs_more(void)
{
    static char text[600 * 48];
    static const size_t counts[] = {200, 600};
    struct hc_dname name = dname("www.example.test");
    struct hc_keys keys = keys_of(&zone_pen, "example.test");

    for (size_t k = 0; k < HC_COUNT(counts); k++) {
        struct hc_dnssec_work work = {.now = PEN_NOW, .left = HC_DNSSEC_TRIES};
        struct hc_signature signature;
        struct hc_dns_reply reply;
        struct draft d;
        size_t len = 0;

        for (size_t i = 0; i < counts[k]; i++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len,
                                    "www.example.test. 300 IN A 192.0.%zu.%zu\n", i / 250, i % 250);
        }
        draft_begin(&d);
        draft_set(&d, &zone_pen, text);
        reply = draft_end(&d, 0);
        hc_signature_check(&(struct hc_dns_set){.reply = &reply, .owner = &name, .type = HC_DNS_A},
                           &keys, &work, &signature);
        is_int(signature.flaw, k == 0 ? HC_SIGNATURE_GOOD : HC_SIGNATURE_COSTLY,
               "two hundred records are checked, six hundred are not");
        is_int(work.tries, k == 0 ? 4 : 0, "and count for as many tries as they take time");
        hc_dns_reply_dispose(&reply);
    }
}

static void a_wildcard_is_told_from_a_name(void)
{
    struct hc_dname owner = dname("a.b.example.test");
    struct hc_dname star = dname("*.example.test");
    struct hc_signature signature;
    struct hc_dns_reply reply;
    struct draft d;

    draft_begin(&d);
    draft_set(&d, &zone_pen, "*.example.test. 300 IN A 192.0.2.1");
    reply = draft_end(&d, 0);
    signature = check(&reply, "*.example.test", HC_DNS_A, 24);
    is_int(signature.flaw, HC_SIGNATURE_GOOD, "the wildcard itself");
    ok(!hc_signature_expands(&(struct hc_dns_set){.owner = &star, .type = HC_DNS_A}, &signature),
       "is nothing made from it");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_set(&d, &zone_pen, "*.example.test. 300 IN A 192.0.2.1");
    draft_rename(&d, 0, "a.b.example.test.");
    reply = draft_end(&d, 0);
    signature = check(&reply, "a.b.example.test", HC_DNS_A, 24);
    is_int(signature.flaw, HC_SIGNATURE_GOOD, "a name that it answers for, two labels below");
    ok(hc_signature_expands(&(struct hc_dns_set){.owner = &owner, .type = HC_DNS_A}, &signature),
       "is made from it");
    is_int(signature.rrsig.labels, 2, "of the zone's labels");
    hc_dns_reply_dispose(&reply);
}

int main(void)
{
    zone_pen = pen_make("example.test.");
    other_pen = pen_unlike("example.test.", &zone_pen);
    parent_pen = pen_make("test.");
    a_good_one_is_found();
    what_is_wrong_is_said();
    labels_that_the_name_does_not_have();
    records_that_cannot_be_read();
    a_costly_key();
    a_wildcard_is_told_from_a_name();
    a_large_set_costs_more();
    pen_free(&zone_pen);
    pen_free(&other_pen);
    pen_free(&parent_pen);
    return done();
}
