/* The keys of a zone: which are trusted, by DS records and by anchors, and why others are not. */
#include "dns/keys.h"

#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signed_reply.h"
#include "tap.h"

static struct pen zone_pen, other_pen, parent_pen;
static struct hc_error why;

/* DS records of the zone at the parent, edited as text: from, to. */
static struct hc_dns_reply ds_reply(const struct pen *pen, ldns_hash digest, const char *from,
                                    const char *to)
{
    struct draft d;
    ldns_rr *ds = ldns_key_rr2ds(pen->dnskey, digest);
    char *text = ldns_rr2str(ds);
    char line[512];
    const char *at = from != NULL ? strstr(text, from) : NULL;

    text[strcspn(text, "\n;")] = '\0';
    if (at != NULL) {
        snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    } else {
        snprintf(line, sizeof(line), "%s", text);
    }
    draft_begin(&d);
    draft_set(&d, NULL, line);
    free(text);
    ldns_rr_free(ds);
    return draft_end(&d, 0);
}

/* The zone's answer for its keys. */
static struct hc_dns_reply key_reply(const struct pen *pen, const struct pen *signer,
                                     unsigned flags)
{
    struct draft d;
    ldns_rr *key = ldns_rr_clone(pen->dnskey);

    ldns_rdf_deep_free(
        ldns_rr_set_rdf(key, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, (uint16_t)flags), 0));
    draft_begin(&d);
    draft_record(&d, signer, key);
    ldns_rr_free(key);
    return draft_end(&d, 0);
}

/* Takes the keys; disposes of both replies. */
static enum hc_dnssec take(struct hc_dns_reply keys, struct hc_dns_reply trust, bool anchors,
                           size_t *count)
{
    struct hc_dname zone = dname("example.test");
    struct hc_dnssec_work work = {.now = PEN_NOW, .left = HC_DNSSEC_TRIES};
    struct hc_trust named = {&trust, anchors};
    struct hc_keys out;
    enum hc_dnssec state = HC_DNSSEC_PENDING;

    hc_error_init(&why);
    state = hc_keys_take(&keys, &zone, &named, &work, &out, &why);
    *count = out.count;
    hc_keys_dispose(&out);
    hc_dns_reply_dispose(&keys);
    hc_dns_reply_dispose(&trust);
    return state;
}

static void a_ds_record_names_a_key(void)
{
    static const ldns_hash digests[] = {LDNS_SHA1, LDNS_SHA256, LDNS_SHA384};
    size_t count = 0;

    for (size_t i = 0; i < HC_COUNT(digests); i++) {
        is_int(take(key_reply(&zone_pen, &zone_pen, 257),
                    ds_reply(&zone_pen, digests[i], NULL, NULL), false, &count),
               HC_DNSSEC_SECURE, "each digest");
        is_int(count, 1, "the key is trusted");
    }
    is_int(take(key_reply(&zone_pen, &zone_pen, 256), ds_reply(&zone_pen, LDNS_SHA256, "  ", "  "),
                false, &count),
           HC_DNSSEC_BOGUS, "a key with other flags is another key");
}

static void an_anchor_names_a_key(void)
{
    size_t count = 0;

    is_int(
        take(key_reply(&zone_pen, &zone_pen, 257), key_reply(&zone_pen, NULL, 257), true, &count),
        HC_DNSSEC_SECURE, "a DNSKEY record");
    is_int(take(key_reply(&zone_pen, &zone_pen, 257), ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL),
                true, &count),
           HC_DNSSEC_SECURE, "a DS record");
    is_int(
        take(key_reply(&zone_pen, &zone_pen, 257), key_reply(&other_pen, NULL, 257), true, &count),
        HC_DNSSEC_BOGUS, "another key");
    is_str(why.detail, "the trust anchor matches none of the 1 keys of the zone example.test.",
           "is said to be the anchor's fault");
}

static void broken(const char *name, struct hc_dns_reply keys, struct hc_dns_reply trust,
                   const char *words)
{
    size_t count = 9;

    is_int(take(keys, trust, false, &count), HC_DNSSEC_BOGUS, name);
    is_int(count, 0, "no key is trusted");
    ok(strstr(why.detail, words) != NULL, words);
    is_str(why.subject, "example.test.", "the zone is named");
}

static void what_does_not_fit_is_said(void)
{
    struct draft d;

    broken("a DS record of another key", key_reply(&zone_pen, &zone_pen, 257),
           ds_reply(&other_pen, LDNS_SHA256, NULL, NULL), "matches no key of example.test.");
    draft_begin(&d);
    broken("no key at all", draft_end(&d, 0), ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL),
           "but example.test. has no keys (DNSKEY)");
    broken("a revoked key", key_reply(&zone_pen, &zone_pen, 257 | 128),
           ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL), "is revoked");
    broken("keys that nobody signed", key_reply(&zone_pen, NULL, 257),
           ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL),
           "DNSKEY of example.test. has no signature");
    broken("keys that another key signed", key_reply(&zone_pen, &other_pen, 257),
           ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL), "which is not among the keys");
    broken("keys that the parent signed", key_reply(&zone_pen, &parent_pen, 257),
           ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL), "names the signer test.");
}

