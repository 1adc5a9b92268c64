/* What DNSSEC does to a lookup: whose word counts, the resolver's or our own validation's. */
#include "preflight/lookup.h"

#include "signed_world.h"

#define WWW "www.good.test. 300 IN A 192.0.2.1"

/* Looks up A of this name to its end. */
static const struct hc_lookup *look(struct hc_lookups *lookups, const char *text)
{
    struct hc_dname name = dname(text);
    const struct hc_lookup *lookup = hc_lookups_ask(lookups, &name, HC_DNS_A, false, NULL);

    for (int i = 0; i < 100 && !lookup->complete; i++) {
        hc_lookups_begin_pass(lookups);
        while (hc_lookups_step(lookups)) {
        }
        answer_all();
    }
    ok(lookup->complete, text);
    return lookup;
}

static struct hc_lookups *begin(const struct hc_anchors *from)
{
    struct hc_lookups *lookups = NULL;

    if (hc_lookups_new(&owner, &clock_then, 9000, from, &lookups, NULL) != 0) {
        bail("no lookups");
    }
    return lookups;
}

/* One lookup in a look of its own. */
static void wants(const char *what, const char *name, enum hc_lookup_kind kind,
                  enum hc_dnssec dnssec)
{
    struct hc_lookups *lookups = begin(&anchors);
    const struct hc_lookup *lookup = look(lookups, name);

    is_int(lookup->kind, kind, what);
    is_str(hc_dnssec_name(lookup->dnssec), hc_dnssec_name(dnssec), "and DNSSEC");
    hc_lookups_free(lookups);
}

static void our_own_word_counts(void)
{
    store("www.good.test.", HC_DNS_A, signed_set(&good_pen, WWW));
    wants("signed", "www.good.test", HC_LOOKUP_RECORDS, HC_DNSSEC_SECURE);
    find("www.good.test.", HC_DNS_A)->servfail = true;
    wants("SERVFAIL for what is valid is the resolver's trouble", "www.good.test",
          HC_LOOKUP_RECORDS, HC_DNSSEC_SECURE);
    store("forged.good.test.", HC_DNS_A,
          signed_set(&other_pen, "forged.good.test. 300 IN A 192.0.2.1"));
    wants("forged", "forged.good.test", HC_LOOKUP_DNSSEC_BROKEN, HC_DNSSEC_BOGUS);
    find("forged.good.test.", HC_DNS_A)->servfail = true;
    wants("forged, and the resolver knows", "forged.good.test", HC_LOOKUP_DNSSEC_BROKEN,
          HC_DNSSEC_BOGUS);
    store("www.plain.test.", HC_DNS_A, signed_set(NULL, "www.plain.test. 300 IN A 192.0.2.1"));
    wants("not signed", "www.plain.test", HC_LOOKUP_RECORDS, HC_DNSSEC_INSECURE);
    store("no.good.test.", HC_DNS_DS,
          nothing(&good_pen, "good.test. 300 IN NSEC www.good.test. NS SOA RRSIG NSEC", 0));
    store("no.good.test.", HC_DNS_A, nothing(NULL, NULL, HC_DNS_NXDOMAIN));
    wants("that it does not exist is not proved, so it is not believed", "no.good.test",
          HC_LOOKUP_DNSSEC_BROKEN, HC_DNSSEC_BOGUS);
}

static void else_the_resolver_s(void)
{
    struct hc_dns_reply valid = signed_set(NULL, "ad.good.test. 300 IN A 192.0.2.1");
    unsigned asked = 0;

    valid.authentic = true;
    store("ad.good.test.", HC_DNS_A, valid);
    asked = find(".", HC_DNS_DNSKEY)->asked;
    wants("what it has validated", "ad.good.test", HC_LOOKUP_RECORDS, HC_DNSSEC_SECURE);
    is_int(find(".", HC_DNS_DNSKEY)->asked, asked, "is not validated again");
    store("www.silent.test.", HC_DNS_A, signed_set(NULL, "www.silent.test. 300 IN A 192.0.2.1"));
    wants("what cannot be validated", "www.silent.test", HC_LOOKUP_RECORDS, HC_DNSSEC_UNCHECKED);
    find("www.silent.test.", HC_DNS_A)->servfail = true;
    wants("SERVFAIL for it", "www.silent.test", HC_LOOKUP_DNSSEC_BROKEN, HC_DNSSEC_BOGUS);
}

/* Where an inner CA is has to be known before anything is held against its network. */
static void what_was_heard_is_known_in_any_case(void)
{
    struct hc_lookups *lookups = begin(&anchors);
    const struct hc_lookup *lookup = NULL;
    size_t at = 0;

    lookup = look(lookups, "forged.good.test");
    is_int(lookup->kind, HC_LOOKUP_DNSSEC_BROKEN, "broken");
    ok(hc_lookup_record(lookup, &at) == NULL, "no record counts");
    at = 0;
    ok(hc_lookup_heard(lookup, &at) != NULL, "but one was heard");
    hc_lookups_free(lookups);
}

/* DNS64 gives a name that has no IPv6 address one, which nobody signed. */
static void what_a_resolver_makes_up_is_not_held_against_the_zone(void)
{
    struct hc_dns_reply made_up = signed_set(NULL, "www.good.test. 300 IN A 64.64.64.64");
    struct hc_lookups *lookups = NULL;

    find("www.good.test.", HC_DNS_A)->servfail = false;
    find("www.good.test.", HC_DNS_A)->made_up = &made_up;
    wants("with checking disabled it is not", "www.good.test", HC_LOOKUP_RECORDS, HC_DNSSEC_SECURE);
    find("www.good.test.", HC_DNS_A)->silent = true;
    lookups = begin(&anchors);
    is_int(look(lookups, "www.good.test")->kind, HC_LOOKUP_DNSSEC_BROKEN,
           "silence on that changes nothing");
    hc_lookups_free(lookups);
    find("www.good.test.", HC_DNS_A)->silent = false;
    find("www.good.test.", HC_DNS_A)->made_up = NULL;
    hc_dns_reply_dispose(&made_up);
}

