/* Private keys and certificate signing requests (RFC 5958, RFC 2986); see key.h. */
#include "pki/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "pki/key_ec.h"
#include "pki/openssl.h"
#include "pki/san.h"

#define SIGNATURE_MAX 8192 /* ML-DSA-87: 4627 */

int hc_key_new(enum hc_key_type type, EVP_PKEY **out, struct hc_error *err)
{
    EVP_PKEY *key = NULL;

    switch (type) {
    case HC_KEY_ECDSA_256:
        key = EVP_EC_gen("P-256");
        break;
    case HC_KEY_ECDSA_384:
        key = EVP_EC_gen("P-384");
        break;
    case HC_KEY_RSA_2048:
        key = EVP_RSA_gen(2048);
        break;
    case HC_KEY_RSA_3072:
        key = EVP_RSA_gen(3072);
        break;
    case HC_KEY_RSA_4096:
        key = EVP_RSA_gen(4096);
        break;
    case HC_KEY_NONE:
    case HC_KEY_OTHER:
        return hc_error_set(err, HC_P_INTERNAL, hc_key_type_name(type),
                            "no key is made of this type");
    }
    if (key == NULL) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, hc_key_type_name(type), "making a key");
    }
    *out = key;
    return 0;
}

int hc_key_to_der(EVP_PKEY *key, struct hc_buf *out, struct hc_error *err)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    unsigned char *der = NULL;
    int len = -1;
    int rc = -1;

    if (hc_key_ec_to_pkcs8(key, out)) {
        return 0;
    }
    info = EVP_PKEY2PKCS8(key);
    len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    if (len <= 0) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "writing a private key");
        goto out;
    }
    rc = hc_buf_append(out, der, (size_t)len, err);
out:
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return rc;
}

bool hc_key_is_supported(EVP_PKEY *key)
{
    char group[64] = "";

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return EVP_PKEY_get_bits(key) >= 512;
    case EVP_PKEY_EC:
        /* a curve without a name (explicit parameters) is none that TLS can speak of */
        return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1;
    default:
        /* Ed25519, Ed448, ML-DSA ..: whether TLS has it shows the check over the wire */
        return EVP_PKEY_can_sign(key) == 1;
    }
}

int hc_key_algorithm(EVP_PKEY *key)
{
    int type = EVP_PKEY_get_base_id(key);
    const char *name = EVP_PKEY_get0_type_name(key);

    /* providers' kinds have a name alone */
    return type > 0 || name == NULL ? type : OBJ_txt2nid(name);
}

static bool is_classic(int type)
{
    return type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_EC ||
           type == EVP_PKEY_ED25519;
}

