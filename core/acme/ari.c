/* Renewal information; see ari.h. */
#include "acme/ari.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "base/str.h"
#include "base/time.h"

#define PAUSE_LEAST     60
#define EXPLANATION_MAX 512

/* The content of an INTEGER, a leading zero byte included. */
static bool put_serial(const X509 *leaf, struct hc_buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &der);
    bool good = len > 2 && der[1] < 0x80 && der[1] == len - 2 &&
                hc_base64url(der + 2, (size_t)len - 2, out, NULL) == 0;

    OPENSSL_free(der);
    return good;
}

bool hc_ari_id(const X509 *leaf, struct hc_buf *out)
{
    AUTHORITY_KEYID *id = X509_get_ext_d2i(leaf, NID_authority_key_identifier, NULL, NULL);
    const ASN1_OCTET_STRING *key = id != NULL ? id->keyid : NULL;
    bool good = false;

    hc_buf_reset(out);
    good =
        key != NULL && ASN1_STRING_length(key) > 0 &&
        hc_base64url(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), out, NULL) == 0 &&
        hc_buf_puts(out, ".", NULL) == 0 && put_serial(leaf, out);
    AUTHORITY_KEYID_free(id);
    return good;
}

int hc_ari_url(const char *renewal_info, const char *id, struct hc_buf *out, struct hc_error *err)
{
    size_t len = strlen(renewal_info);

    while (len > 0 && renewal_info[len - 1] == '/') {
        len--;
    }
    return hc_buf_printf(out, err, "%.*s/%s", (int)len, renewal_info, id);
}

/* A URL that a person can open; anything else is left out. */
static int take_explanation(const char *url, struct hc_ari_window *window, struct hc_error *err)
{
    size_t len = url != NULL ? strlen(url) : 0;

    if (len == 0 || len > EXPLANATION_MAX ||
        (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (url[i] <= 0x20 || url[i] >= 0x7f) {
            return 0;
        }
    }
    return hc_strdup(url, &window->explanation, err);
}

static int take_time(const json_t *window, const char *key, int64_t *out, struct hc_error *err)
{
    const char *text = hc_json_text(window, key);

    if (text == NULL || hc_time_parse_rfc3339(text, out) != 0) {
        return hc_error_set(err, HC_P_CA_REPLY, NULL,
                            "the %s of suggestedWindow is not a time of RFC 3339", key);
    }
    return 0;
}

int hc_ari_parse(struct hc_bytes body, struct hc_ari_window *out, struct hc_error *err)
{
    struct hc_ari_window window = {0};
    const json_t *suggested = NULL;
    json_t *object = NULL;
    int rc = -1;

    *out = window;
    if (hc_json_object(body, NULL, &object, err) != 0) {
        return -1;
    }
    suggested = json_object_get(object, "suggestedWindow");
    if (!json_is_object(suggested)) {
        hc_error_set(err, HC_P_CA_REPLY, NULL, "there is no suggestedWindow");
        goto out;
    }
    if (take_time(suggested, "start", &window.start, err) != 0 ||
        take_time(suggested, "end", &window.end, err) != 0) {
        goto out;
    }
    if (window.end <= window.start) {
        hc_error_set(err, HC_P_CA_REPLY, NULL, "the suggestedWindow ends before it starts");
        goto out;
    }
    rc = take_explanation(hc_json_text(object, "explanationURL"), &window, err);
    if (rc == 0) {
        *out = window;
    }
out:
    json_decref(object);
    return rc;
}

void hc_ari_window_dispose(struct hc_ari_window *window)
{
    free(window->explanation);
    *window = (struct hc_ari_window){0};
}

int64_t hc_ari_instant(int64_t start, int64_t end, const char *id)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    char text[512];
    uint64_t drawn = 0;

    (void)snprintf(text, sizeof(text), "%lld %lld %.400s", (long long)start, (long long)end, id);
    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1) {
        return start; /* without memory: inside the window all the same */
    }
    for (size_t i = 0; i < sizeof(drawn); i++) {
        drawn = drawn << 8 | digest[i];
    }
    return end > start ? start + (int64_t)(drawn % (uint64_t)(end - start)) : start;
}

int64_t hc_ari_pause(int64_t retry_after)
{
    if (retry_after < 0) {
        return HC_ARI_PAUSE_S;
    }
    return retry_after < PAUSE_LEAST         ? PAUSE_LEAST
           : retry_after > HC_ARI_PAUSE_MOST ? HC_ARI_PAUSE_MOST
                                             : retry_after;
}
