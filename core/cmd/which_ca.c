/* Which CA, and which account there; see which_ca.h. */
#include "cmd/which_ca.h"

#include <stdlib.h>
#include <string.h>

#include "agent/account.h"
#include "cmd/stores.h"
#include "conf/build.h"
#include "conf/issuer.h"
#include "conf/name.h"
#include "store/record.h"

#define URL_MAX 2048

/* Names of CAs are domain names: their case does not matter, nor does a dot at the end. */
static int take_caa_domain(const char *text, struct hc_list *out, struct hc_error *err)
{
    char name[HC_NAME_SIZE];

    return hc_name_normalise(text, name, err) == 0 ? hc_list_add(out, name, err) : -1;
}

int hc_which_ca_take(struct hc_which_ca *ca, int option, const char *value, struct hc_error *err)
{
    switch (option) {
    case HC_WHICH_CA_ISSUER:
        ca->issuer = value;
        return 0;
    case HC_WHICH_CA_CAA_DOMAIN:
        return take_caa_domain(value, &ca->caa_domains, err);
    case HC_WHICH_CA_ACCOUNT:
        ca->account = value;
        return 0;
    case HC_WHICH_CA_STORE:
        return hc_list_add(&ca->stores, value, err);
    default: /* HC_WHICH_CA_SECRET */
        ca->secret = value;
        return 0;
    }
}

/* A CA of its own, by its directory: only its accounts are known by that. */
static int take_directory(struct hc_which_ca *ca, struct hc_error *err)
{
    if (ca->caa_domains.count == 0) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, "--issuer",
                            "with a URL, also name the CA's domain in CAA records: --caa-domain "
                            "DOMAIN");
    }
    return hc_strdup(ca->issuer, &ca->directory_url, err);
}

/* The issuer's name of itself in CAA records, unless the caller said one, and its directory. */
int hc_which_ca_find(struct hc_which_ca *ca, struct hc_error *err)
{
    struct hc_conf *conf = NULL;
    const struct hc_issuer *issuer = NULL;
    int rc = -1;

    if (ca->issuer == NULL && ca->caa_domains.count > 0) {
        return 0;
    }
    if (ca->issuer != NULL && strstr(ca->issuer, "://") != NULL) {
        return take_directory(ca, err);
    }
    conf = hc_conf_new(HC_SERVER_NONE, err);
    if (conf == NULL) {
        return -1;
    }
    issuer = hc_conf_issuer(conf, ca->issuer != NULL ? ca->issuer : "letsencrypt");
    if (issuer == NULL || issuer->caa_domains.count == 0) {
        hc_error_set(err, HC_P_UNKNOWN_ISSUER, ca->issuer,
                     "name another CA by its domain in CAA records: --caa-domain DOMAIN");
        goto out;
    }
    if (hc_strdup(issuer->directory_url, &ca->directory_url, err) == 0) {
        rc = ca->caa_domains.count > 0 ? 0
                                       : hc_list_copy(&ca->caa_domains, &issuer->caa_domains, err);
    }

out:
    hc_conf_free(conf);
    return rc;
}

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

int hc_which_ca_accounts(struct hc_which_ca *ca, struct hc_error *err)
{
    bool named = ca->stores.count > 0;
    struct hc_list stores = {0};
    int rc = named ? hc_list_copy(&stores, &ca->stores, err) : hc_stores_find(&stores, err);

    for (size_t i = 0; rc == 0 && i < stores.count; i++) {
        struct hc_buf url = HC_BUF_INIT(URL_MAX);
        struct hc_error why = {0};

        if (hc_stores_read(stores.items[i], ca->secret, read_account, ca->directory_url, &url,
                           &why) != 0) {
            /* a store without an account at this CA has none to compare */
            if (named && why.problem != HC_P_STORE_EMPTY) {
                hc_error_chain(err, &why);
                rc = -1;
            }
        } else if (url.len > 0 && (hc_list_add(&ca->accounts, hc_buf_text(&url), err) != 0 ||
                                   hc_list_add(&ca->accounts, stores.items[i], err) != 0)) {
            rc = -1;
        }
        hc_buf_dispose(&url);
    }
    hc_list_dispose(&stores);
    return rc;
}

void hc_which_ca_dispose(struct hc_which_ca *ca)
{
    hc_list_dispose(&ca->caa_domains);
    hc_list_dispose(&ca->stores);
    hc_list_dispose(&ca->accounts);
    free(ca->directory_url);
}
