/*
 * Replies, validated from an anchor down: what is asked for on the way, and what comes of it. The
 * resolver is the test's; zones are signed by it: the root, test, and others below.
 */
#include "dns/verification.h"

#include "signed_world.h"

/* Runs a validation to its end; disposes of the reply. */
static struct hc_verification run(struct hc_anchors *from, const char *name, unsigned type,
                                  struct hc_dns_reply reply)
{
    struct hc_links links;
    struct hc_verification v = {.begun = false};
    struct hc_dname asked = dname(name);

    hc_links_init(&links, &owner, from, &clock_then, 9000);
    hc_verification_begin(&v, &reply, &asked, (enum hc_dns_type)type);
    for (int i = 0; i < 100 && !hc_verification_settled(&v); i++) {
        hc_links_begin_pass(&links);
        while (hc_links_step(&links) || hc_verification_step(&v, &links)) {
        }
        answer_all();
    }
    hc_links_dispose(&links);
    hc_dns_reply_dispose(&reply);
    return v;
}

static void wants(const char *what, struct hc_verification v, enum hc_dnssec state,
                  const char *words)
{
    struct hc_error why = {0};

    hc_kept_error_get(&v.why, &why);
    is_str(hc_dnssec_name(v.state), hc_dnssec_name(state), what);
    if (words != NULL && strstr(why.detail, words) == NULL) {
        is_str(why.detail, words, "says why");
    }
    hc_verification_dispose(&v);
}

#define WWW "www.good.test. 300 IN A 192.0.2.1"

static void good_and_unsigned(void)
{
    struct draft d;

    wants("a signed set", run(&anchors, "www.good.test", HC_DNS_A, signed_set(&good_pen, WWW)),
          HC_DNSSEC_SECURE, NULL);
    is_int(find("test.", HC_DNS_DS)->asked, 1, "its keys are looked for from the root down");
    is_int(find("www.good.test.", HC_DNS_DS)->asked, 0,
           "and no further than to the zone that signed");
    wants("a proof that there is nothing",
          run(&anchors, "www.good.test", HC_DNS_CAA,
              nothing(&good_pen, "www.good.test. 300 IN NSEC good.test. A RRSIG NSEC", 0)),
          HC_DNSSEC_SECURE, NULL);
    wants("a zone without a DS record",
          run(&anchors, "www.plain.test", HC_DNS_A,
              signed_set(NULL, "www.plain.test. 300 IN A 192.0.2.1")),
          HC_DNSSEC_INSECURE, NULL);
    wants("nothing there, either",
          run(&anchors, "www.plain.test", HC_DNS_CAA, nothing(NULL, NULL, 3)), HC_DNSSEC_INSECURE,
          NULL);
    draft_begin(&d);
    draft_set(&d, &good_pen, "www.good.test. 300 IN CNAME www.plain.test.");
    draft_set(&d, NULL, "www.plain.test. 300 IN A 192.0.2.1");
    wants("an alias to it", run(&anchors, "www.good.test", HC_DNS_A, draft_end(&d, 0)),
          HC_DNSSEC_INSECURE, NULL);
    draft_begin(&d);
    draft_set(&d, NULL, "www.plain.test. 300 IN CNAME www.good.test.");
    draft_set(&d, &good_pen, WWW);
    wants("an alias from it", run(&anchors, "www.plain.test", HC_DNS_A, draft_end(&d, 0)),
          HC_DNSSEC_INSECURE, NULL);
}

