/* hc_pair, the value; see pair.h. Where pairs come from: pair_pem.c, pair_der.c, bootstrap.c. */
#include "pki/pair.h"

#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "conf/name.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair_make.h"
#include "pki/san.h"

struct hc_pair {
    atomic_uint references;
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * chain;
    enum hc_key_type key_type;
    int algorithm;
    int64_t not_before;
    int64_t not_after;
    char serial[HC_CERT_SERIAL];
    char fingerprint[2 * 32 + 1];
    struct hc_list names;
    bool file_goes_on;
};

static int digest_cert(EVP_MD_CTX *ctx, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    int good = len > 0 && EVP_DigestUpdate(ctx, der, (size_t)len) == 1;

    OPENSSL_free(der);
    return good;
}

static int make_fingerprint(struct hc_pair *pair, struct hc_error *err)
{
    unsigned char digest[32];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
               digest_cert(ctx, pair->leaf);

    for (int i = 0; good && i < sk_X509_num(pair->chain); i++) {
        good = digest_cert(ctx, sk_X509_value(pair->chain, i));
    }
    good = good && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "digesting a certificate");
    }
    hc_hex(pair->fingerprint, digest, sizeof(digest));
    return 0;
}

static int learn(struct hc_pair *pair, struct hc_error *err)
{
    pair->key_type = hc_key_type_of(pair->key);
    pair->algorithm = hc_key_algorithm(pair->key);
    hc_cert_serial(pair->leaf, pair->serial);
    return hc_cert_dates(pair->leaf, &pair->not_before, &pair->not_after, err) == 0 &&
                   make_fingerprint(pair, err) == 0 && hc_san_of(pair->leaf, &pair->names, err) == 0
               ? 0
               : -1;
}

int hc_pair_make(EVP_PKEY *key, X509 *leaf, STACK_OF(X509) * chain, struct hc_pair **out,
                 struct hc_error *err)
{
    struct hc_pair *pair = calloc(1, sizeof(*pair));
    int rc = -1;

    if (pair == NULL) {
        return hc_error_nomem(err);
    }
    atomic_init(&pair->references, 1);
    EVP_PKEY_up_ref(key);
    pair->key = key;
    X509_up_ref(leaf);
    pair->leaf = leaf;
    pair->chain = chain != NULL ? X509_chain_up_ref(chain) : sk_X509_new_null();
    if (pair->chain == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    if (learn(pair, err) != 0) {
        goto out;
    }
    *out = pair;
    pair = NULL;
    rc = 0;
out:
    hc_pair_free(pair);
    ERR_clear_error();
    return rc;
}

struct hc_pair *hc_pair_ref(struct hc_pair *pair)
{
    atomic_fetch_add_explicit(&pair->references, 1, memory_order_relaxed);
    return pair;
}

void hc_pair_free(struct hc_pair *pair)
{
    if (pair == NULL ||
        atomic_fetch_sub_explicit(&pair->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    EVP_PKEY_free(pair->key); /* wipes */
    X509_free(pair->leaf);
    sk_X509_pop_free(pair->chain, X509_free);
    hc_list_dispose(&pair->names);
    free(pair);
}

EVP_PKEY *hc_pair_key(const struct hc_pair *pair)
{
    return pair->key;
}

X509 *hc_pair_leaf(const struct hc_pair *pair)
{
    return pair->leaf;
}

STACK_OF(X509) * hc_pair_chain(const struct hc_pair *pair)
{
    return pair->chain;
}

enum hc_key_type hc_pair_key_type(const struct hc_pair *pair)
{
    return pair->key_type;
}

int hc_pair_algorithm(const struct hc_pair *pair)
{
    return pair->algorithm;
}

int64_t hc_pair_not_before(const struct hc_pair *pair)
{
    return pair->not_before;
}

int64_t hc_pair_not_after(const struct hc_pair *pair)
{
    return pair->not_after;
}

const char *hc_pair_serial(const struct hc_pair *pair)
{
    return pair->serial;
}

const char *hc_pair_fingerprint(const struct hc_pair *pair)
{
    return pair->fingerprint;
}

const struct hc_list *hc_pair_names(const struct hc_pair *pair)
{
    return &pair->names;
}

size_t hc_pair_covers(const struct hc_pair *pair, const struct hc_list *names)
{
    size_t covered = 0;

    for (size_t i = 0; i < names->count; i++) {
        for (size_t j = 0; j < pair->names.count; j++) {
            if (hc_name_matches(pair->names.items[j], names->items[i])) {
                covered++;
                break;
            }
        }
    }
    return covered;
}

bool hc_pair_equal(const struct hc_pair *a, const struct hc_pair *b)
{
    /* a pair's key is its leaf's, so that equal certificates mean an equal key */
    return strcmp(a->fingerprint, b->fingerprint) == 0;
}

bool hc_pair_file_goes_on(const struct hc_pair *pair)
{
    return pair->file_goes_on;
}

void hc_pair_set_file_goes_on(struct hc_pair *pair, bool goes_on)
{
    pair->file_goes_on = goes_on;
}
