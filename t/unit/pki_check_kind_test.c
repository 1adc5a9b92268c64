/* core/pki/check_kind.c: pairs that libssl treats alike. And what is left to check of one. */
#include "forge.h"
#include "pki/check.h"
#include "pki/check_kind.h"
#include "tap.h"

static struct forged_family family;

/* A pair of such a leaf below the family's intermediate, or, alone, without a chain. */
static struct hc_pair *pair_of(const char *key, const EVP_MD *md, bool alone)
{
    struct forged leaf = forge(&(struct forge){
        .name = "leaf", .sans = "DNS:a.example", .by = &family.mid, .key = key, .md = md});
    struct hc_buf certs = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    forge_cert_pem(leaf.cert, &certs);
    if (!alone) {
        forge_cert_pem(family.mid.cert, &certs);
    }
    if (hc_pair_from_key(leaf.key, hc_bytes_of(&certs), "x", &pair, &findings, &err) != 0 ||
        pair == NULL) {
        forge_die(err.detail);
    }
    hc_findings_dispose(&findings);
    hc_buf_dispose(&certs);
    forged_free(&leaf);
    return pair;
}

static void kinds_differ_by_what_libssl_asks(void)
{
    static const struct {
        const char *name;
        const char *key;
        bool sha384;
        bool alone;
        int level;
        bool same;
    } rows[] = {{"another pair of the same issuer", "P-256", false, false, 1, true},
                {"another curve", "P-384", false, false, 1, false},
                {"RSA", "RSA:2048", false, false, 1, false},
                {"another signature", "P-256", true, false, 1, false},
                {"another chain", "P-256", false, true, 1, false},
                {"another level", "P-256", false, false, 2, false}};
    struct hc_pair *first = pair_of("P-256", EVP_sha256(), false);
    unsigned char kind[HC_DIGEST_SIZE];

    ok(hc_kind_of(first, 1, kind) && !hc_kind_is_known(kind), "a kind that is not known");
    hc_kind_add(kind);
    ok(hc_kind_is_known(kind), "it is known once it is added");
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_pair *pair =
            pair_of(rows[i].key, rows[i].sha384 ? EVP_sha384() : EVP_sha256(), rows[i].alone);

        ok(hc_kind_of(pair, rows[i].level, kind) && hc_kind_is_known(kind) == rows[i].same,
           rows[i].name);
        hc_pair_free(pair);
    }
    hc_pair_free(first);
}

static void usable(const struct hc_pair *pair, int level, enum hc_problem want, const char *name)
{
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_error err = {0};

    is_int(hc_check_usable(pair, level, &findings, &err), 0, name);
    ok(want == HC_P_NONE ? findings.count == 0 : hc_findings_find(&findings, want, NULL) != NULL,
       "is judged as it should be");
    hc_findings_dispose(&findings);
}

/* Whether or not one of its kind was seen before, and no fault is learnt as a kind. */
static void each_pair_is_loaded(void)
{
    struct hc_pair *good = pair_of("RSA:3072", EVP_sha256(), false);
    struct hc_pair *weak = pair_of("RSA:1024", EVP_sha256(), false);
    unsigned char kind[HC_DIGEST_SIZE];

    ok(hc_kind_of(good, 1, kind) && !hc_kind_is_known(kind), "nobody has seen its kind");
    usable(good, 1, HC_P_NONE, "the first");
    ok(hc_kind_is_known(kind), "a handshake has shown the kind");
    usable(good, 1, HC_P_NONE, "the second");
    usable(weak, 2, HC_P_TLS_REFUSED, "a key that the level does not let pass");
    ok(hc_kind_of(weak, 2, kind) && !hc_kind_is_known(kind), "teaches nothing");
    hc_kind_add(kind);
    usable(weak, 2, HC_P_TLS_REFUSED, "a pair that libssl does not load, whatever its kind");
    hc_pair_free(good);
    hc_pair_free(weak);
}

int main(void)
{
    family = forge_family("P-256", "DNS:a.example");
    kinds_differ_by_what_libssl_asks();
    each_pair_is_loaded();
    forged_family_free(&family);
    return done();
}
