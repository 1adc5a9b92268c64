/*
 * ACME (RFC 8555) as the agent uses it: one hc_acme per issuer (directory, nonces, account), any
 * number of hc_order at a time, all on one thread and driven by the HTTP port's callbacks. Nothing
 * blocks. Durable state is the caller's: it is handed out before the step that depends on it.
 */
#ifndef HC_ACME_ACME_H
#define HC_ACME_ACME_H

#include <openssl/evp.h>

#include "acme/solver.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/kept_error.h"
#include "base/log.h"
#include "base/redaction.h"
#include "base/secret_port.h"
#include "base/time.h"
#include "conf/conf.h"
#include "net/http.h"

/* The account at one issuer, RFC 8555 section 7.1.2. */
struct hc_acme_account {
    EVP_PKEY *key; /* ECDSA P-256; NULL: none yet */
    char *url;     /* kid; NULL: not registered (or it is not known that it is) */
};

struct hc_acme_options {
    const struct hc_issuer *issuer; /* borrowed */
    const struct hc_list *contacts; /* borrowed; the issuer's own or hotcert_contact's */
    const struct hc_http_port *http;
    /* For timers, and RSA keys are made beside it. NULL: the owner calls hc_acme_run_timers(), and
     * keys are made at once, while all wait. */
    struct hc_loop *loop;
    const struct hc_clock *clock;
    const struct hc_random *random;
    const struct hc_log *log;
    const struct hc_secret_port
        *secrets;                   /* or NULL: an issuer with eab_kid cannot be registered at */
    struct hc_redaction *redaction; /* or NULL; borrowed: tokens and thumbprints are added */
    void *self;
    /*
     * Stores the account before it is used: once with the key alone before newAccount is sent
     * (so that a crash never makes a second account), once with the URL. The account is borrowed.
     */
    int (*store_account)(void *self, const struct hc_acme_account *account, struct hc_error *err);
};

struct hc_acme;

/* account: what the store has (its content is copied; key's reference is taken); NULL: nothing. */
int hc_acme_new(const struct hc_acme_options *options, const struct hc_acme_account *account,
                struct hc_acme **out, struct hc_error *err) HC_MUST_USE;
void hc_acme_free(struct hc_acme *acme); /* after its orders */
/* The account's URL, or NULL while it is not registered. Borrowed. */
const char *hc_acme_account_url(const struct hc_acme *acme);

/*
 * What must survive a crash of an order that was placed. Handed to persist() after newOrder's
 * reply (the CA keeps all else at the order's URL); given back to hc_order_start() to go on from
 * whatever state the order is in by then.
 */
struct hc_order_state {
    char *order_url;
    EVP_PKEY *key; /* the certificate's key, made before newOrder */
};

/* What became of one name, RFC 8555 section 6.7.1 subproblems and authorization errors. */
struct hc_order_name {
    const char *name;
    struct hc_kept_error error; /* HC_P_NONE: nothing is held against it */
};

struct hc_order_result {
    struct hc_error error; /* HC_P_NONE: chain is the certificate chain */
    struct hc_bytes chain_pem;
    struct hc_bytes preferred_pem; /* the same with the issuer's preferred_chain; empty: the CA has
                                      none such, or chain_pem is it */
    EVP_PKEY *key;                 /* borrowed */
    const struct hc_order_name *names; /* those with an error of their own */
    size_t name_count;
    bool ca_wide;    /* the failure says nothing of the names: CA, network, account, this machine */
    bool order_dead; /* the stored order state is of no use any more: forget it */
};

/*
 * The caller's side of an order. All called on the one thread, from the loop or
 * hc_acme_run_timers(), never from hc_order_start().
 */
struct hc_order_handler {
    void *self;
    /* Makes the state durable, in the place of any earlier one. A failure ends the order (error to
     * done()). Called anew when a lost order had to be placed again. */
    int (*persist)(void *self, const struct hc_order_state *state, struct hc_error *err);
    /*
     * By which methods this name may be proved, in order of preference: the first that the CA
     * offers and a solver supports is used. Never NULL; borrowed until the next call.
     */
    const struct hc_list *(*methods)(void *self, const char *name);
    /*
     * How a method did for a name. NULL: the CA saw it proved. Else its answer could not be laid
     * out, or the CA did not accept it: no CA lets a challenge be tried again, so the next order
     * had better use another. Before done(), and must not touch the order. May be NULL.
     */
    void (*tried)(void *self, const char *name, const char *method, const struct hc_error *err);
    /* The end, exactly once; the order may be freed from within. result is valid during the call.
     */
    void (*done)(void *self, const struct hc_order_result *result);
};

struct hc_order_options {
    const struct hc_list *names;         /* normalised; copied */
    const struct hc_solver_set *solvers; /* borrowed until the order is freed */
    enum hc_key_type key_type;
    const struct hc_order_state *resume;    /* or NULL; copied */
    const struct hc_order_handler *handler; /* borrowed until done() */
    const struct hc_list *profile;          /* hc_issuer_profile()'s, borrowed; or NULL */
    const char *replaces; /* of the certificate that this one follows (RFC 9773 section 5), if this
                             account obtained it there; copied; or NULL */
};

struct hc_order;

/*
 * Starts (or resumes) an order. done() is never called from within; the first request goes out in
 * the loop's next pass. An order that the CA does not know any more (lost database, other
 * account, expired) is placed again with the same key, once, and the log says so.
 */
int hc_order_start(struct hc_acme *acme, const struct hc_order_options *options,
                   struct hc_order **out, struct hc_error *err) HC_MUST_USE;
/*
 * Ends it: withdraws what is still presented, cancels what is in flight, does not call done(). What
 * is presented is withdrawn before done() at the latest, but not if an order that is not dead ends
 * while the CA validates: the CA asks on, and an answer that is gone by then fails the name.
 */
void hc_order_free(struct hc_order *order);
/* The same for an order that another process goes on with: what is presented stays. */
void hc_order_leave(struct hc_order *order);
/* "placing the order", "waiting for the CA to validate": for `list`. */
const char *hc_order_activity(const struct hc_order *order);
/*
 * True while the order only waits for a time that the CA named (Retry-After): it costs nobody
 * anything, and the caller may let another order go on in its place.
 */
bool hc_order_waiting(const struct hc_order *order);

/*
 * For owners without a loop: runs what is due at the monotonic now_ms (the options' clock's),
 * returns the milliseconds until the next (-1: none, 0: at once). To be called again by then, and
 * after whatever else happened.
 */
int64_t hc_acme_run_timers(struct hc_acme *acme, int64_t now_ms);

#endif
