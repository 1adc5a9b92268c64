/*
 * An order from inside: its states, its authorizations, and how it ends.
 *
 *   order.c          the states, and what the CA says of the order
 *   new_order.c      its key and its request to the CA
 *   validation.c     the phases in which its names are proved
 *   certificate.c    the request for the certificate, and its download
 *   authorization.c  its authorizations, side by side: asked, answered, waited for
 *   answering.c      their answers: chosen, laid out, withdrawn
 *   outcome.c        how it ends: whose fault, which names, what the caller is told
 */
#ifndef HC_ACME_ORDER_H
#define HC_ACME_ORDER_H

#include "acme/challenge.h"
#include "acme/client.h"
#include "acme/problem.h"
#include "acme/request.h"
#include "acme/resource.h"
#include "pki/keygen.h"

#define HC_AUTHZ_PARALLEL      16 /* requests of one order's authorizations side by side */
#define HC_ORDER_FINALIZE_MOST 5
#define HC_ORDER_CHAIN_MAX     ((size_t)256 << 10)
#define HC_ORDER_CHAIN_TYPE    "application/pem-certificate-chain"

/* The states of an order on our side; order.c has the table of what each does. */
enum hc_order_phase {
    HC_PHASE_PLACE,     /* newOrder */
    HC_PHASE_POLL,      /* what does the CA say of the order */
    HC_PHASE_AUTHORIZE, /* what does it say of the authorizations */
    HC_PHASE_PRESENT,   /* answers are laid out */
    HC_PHASE_AWAIT,     /* until every server has them */
    HC_PHASE_VALIDATE,  /* the CA is told, and waited for */
    HC_PHASE_FINALIZE,  /* the request for the certificate */
    HC_PHASE_DOWNLOAD,
    HC_PHASE_EXPLAIN, /* invalid: which name is it? */
    HC_PHASE_OVER,
};

/* The states of an authorization on our side; authorization.c has the table of what each does. */
enum hc_authz_state {
    HC_AUTHZ_ASK,     /* what does the CA say of it */
    HC_AUTHZ_PRESENT, /* its answer is being laid out: the solver says when that is done */
    HC_AUTHZ_READY,   /* it is; until everybody has it */
    HC_AUTHZ_TELL,    /* the CA is told to check it */
    HC_AUTHZ_POLL,    /* and asked what it found */
};

struct hc_order_authz {
    struct hc_order *order;
    char *url;
    enum hc_authz_state state;
    struct hc_acme_request *request;
    int64_t due_ms; /* its state is run then; -1: not */
    unsigned polls;
    bool named_wait;             /* due_ms is the CA's wish */
    bool asked;                  /* doc is filled in */
    struct hc_authorization doc; /* no log shows its tokens */
    /* of the challenge that was chosen */
    const struct hc_solver *solver;
    enum hc_status challenge_status;
    char *challenge_url;
    struct hc_answer answer;     /* presented, a copy; zeroed: none */
    struct hc_kept_error failed; /* of presenting it */
};

struct hc_order {
    struct hc_order *next;
    struct hc_acme *acme;
    const struct hc_order_handler *handler;
    struct hc_list names; /* sorted */
    const struct hc_solver_set *solvers;
    enum hc_key_type key_type;
    const struct hc_list *profile; /* or NULL */
    const char *profile_sent; /* in the last newOrder, borrowed of the configuration; or NULL */
    bool without_profile;     /* the CA refused that */
    char *replaces;           /* or NULL; the CA refused it, or has no use for it */
    EVP_PKEY *key;
    struct hc_keygen keygen; /* while that is being made */
    char *url;
    enum hc_order_phase phase;
    struct hc_acme_request *request;
    struct hc_order_resource resource;
    int64_t due_ms;       /* the phase is run then; -1: it waits for a reply */
    int64_t deadline_ms;  /* of the phases that wait */
    int64_t presented_ms; /* since when all answers are laid out */
    int64_t ready_ms;     /* so long answers that are laid out are waited for; 0: not all are */
    bool named_wait;
    unsigned polls;
    unsigned finalized; /* how often */
    bool answered;      /* the CA was told to validate */
    bool authorized;    /* all authorizations were seen valid */
    bool placed_again;
    struct hc_order_authz *authz;
    size_t authz_count;

    struct hc_buf chain;
    struct hc_buf preferred;   /* that chain, if it is another; or empty */
    struct hc_list alternates; /* URLs of other chains */
    size_t alternate;          /* the next of them to fetch */
    struct hc_kept_error error;
    struct hc_list bad_names;  /* names with an error of their own */
    struct hc_order_name *bad; /* the same, with the errors; names are borrowed from the list */
    bool ca_wide;
    bool dead;
    bool delivered;
};

