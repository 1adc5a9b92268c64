/* The account as the store keeps it. */
#include "agent/account.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "forge.h"
#include "tap.h"

static void it_comes_back_as_it_was(void)
{
    char url[] = "https://ca.example/account/1";
    struct hc_acme_account account = {forge_key(NULL), NULL};
    struct hc_acme_account again = {NULL, NULL};
    struct hc_buf text = HC_BUF_INIT_SECRET(10000);
    struct hc_error err = {0};

    ok(hc_account_encode(&account, &text, &err) == 0 &&
           hc_account_decode(hc_bytes_of(&text), &again, &err) == 0,
       "a key without a URL");
    ok(again.url == NULL && EVP_PKEY_eq(again.key, account.key) == 1, "is the same");
    hc_account_dispose(&again);
    hc_buf_reset(&text);
    account.url = url;
    ok(hc_account_encode(&account, &text, &err) == 0 &&
           hc_account_decode(hc_bytes_of(&text), &again, &err) == 0,
       "and with one");
    is_str(again.url, url, "has its URL");
    hc_account_dispose(&again);
    hc_account_dispose(&again);
    hc_buf_dispose(&text);
    EVP_PKEY_free(account.key);
}

static void what_is_not_ours_is_refused(void)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"format\":1}",
        "{\"format\":2,\"key\":\"AA\",\"url\":\"\"}",
        "{\"format\":1,\"key\":\"AA\",\"url\":\"\"}",
        "{\"format\":1,\"key\":\"?\",\"url\":\"\"}",
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_acme_account account = {NULL, NULL};
        struct hc_error err = {0};
        struct hc_bytes text = {(const unsigned char *)rows[i], strlen(rows[i])};

        ok(hc_account_decode(text, &account, &err) != 0 && hc_error_is_set(&err) &&
               account.key == NULL && account.url == NULL,
           rows[i]);
    }
}

int main(void)
{
    it_comes_back_as_it_was();
    what_is_not_ours_is_refused();
    return done();
}