static void broken(void)
{
    struct draft d;

    wants("no signature", run(&anchors, "www.good.test", HC_DNS_A, signed_set(NULL, WWW)),
          HC_DNSSEC_BOGUS, "A of www.good.test. has no signature");
    wants("another key's", run(&anchors, "www.good.test", HC_DNS_A, signed_set(&other_pen, WWW)),
          HC_DNSSEC_BOGUS, "which is not among the keys of the zone good.test.");
    wants("no proof", run(&anchors, "www.good.test", HC_DNS_CAA, nothing(NULL, NULL, 0)),
          HC_DNSSEC_BOGUS, "there is no CAA record of www.good.test. has no proof");
    wants("a proof of something else",
          run(&anchors, "www.good.test", HC_DNS_A,
              nothing(&good_pen, "www.good.test. 300 IN NSEC good.test. A RRSIG NSEC", 0)),
          HC_DNSSEC_BOGUS, "that does not show it");
    wants("another DS record",
          run(&anchors, "www.moved.test", HC_DNS_A,
              signed_set(NULL, "www.moved.test. 300 IN A 192.0.2.1")),
          HC_DNSSEC_BOGUS, "the DS record of moved.test. at the parent");
    wants("whether it is signed is not proved",
          run(&anchors, "www.unproved.test", HC_DNS_A,
              signed_set(NULL, "www.unproved.test. 300 IN A 192.0.2.1")),
          HC_DNSSEC_BOGUS, "there is no DS record of unproved.test. has no proof");
    draft_begin(&d);
    draft_set(&d, &good_pen, "www.good.test. 300 IN CNAME www.moved.test.");
    draft_set(&d, &good_pen, "www.moved.test. 300 IN A 192.0.2.1");
    wants("the target of an alias", run(&anchors, "www.good.test", HC_DNS_A, draft_end(&d, 0)),
          HC_DNSSEC_BOGUS, NULL);
    draft_begin(&d);
    draft_set(&d, NULL, "www.good.test. 300 IN CNAME x.good.test.");
    draft_set(&d, &good_pen, "x.good.test. 300 IN A 192.0.2.1");
    wants("an alias without a signature",
          run(&anchors, "www.good.test", HC_DNS_A, draft_end(&d, 0)), HC_DNSSEC_BOGUS,
          "CNAME of www.good.test. has no signature");
    draft_begin(&d);
    draft_set(&d, &good_pen, "*.good.test. 300 IN A 192.0.2.1");
    draft_rename(&d, 0, "www.good.test.");
    wants("a wildcard for a name that may be there",
          run(&anchors, "www.good.test", HC_DNS_A, draft_end(&d, 0)), HC_DNSSEC_BOGUS,
          "a wildcard answers for it");
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "x.tree.good.test. 300 IN CNAME y.good.test.");
    draft_set(&d, &good_pen, "y.good.test. 300 IN A 192.0.2.1");
    wants("an alias that its DNAME record does not make",
          run(&anchors, "x.tree.good.test", HC_DNS_A, draft_end(&d, 0)), HC_DNSSEC_BOGUS,
          "does not match the DNAME record");
}

static void a_wildcard_and_a_dname(void)
{
    struct draft d;

    draft_begin(&d);
    draft_set(&d, &good_pen, "*.good.test. 300 IN A 192.0.2.1");
    draft_rename(&d, 0, "b.good.test.");
    draft_authority(&d);
    draft_set(&d, &good_pen, "a.good.test. 300 IN NSEC www.good.test. A RRSIG NSEC");
    wants("a wildcard", run(&anchors, "b.good.test", HC_DNS_A, draft_end(&d, 0)), HC_DNSSEC_SECURE,
          NULL);
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "x.tree.good.test. 300 IN CNAME x.good.test.");
    draft_set(&d, &good_pen, "x.good.test. 300 IN A 192.0.2.1");
    wants("a DNAME", run(&anchors, "x.tree.good.test", HC_DNS_A, draft_end(&d, 0)),
          HC_DNSSEC_SECURE, NULL);
}

