/* The verdict: every fault of a chain and of a leaf that can be forged, by slug and rank. */
#include <sys/stat.h>
#include <time.h>

#include "base/time.h"
#include "forge.h"
#include "pki/check.h"
#include "pki/clients.h"
#include "pki/intern.h"
#include "tap.h"

#define DAY ((int64_t)86400)

static struct forged_family family; /* P-256 throughout, fit for www.example.org */
static struct hc_roots *roots;      /* with the family's root */

static struct hc_roots *roots_of(X509 *a, X509 *b, bool system)
{
    struct hc_buf pem = HC_BUF_INIT(HC_ROOTS_MAX);
    struct hc_error err = {0};
    struct hc_roots *made = NULL;

    forge_chain_pem(&pem, a, b, NULL);
    if (hc_roots_parse(hc_bytes_of(&pem), "roots.pem", system, &made, &err) != 0) {
        forge_die(err.detail);
    }
    hc_buf_dispose(&pem);
    return made;
}

/* Judges what these certificates make, as a file would be. */
static void judge(const struct forged *leaf, X509 *mid, X509 *third, const struct hc_check *how,
                  struct hc_findings *findings)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    forge_chain_pem(&pem, leaf->cert, mid, third);
    if (hc_pair_from_key(leaf->key, hc_bytes_of(&pem), "chain.pem", &pair, findings, &err) != 0 ||
        hc_check_pair(pair, how, findings, &err) != 0) {
        ok(false, "it can be judged");
    }
    if (ERR_peek_error() != 0) {
        ok(false, "OpenSSL's queue is empty");
    }
    hc_pair_free(pair);
    hc_buf_dispose(&pem);
}

static void dump(const struct hc_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        printf("#   %s (%s): %s: %s [%s]\n", hc_problem_row(findings->items[i].problem)->slug,
               hc_class_name(findings->items[i].rank), findings->items[i].subject,
               findings->items[i].message, findings->items[i].hint);
    }
}

/* Exactly these problems, whatever their order; HC_P_NONE fills up. */
static void expect(const struct hc_findings *findings, enum hc_problem a, enum hc_problem b,
                   enum hc_problem c, const char *name)
{
    enum hc_problem want[] = {a, b, c};
    size_t count = 0;
    bool all = true;

    for (size_t i = 0; i < HC_COUNT(want); i++) {
        count += want[i] != HC_P_NONE;
        all = all && (want[i] == HC_P_NONE || hc_findings_find(findings, want[i], NULL) != NULL);
    }
    if (!ok(all && findings->count == count, name)) {
        dump(findings);
    }
}

static struct hc_check plain(void)
{
    return (struct hc_check){.roots = roots, .now = (int64_t)time(NULL), .margin = 30 * DAY};
}

static void a_fit_pair_has_no_findings(void)
{
    struct hc_findings findings = {0};
    struct hc_check how = plain();
    struct hc_list names = {0};

    if (hc_list_add(&names, "www.example.org", NULL) != 0 ||
        hc_list_add(&names, "deep.wild.example.org", NULL) != 0 ||
        hc_list_add(&names, "192.0.2.1", NULL) != 0 ||
        hc_list_add(&names, "2001:db8::1", NULL) != 0 ||
        hc_list_add(&names, "xn--bcher-kva.example", NULL) != 0 ||
        hc_list_add(&names, "*.wild.example.org", NULL) != 0) {
        forge_die("list");
    }
    how.names = &names;
    judge(&family.leaf, family.mid.cert, NULL, &how, &findings);
    expect(&findings, 0, 0, 0, "leaf and intermediate below a known root: nothing to say");
    hc_findings_dispose(&findings);
    hc_list_dispose(&names);
}