/* d2i with a known type is a third of the work of finding the type out. */
static EVP_PKEY *decode(const PKCS8_PRIV_KEY_INFO *info, int type, const unsigned char *der,
                        size_t len)
{
    const unsigned char *p = der;
    EVP_PKEY *key = type == EVP_PKEY_EC ? hc_key_ec_from_pkcs8(info) : NULL;

    if (key != NULL) {
        return key;
    }
    key = is_classic(type) ? d2i_PrivateKey(type, NULL, &p, (long)len)
                           : d2i_AutoPrivateKey(NULL, &p, (long)len);
    if (key != NULL && (size_t)(p - der) != len) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static int key_of(const PKCS8_PRIV_KEY_INFO *info, const unsigned char *der, size_t len,
                  EVP_PKEY **out, struct hc_error *err)
{
    const ASN1_OBJECT *algorithm = NULL;
    EVP_PKEY *key = NULL;
    int type = PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1 ? OBJ_obj2nid(algorithm)
                                                                        : EVP_PKEY_NONE;

    key = decode(info, type, der, len);
    if (key == NULL) {
        return hc_error_set(err, HC_P_PEM_DAMAGED, NULL,
                            "a private key that cannot be read, of the kind %s", OBJ_nid2ln(type));
    }
    if (!hc_key_is_supported(key)) {
        EVP_PKEY_free(key);
        return hc_error_set(err, HC_P_KEY_UNSUPPORTED, NULL,
                            "a curve or size that TLS does not have");
    }
    *out = key;
    return 0;
}

int hc_key_from_der(const unsigned char *der, size_t len, EVP_PKEY **out, struct hc_error *err)
{
    const unsigned char *p = der;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    int rc = -1;

    if (len == 0 || len > HC_KEY_DER_MAX) {
        return hc_error_set(err, HC_P_PEM_DAMAGED, NULL, "a private key of %zu bytes", len);
    }
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
    if (info == NULL || (size_t)(p - der) != len) {
        hc_error_set(err, HC_P_PEM_DAMAGED, NULL, "a private key that is not PKCS#8");
    } else {
        rc = key_of(info, der, len, out, err);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return rc;
}

enum hc_key_type hc_key_type_of(EVP_PKEY *key)
{
    char group[64] = "";

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        switch (EVP_PKEY_get_bits(key)) {
        case 2048:
            return HC_KEY_RSA_2048;
        case 3072:
            return HC_KEY_RSA_3072;
        case 4096:
            return HC_KEY_RSA_4096;
        default:
            return HC_KEY_OTHER;
        }
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
            ERR_clear_error();
            return HC_KEY_OTHER;
        }
        return strcmp(group, SN_X9_62_prime256v1) == 0 ? HC_KEY_ECDSA_256
               : strcmp(group, SN_secp384r1) == 0      ? HC_KEY_ECDSA_384
                                                       : HC_KEY_OTHER;
    default:
        return HC_KEY_OTHER;
    }
}

/* n, e, d, p, q, dp, dq, qi of an RSA key. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_COUNT };
static const char *const rsa_params[] = {
    [RSA_N] = OSSL_PKEY_PARAM_RSA_N,          [RSA_E] = OSSL_PKEY_PARAM_RSA_E,
    [RSA_D] = OSSL_PKEY_PARAM_RSA_D,          [RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,    [RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2, [RSA_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};
_Static_assert(HC_COUNT(rsa_params) == RSA_COUNT, "every number has a name");

/* x * y mod m == 1 */
static bool is_inverse(const BIGNUM *x, const BIGNUM *y, const BIGNUM *m, BN_CTX *ctx)
{
    BIGNUM *t = BN_CTX_get(ctx);

    return t != NULL && !BN_is_zero(m) && BN_mod_mul(t, x, y, m, ctx) == 1 && BN_is_one(t);
}

/* The numbers of RFC 8017 section 3.2 fit together: n = pq, e dp = 1 mod p-1, e dq = 1 mod q-1,
 * e d = 1 mod both, q qi = 1 mod p. Whether p and q are prime is the signature's business. */
static bool rsa_numbers_fit(BIGNUM *const n[RSA_COUNT], BN_CTX *ctx)
{
    BIGNUM *p1 = BN_CTX_get(ctx);
    BIGNUM *q1 = BN_CTX_get(ctx);
    BIGNUM *product = BN_CTX_get(ctx);

    return product != NULL && BN_sub(p1, n[RSA_P], BN_value_one()) == 1 &&
           BN_sub(q1, n[RSA_Q], BN_value_one()) == 1 &&
           BN_mul(product, n[RSA_P], n[RSA_Q], ctx) == 1 && BN_cmp(product, n[RSA_N]) == 0 &&
           is_inverse(n[RSA_E], n[RSA_DP], p1, ctx) && is_inverse(n[RSA_E], n[RSA_DQ], q1, ctx) &&
           is_inverse(n[RSA_E], n[RSA_D], p1, ctx) && is_inverse(n[RSA_E], n[RSA_D], q1, ctx) &&
           is_inverse(n[RSA_Q], n[RSA_QI], n[RSA_P], ctx);
}