/* Questions for a CNAME record are answered so, too: by the one that a DNAME makes. */
static void an_alias_below_a_dname(void)
{
    struct draft d;

    store("tree.good.test.", HC_DNS_DS,
          nothing(&good_pen, "tree.good.test. 300 IN NSEC www.good.test. DNAME RRSIG NSEC", 0));
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "x.tree.good.test. 300 IN CNAME x.good.test.");
    wants("a question for CNAME below a DNAME",
          run(&anchors, "x.tree.good.test", HC_DNS_CNAME, draft_end(&d, 0)), HC_DNSSEC_SECURE,
          NULL);
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "x.tree.good.test. 300 IN CNAME y.good.test.");
    wants("one that the DNAME does not make",
          run(&anchors, "x.tree.good.test", HC_DNS_CNAME, draft_end(&d, 0)), HC_DNSSEC_BOGUS,
          "does not match the DNAME record");
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "x.tree.good.test. 300 IN CNAME x.good.test.");
    store("x.tree.good.test.", HC_DNS_DS, draft_end(&d, 0));
    wants("no zone begins below one, so it is the zone above that signs",
          run(&anchors, "x.tree.good.test", HC_DNS_A,
              signed_set(NULL, "x.tree.good.test. 300 IN "
                               "A 192.0.2.1")),
          HC_DNSSEC_BOGUS, "although the zone good.test. is signed");
    draft_begin(&d);
    draft_set(&d, &good_pen, "tree.good.test. 300 IN DNAME good.test.");
    draft_set(&d, NULL, "y.tree.good.test. 300 IN CNAME x.good.test.");
    store("y.tree.good.test.", HC_DNS_DS, draft_end(&d, 0));
    wants("if it makes that alias",
          run(&anchors, "y.tree.good.test", HC_DNS_A,
              signed_set(NULL, "y.tree.good.test. 300 IN "
                               "A 192.0.2.1")),
          HC_DNSSEC_BOGUS, "CNAME of y.tree.good.test. has no signature");
}

/* A wildcard alias brings a proof of its own: that is not one of what it leads to. */
static void the_end_of_a_wildcard_alias(void)
{
    struct draft d;

    store("sub.good.test.", HC_DNS_DS,
          nothing(&good_pen, "sub.good.test. 300 IN NSEC www.good.test. NS RRSIG NSEC", 0));
    for (int i = 0; i < 2; i++) {
        draft_begin(&d);
        draft_set(&d, &good_pen,
                  i == 0 ? "*.good.test. 300 IN CNAME lb.sub.good.test."
                         : "*.good.test. 300 IN CNAME www.good.test.");
        draft_rename(&d, 0, "b.good.test.");
        draft_authority(&d);
        draft_set(&d, &good_pen, "a.good.test. 300 IN NSEC sub.good.test. A RRSIG NSEC");
        draft_set(&d, NULL, "sub.good.test. 300 IN SOA a. b. 1 2 3 4 5");
        if (i == 0) {
            wants("nothing there, in a zone that is not signed",
                  run(&anchors, "b.good.test", HC_DNS_AAAA, draft_end(&d, 0)), HC_DNSSEC_INSECURE,
                  NULL);
        } else {
            wants("nothing there, in one that is",
                  run(&anchors, "b.good.test", HC_DNS_AAAA, draft_end(&d, 0)), HC_DNSSEC_BOGUS,
                  "there is no AAAA record of www.good.test. has a proof");
        }
    }
}

static void a_name_error_that_is_none(void)
{
    wants("names below it exist",
          run(&anchors, "b.good.test", HC_DNS_CAA,
              nothing(&good_pen, "a.good.test. 300 IN NSEC c.b.good.test. A RRSIG NSEC",
                      HC_DNS_NXDOMAIN)),
          HC_DNSSEC_SECURE, NULL);
    wants("the name itself does",
          run(&anchors, "www.good.test", HC_DNS_CAA,
              nothing(&good_pen, "www.good.test. 300 IN NSEC good.test. A RRSIG NSEC",
                      HC_DNS_NXDOMAIN)),
          HC_DNSSEC_SECURE, NULL);
    wants("with that very type",
          run(&anchors, "www.good.test", HC_DNS_A,
              nothing(&good_pen, "www.good.test. 300 IN NSEC good.test. A RRSIG NSEC",
                      HC_DNS_NXDOMAIN)),
          HC_DNSSEC_BOGUS, "that does not show it");
}