static void chains_have_their_faults_named(void)
{
    struct forged_family other = forge_family(NULL, "DNS:www.example.org");
    struct forged old_mid = forge(&(struct forge){.name = "Test Intermediate",
                                                  .ca = true,
                                                  .by = &family.root,
                                                  .with_key = family.mid.key,
                                                  .from = -400,
                                                  .days = -10});
    struct hc_findings f = {0};
    struct hc_check how = plain();

    judge(&family.leaf, NULL, NULL, &how, &f);
    expect(&f, HC_P_CHAIN_INCOMPLETE, 0, 0, "leaf only");
    is_int(hc_findings_worst(&f), HC_CLASS_FLAWED, "is flawed");
    hc_findings_dispose(&f);

    judge(&other.leaf, other.mid.cert, NULL, &how, &f);
    expect(&f, HC_P_UNTRUSTED_ROOT, 0, 0, "below a root that is not known");
    hc_findings_dispose(&f);

    judge(&other.leaf, other.mid.cert, other.root.cert, &how, &f);
    expect(&f, HC_P_UNTRUSTED_ROOT, HC_P_CHAIN_ROOT, 0, "with that root in the file");
    hc_findings_dispose(&f);

    judge(&family.leaf, old_mid.cert, NULL, &how, &f);
    expect(&f, HC_P_CHAIN_EXPIRED, 0, 0, "expired intermediate");
    hc_findings_dispose(&f);

    judge(&family.leaf, old_mid.cert, family.mid.cert, &how, &f);
    expect(&f, HC_P_CHAIN_EDITION, 0, 0, "expired and fresh intermediate: the fresh one is served");
    hc_findings_dispose(&f);

    /* what a running server sends is judged as it is: both are there, clients may take either */
    STACK_OF(X509) *both = sk_X509_new_null();
    struct hc_error err = {0};

    sk_X509_push(both, old_mid.cert);
    sk_X509_push(both, family.mid.cert);
    is_int(hc_check_chain(family.leaf.cert, both, &how, &f, &err), 0,
           "what is served can be judged");
    ok(hc_findings_find(&f, HC_P_CHAIN_EXPIRED, NULL) != NULL,
       "expired and fresh of one name on the wire: flawed, though OpenSSL verifies it");
    hc_findings_dispose(&f);
    sk_X509_free(both);
    forged_free(&old_mid);
    forged_family_free(&other);
}

/* No key identifiers, so that only the signature tells which of two CAs of one name it was. */
static void another_ca_of_the_same_name_is_seen(void)
{
    struct forged mid =
        forge(&(struct forge){.name = "Mid", .ca = true, .by = &family.root, .no_ids = true});
    struct forged fake =
        forge(&(struct forge){.name = "Mid", .ca = true, .by = &family.root, .no_ids = true});
    struct forged leaf =
        forge(&(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &mid, .no_ids = true});
    struct hc_findings f = {0};
    struct hc_check how = plain();

    judge(&leaf, fake.cert, NULL, &how, &f);
    ok(hc_findings_find(&f, HC_P_CHAIN_INVALID, NULL) != NULL &&
           hc_findings_find(&f, HC_P_CHAIN_INCOMPLETE, NULL) != NULL,
       "an intermediate of the same name with another key is named as such");
    hc_findings_dispose(&f);
    forged_free(&mid);
    forged_free(&fake);
    forged_free(&leaf);
}

/* 2021: a fresh root, cross-signed by one that has expired in the clients' stores. */
static void the_expired_cross_sign_is_seen(void)
{
    struct forged old_root =
        forge(&(struct forge){.name = "Old Root", .ca = true, .from = -4000, .days = -10});
    struct forged new_root = forge(&(struct forge){.name = "New Root", .ca = true});
    struct forged cross = forge(&(struct forge){.name = "New Root",
                                                .ca = true,
                                                .by = &old_root,
                                                .with_key = new_root.key,
                                                .from = -100,
                                                .days = 400});
    struct forged mid = forge(&(struct forge){.name = "Mid", .ca = true, .by = &new_root});
    struct forged leaf =
        forge(&(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &mid});
    struct hc_roots *store = roots_of(old_root.cert, new_root.cert, false);
    struct hc_findings f = {0};
    struct hc_check how = plain();

    how.roots = store;
    judge(&leaf, mid.cert, cross.cert, &how, &f);
    expect(&f, HC_P_CHAIN_LEGACY_PATH, 0, 0, "the path of old clients is a remark");
    hc_findings_dispose(&f);
    judge(&leaf, mid.cert, NULL, &how, &f);
    expect(&f, 0, 0, 0, "the short chain has none");
    hc_findings_dispose(&f);
    hc_roots_free(store);
    forged_free(&old_root);
    forged_free(&new_root);
    forged_free(&cross);
    forged_free(&mid);
    forged_free(&leaf);
}

