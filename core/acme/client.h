/*
 * hc_acme from inside: what directory, account, requests and orders of one issuer share, and the
 * pump that drives them.
 *
 * Nothing here calls the owner back from the depth of something else: events (replies, timers) only
 * change states, and hc_acme_pump(), at the end of each event, runs what can run until nothing can.
 * So a callback may free its order or start another.
 */
#ifndef HC_ACME_CLIENT_H
#define HC_ACME_CLIENT_H

#include "acme/acme.h"
#include "acme/directory.h"
#include "acme/jws.h"
#include "acme/nonce.h"
#include "loop/timer.h"

#define HC_NONCE_FETCHES    8       /* HEAD newNonce side by side */
#define HC_DIRECTORY_AGE_MS 3600000 /* a directory is read again after an hour */

struct hc_acme_request;

/* A HEAD newNonce on its way. */
struct hc_nonce_fetch {
    struct hc_acme *acme;
    uint64_t id; /* 0: none */
};

struct hc_acme {
    struct hc_acme_options options;
    struct hc_directory directory;
    int64_t directory_until_ms; /* 0: none */
    struct hc_directory_fetch directory_fetch;
    struct hc_nonces nonces;
    struct hc_nonce_fetch nonce_fetch[HC_NONCE_FETCHES];
    struct hc_acme_account account;
    char thumbprint[HC_JWS_THUMBPRINT];
    unsigned registrations; /* grows with each: tells old replies from new ones */
    struct hc_acme_request *registration;
    struct hc_acme_request *contact_update;
    struct hc_acme_request *requests;
    struct hc_order *orders;
    struct hc_list profiles_told; /* those that it does not issue with: the log says so once */
    bool account_ready;           /* url is known to the CA, as far as we know */
    bool reading_key;             /* of the external account, to register with it */
    bool chain_told;              /* that it has no chain as preferred_chain says */
    bool contacts_told; /* the CA has the contacts of the configuration, or refused them */
    bool pumping;
    struct hc_timer due; /* what runs next by time; where there is a loop */
};

/* Runs all that can run. Never from within itself: then it does nothing. */
void hc_acme_pump(struct hc_acme *acme);
/* The same from the loop, in its next pass. */
void hc_acme_soon(struct hc_acme *acme);

/* The issuer's name, for log lines and errors. */
const char *hc_acme_issuer(const struct hc_acme *acme);

/* No log shows this text until it is removed from options.redaction. */
void hc_acme_hide(struct hc_acme *acme, const char *text);

/* account.c: starts the registration, if none is under way. -1 if it cannot even start. */
int hc_account_register(struct hc_acme *acme, struct hc_error *err) HC_MUST_USE;
/* account.c: nothing of it comes back any more, but for its request. */
void hc_account_leave(struct hc_acme *acme);
/* account.c: the CA does not know the account: it is to be registered again with its key. */
void hc_account_lost(struct hc_acme *acme);
/* account.c: once, tells the CA the contacts of an account that it had before. */
void hc_account_tell_contacts(struct hc_acme *acme);
/* account.c: makes and stores the key if there is none, and its thumbprint. */
int hc_account_need_key(struct hc_acme *acme, struct hc_error *err) HC_MUST_USE;

/* order.c: runs an order whose time has come; true if something was done. */
bool hc_order_run(struct hc_order *order, int64_t now_ms);
/* order.c: when it wants to run next, or -1. */
int64_t hc_order_due(const struct hc_order *order);
struct hc_order *hc_order_next(const struct hc_order *order);

#endif