/* Who answers without DNSSEC, or from data of its own, knows nothing of the zone's signatures. */
static void what_a_resolver_withholds(void)
{
    static const struct {
        const char *name;
        unsigned type;
    } links[] = {
        {"www.good.test.", HC_DNS_DS}, {"good.test.", HC_DNS_DNSKEY}, {"good.test.", HC_DNS_DS}};

    for (int own = 0; own < 2; own++) {
        struct hc_dns_reply reply = signed_set(NULL, WWW);

        reply.authoritative = own != 0;
        reply.dnssec_ok = own != 0;
        wants("the signature", run(&anchors, "www.good.test", HC_DNS_A, reply), HC_DNSSEC_UNCHECKED,
              own != 0 ? "from data of its own" : "without DNSSEC records");
        reply = nothing(NULL, NULL, 0);
        reply.authoritative = own != 0;
        reply.dnssec_ok = own != 0;
        wants("the proof", run(&anchors, "www.good.test", HC_DNS_A, reply), HC_DNSSEC_UNCHECKED,
              own != 0 ? "from data of its own" : "without DNSSEC records");
        for (size_t i = 0; i < HC_COUNT(links); i++) {
            struct hc_dns_reply kept = find(links[i].name, links[i].type)->reply;

            reply = nothing(NULL, NULL, 0);
            reply.authoritative = own != 0;
            reply.dnssec_ok = own != 0;
            find(links[i].name, links[i].type)->reply = reply;
            wants(links[i].name,
                  run(&anchors, "www.good.test", HC_DNS_A,
                      signed_set(links[i].type == HC_DNS_DNSKEY ? &good_pen : NULL, WWW)),
                  HC_DNSSEC_UNCHECKED,
                  own != 0 ? "from data of its own" : "without DNSSEC records");
            hc_dns_reply_dispose(&reply);
            find(links[i].name, links[i].type)->reply = kept;
        }
    }
}

static struct hc_dns_reply large_set(void)
{
    static char text[600 * 48];
    size_t len = 0;

    for (size_t i = 0; i < 600; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "www.good.test. 300 IN A 192.0.%zu.%zu\n", i / 250, i % 250);
    }
    return signed_set(&good_pen, text);
}

static void nothing_can_be_said(void)
{
    struct hc_anchors none = {.path = NULL};
    struct hc_dns_reply reply = signed_set(NULL, WWW);
    struct hc_verification v;

    hc_error_set(&none.why, HC_P_FILE_UNREADABLE, NULL, "the root's trust anchor is missing");
    v = run(&none, "www.good.test", HC_DNS_A, signed_set(&good_pen, WWW));
    ok(v.at_top, "without an anchor nothing at all");
    wants("no anchor", v, HC_DNSSEC_UNCHECKED, "the root's trust anchor is missing");

    {
        struct hc_anchors strange = {.path = anchor_path, .records = ds_reply(NULL, &root_pen)};

        ((uint8_t *)(uintptr_t)strange.records.records[0].data)[2] = 253;
        v = run(&strange, "www.good.test", HC_DNS_A, signed_set(&good_pen, WWW));
        ok(v.at_top, "an anchor of an unknown algorithm: nothing at all");
        wants("which does not make all zones unsigned", v, HC_DNSSEC_UNCHECKED,
              "has no key of an algorithm that hotcert knows");
        hc_dns_reply_dispose(&strange.records);
    }

    reply.dnssec_ok = false;
    v = run(&anchors, "www.good.test", HC_DNS_A, reply);
    ok(!v.at_top, "a reply alone");
    wants("a server that knows nothing of DNSSEC", v, HC_DNSSEC_UNCHECKED,
          "without DNSSEC records");

    wants("a set that is too large", run(&anchors, "www.good.test", HC_DNS_A, large_set()),
          HC_DNSSEC_UNCHECKED, "has more records, keys or signatures than hotcert tries");

    v = run(&anchors, "www.silent.test", HC_DNS_A,
            signed_set(NULL, "www.silent.test. 300 IN A 192.0.2.1"));
    ok(!v.at_top, "a zone alone");
    wants("silence", v, HC_DNSSEC_UNCHECKED, "no answer in time");

    store(".", HC_DNS_DNSKEY, keys_reply(&root_pen, NULL));
    v = run(&anchors, "www.good.test", HC_DNS_A, signed_set(NULL, WWW));
    ok(v.at_top, "a resolver that strips signatures: nothing at all");
    wants("stripped", v, HC_DNSSEC_UNCHECKED,
          "leaves out keys or signatures: for . it has no RRSIG");

    store(".", HC_DNS_DNSKEY, keys_reply(&inner_root_pen, &inner_root_pen));
    v = run(&anchors, "www.good.test", HC_DNS_A, signed_set(&good_pen, WWW));
    ok(v.at_top, "another root: nothing at all");
    wants("another root", v, HC_DNSSEC_UNCHECKED, "the trust anchor matches none of the 1 keys");

    pen_times(&root_pen, PEN_NOW + 3601, PEN_UNTIL);
    store(".", HC_DNS_DNSKEY, keys_reply(&root_pen, &root_pen));
    v = run(&anchors, "www.good.test", HC_DNS_A, signed_set(&good_pen, WWW));
    wants("a clock that is slow", v, HC_DNSSEC_UNCHECKED, "is not valid before");
    pen_times(&root_pen, PEN_FROM, PEN_UNTIL);
    store(".", HC_DNS_DNSKEY, keys_reply(&root_pen, &root_pen));
}