/* One leaf each, below the family's intermediate. */
static const struct {
    const char *name;
    struct forge forge;
    enum hc_problem want[3];
    enum hc_class worst;
} leaves[] = {
    {"expired",
     {.sans = "DNS:a.example", .from = -90, .days = -1},
     {HC_P_EXPIRED},
     HC_CLASS_FLAWED},
    {"not yet valid",
     {.sans = "DNS:a.example", .from = 2, .days = 90},
     {HC_P_NOT_YET_VALID},
     HC_CLASS_FLAWED},
    {"expires within the margin",
     {.sans = "DNS:a.example", .from = -70, .days = 20},
     {HC_P_EXPIRES_SOON},
     HC_CLASS_REMARK},
    {"for clients only",
     {.sans = "DNS:a.example", .eku = "clientAuth"},
     {HC_P_USAGE_NOT_SERVER},
     HC_CLASS_FLAWED},
    {"no extended key usage",
     {.sans = "DNS:a.example", .eku = ""},
     {HC_P_USAGE_MISSING},
     HC_CLASS_REMARK},
    {"a CA as leaf",
     {.sans = "DNS:a.example", .ca = true, .from = -1, .days = 90},
     {HC_P_CA_AS_LEAF, HC_P_USAGE_MISSING, HC_P_USAGE_NO_SIGNATURE},
     HC_CLASS_FLAWED},
    {"RSA of 1024 bits",
     {.sans = "DNS:a.example", .key = "RSA:1024"},
     {HC_P_KEY_WEAK, HC_P_TLS_REFUSED},
     HC_CLASS_UNUSABLE},
    {"RSA of 2048 bits", {.sans = "DNS:a.example", .key = "RSA:2048"}, {0}, HC_CLASS_REMARK},
    {"secp256k1",
     {.sans = "DNS:a.example", .key = "secp256k1"},
     {HC_P_CURVE_UNSUPPORTED},
     HC_CLASS_FLAWED},
    {"secp224r1",
     {.sans = "DNS:a.example", .key = "secp224r1"},
     {HC_P_CURVE_UNSUPPORTED},
     HC_CLASS_FLAWED},
    {"P-384", {.sans = "DNS:a.example", .key = "P-384"}, {0}, HC_CLASS_REMARK},
    {"P-521", {.sans = "DNS:a.example", .key = "P-521"}, {HC_P_KEY_UNCOMMON}, HC_CLASS_REMARK},
    {"Ed25519", {.sans = "DNS:a.example", .key = "ED25519"}, {HC_P_KEY_UNCOMMON}, HC_CLASS_REMARK},
    {"RSA-PSS", {.sans = "DNS:a.example", .key = "RSA-PSS"}, {HC_P_KEY_UNCOMMON}, HC_CLASS_REMARK},
    {"must-staple",
     {.sans = "DNS:a.example", .extra_oid = "tlsfeature", .extra_value = "status_request"},
     {HC_P_MUST_STAPLE},
     HC_CLASS_FLAWED},
    {"one SCT, cut",
     {.sans = "DNS:a.example",
      .extra_oid = "1.3.6.1.4.1.11129.2.4.2",
      .extra_value = "DER:04:04:00:02:00:00"},
     {HC_P_SCTS_FEW},
     HC_CLASS_REMARK},
    {"no names at all", {.name = "a.example"}, {0}, HC_CLASS_REMARK},
    {"no key identifiers",
     {.sans = "DNS:a.example", .no_ids = true},
     {HC_P_CHAIN_LAX},
     HC_CLASS_REMARK},
};

static void leaves_have_their_faults_named(void)
{
    for (size_t i = 0; i < HC_COUNT(leaves); i++) {
        struct forge spec = leaves[i].forge;
        struct hc_check how = plain();
        struct hc_findings f = {0};
        struct forged leaf;

        spec.by = &family.mid;
        spec.name = spec.name != NULL ? spec.name : "leaf";
        leaf = forge(&spec);
        judge(&leaf, family.mid.cert, NULL, &how, &f);
        expect(&f, leaves[i].want[0], leaves[i].want[1], leaves[i].want[2], leaves[i].name);
        is_int(hc_findings_worst(&f), leaves[i].worst, "its worst rank");
        hc_findings_dispose(&f);
        forged_free(&leaf);
    }
}