static bool rsa_is_whole(EVP_PKEY *key)
{
    BIGNUM *numbers[RSA_COUNT] = {NULL};
    BN_CTX *ctx = BN_CTX_new();
    bool whole = ctx != NULL;

    for (size_t i = 0; i < RSA_COUNT && whole; i++) {
        whole = EVP_PKEY_get_bn_param(key, rsa_params[i], &numbers[i]) == 1;
    }
    if (whole) {
        BN_CTX_start(ctx);
        whole = rsa_numbers_fit(numbers, ctx);
        BN_CTX_end(ctx);
    }
    for (size_t i = 0; i < RSA_COUNT; i++) {
        BN_clear_free(numbers[i]);
    }
    BN_CTX_free(ctx);
    return whole;
}

/* The kinds that came later digest what they sign themselves. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_EC:
    case EVP_PKEY_DSA:
        return EVP_sha256();
    default:
        return NULL;
    }
}

bool hc_key_sign(EVP_PKEY *key, struct hc_bytes text, unsigned char *out, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t room = *len;
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, digest_for(key), NULL, key) == 1 &&
                EVP_DigestSign(ctx, out, len, text.data, text.len) == 1;

    EVP_MD_CTX_free(ctx);
    /* OpenSSL (3.0 to 3.5 at least) calls an ECDSA signature made when there was no memory to
       encode it, and says that it has (unsigned)-1 bytes; to verify those reads far beyond the
       buffer */
    return good && *len <= room;
}

/* Signs with key, verifies with other: the private half is the public half's. */
static bool signs_for(EVP_PKEY *key, EVP_PKEY *other)
{
    static const unsigned char text[] = "does this key belong to this certificate?";
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = NULL;
    bool good = false;

    if (!hc_key_sign(key, (struct hc_bytes){text, sizeof(text)}, signature, &len)) {
        return false;
    }
    ctx = EVP_MD_CTX_new();
    good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest_for(key), NULL, other) == 1 &&
           EVP_DigestVerify(ctx, signature, len, text, sizeof(text)) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

bool hc_key_works_with(EVP_PKEY *key, EVP_PKEY *other)
{
    int type = EVP_PKEY_get_base_id(key);
    bool rsa = type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS;
    bool works = (!rsa || rsa_is_whole(key)) && signs_for(key, other);

    ERR_clear_error();
    return works;
}

/* An extension request with the names as subjectAltName. */
static int add_names(X509_REQ *req, const struct hc_list *names, struct hc_error *err)
{
    GENERAL_NAMES *sans = NULL;
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    int rc = -1;

    if (extensions == NULL || hc_san_new(names, &sans, err) != 0 ||
        X509V3_add1_i2d(&extensions, NID_subject_alt_name, sans, 0, X509V3_ADD_DEFAULT) != 1 ||
        X509_REQ_add_extensions(req, extensions) != 1) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "putting names into a request");
        goto out;
    }
    rc = 0;
out:
    GENERAL_NAMES_free(sans);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return rc;
}

int hc_csr_new(EVP_PKEY *key, const struct hc_list *names, struct hc_buf *der, struct hc_error *err)
{
    X509_REQ *req = X509_REQ_new();
    const EVP_MD *md = digest_for(key);
    unsigned char *bytes = NULL;
    int len = -1;
    int rc = -1;

    if (names->count == 0) {
        hc_error_set(err, HC_P_NO_NAMES, NULL, "a request without names");
        goto out;
    }
    if (req != NULL && add_names(req, names, err) != 0) {
        goto out;
    }
    if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_pubkey(req, key) != 1 || X509_REQ_sign(req, key, md) <= 0 ||
        (len = i2d_X509_REQ(req, &bytes)) <= 0) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making a signing request");
        goto out;
    }
    rc = hc_buf_append(der, bytes, (size_t)len, err);
out:
    OPENSSL_free(bytes);
    X509_REQ_free(req);
    ERR_clear_error();
    return rc;
}
