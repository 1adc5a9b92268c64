/* One issuer's account; see ca_account.h. */
#include "agent/ca_account.h"

#include <stdlib.h>
#include <string.h>

#include "agent/account.h"
#include "store/record.h"

#define AGAIN_MS 500

static int read_account(const struct hc_ca_account *account, struct hc_acme_account *stored,
                        struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    int rc = -1;

    if (hc_store_get(hc_storage_store(account->storage), "account", account->issuer->directory_url,
                     &text, err) == 0) {
        rc = hc_account_decode(hc_bytes_of(&text), stored, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

/* 0: read, or there is none (account stays empty); -1: the store failed. */
static int load_account(struct hc_ca_account *account, struct hc_acme_account *stored,
                        struct hc_error *err)
{
    struct hc_error why;
    int rc = 0;

    hc_error_init(&why);
    if (read_account(account, stored, &why) != 0) {
        if (why.problem == HC_P_STORE_DAMAGED) {
            hc_log_error(account->env->log, HC_LOG_ERROR,
                         "cannot use the account's file; registering a new account", &why);
        } else if (why.problem != HC_P_STORE_EMPTY) {
            hc_error_chain(err, &why);
            rc = -1;
        }
    }
    return rc;
}

const char *hc_ca_account_url_of(const struct hc_ca_account *account)
{
    return account->acme != NULL ? account->authority->account_url(account->acme) : account->known;
}

/* What goes wrong is told when it is opened. */
void hc_ca_account_look(struct hc_ca_account *account)
{
    struct hc_acme_account stored = {NULL, NULL};
    struct hc_error ignored;

    hc_error_init(&ignored);
    if (account->acme != NULL || account->known != NULL ||
        hc_storage_store(account->storage) == NULL) {
        return;
    }
    if (read_account(account, &stored, &ignored) == 0) {
        account->known = stored.url;
        stored.url = NULL;
    }
    hc_account_dispose(&stored);
}

static int store_account(void *self, const struct hc_acme_account *stored, struct hc_error *err)
{
    struct hc_ca_account *account = self;
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    int rc = -1;

    if (hc_account_encode(stored, &text, err) == 0) {
        rc = hc_store_put(hc_storage_store(account->storage), "account",
                          account->issuer->directory_url, hc_bytes_of(&text), err);
    }
    hc_buf_dispose(&text);
    return rc == 0 ? 0 : hc_error_during(err, "storing the account");
}

static int open_acme(struct hc_ca_account *account, const struct hc_acme_account *stored,
                     struct hc_error *err)
{
    struct hc_acme_options options = {
        .issuer = account->issuer,
        .contacts = account->issuer->contacts.count > 0 ? &account->issuer->contacts
                                                        : &account->env->conf->contacts,
        .http = account->http,
        .loop = account->env->loop,
        .clock = account->env->clock,
        .random = account->env->random,
        .log = account->env->log,
        .secrets = account->secrets,
        .redaction = account->env->redaction,
        .self = account,
        .store_account = store_account,
    };

    return account->authority->open(&options, stored->key != NULL ? stored : NULL, &account->acme,
                                    err);
}

void hc_ca_account_close(struct hc_ca_account *account)
{
    if (account->acme != NULL) {
        account->authority->close(account->acme);
        account->acme = NULL;
    }
    hc_store_unlock(account->lock);
    account->lock = NULL;
    free(account->known);
    account->known = NULL;
}

int hc_ca_account_open(struct hc_ca_account *account, size_t running, struct hc_error *err)
{
    struct hc_acme_account stored = {NULL, NULL};
    int rc = -1;

    if (account->stale && running > 1) {
        return 0; /* orders that began under the old account end first */
    }
    if (account->stale) {
        hc_ca_account_close(account);
        account->stale = false;
    }
    if (account->acme != NULL) {
        return 1;
    }
    if (hc_env_ms(account->env) < account->next_ms) {
        return 0;
    }
    if (hc_store_lock(hc_storage_store(account->storage), HC_LOCK_ACCOUNT,
                      account->issuer->directory_url, &account->lock, err) != 0) {
        if (err->problem == HC_P_LOCKED) {
            hc_error_init(err);
            account->next_ms = hc_env_ms(account->env) + AGAIN_MS;
            rc = 0;
        }
        goto out;
    }
    if (load_account(account, &stored, err) != 0 || open_acme(account, &stored, err) != 0) {
        goto out;
    }
    rc = 1;
out:
    if (rc != 1 || stored.url != NULL) {
        hc_store_unlock(account->lock);
        account->lock = NULL;
    }
    hc_account_dispose(&stored);
    return rc;
}

/* Gives the lock back once there is an account, or nobody of ours is waiting for one. */
void hc_ca_account_settle(struct hc_ca_account *account, size_t running)
{
    if (account->stale && running == 0) {
        hc_ca_account_close(account);
        account->stale = false;
        return;
    }
    if (account->lock == NULL) {
        return;
    }
    if (account->authority->account_url(account->acme) != NULL) {
        hc_store_unlock(account->lock);
        account->lock = NULL;
    } else if (running == 0) {
        hc_ca_account_close(
            account); /* whoever comes first the next time reads what there is then */
    }
}

int hc_ca_account_give_up(struct hc_ca_account *account, struct hc_error *err)
{
    struct hc_store *store = hc_storage_store(account->storage);
    const char *url = account->issuer->directory_url;
    struct hc_store_lock *lock = NULL;
    int rc = -1;

    if (!hc_storage_ready(account->storage)) {
        return hc_error_set(err, HC_P_STORE_UNUSABLE, account->env->conf->store,
                            "the account's record cannot be removed");
    }
    if (hc_store_lock(store, HC_LOCK_ACCOUNT, url, &lock, err) != 0 ||
        hc_store_delete(store, "account", url, err) != 0) {
        hc_error_during(err, "giving up the account at %s", account->issuer->name);
        goto out;
    }
    account->stale = true;
    free(account->known);
    account->known = NULL;
    rc = 0;
out:
    hc_store_unlock(lock);
    return rc;
}
