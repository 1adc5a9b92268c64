/*
 * The compact binary form of a pair: "hcp1", then key (PKCS#8 DER) and certificates (DER, leaf
 * first), each behind its length in four bytes, big-endian. It ends where its bytes end.
 */
#include <openssl/err.h>
#include <string.h>

#include "base/reader.h"
#include "pki/intern.h"
#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair.h"
#include "pki/pair_make.h"

static const unsigned char magic[4] = {'h', 'c', 'p', '1'};

static int put_cert(struct hc_buf *out, X509 *cert, struct hc_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    int rc = -1;

    if (len <= 0) {
        rc = hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "writing a certificate");
    } else {
        rc = hc_put_chunk(out, der, (size_t)len, err);
    }
    OPENSSL_free(der);
    return rc;
}

int hc_pair_encode(const struct hc_pair *pair, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf key = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    STACK_OF(X509) *chain = hc_pair_chain(pair);
    int rc = -1;

    if (hc_key_to_der(hc_pair_key(pair), &key, err) != 0 ||
        hc_buf_append(out, magic, sizeof(magic), err) != 0 ||
        hc_put_chunk(out, key.data, key.len, err) != 0 ||
        put_cert(out, hc_pair_leaf(pair), err) != 0) {
        goto out;
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (put_cert(out, sk_X509_value(chain, i), err) != 0) {
            goto out;
        }
    }
    rc = 0;
out:
    hc_buf_dispose(&key);
    return rc;
}

static int get_leaf(struct hc_bytes chunk, X509 **out, struct hc_error *err)
{
    const unsigned char *p = chunk.data;
    X509 *cert = d2i_X509(NULL, &p, (long)chunk.len);

    if (cert == NULL || p != chunk.data + chunk.len) {
        X509_free(cert);
        return hc_error_set_openssl(err, HC_P_PEM_DAMAGED, NULL, "a leaf that cannot be read");
    }
    *out = cert;
    return 0;
}

static int get_chain(struct hc_reader *in, STACK_OF(X509) * chain, struct hc_error *err)
{
    while (in->left > 0) {
        struct hc_bytes chunk;
        X509 *cert = NULL;

        if (sk_X509_num(chain) >= HC_CHAIN_MAX - 1) {
            return hc_error_set(err, HC_P_TOO_LARGE, NULL, "more than %d certificates in a chain",
                                HC_CHAIN_MAX);
        }
        if (hc_get_chunk(in, HC_BUNDLE_MAX, &chunk, err) != 0 ||
            hc_intern_cert(chunk.data, chunk.len, &cert, err) != 0) {
            return -1;
        }
        if (sk_X509_push(chain, cert) <= 0) {
            X509_free(cert);
            return hc_error_nomem(err);
        }
    }
    return 0;
}

int hc_pair_decode(const unsigned char *data, size_t len, struct hc_pair **out,
                   struct hc_error *err)
{
    struct hc_reader in = {data, len};
    struct hc_bytes chunk;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    int rc = -1;

    if (chain == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    if (hc_get_magic(&in, magic, err) != 0 || hc_get_chunk(&in, HC_KEY_DER_MAX, &chunk, err) != 0 ||
        hc_key_from_der(chunk.data, chunk.len, &key, err) != 0 ||
        hc_get_chunk(&in, HC_BUNDLE_MAX, &chunk, err) != 0 || get_leaf(chunk, &leaf, err) != 0 ||
        get_chain(&in, chain, err) != 0) {
        goto out;
    }
    if (X509_check_private_key(leaf, key) != 1) {
        hc_error_set(err, HC_P_KEY_MISMATCH, NULL, "an encoded pair");
        goto out;
    }
    rc = hc_pair_make(key, leaf, chain, out, err);
out:
    EVP_PKEY_free(key);
    X509_free(leaf);
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return rc;
}
