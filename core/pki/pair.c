/* hc_pair, the value; see pair.h. Where pairs come from: pair_pem.c, pair_der.c, bootstrap.c. */
#include "pki/pair.h"

#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "conf/digest.h"
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

static int digest_cert(struct hc_digest *digest, X509 *cert, struct hc_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len <= 0) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "digesting a certificate");
    }
    hc_digest_bytes(digest, der, (size_t)len);
    OPENSSL_free(der);
    return 0;
}

static int make_fingerprint(struct hc_pair *pair, struct hc_error *err)
{
    unsigned char bytes[HC_DIGEST_SIZE];
    struct hc_digest digest;
    int rc = 0;

    hc_digest_begin(&digest);
    rc = digest_cert(&digest, pair->leaf, err);
    for (int i = 0; rc == 0 && i < sk_X509_num(pair->chain); i++) {
        rc = digest_cert(&digest, sk_X509_value(pair->chain, i), err);
    }
    if (hc_digest_end(&digest, bytes, err) != 0 || rc != 0) {
        return -1;
    }
    hc_hex(pair->fingerprint, bytes, sizeof(bytes));
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
