/* The stored account; see account.h. */
#include "agent/account.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "pki/key.h"

#define ACCOUNT_MAX 65536

int hc_account_encode(const struct hc_acme_account *account, struct hc_buf *out,
                      struct hc_error *err)
{
    struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    struct hc_buf key = HC_BUF_INIT_SECRET(2 * HC_KEY_DER_MAX);
    json_t *object = NULL;
    char *text = NULL;
    int rc = -1;

    if (hc_key_to_der(account->key, &der, err) != 0 ||
        hc_base64url(der.data, der.len, &key, err) != 0) {
        goto out;
    }
    object = json_pack("{s:i, s:s, s:s}", "format", 1, "key", hc_buf_text(&key), "url",
                       account->url != NULL ? account->url : "");
    text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (text == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    rc = hc_buf_append(out, text, strlen(text), err);
out:
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
    json_decref(object);
    hc_buf_dispose(&key);
    hc_buf_dispose(&der);
    return rc;
}

int hc_account_decode(struct hc_bytes text, struct hc_acme_account *account, struct hc_error *err)
{
    struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    json_t *object = NULL;
    const char *key = NULL;
    const char *url = NULL;
    json_error_t where;
    int rc = -1;

    if (text.len <= ACCOUNT_MAX) {
        object = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &where);
    }
    key = json_string_value(json_object_get(object, "key"));
    url = json_string_value(json_object_get(object, "url"));
    if (json_integer_value(json_object_get(object, "format")) != 1 || key == NULL || url == NULL) {
        hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "this version cannot read the account");
        goto out;
    }
    if (hc_base64url_decode(key, strlen(key), &der, err) != 0 ||
        hc_key_from_der(der.data, der.len, &account->key, err) != 0 ||
        (url[0] != '\0' && hc_strdup(url, &account->url, err) != 0)) {
        hc_account_dispose(account);
        goto out;
    }
    rc = 0;
out:
    json_decref(object);
    hc_buf_dispose(&der);
    return rc;
}

void hc_account_dispose(struct hc_acme_account *account)
{
    EVP_PKEY_free(account->key);
    free(account->url);
    account->key = NULL;
    account->url = NULL;
}
