/* JSON Web Signature: the figures of RFC 7515 A.3 and RFC 7638 section 3.1. */
#include "acme/jws.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "base/str.h"
#include "pki/key.h"
#include "tap.h"

/* RFC 7515 A.3.1 */
#define A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define A3_INPUT                                                                                   \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"    \
    "LmNvbS9pc19yb290Ijp0cnVlfQ"
#define A3_SIGNATURE                                                                               \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static BIGNUM *number(const char *text)
{
    struct hc_buf b = HC_BUF_INIT(64);
    BIGNUM *n = NULL;

    if (hc_base64url_decode(text, strlen(text), &b, NULL) == 0) {
        n = BN_bin2bn(b.data, (int)b.len, NULL);
    }
    hc_buf_dispose(&b);
    return n;
}

static EVP_PKEY *key_of_a3(void)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *d = number(A3_D);
    struct hc_buf point = HC_BUF_INIT(80);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (hc_buf_append(&point, "\x04", 1, NULL) != 0 ||
        hc_base64url_decode(A3_X, strlen(A3_X), &point, NULL) != 0 ||
        hc_base64url_decode(A3_Y, strlen(A3_Y), &point, NULL) != 0) {
        abort();
    }
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len);
    params = OSSL_PARAM_BLD_to_param(build);
    if (EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        abort();
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(d);
    hc_buf_dispose(&point);
    return key;
}

/* The two numbers of a raw signature are 32 bytes each. */
static bool verifies(EVP_PKEY *key, const char *input, const char *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct hc_buf raw = HC_BUF_INIT(64);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int len = 0;
    bool good = false;

    if (hc_base64url_decode(signature, strlen(signature), &raw, NULL) == 0 && raw.len == 64 &&
        ECDSA_SIG_set0(pair, BN_bin2bn(raw.data, 32, NULL), BN_bin2bn(raw.data + 32, 32, NULL)) ==
            1) {
        len = i2d_ECDSA_SIG(pair, &der);
        good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestVerify(ctx, der, (size_t)len, (const unsigned char *)input,
                                strlen(input)) == 1;
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    hc_buf_dispose(&raw);
    EVP_MD_CTX_free(ctx);
    return good;
}

static void thumbprint_is_that_of_rfc_7638(void)
{
    static const char jwk[] =
        "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhW"
        "x4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBX"
        "Arwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
        "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
        "csFCur-kEgU8awapJzKnqDKgw\"}";
    char print[HC_JWS_THUMBPRINT] = "";

    is_int(hc_jws_thumbprint_of(jwk, print, NULL), 0, "a thumbprint is made");
    is_str(print, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "it is the one of RFC 7638");
}

static void jwk_is_canonical(EVP_PKEY *key)
{
    struct hc_buf jwk = HC_BUF_INIT(512);
    char print[HC_JWS_THUMBPRINT] = "";
    char same[HC_JWS_THUMBPRINT] = "?";

    is_int(hc_jws_jwk(key, &jwk, NULL), 0, "a JWK is made");
    is_str(hc_buf_text(&jwk),
           "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}",
           "its members are sorted, its numbers those of RFC 7515 A.3");
    ok(hc_jws_thumbprint(key, print, NULL) == 0 &&
           hc_jws_thumbprint_of(hc_buf_text(&jwk), same, NULL) == 0,
       "thumbprints of key and JWK");
    is_str(print, same, "are the same");
    hc_buf_dispose(&jwk);
}

static void signatures_verify(EVP_PKEY *key)
{
    static const char header[] = "{\"alg\":\"ES256\"}";
    static const char payload[] =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    int good = 0;

    ok(verifies(key, A3_INPUT, A3_SIGNATURE), "the check takes the signature of RFC 7515 A.3");
    /* numbers that begin with zero bytes come up once in 128 signatures: they are padded */
    for (int i = 0; i < 400; i++) {
        struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);
        json_t *jws = NULL;
        char input[512];

        if (hc_jws_sign(key, header, payload, &out, NULL) == 0) {
            jws = json_loads(hc_buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
            snprintf(input, sizeof(input), "%s.%s",
                     json_string_value(json_object_get(jws, "protected")),
                     json_string_value(json_object_get(jws, "payload")));
            good += json_object_size(jws) == 3 && strcmp(input, A3_INPUT) == 0 &&
                    verifies(key, input, json_string_value(json_object_get(jws, "signature")));
        }
        json_decref(jws);
        hc_buf_dispose(&out);
    }
    is_int(good, 400, "400 signatures over the input of RFC 7515 A.3 verify");
}

static void an_empty_payload_is_post_as_get(EVP_PKEY *key)
{
    struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);

    ok(hc_jws_sign(key, "{}", "", &out, NULL) == 0 &&
           strstr(hc_buf_text(&out), "\"payload\":\"\",") != NULL,
       "an empty payload stays empty");
    hc_buf_dispose(&out);
}

static void other_keys_are_refused(void)
{
    EVP_PKEY *rsa = NULL;
    EVP_PKEY *p384 = NULL;
    struct hc_buf out = HC_BUF_INIT(512);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_key_new(HC_KEY_RSA_2048, &rsa, NULL) != 0 ||
        hc_key_new(HC_KEY_ECDSA_384, &p384, NULL) != 0) {
        abort();
    }
    ok(hc_jws_jwk(rsa, &out, &err) != 0 && err.problem == HC_P_INTERNAL, "no JWK of an RSA key");
    hc_error_init(&err);
    ok(hc_jws_jwk(p384, &out, &err) != 0 && err.problem == HC_P_INTERNAL, "nor of P-384");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
    hc_buf_dispose(&out);
}

/* RFC 7515 A.1 */
static void a_mac_is_that_of_rfc_7515(void)
{
    static const char text[] =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char header[] = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
    static const char payload[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                  "\"http://example.com/is_root\":true}";
    struct hc_buf key = HC_BUF_INIT(128);
    struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);
    json_t *jws = NULL;

    ok(hc_base64url_decode(text, strlen(text), &key, NULL) == 0 &&
           hc_jws_sign_hmac("HS256", hc_bytes_of(&key), header, payload, &out, NULL) == 0,
       "HS256");
    jws = json_loads(hc_buf_text(&out), 0, NULL);
    is_str(json_string_value(json_object_get(jws, "signature")),
           "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "the figure of A.1");
    json_decref(jws);
    hc_buf_dispose(&key);
    hc_buf_dispose(&out);
}

int main(void)
{
    EVP_PKEY *key = key_of_a3();

    thumbprint_is_that_of_rfc_7638();
    jwk_is_canonical(key);
    signatures_verify(key);
    an_empty_payload_is_post_as_get(key);
    other_keys_are_refused();
    a_mac_is_that_of_rfc_7515();
    EVP_PKEY_free(key);
    return done();
}