static void sha1_is_refused(void)
{
    struct forged sha1 = forge(&(struct forge){
        .name = "leaf", .sans = "DNS:a.example", .by = &family.mid, .md = EVP_sha1()});
    struct hc_findings f = {0};
    struct hc_check how = plain();

    judge(&sha1, family.mid.cert, NULL, &how, &f);
    ok(hc_findings_find(&f, HC_P_SIGNATURE_WEAK, NULL) != NULL,
       "a leaf signed with SHA-1 is flawed");
    dump(&f);
    hc_findings_dispose(&f);
    forged_free(&sha1);
}

static void names_are_judged_as_clients_do(void)
{
    static const struct {
        const char *name;
        bool covered;
    } names[] = {
        {"www.example.org", true},
        {"example.org", false},
        {"a.wild.example.org", true},
        {"a.b.wild.example.org", false},
        {"wild.example.org", false},
        {"192.0.2.1", true},
        {"192.0.2.2", false},
        {"2001:db8::1", true},
        {"2001:db8::2", false},
        {"xn--bcher-kva.example", true},
        {"*.wild.example.org", true},
        {"*.example.org", false},
        {"leaf", false},
    };
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        struct hc_list one = {0};
        struct hc_findings f = {0};
        struct hc_check how = plain();

        if (hc_list_add(&one, names[i].name, NULL) != 0) {
            forge_die("list");
        }
        how.names = &one;
        judge(&family.leaf, family.mid.cert, NULL, &how, &f);
        is_int(hc_findings_find(&f, HC_P_NAME_NOT_COVERED, names[i].name) == NULL, names[i].covered,
               names[i].name);
        hc_findings_dispose(&f);
        how.left_out = &one;
        judge(&family.leaf, family.mid.cert, NULL, &how, &f);
        ok(hc_findings_find(&f, HC_P_NAME_NOT_COVERED, NULL) == NULL &&
               (hc_findings_find(&f, HC_P_LEFT_OUT, names[i].name) == NULL) == names[i].covered,
           "left out on purpose it is a remark");
        hc_findings_dispose(&f);
        hc_list_dispose(&one);
    }
}

static void self_signed_is_judged_by_the_roots(void)
{
    struct forged self = forge(&(struct forge){.name = "self", .sans = "DNS:a.example"});
    struct hc_roots *own = roots_of(self.cert, NULL, false);
    struct hc_findings f = {0};
    struct hc_check how = plain();

    judge(&self, NULL, NULL, &how, &f);
    expect(&f, HC_P_SELF_SIGNED, HC_P_UNTRUSTED_ROOT, 0, "self-signed, unknown: flawed");
    hc_findings_dispose(&f);
    how.roots = own;
    judge(&self, NULL, NULL, &how, &f);
    expect(&f, HC_P_SELF_SIGNED, 0, 0, "self-signed by intent: a remark");
    hc_findings_dispose(&f);
    how.roots = NULL;
    judge(&self, NULL, NULL, &how, &f);
    expect(&f, HC_P_SELF_SIGNED, 0, 0, "without roots nobody is judged by them");
    hc_findings_dispose(&f);
    hc_roots_free(own);
    forged_free(&self);
}

static void public_roots_have_rules_of_their_own(void)
{
    struct hc_roots *public = roots_of(family.root.cert, NULL, true);
    struct forged longer = forge(&(struct forge){
        .name = "leaf", .sans = "DNS:a.example", .by = &family.mid, .from = -1, .days = 500});
    struct hc_findings f = {0};
    struct hc_check how = plain();

    how.roots = public;
    judge(&longer, family.mid.cert, NULL, &how, &f);
    expect(&f, HC_P_SCTS_FEW, HC_P_LIFETIME_LONG, 0, "no SCTs and 501 days below a public root");
    hc_findings_dispose(&f);
    hc_roots_free(public);
    forged_free(&longer);
}

