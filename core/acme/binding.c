/* External account binding; see binding.h. */
#include "acme/binding.h"

#include <ctype.h>
#include <jansson.h>

#include "acme/json.h"
#include "acme/jws.h"
#include "base/str.h"

#define KEY_MAX   ((size_t)1024)
#define KEY_LEAST 16 /* bytes: less is no key, but something else that reads like base64 */

static const char *const algorithms[] = {
    [HC_EAB_UNSET] = "HS256",
    [HC_EAB_HS256] = "HS256",
    [HC_EAB_HS384] = "HS384",
    [HC_EAB_HS512] = "HS512",
};

/* The file's text in base64url's letters, without blanks around it and without padding. */
static int read_text(const char *path, struct hc_bytes file, struct hc_buf *out,
                     struct hc_error *err)
{
    const char *text = (const char *)file.data;
    size_t end = file.len;
    size_t at = 0;

    while (end > 0 && isspace((unsigned char)text[end - 1])) {
        end--;
    }
    while (at < end && isspace((unsigned char)text[at])) {
        at++;
    }
    while (end > at && text[end - 1] == '=') {
        end--;
    }
    if (at == end) {
        return hc_error_set(err, HC_P_EAB_KEY, path, "the file is empty");
    }
    for (; at < end; at++) {
        char c = text[at] == '+' ? '-' : text[at] == '/' ? '_' : text[at];

        if (hc_buf_append(out, &c, 1, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_key(const char *path, struct hc_bytes file, struct hc_buf *key,
                    struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(2 * KEY_MAX);
    struct hc_error why;
    int rc = -1;

    hc_error_init(&why);
    if (file.len > KEY_MAX) {
        hc_error_set(err, HC_P_EAB_KEY, path, "%zu bytes are too many for a key", file.len);
        goto out;
    }
    if (read_text(path, file, &text, err) != 0) {
        goto out;
    }
    if (hc_base64url_decode(hc_buf_text(&text), text.len, key, &why) != 0) {
        hc_error_set(err, HC_P_EAB_KEY, path, "the file's text is not base64url");
        goto out;
    }
    if (key->len < KEY_LEAST) {
        hc_error_set(err, HC_P_EAB_KEY, path, "%zu bytes are too few for a key", key->len);
        goto out;
    }
    rc = 0;
out:
    hc_buf_dispose(&text);
    return rc;
}

int hc_binding_write(const struct hc_issuer *issuer, struct hc_bytes key_file, EVP_PKEY *account,
                     const char *new_account, struct hc_buf *out, struct hc_error *err)
{
    const char *algorithm = algorithms[issuer->eab_algorithm];
    struct hc_buf key = HC_BUF_INIT_SECRET(KEY_MAX);
    struct hc_buf jwk = HC_BUF_INIT(512);
    struct hc_buf header = HC_BUF_INIT(HC_JWS_MAX);
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "alg", algorithm, "kid", issuer->eab_kid, "url", new_account);
    int rc = -1;

    if (object == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    if (read_key(issuer->eab_key, key_file, &key, err) == 0 &&
        hc_jws_jwk(account, &jwk, err) == 0 && hc_json_write(object, &header, err) == 0) {
        rc = hc_jws_sign_hmac(algorithm, hc_bytes_of(&key), hc_buf_text(&header), hc_buf_text(&jwk),
                              out, err);
    }
out:
    json_decref(object);
    hc_buf_dispose(&header);
    hc_buf_dispose(&jwk);
    hc_buf_dispose(&key);
    return rc;
}
