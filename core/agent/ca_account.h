/*
 * The account at one issuer, and the connection that is opened with it. It is registered under a
 * lock, so that two agents on one store make one account. account.h says how it is stored.
 */
#ifndef HC_AGENT_CA_ACCOUNT_H
#define HC_AGENT_CA_ACCOUNT_H

#include "agent/authority.h"
#include "agent/storage.h"
#include "store/lock.h"

/* Its owner sets the first six, borrowed. */
struct hc_ca_account {
    const struct hc_env *env;
    struct hc_storage *storage;
    const struct hc_authority *authority;
    const struct hc_http_port *http;
    const struct hc_secret_port *secrets;
    const struct hc_issuer *issuer;
    struct hc_acme *acme;       /* NULL: not opened yet */
    struct hc_store_lock *lock; /* held while the account is being registered */
    char *known;                /* its URL, as the store had it; NULL: not looked for, or none */
    int64_t next_ms;            /* somebody else registers it: ask again then */
    bool stale; /* the CA refused the account: it is read anew before the next order */
};

/* The account's URL, also before it was opened; NULL: none is known. Borrowed until the next call.
 */
const char *hc_ca_account_url_of(const struct hc_ca_account *account);
/* Asks the store for that, unless it is known. */
void hc_ca_account_look(struct hc_ca_account *account);
/*
 * 1: orders can be placed; 0: another agent is registering the account, ask again; -1: err.
 * running: orders under way with it, the caller's included.
 */
int hc_ca_account_open(struct hc_ca_account *account, size_t running,
                       struct hc_error *err) HC_MUST_USE;
/* Gives the lock back once there is an account, or nobody of ours is waiting for one. */
void hc_ca_account_settle(struct hc_ca_account *account, size_t running);
/* Removes it from the store: the next order registers another one. */
int hc_ca_account_give_up(struct hc_ca_account *account, struct hc_error *err) HC_MUST_USE;
/* Closes the connection, gives the lock back, and forgets the URL. */
void hc_ca_account_close(struct hc_ca_account *account);

#endif
