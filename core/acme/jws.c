/* JSON Web Signature; see jws.h. */
#include "acme/jws.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/str.h"
#include "pki/key.h"
#include "pki/openssl.h"

#define COORDINATE 32 /* bytes of a number of P-256 */
#define DER_MAX    128

static int coordinate(EVP_PKEY *key, const char *name, struct hc_buf *out, struct hc_error *err)
{
    BIGNUM *number = NULL;
    unsigned char raw[COORDINATE];
    int rc = -1;

    if (EVP_PKEY_get_bn_param(key, name, &number) != 1 ||
        BN_bn2binpad(number, raw, sizeof(raw)) != (int)sizeof(raw)) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "reading the account's public key");
        goto out;
    }
    rc = hc_base64url(raw, sizeof(raw), out, err);
out:
    BN_free(number);
    return rc;
}

int hc_jws_jwk(EVP_PKEY *key, struct hc_buf *out, struct hc_error *err)
{
    char group[32] = "";

    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       NULL) != 1 ||
        strcmp(group, "prime256v1") != 0) {
        ERR_clear_error();
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the account's key is not on P-256");
    }
    if (hc_buf_puts(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", err) != 0 ||
        coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, out, err) != 0 ||
        hc_buf_puts(out, "\",\"y\":\"", err) != 0 ||
        coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, out, err) != 0) {
        return -1;
    }
    return hc_buf_puts(out, "\"}", err);
}

int hc_jws_thumbprint_of(const char *jwk, char out[HC_JWS_THUMBPRINT], struct hc_error *err)
{
    unsigned char digest[32];
    struct hc_buf text = HC_BUF_INIT(HC_JWS_THUMBPRINT);
    int rc = -1;

    if (EVP_Digest(jwk, strlen(jwk), digest, NULL, EVP_sha256(), NULL) != 1) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "SHA-256");
        goto out;
    }
    if (hc_base64url(digest, sizeof(digest), &text, err) != 0) {
        goto out;
    }
    (void)hc_copy(out, HC_JWS_THUMBPRINT, hc_buf_text(&text));
    rc = 0;
out:
    hc_buf_dispose(&text);
    return rc;
}

int hc_jws_thumbprint(EVP_PKEY *key, char out[HC_JWS_THUMBPRINT], struct hc_error *err)
{
    struct hc_buf jwk = HC_BUF_INIT(512);
    int rc = hc_jws_jwk(key, &jwk, err);

    if (rc == 0) {
        rc = hc_jws_thumbprint_of(hc_buf_text(&jwk), out, err);
    }
    hc_buf_dispose(&jwk);
    return rc;
}

/* JOSE has the two numbers side by side where OpenSSL has them in DER */
static int raw_signature(const unsigned char *der, size_t len, unsigned char raw[2 * COORDINATE],
                         struct hc_error *err)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int rc = -1;

    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, COORDINATE) != COORDINATE ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + COORDINATE, COORDINATE) != COORDINATE) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "a signature of unexpected form");
        goto out;
    }
    rc = 0;
out:
    ECDSA_SIG_free(pair);
    return rc;
}

static int sign(EVP_PKEY *key, const struct hc_buf *input, unsigned char raw[2 * COORDINATE],
                struct hc_error *err)
{
    unsigned char der[DER_MAX];
    size_t len = sizeof(der);

    if (!hc_key_sign(key, hc_bytes_of(input), der, &len)) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "signing with the account's key");
    }
    return raw_signature(der, len, raw, err);
}

/* What is signed: header and payload in base64url, a dot between them. */
struct input {
    struct hc_buf text;
    size_t dot;
};

static int make_input(const char *protected_header, const char *payload, struct input *input,
                      struct hc_error *err)
{
    *input = (struct input){.text = HC_BUF_INIT(HC_JWS_MAX)};
    if (hc_base64url((const unsigned char *)protected_header, strlen(protected_header),
                     &input->text, err) != 0) {
        return -1;
    }
    input->dot = input->text.len;
    if (hc_buf_puts(&input->text, ".", err) != 0) {
        return -1;
    }
    return hc_base64url((const unsigned char *)payload, strlen(payload), &input->text, err);
}

static int write_flattened(const struct input *input, struct hc_bytes signature, struct hc_buf *out,
                           struct hc_error *err)
{
    const char *text = hc_buf_text(&input->text);

    if (hc_buf_printf(out, err, "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"",
                      (int)input->dot, text, text + input->dot + 1) != 0 ||
        hc_base64url(signature.data, signature.len, out, err) != 0) {
        return -1;
    }
    return hc_buf_puts(out, "\"}", err);
}

int hc_jws_sign(EVP_PKEY *key, const char *protected_header, const char *payload,
                struct hc_buf *out, struct hc_error *err)
{
    struct input input;
    unsigned char raw[2 * COORDINATE];
    int rc = -1;

    if (make_input(protected_header, payload, &input, err) == 0 &&
        sign(key, &input.text, raw, err) == 0) {
        rc = write_flattened(&input, (struct hc_bytes){raw, sizeof(raw)}, out, err);
    }
    hc_buf_dispose(&input.text);
    return rc;
}

int hc_jws_sign_hmac(const char *algorithm, struct hc_bytes key, const char *protected_header,
                     const char *payload, struct hc_buf *out, struct hc_error *err)
{
    const EVP_MD *md = strcmp(algorithm, "HS512") == 0   ? EVP_sha512()
                       : strcmp(algorithm, "HS384") == 0 ? EVP_sha384()
                                                         : EVP_sha256();
    struct input input;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int rc = -1;

    if (make_input(protected_header, payload, &input, err) != 0) {
        goto out;
    }
    if (HMAC(md, key.data, (int)key.len, input.text.data, input.text.len, mac, &len) == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "HMAC");
        goto out;
    }
    rc = write_flattened(&input, (struct hc_bytes){mac, len}, out, err);
out:
    hc_buf_dispose(&input.text);
    return rc;
}
