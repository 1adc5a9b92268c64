/* Accounts of the stores at hand; see diagnose_accounts.h. */
#include "cmd/diagnose_accounts.h"

#include "agent/account.h"
#include "cmd/stores.h"
#include "store/record.h"

#define URL_MAX 2048

/* The account's URL; one without was never registered. */
static int read_account(struct hc_store *store, const void *arg, struct hc_buf *out,
                        struct hc_error *err)
{
    const char *directory_url = arg;
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    struct hc_acme_account account = {NULL, NULL};
    int rc = -1;

    if (hc_store_get(store, "account", directory_url, &text, err) == 0 &&
        hc_account_decode(hc_bytes_of(&text), &account, err) == 0) {
        rc = account.url != NULL ? hc_buf_puts(out, account.url, err) : 0;
    }
    hc_account_dispose(&account);
    hc_buf_dispose(&text);
    return rc;
}

int hc_diagnose_accounts(const char *directory_url, const struct hc_list *named, const char *secret,
                         struct hc_list *accounts, struct hc_error *err)
{
    struct hc_list stores = {0};
    int rc = named->count > 0 ? hc_list_copy(&stores, named, err) : hc_stores_find(&stores, err);

    for (size_t i = 0; rc == 0 && i < stores.count; i++) {
        struct hc_buf url = HC_BUF_INIT(URL_MAX);
        struct hc_error why = {0};

        if (hc_stores_read(stores.items[i], secret, read_account, directory_url, &url, &why) != 0) {
            /* a store without an account at this CA has none to compare */
            if (named->count > 0 && why.problem != HC_P_STORE_EMPTY) {
                hc_error_chain(err, &why);
                rc = -1;
            }
        } else if (url.len > 0 && (hc_list_add(accounts, hc_buf_text(&url), err) != 0 ||
                                   hc_list_add(accounts, stores.items[i], err) != 0)) {
            rc = -1;
        }
        hc_buf_dispose(&url);
    }
    hc_list_dispose(&stores);
    return rc;
}
