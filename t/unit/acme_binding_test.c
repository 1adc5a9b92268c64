/* External account binding: RFC 8555 section 7.3.4, from the file to the member of newAccount. */
#include "acme/binding.h"

#include <jansson.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "acme/jws.h"
#include "base/str.h"
#include "pki/key.h"
#include "tap.h"

/* 32 bytes, in base64url; the third and the fourth letter differ from base64. */
#define KEY    "zW-_Npww8TXhdqzPzHkQqV3BTPXmkCIFS5hi7MqOSWo"
#define BASE64 "zW+/Npww8TXhdqzPzHkQqV3BTPXmkCIFS5hi7MqOSWo="
#define URL    "https://ca.test/new-account"

static EVP_PKEY *account;
static char kid[] = "kid-1";
static char path[] = "/etc/ca.key";

static int write_binding(enum hc_eab_algorithm algorithm, const char *file, struct hc_buf *out,
                         struct hc_error *err)
{
    struct hc_issuer issuer = {.eab_kid = kid, .eab_key = path, .eab_algorithm = algorithm};

    hc_error_init(err);
    hc_buf_reset(out);
    return hc_binding_write(&issuer, (struct hc_bytes){(const unsigned char *)file, strlen(file)},
                            account, URL, out, err);
}

static void decode(const json_t *jws, const char *member, struct hc_buf *out)
{
    const char *text = json_string_value(json_object_get(jws, member));

    hc_buf_reset(out);
    if (text == NULL || hc_base64url_decode(text, strlen(text), out, NULL) != 0) {
        abort();
    }
}

static bool has_mac(const json_t *jws, const EVP_MD *md)
{
    struct hc_buf key = HC_BUF_INIT(64);
    struct hc_buf input = HC_BUF_INIT(4096);
    struct hc_buf given = HC_BUF_INIT(128);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool same = false;

    if (hc_base64url_decode(KEY, strlen(KEY), &key, NULL) != 0 ||
        hc_buf_printf(&input, NULL, "%s.%s", json_string_value(json_object_get(jws, "protected")),
                      json_string_value(json_object_get(jws, "payload"))) != 0) {
        abort();
    }
    decode(jws, "signature", &given);
    HMAC(md, key.data, (int)key.len, input.data, input.len, mac, &len);
    same = given.len == len && memcmp(given.data, mac, len) == 0;
    hc_buf_dispose(&key);
    hc_buf_dispose(&input);
    hc_buf_dispose(&given);
    return same;
}

static void the_member_is_signed_by_the_ca_s_key(void)
{
    static const struct {
        enum hc_eab_algorithm algorithm;
        const char *word;
        const EVP_MD *(*md)(void);
    } rows[] = {{HC_EAB_UNSET, "HS256", EVP_sha256},
                {HC_EAB_HS256, "HS256", EVP_sha256},
                {HC_EAB_HS384, "HS384", EVP_sha384},
                {HC_EAB_HS512, "HS512", EVP_sha512}};

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);
        struct hc_buf part = HC_BUF_INIT(4096);
        struct hc_buf jwk = HC_BUF_INIT(512);
        struct hc_error err;
        json_t *jws = NULL;
        json_t *header = NULL;

        ok(write_binding(rows[i].algorithm, KEY, &out, &err) == 0, rows[i].word);
        jws = json_loads(hc_buf_text(&out), 0, NULL);
        ok(json_object_size(jws) == 3 && has_mac(jws, rows[i].md()), "three members, and the MAC");
        decode(jws, "protected", &part);
        header = json_loadb((const char *)part.data, part.len, 0, NULL);
        is_str(json_string_value(json_object_get(header, "alg")), rows[i].word, "alg");
        is_str(json_string_value(json_object_get(header, "kid")), kid, "kid");
        is_str(json_string_value(json_object_get(header, "url")), URL, "url: newAccount's");
        is_int(json_object_size(header), 3, "and no nonce");
        decode(jws, "payload", &part);
        ok(hc_jws_jwk(account, &jwk, &err) == 0 && part.len == jwk.len &&
               memcmp(part.data, jwk.data, jwk.len) == 0,
           "the payload is the account's key");
        json_decref(header);
        json_decref(jws);
        hc_buf_dispose(&out);
        hc_buf_dispose(&part);
        hc_buf_dispose(&jwk);
    }
}

static void a_key_may_look_as_cas_show_it(void)
{
    static const char *const files[] = {KEY "\n", "\n  " KEY " \r\n", BASE64, BASE64 "\n", KEY "="};
    struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(files); i++) {
        json_t *jws = NULL;

        ok(write_binding(HC_EAB_UNSET, files[i], &out, &err) == 0, files[i]);
        jws = json_loads(hc_buf_text(&out), 0, NULL);
        ok(has_mac(jws, EVP_sha256()), "the same key");
        json_decref(jws);
    }
    hc_buf_dispose(&out);
}

static void what_is_no_key_is_refused(void)
{
    static const struct {
        const char *file, *why;
    } rows[] = {
        {"", "the file is empty"},
        {" \n", "the file is empty"},
        {"====", "the file is empty"},
        {"not a key, by any means!", "the file's text is not base64url"},
        {KEY "\n" KEY, "the file's text is not base64url"},
        {"c2hvcnQ", "5 bytes are too few for a key"},
    };
    struct hc_buf out = HC_BUF_INIT(HC_JWS_MAX);
    char large[2000];
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        ok(write_binding(HC_EAB_UNSET, rows[i].file, &out, &err) == -1 &&
               err.problem == HC_P_EAB_KEY,
           rows[i].why);
        is_str(err.subject, path, "the file is named");
        is_str(err.detail, rows[i].why, "why");
    }
    memset(large, 'A', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    ok(write_binding(HC_EAB_UNSET, large, &out, &err) == -1 && err.problem == HC_P_EAB_KEY,
       "one that is too large");
    hc_buf_dispose(&out);
}

int main(void)
{
    if (hc_key_new(HC_KEY_ECDSA_256, &account, NULL) != 0) {
        abort();
    }
    the_member_is_signed_by_the_ca_s_key();
    a_key_may_look_as_cas_show_it();
    what_is_no_key_is_refused();
    EVP_PKEY_free(account);
    return done();
}