/* Signatures make a reply longer than what some networks let through. */
static void without_dnssec_an_answer_is_better_than_none(void)
{
    store("small.good.test.", HC_DNS_A, signed_set(NULL, "small.good.test. 300 IN A 192.0.2.1"));
    find("small.good.test.", HC_DNS_A)->small = true;
    find("small.good.test.", HC_DNS_A)->reply.dnssec_ok = false;
    wants("what arrives without DNSSEC records alone", "small.good.test", HC_LOOKUP_RECORDS,
          HC_DNSSEC_UNCHECKED);
    find("small.good.test.", HC_DNS_A)->silent = true;
    wants("what does not arrive at all", "small.good.test", HC_LOOKUP_FAILED, HC_DNSSEC_UNCHECKED);
}

static void a_second_answer_is_looked_at_as_the_first(void)
{
    struct hc_dns_reply made_up = signed_set(NULL, "twice.good.test. 300 IN A 192.0.2.9");
    struct hc_dns_reply gone = nothing(NULL, NULL, HC_DNS_NXDOMAIN);
    struct hc_dname name = dname("gone.good.test");
    struct hc_lookups *lookups = begin(&anchors);
    const struct hc_lookup *lookup = NULL;

    store("twice.good.test.", HC_DNS_DS,
          nothing(&good_pen, "good.test. 300 IN NSEC www.good.test. NS SOA RRSIG NSEC", 0));
    store("twice.good.test.", HC_DNS_A,
          signed_set(&other_pen, "twice.good.test. 300 IN A 192.0.2.1"));
    find("twice.good.test.", HC_DNS_A)->made_up = &made_up;
    find("twice.good.test.", HC_DNS_A)->reply.authentic = true;
    wants("AD does not count with checking disabled", "twice.good.test", HC_LOOKUP_DNSSEC_BROKEN,
          HC_DNSSEC_BOGUS);

    store("gone.good.test.", HC_DNS_DS,
          nothing(&good_pen, "good.test. 300 IN NSEC www.good.test. NS SOA RRSIG NSEC", 0));
    store("gone.good.test.", HC_DNS_A,
          nothing(&good_pen, "good.test. 300 IN NSEC www.good.test. NS SOA RRSIG NSEC",
                  HC_DNS_NXDOMAIN));
    find("gone.good.test.", HC_DNS_A)->made_up = &gone;
    lookup = hc_lookups_ask(lookups, &name, HC_DNS_A, false, NULL);
    for (int i = 0; i < 100 && !lookup->complete; i++) {
        hc_lookups_begin_pass(lookups);
        while (hc_lookups_step(lookups)) {
        }
        answer_all();
    }
    ok(lookup->asked_again, "a name error without proof: asked again");
    is_int(lookup->cached_absent, 1, "and only the one that is proved counts");
    ok(!lookup->complete, "so one more is waited for");
    hc_lookups_free(lookups);
    hc_dns_reply_dispose(&made_up);
    hc_dns_reply_dispose(&gone);
}

/* A CA inside of the network, as it turns out: what was held against names is not any more. */
static void validation_can_be_stopped(void)
{
    struct hc_lookups *lookups = begin(&anchors);
    const struct hc_lookup *forged = NULL;
    const struct hc_lookup *good = NULL;
    struct hc_error why = {0};

    find("forged.good.test.", HC_DNS_A)->servfail = false;
    find("www.good.test.", HC_DNS_A)->servfail = false;
    forged = look(lookups, "forged.good.test");
    good = look(lookups, "www.good.test");
    is_int(forged->kind, HC_LOOKUP_DNSSEC_BROKEN, "broken");
    ok(hc_lookups_stop_validating(lookups), "stopped: something changes");
    ok(!forged->complete && good->complete, "what was broken is decided anew");
    look(lookups, "forged.good.test");
    is_int(forged->kind, HC_LOOKUP_RECORDS, "and taken as it is");
    is_str(hc_dnssec_name(forged->dnssec), "unchecked", "unchecked");
    ok(!hc_lookups_stop_validating(lookups), "once");
    ok(!hc_lookups_unchecked(lookups, &why), "which is not told: nobody wanted it");
    hc_lookups_free(lookups);
}

static void why_nothing_is_checked_is_known(void)
{
    struct hc_anchors none = {.path = NULL};
    struct hc_lookups *lookups = NULL;
    struct hc_error why = {0};

    hc_error_set(&none.why, HC_P_FILE_UNREADABLE, NULL, "the root's trust anchor is missing");
    lookups = begin(&none);
    is_int(look(lookups, "forged.good.test")->kind, HC_LOOKUP_RECORDS, "without an anchor");
    ok(hc_lookups_unchecked(lookups, &why), "it is known why");
    is_str(why.detail, "the root's trust anchor is missing", "by its reason");
    hc_lookups_free(lookups);

    none.off = true;
    lookups = begin(&none);
    hc_error_init(&why);
    ok(!hc_lookups_unchecked(lookups, &why), "off: there is nothing to tell");
    hc_lookups_free(lookups);
}

int main(void)
{
    build();
    our_own_word_counts();
    else_the_resolver_s();
    what_was_heard_is_known_in_any_case();
    what_a_resolver_makes_up_is_not_held_against_the_zone();
    without_dnssec_an_answer_is_better_than_none();
    a_second_answer_is_looked_at_as_the_first();
    validation_can_be_stopped();
    why_nothing_is_checked_is_known();
    take_down();
    return done();
}