/* CA/B Forum BR 6.3.2: shorter from one date of issue to the next. */
static void lifetimes_grow_shorter(void)
{
    static const struct {
        const char *issued;
        long days;
        bool too_long;
    } rows[] = {
        {"2026-03-14", 398, false}, {"2026-03-14", 399, true},  {"2026-03-15", 200, false},
        {"2026-03-15", 201, true},  {"2027-03-14", 200, false}, {"2027-03-15", 100, false},
        {"2027-03-15", 101, true},  {"2029-03-14", 100, false}, {"2029-03-15", 47, false},
        {"2029-03-15", 48, true},
    };
    struct hc_roots *public = roots_of(family.root.cert, NULL, true);
    int64_t today = (int64_t)time(NULL) / 86400;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_findings f = {0};
        struct hc_check how = plain();
        struct forged leaf;
        int64_t issued = 0;
        char name[80];

        ok(hc_time_parse(rows[i].issued, &issued, NULL) == 0, rows[i].issued);
        leaf = forge(&(struct forge){.name = "leaf",
                                     .sans = "DNS:a.example",
                                     .by = &family.mid,
                                     .from = (long)(issued / 86400 - today),
                                     .days = (long)(issued / 86400 - today) + rows[i].days});
        how.roots = public;
        judge(&leaf, family.mid.cert, NULL, &how, &f);
        snprintf(name, sizeof(name), "issued on %s for %ld days", rows[i].issued, rows[i].days);
        ok((hc_findings_find(&f, HC_P_LIFETIME_LONG, NULL) != NULL) == rows[i].too_long, name);
        hc_findings_dispose(&f);
        forged_free(&leaf);
    }
    hc_roots_free(public);
}

static void key_files_that_others_read_are_a_remark(void)
{
    static const struct {
        uint32_t mode, uid, owner;
        bool remark;
    } files[] = {{S_IFREG | 0600, 0, 0, false},   {S_IFREG | 0640, 0, 0, false},
                 {S_IFREG | 0644, 0, 0, true},    {S_IFREG | 0660, 0, 0, true},
                 {S_IFREG | 0600, 33, 33, false}, {S_IFREG | 0600, 1000, 33, true}};

    for (size_t i = 0; i < HC_COUNT(files); i++) {
        struct hc_check_file file = {"key.pem", files[i].mode, files[i].uid, files[i].owner};
        struct hc_findings f = {0};
        struct hc_check how = plain();

        how.key_file = &file;
        judge(&family.leaf, family.mid.cert, NULL, &how, &f);
        expect(&f, files[i].remark ? HC_P_KEY_PERMISSIONS : 0, 0, 0,
               "mode and owner of the key file");
        hc_findings_dispose(&f);
    }
}

static void intermediates_among_the_roots_are_ignored(void)
{
    struct hc_roots *with = roots_of(family.root.cert, family.mid.cert, false);
    struct hc_findings f = {0};
    struct hc_check how = plain();

    is_int((long long)hc_roots_count(with), 1, "an intermediate in the bundle is no root");
    how.roots = with;
    judge(&family.leaf, NULL, NULL, &how, &f);
    expect(&f, HC_P_CHAIN_INCOMPLETE, 0, 0, "and does not hide that it is missing from the chain");
    hc_findings_dispose(&f);
    hc_roots_free(with);
}

static bool knows_it;
static X509 *asked_about;

/* cert is borrowed for the call. */
static bool knows(void *self HC_UNUSED, X509 *cert)
{
    X509_free(asked_about);
    X509_up_ref(cert);
    asked_about = cert;
    return knows_it;
}

static void who_knows_the_issuer_above_a_gap_is_asked(void)
{
    struct forged low = forge(&(struct forge){.name = "Low", .ca = true, .by = &family.mid});
    struct forged leaf =
        forge(&(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &low});
    struct hc_findings f = {0};
    struct hc_check how = plain();

    how.knows_issuer = knows;
    judge(&leaf, low.cert, family.mid.cert, &how, &f);
    ok(asked_about == NULL, "not where the path is whole");
    hc_findings_dispose(&f);
    judge(&leaf, low.cert, NULL, &how, &f);
    expect(&f, HC_P_UNTRUSTED_ROOT, 0, 0, "nobody knows it: it may be a root");
    ok(asked_about != NULL && X509_cmp(asked_about, low.cert) == 0, "asked where the path ends");
    hc_findings_dispose(&f);
    knows_it = true;
    judge(&leaf, low.cert, NULL, &how, &f);
    expect(&f, HC_P_CHAIN_INCOMPLETE, 0, 0, "it is known, and no root: it is missing");
    hc_findings_dispose(&f);
    X509_free(asked_about);
    asked_about = NULL;
    forged_free(&low);
    forged_free(&leaf);
}

