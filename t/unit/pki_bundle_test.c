/* Bundles: through their encoding, damaged, and what the intermediates cost. */
#include <time.h>

#include "forge.h"
#include "pki/intern.h"
#include "pki/pair.h"
#include "tap.h"

static struct hc_pair *make_pair(const struct forged *leaf, const struct forged *mid)
{
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    forge_chain_pem(&pem, leaf->cert, mid->cert, NULL);
    if (hc_pair_from_key(leaf->key, hc_bytes_of(&pem), "test", &pair, &findings, &err) != 0) {
        forge_die(err.detail);
    }
    hc_findings_dispose(&findings);
    hc_buf_dispose(&pem);
    return pair;
}

static void two_key_types_make_one_bundle(void)
{
    struct forged_family f = forge_family("P-256", "DNS:a.example");
    struct forged rsa = forge(
        &(struct forge){.name = "rsa", .sans = "DNS:a.example", .by = &f.mid, .key = "RSA:2048"});
    struct hc_pair *pairs[2] = {make_pair(&f.leaf, &f.mid), make_pair(&rsa, &f.mid)};
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bundle *bundle = NULL;
    struct hc_bundle *back = NULL;
    struct hc_error err = {0};
    unsigned wrong = 0;

    is_int(hc_bundle_new(pairs, 2, &bundle, &err), 0, "ECDSA and RSA make a bundle");
    is_int(hc_bundle_encode(bundle, &bytes, &err), 0, "it is encoded");
    is_int(hc_bundle_decode(bytes.data, bytes.len, &back, &err), 0, "and decoded");
    is_int((long long)hc_bundle_count(back), 2, "two pairs");
    ok(hc_pair_equal(hc_bundle_pair(back, 1), pairs[1]), "the second is the second");
    ok(sk_X509_value(hc_pair_chain(hc_bundle_pair(back, 0)), 0) ==
           sk_X509_value(hc_pair_chain(hc_bundle_pair(back, 1)), 0),
       "both share the object of their intermediate");
    ok(hc_bundle_pair(back, 2) == NULL, "there is no third");
    hc_bundle_free(hc_bundle_ref(back));
    hc_bundle_free(back);

    for (size_t len = 0; len < bytes.len; len++) {
        struct hc_buf cut = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
        struct hc_error ignored = {0};

        if (hc_buf_append(&cut, bytes.data, len, &ignored) != 0) {
            forge_die("buffer");
        }
        if (hc_bundle_decode(cut.data, cut.len, &back, &ignored) == 0) {
            /* whole pairs and whole certificates may be missing at its end: nothing else */
            wrong += hc_bundle_count(back) > 2 ||
                     X509_check_private_key(hc_pair_leaf(hc_bundle_pair(back, 0)),
                                            hc_pair_key(hc_bundle_pair(back, 0))) != 1;
            hc_bundle_free(back);
        } else {
            wrong += !hc_error_is_set(&ignored);
        }
        hc_buf_dispose(&cut);
    }
    is_int(wrong, 0, "every truncation is refused with a reason, or ends behind a whole pair");
    is_int((long long)ERR_peek_error(), 0, "OpenSSL's queue is empty");

    for (size_t i = 0; i < bytes.len; i++) {
        struct hc_error ignored = {0};

        bytes.data[i] ^= 0x20;
        if (hc_bundle_decode(bytes.data, bytes.len, &back, &ignored) == 0) {
            for (size_t j = 0; j < hc_bundle_count(back); j++) {
                wrong += X509_check_private_key(hc_pair_leaf(hc_bundle_pair(back, j)),
                                                hc_pair_key(hc_bundle_pair(back, j))) != 1;
            }
            hc_bundle_free(back);
        }
        bytes.data[i] ^= 0x20;
    }
    is_int(wrong, 0, "no flipped byte gives a pair whose key is another certificate's");
    hc_bundle_free(bundle);
    hc_buf_dispose(&bytes);
    forged_free(&rsa);
    forged_family_free(&f);
}

static void two_pairs_of_one_algorithm_are_refused(void)
{
    struct forged_family f = forge_family("P-256", "DNS:a.example");
    struct hc_pair *pairs[2] = {make_pair(&f.leaf, &f.mid), make_pair(&f.leaf, &f.mid)};
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};

    is_int(hc_bundle_new(pairs, 2, &bundle, &err), -1, "two ECDSA pairs make no bundle");
    hc_error_init(&err);
    is_int(hc_bundle_new(pairs, 0, &bundle, &err), -1, "nor do none");
    hc_pair_free(pairs[0]);
    hc_pair_free(pairs[1]);
    forged_family_free(&f);
}

static void the_cost_is_printed(const char *kind)
{
    enum { ROUNDS = 200 };
    struct forged_family f = forge_family(kind, "DNS:a.example");
    struct hc_pair *pair = make_pair(&f.leaf, &f.mid);
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};
    clock_t start = 0;
    unsigned good = 0;

    if (hc_bundle_new(&pair, 1, &bundle, &err) != 0 ||
        hc_bundle_encode(bundle, &bytes, &err) != 0) {
        forge_die("bundle");
    }
    start = clock();
    for (int i = 0; i < ROUNDS; i++) {
        struct hc_bundle *back = NULL;

        good += hc_bundle_decode(bytes.data, bytes.len, &back, &err) == 0;
        hc_bundle_free(back);
    }
    printf("# decoding a bundle of one %s pair: %.0f us of CPU\n", kind,
           (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / ROUNDS);
    is_int(good, ROUNDS, "every round decodes");
    hc_bundle_free(bundle);
    hc_buf_dispose(&bytes);
    forged_family_free(&f);
}

int main(void)
{
    two_key_types_make_one_bundle();
    two_pairs_of_one_algorithm_are_refused();
    the_cost_is_printed("P-256");
    the_cost_is_printed("RSA:2048");
    hc_intern_clear();
    return done();
}