/* Many names at once: nobody may hold the loop for long. */
static void a_pass_does_so_much_and_no_more(void)
{
    enum { MANY = 200 };
    static struct hc_verification all[MANY];
    struct hc_dname asked = dname("www.good.test");
    struct hc_dns_reply reply = signed_set(&good_pen, WWW);
    struct hc_links links;
    unsigned most = 0;
    unsigned passes = 0;
    bool settled = false;
    unsigned before = find("test.", HC_DNS_DS)->asked;

    hc_links_init(&links, &owner, &anchors, &clock_then, 9000);
    for (size_t i = 0; i < MANY; i++) {
        hc_verification_begin(&all[i], &reply, &asked, HC_DNS_A);
    }
    for (passes = 0; passes < 1000 && !settled; passes++) {
        settled = true;
        hc_links_begin_pass(&links);
        while (hc_links_step(&links)) {
        }
        for (size_t i = 0; i < MANY; i++) {
            (void)hc_verification_step(&all[i], &links);
            settled = settled && hc_verification_settled(&all[i]);
        }
        most = links.work.tries > most ? links.work.tries : most;
        answer_all();
    }
    ok(settled, "two hundred are validated");
    ok(most <= HC_LINKS_TRIES && passes > MANY / HC_LINKS_TRIES, "in several passes");
    is_int(find("test.", HC_DNS_DS)->asked, before + 1, "what they have in common is asked once");
    for (size_t i = 0; i < MANY; i++) {
        hc_verification_dispose(&all[i]);
    }
    hc_links_dispose(&links);
    hc_dns_reply_dispose(&reply);
}

static void names_without_end(void)
{
    struct hc_dname asked = dname("www.good.test");
    struct hc_links links;
    struct hc_error err = {0};

    hc_links_init(&links, &owner, &anchors, &clock_then, 9000);
    links.count = HC_LINKS_MOST;
    ok(hc_links_find(&links, &asked, &err) == NULL, "one name more than are followed");
    is_str(err.detail, "more than 4000 names are on the way from the trust anchor to these",
           "is told from a lack of memory");
    hc_links_dispose(&links);
}

int main(void)
{
    build();
    good_and_unsigned();
    a_wildcard_and_a_dname();
    an_alias_below_a_dname();
    the_end_of_a_wildcard_alias();
    a_name_error_that_is_none();
    broken();
    what_a_resolver_withholds();
    a_pass_does_so_much_and_no_more();
    nothing_can_be_said();
    names_without_end();
    take_down();
    return done();
}