/* Its name says "root", its signature does not: never by name. */
static void a_root_by_name_only_is_not_trusted(void)
{
    struct forged real = forge(&(struct forge){.name = "Same Name", .ca = true, .no_ids = true});
    struct forged fake =
        forge(&(struct forge){.name = "Same Name", .ca = true, .by = &real, .no_ids = true});
    struct forged leaf = forge(
        &(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &fake, .no_ids = true});
    struct hc_roots *by_name = roots_of(fake.cert, family.root.cert, false);
    struct hc_findings f = {0};
    struct hc_check how = plain();

    how.roots = by_name;
    judge(&leaf, NULL, NULL, &how, &f);
    ok(hc_findings_find(&f, HC_P_CHAIN_INCOMPLETE, NULL) != NULL, "below it nothing is trusted");
    hc_findings_dispose(&f);
    hc_roots_free(by_name);
    forged_free(&real);
    forged_free(&fake);
    forged_free(&leaf);
}

static void roots_that_are_none_are_refused(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_ROOTS_MAX);
    struct hc_error err = {0};
    struct hc_roots *made = NULL;

    forge_chain_pem(&pem, family.mid.cert, NULL, NULL);
    is_int(hc_roots_parse(hc_bytes_of(&pem), "x", false, &made, &err), -1, "no self-signed one");
    is_int(err.problem, HC_P_BAD_VALUE, "a bad value");
    hc_error_init(&err);
    is_int(hc_roots_load("/nonexistent/roots", &made, &err), -1, "no file");
    is_int(err.problem, HC_P_FILE_UNREADABLE, "is said");
    hc_error_init(&err);
    is_int(hc_roots_load(NULL, &made, &err), 0, "the system's bundle is loaded");
    ok(hc_roots_is_system(made) && hc_roots_count(made) > 50, "with its roots");
    hc_roots_free(made);
    hc_buf_dispose(&pem);
}

/* The wire: a context with a CA store of its own and no NO_AUTO_CHAIN adds what was not checked. */
static void a_chain_that_libssl_adds_is_seen(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_findings f = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    forge_chain_pem(&pem, family.leaf.cert, NULL, NULL);
    if (hc_pair_from_key(family.leaf.key, hc_bytes_of(&pem), "x", &pair, &f, &err) != 0) {
        forge_die(err.detail);
    }
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), family.mid.cert);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), family.root.cert);
    SSL_CTX_use_certificate(ctx, family.leaf.cert);
    SSL_CTX_use_PrivateKey(ctx, family.leaf.key);
    is_int(hc_check_wire(ctx, 0, pair, &f, &err), 0, "a handshake is made");
    expect(&f, HC_P_WIRE_DIFFERS, 0, 0, "what libssl adds by itself is seen");
    hc_findings_dispose(&f);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    is_int(hc_check_wire(ctx, 0, pair, &f, &err), 0, "another handshake");
    expect(&f, 0, 0, 0, "with SSL_MODE_NO_AUTO_CHAIN it is what was checked");
    hc_findings_dispose(&f);
    SSL_CTX_free(ctx);
    hc_pair_free(pair);
    hc_buf_dispose(&pem);
}

static void every_flaw_has_clients_words(void)
{
    static const enum hc_problem ours[] = {
#define HC_PROBLEM(id, slug, cls, sentence, hint) id,
#include "base/problem_pki.def"
#undef HC_PROBLEM
    };

    for (size_t i = 0; i < HC_COUNT(ours); i++) {
        bool all = true;

        if (hc_problem_row(ours[i])->cls != HC_CLASS_FLAWED || ours[i] == HC_P_WIRE_DIFFERS) {
            continue;
        }
        for (int c = 0; c < HC_CLIENT_COUNT; c++) {
            all = all && hc_client_says(ours[i], (enum hc_client)c) != NULL;
        }
        ok(all, hc_problem_row(ours[i])->slug);
    }
    ok(hc_client_says(HC_P_CHAIN_ORDER, HC_CLIENT_CURL) == NULL, "a remark has none");
    is_str(hc_client_name(HC_CLIENT_JAVA), "Java", "clients have names");
}