static void what_is_not_known_is_not_signed(void)
{
    size_t count = 0;
    struct draft d;
    struct hc_dns_reply trust;

    is_int(take(key_reply(&zone_pen, &zone_pen, 257),
                ds_reply(&zone_pen, LDNS_SHA256, " 13 2 ", " 123 2 "), false, &count),
           HC_DNSSEC_INSECURE, "an algorithm");
    is_int(take(key_reply(&zone_pen, &zone_pen, 257),
                ds_reply(&zone_pen, LDNS_SHA256, " 13 2 ", " 13 99 "), false, &count),
           HC_DNSSEC_INSECURE, "a digest");
    draft_begin(&d);
    draft_ds(&d, NULL, &other_pen, LDNS_SHA256);
    draft_ds(&d, NULL, &zone_pen, LDNS_SHA1);
    trust = draft_end(&d, 0);
    is_int(take(key_reply(&zone_pen, &zone_pen, 257), trust, false, &count), HC_DNSSEC_BOGUS,
           "SHA-1 beside SHA-256 does not count (RFC 4509)");
    draft_begin(&d);
    draft_ds(&d, NULL, &other_pen, LDNS_SHA256);
    draft_ds(&d, NULL, &zone_pen, LDNS_SHA384);
    trust = draft_end(&d, 0);
    is_int(take(key_reply(&zone_pen, &zone_pen, 257), trust, false, &count), HC_DNSSEC_SECURE,
           "of several DS records one is enough");
    ok(hc_algorithm_is_known(8) && hc_algorithm_is_known(15) && !hc_algorithm_is_known(1) &&
           !hc_algorithm_is_known(3) && !hc_algorithm_is_known(12),
       "RSA and EdDSA are known, MD5, DSA and GOST are not");
}

/* Keys of one tag, of which each may have to be tried (KeyTrap): the work is bounded. */
static void the_work_is_bounded(void)
{
    struct hc_dname zone = dname("example.test");
    struct hc_dns_reply trust = ds_reply(&zone_pen, LDNS_SHA256, NULL, NULL);
    struct hc_dns_reply reply;
    struct hc_trust named = {&trust, false};
    struct hc_dnssec_work work = {.now = PEN_NOW, .left = HC_DNSSEC_TRIES};
    struct hc_keys out;
    struct draft d;

    draft_begin(&d);
    draft_record(&d, NULL, zone_pen.dnskey);
    for (int i = 0; i < 20; i++) {
        char text[256];

        /* another hour of each makes another signature, of which none fits */
        pen_times(&zone_pen, (uint32_t)(PEN_FROM - i), PEN_UNTIL);
        snprintf(text, sizeof(text), "example.test. 300 IN DNSKEY 256 3 13 %s", "AAAA");
        draft_set(&d, &zone_pen, text);
    }
    pen_times(&zone_pen, PEN_FROM, PEN_UNTIL);
    reply = draft_end(&d, 0);
    hc_error_init(&why);
    is_int(hc_keys_take(&reply, &zone, &named, &work, &out, &why), HC_DNSSEC_BOGUS,
           "twenty signatures that do not fit");
    ok(work.tries <= 8, "are not all tried");
    hc_dns_reply_dispose(&reply);
    hc_dns_reply_dispose(&trust);
}

/* Run first: what is found out once counts from then on. */
static void sha1_is_known_where_it_works(void)
{
    int status = -1;
    pid_t child = 0;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        /* there is no such provider, so there is no SHA-1: as on RHEL 9 */
        bool refused = EVP_set_default_properties(NULL, "provider=nobody") == 1;

        _exit(refused && !hc_algorithm_is_known(5) && !hc_algorithm_is_known(7) &&
                      hc_algorithm_is_known(8)
                  ? 0
                  : 1);
    }
    ok(child > 0 && waitpid(child, &status, 0) == child && status == 0,
       "without SHA-1 the algorithms 5 and 7 are unknown: their zones count as not signed");
    ok(hc_algorithm_is_known(5) && hc_algorithm_is_known(7), "with it they are known");
}

int main(void)
{
    sha1_is_known_where_it_works();
    zone_pen = pen_make("example.test.");
    other_pen = pen_unlike("example.test.", &zone_pen);
    parent_pen = pen_make("test.");
    a_ds_record_names_a_key();
    an_anchor_names_a_key();
    what_does_not_fit_is_said();
    what_is_not_known_is_not_signed();
    the_work_is_bounded();
    pen_free(&zone_pen);
    pen_free(&other_pen);
    pen_free(&parent_pen);
    return done();
}