/* order.c */
void hc_order_enter(struct hc_order *order, enum hc_order_phase phase);
void hc_order_enter_at(struct hc_order *order, enum hc_order_phase phase, int64_t due_ms);
/* The CA does not know it any more: placed again, once. */
void hc_order_lost(struct hc_order *order, const struct hc_error *err);
/* Sends a request of the order's own; done gets the order. */
void hc_order_ask(struct hc_order *order, enum hc_endpoint endpoint, const char *url,
                  const char *payload, hc_acme_request_done *done);
/* Reads the order out of a reply. Identifiers are compared as sets. */
int hc_order_read(struct hc_order *order, const struct hc_http_reply *reply,
                  struct hc_error *err) HC_MUST_USE;
/*
 * The end of a request of the order's own that changes nothing at the CA: true if take() took the
 * reply; else the order is placed again, or has failed.
 */
typedef int hc_order_take(struct hc_order *order, const struct hc_http_reply *reply,
                          struct hc_error *err);
bool hc_order_answered(struct hc_order *order, const struct hc_http_reply *reply,
                       const struct hc_error *cause, hc_order_take *take);
/* What the CA says now decides; what it said before may not be gone through twice. */
void hc_order_follow(struct hc_order *order, int64_t retry_after);
/* Asks for the same again when the CA's time has come, or says that it took too long. */
void hc_order_poll_later(struct hc_order *order, int64_t retry_after);
/* When to ask again for the polls'th time; retry_after as in hc_http_reply. */
int64_t hc_order_poll_delay_ms(unsigned polls, int64_t retry_after);
/* True for a refusal that means that the CA does not know what was asked for. */
bool hc_order_is_unknown(const struct hc_http_reply *reply, const struct hc_error *err);

/* new_order.c, validation.c, certificate.c: what each phase does */
void hc_order_place(struct hc_order *order);
void hc_validation_begin(struct hc_order *order);
void hc_validation_present(struct hc_order *order);
void hc_validation_await(struct hc_order *order);
/* Runs twice: to begin, and when the time is over. */
void hc_validation_run(struct hc_order *order);
void hc_order_finalize(struct hc_order *order);
void hc_order_download(struct hc_order *order);

/* authorization.c */
int hc_authz_prepare(struct hc_order *order, struct hc_error *err) HC_MUST_USE;
void hc_authz_ask_all(struct hc_order *order);
/* Starts the requests whose time has come; true if it started any. */
bool hc_authz_run(struct hc_order *order, int64_t now_ms);
int64_t hc_authz_due(const struct hc_order *order);
bool hc_authz_waiting(const struct hc_order *order);
void hc_authz_enter(struct hc_order_authz *a, enum hc_authz_state state, int64_t due_ms);
/* By which methods its name may be proved, in order of preference. */
const struct hc_list *hc_authz_methods(const struct hc_order_authz *a);
void hc_authz_answer(struct hc_order *order, int64_t now_ms);
/* The time for validation is over: ends the order with what is known. */
void hc_authz_give_up(struct hc_order *order);
void hc_authz_dispose(struct hc_order *order);

/* answering.c */
/* Chooses what to answer and begins to lay it out. */
int hc_authz_present(struct hc_order *order, struct hc_error *err) HC_MUST_USE;
/* 1: every answer is laid out and ready, 0: not yet, -1: one cannot be. Sets order->ready_ms. */
int hc_authz_ready(struct hc_order *order, int64_t now_ms, struct hc_error *err) HC_MUST_USE;
/* True if a solver could not lay out an answer. */
bool hc_authz_has_failed(const struct hc_order *order);
void hc_authz_withdraw(struct hc_order *order);
/* What is presented stays: another process goes on with the order. */
void hc_authz_leave(struct hc_order *order);

/* outcome.c: each puts the order into HC_PHASE_OVER; the first counts. */
void hc_order_succeed(struct hc_order *order);
/* It failed for this reason; dead: it cannot be gone on with. */
void hc_order_fail(struct hc_order *order, const struct hc_error *err, bool dead);
/* The CA takes too long with this one order; it can be gone on with later. */
void hc_order_fail_slow(struct hc_order *order, const char *what, int64_t retry_after);
/* It failed for its names: those in bad, else by the order's own error. */
void hc_order_fail_names(struct hc_order *order);
/* Notes a name's error (the first of each counts). */
void hc_order_blame(struct hc_order *order, const char *name, const struct hc_error *err);
/* Notes the subproblems of a problem object. */
void hc_order_blame_subproblems(struct hc_order *order, const json_t *problem);
/* The same of a reply that refuses the order; reply may be NULL. */
void hc_order_blame_reply(struct hc_order *order, const struct hc_http_reply *reply);
/* Tells the caller. The order may be gone afterwards. */
void hc_order_deliver(struct hc_order *order);

#endif
