/* Sealing; see seal.h. */
#include "store/seal.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/str.h"
#include "conf/digest.h"

#include "pki/openssl.h"

#define KEY_SIZE   32
#define NONCE_SIZE 12

/* Key and nonce of one file. */
static int derive(const unsigned char secret[HC_SECRET_SIZE], const char *purpose,
                  const unsigned char salt[HC_SEAL_SALT], unsigned char out[KEY_SIZE + NONCE_SIZE])
{
    unsigned char key[HC_SECRET_SIZE];
    unsigned char salt_copy[HC_SEAL_SALT];
    char info[64];
    char digest[] = "SHA256";
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[5];
    int rc = -1;

    /* OSSL_PARAM takes pointers to what may be written */
    memcpy(key, secret, sizeof(key));
    memcpy(salt_copy, salt, sizeof(salt_copy));
    memset(info, 0, sizeof(info));
    strncpy(info, purpose, sizeof(info) - 1);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof(key));
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_copy, HC_SEAL_SALT);
    params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info));
    params[4] = OSSL_PARAM_construct_end();
    if (ctx != NULL && EVP_KDF_derive(ctx, out, KEY_SIZE + NONCE_SIZE, params) == 1) {
        rc = 0;
    }
    OPENSSL_cleanse(key, sizeof(key));
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return rc;
}

/* A cipher context that has its key, its nonce and what is bound. NULL: OpenSSL says why. */
static EVP_CIPHER_CTX *begin(const unsigned char secret[HC_SECRET_SIZE], const char *purpose,
                             const unsigned char salt[HC_SEAL_SALT], struct hc_bytes bound,
                             int seal)
{
    unsigned char material[KEY_SIZE + NONCE_SIZE];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    bool good = ctx != NULL && bound.len <= INT_MAX && derive(secret, purpose, salt, material) == 0;

    good = good && EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), material, material + KEY_SIZE, seal,
                                      NULL) == 1;
    good = good &&
           (bound.len == 0 || EVP_CipherUpdate(ctx, NULL, &n, bound.data, (int)bound.len) == 1);
    OPENSSL_cleanse(material, sizeof(material));
    if (!good) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

int hc_seal(const unsigned char secret[HC_SECRET_SIZE], const char *purpose, struct hc_bytes bound,
            struct hc_bytes plain, struct hc_buf *out, struct hc_error *err)
{
    EVP_CIPHER_CTX *ctx = NULL;
    unsigned char *at = NULL;
    int n = 0;
    int last = 0;
    int rc = -1;

    if (plain.len > INT_MAX || hc_buf_reserve(out, plain.len + HC_SEAL_EXTRA, &at, err) != 0) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "%zu bytes to seal", plain.len);
    }
    if (RAND_bytes(at, HC_SEAL_SALT) != 1) {
        goto out;
    }
    ctx = begin(secret, purpose, at, bound, 1);
    if (ctx == NULL ||
        (plain.len > 0 &&
         EVP_CipherUpdate(ctx, at + HC_SEAL_SALT, &n, plain.data, (int)plain.len) != 1) ||
        EVP_CipherFinal_ex(ctx, at + HC_SEAL_SALT + n, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, HC_SEAL_TAG,
                            at + HC_SEAL_SALT + plain.len) != 1) {
        goto out;
    }
    out->len += plain.len + HC_SEAL_EXTRA;
    out->data[out->len] = '\0';
    rc = 0;
out:
    EVP_CIPHER_CTX_free(ctx);
    if (rc != 0) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "sealing");
    }
    return rc;
}

int hc_unseal(const unsigned char secret[HC_SECRET_SIZE], const char *purpose,
              struct hc_bytes bound, struct hc_bytes sealed, struct hc_buf *out,
              struct hc_error *err)
{
    EVP_CIPHER_CTX *ctx = NULL;
    unsigned char tag[HC_SEAL_TAG];
    unsigned char *at = NULL;
    size_t len = sealed.len - HC_SEAL_EXTRA;
    int n = 0;
    int last = 0;
    int rc = -1;

    if (sealed.len < HC_SEAL_EXTRA || sealed.len > INT_MAX) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "%zu sealed bytes", sealed.len);
    }
    if (hc_buf_reserve(out, len, &at, err) != 0) {
        return -1;
    }
    memcpy(tag, sealed.data + HC_SEAL_SALT + len, sizeof(tag));
    ctx = begin(secret, purpose, sealed.data, bound, 0);
    if (ctx == NULL || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, HC_SEAL_TAG, tag) != 1 ||
        (len > 0 && EVP_CipherUpdate(ctx, at, &n, sealed.data + HC_SEAL_SALT, (int)len) != 1)) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "unsealing");
        goto out;
    }
    if (EVP_CipherFinal_ex(ctx, at + n, &last) != 1) {
        hc_error_set_openssl(err, HC_P_STORE_DAMAGED, NULL, "it does not decrypt");
        goto out;
    }
    out->len += len;
    out->data[out->len] = '\0';
    rc = 0;
out:
    if (rc != 0) {
        OPENSSL_cleanse(at, len); /* GCM writes before it knows */
    }
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

int hc_seal_fingerprint(const unsigned char secret[HC_SECRET_SIZE], struct hc_bytes id,
                        unsigned char fingerprint[32], struct hc_error *err)
{
    static const char label[] = "hotcert store fingerprint 1";
    unsigned char text[sizeof(label) + 64];
    unsigned len = 0;

    if (id.len > 64) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "an id of %zu bytes", id.len);
    }
    memcpy(text, label, sizeof(label));
    memcpy(text + sizeof(label), id.data, id.len);
    if (HMAC(EVP_sha256(), secret, HC_SECRET_SIZE, text, sizeof(label) + id.len, fingerprint,
             &len) == NULL) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "the secret's fingerprint");
    }
    return 0;
}

int hc_seal_checksum(struct hc_bytes text, char hex[65], struct hc_error *err)
{
    unsigned char digest[32];
    struct hc_digest sum;

    hc_digest_begin(&sum);
    hc_digest_bytes(&sum, text.data, text.len);
    if (hc_digest_end(&sum, digest, err) != 0) {
        return -1;
    }
    hc_hex(hex, digest, sizeof(digest));
    return 0;
}