/* Flips a bit in every byte of the file: what is still fit is, byte for byte, what was issued. */
static void nothing_that_was_changed_is_fit(unsigned char bit)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_check how = plain();
    struct hc_list names = {0};
    unsigned fit = 0;
    unsigned changed = 0;

    if (hc_list_add(&names, "www.example.org", NULL) != 0) {
        forge_die("list");
    }
    how.names = &names;
    forge_chain_pem(&pem, family.leaf.cert, family.mid.cert, NULL);
    for (size_t i = 0; i < pem.len; i++) {
        struct hc_findings f = {0};
        struct hc_error err = {0};
        struct hc_pair *pair = NULL;

        pem.data[i] ^= bit;
        if (hc_pair_from_key(family.leaf.key, hc_bytes_of(&pem), "x", &pair, &f, &err) == 0 &&
            hc_check_chain(hc_pair_leaf(pair), hc_pair_chain(pair), &how, &f, &err) == 0 &&
            hc_findings_worst(&f) == HC_CLASS_REMARK) {
            fit++;
            changed += X509_cmp(hc_pair_leaf(pair), family.leaf.cert) != 0 ||
                       sk_X509_num(hc_pair_chain(pair)) != 1 ||
                       X509_cmp(sk_X509_value(hc_pair_chain(pair), 0), family.mid.cert) != 0;
        }
        hc_pair_free(pair);
        hc_findings_dispose(&f);
        pem.data[i] ^= bit;
    }
    printf("# bit %02x: %u of %zu are still fit\n", bit, fit, pem.len);
    is_int(changed, 0, "none of them is another certificate");
    hc_list_dispose(&names);
    hc_buf_dispose(&pem);
}

static void the_cost_is_printed(void)
{
    enum { ROUNDS = 100 };
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_check how = plain();
    struct hc_list names = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;
    struct hc_findings none = {0};
    clock_t start = 0;
    unsigned good = 0;

    for (int i = 0; i < 10; i++) {
        if (hc_list_add(&names, "www.example.org", NULL) != 0) {
            forge_die("list");
        }
    }
    how.names = &names;
    forge_chain_pem(&pem, family.leaf.cert, family.mid.cert, NULL);
    if (hc_pair_from_key(family.leaf.key, hc_bytes_of(&pem), "x", &pair, &none, &err) != 0) {
        forge_die(err.detail);
    }
    start = clock();
    for (int i = 0; i < ROUNDS; i++) {
        struct hc_findings f = {0};

        good += hc_check_pair(pair, &how, &f, &err) == 0 && f.count == 0;
        hc_findings_dispose(&f);
    }
    printf("# a full check: %.2f ms of CPU\n",
           (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC / ROUNDS);
    is_int(good, ROUNDS, "every round finds nothing");
    hc_pair_free(pair);
    hc_list_dispose(&names);
    hc_buf_dispose(&pem);
}

int main(void)
{
    family = forge_family(NULL, "DNS:www.example.org,DNS:*.wild.example.org,IP:192.0.2.1,"
                                "IP:2001:db8::1,DNS:xn--bcher-kva.example");
    roots = roots_of(family.root.cert, NULL, false);
    a_fit_pair_has_no_findings();
    chains_have_their_faults_named();
    another_ca_of_the_same_name_is_seen();
    the_expired_cross_sign_is_seen();
    leaves_have_their_faults_named();
    sha1_is_refused();
    names_are_judged_as_clients_do();
    self_signed_is_judged_by_the_roots();
    public_roots_have_rules_of_their_own();
    lifetimes_grow_shorter();
    key_files_that_others_read_are_a_remark();
    intermediates_among_the_roots_are_ignored();
    who_knows_the_issuer_above_a_gap_is_asked();
    a_root_by_name_only_is_not_trusted();
    roots_that_are_none_are_refused();
    a_chain_that_libssl_adds_is_seen();
    every_flaw_has_clients_words();
    nothing_that_was_changed_is_fit(0x01);
    nothing_that_was_changed_is_fit(0x20);
    the_cost_is_printed();
    hc_roots_free(roots);
    forged_family_free(&family);
    return done();
}
