/*
 * The issuers at run time, one hc_ca each: its account, its breaker, and which names failed there.
 * What agents on one store learn of a CA they take over from each other's records.
 *
 * Hears STORE_OPENED, STORE_READY, STORE_CLOSING and CLOCK_SET; raises CA_CHANGED when something
 * may be ordered that was not to be ordered before: it answers again, failures are forgotten, its
 * directory was read.
 */
#ifndef HC_AGENT_CAS_H
#define HC_AGENT_CAS_H

#include "agent/authority.h"
#include "agent/record.h"
#include "agent/storage.h"

struct hc_cas;
struct hc_ca;

struct hc_cas_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    const struct hc_authority *authority;
    const struct hc_http_port *http;
    const struct hc_secret_port *secrets; /* or NULL: none of the issuers has an eab_key */
};

int hc_cas_new(const struct hc_cas_options *options, struct hc_cas **out,
               struct hc_error *err) HC_MUST_USE;
void hc_cas_free(struct hc_cas *cas); /* NULL is fine */
/* By its own timer: accounts are settled, records that changed stored; milliseconds until the next.
 */
int64_t hc_cas_run(struct hc_cas *cas);

/* As conf->issuers. */
struct hc_ca *hc_cas_at(const struct hc_cas *cas, size_t i);
/* NULL: there is none of this name that has a directory. */
struct hc_ca *hc_cas_named(const struct hc_cas *cas, const char *issuer_name);
/* The cause of what these names failed of is gone, wherever they failed. */
void hc_cas_forgive(struct hc_cas *cas, const struct hc_list *names);

/* ---- what is known of one ---- */

const struct hc_issuer *hc_ca_issuer(const struct hc_ca *ca);
const struct hc_issuer_record *hc_ca_record(const struct hc_ca *ca);
/* True if nobody knows that it works: it failed last. */
bool hc_ca_is_failing(const struct hc_ca *ca);
/* Monotonic: when it did its part last; 0: not yet. */
int64_t hc_ca_worked_ms(const struct hc_ca *ca);
/* See ca_directory.h. */
bool hc_ca_ensure_known(struct hc_ca *ca);
const struct hc_list *hc_ca_caa_domains(const struct hc_ca *ca);
/* False: its directory is being read, and CA_CHANGED tells when that ended. *url: of its renewal
 * information (RFC 9773), borrowed; NULL: it has none. */
bool hc_ca_renewal_info(struct hc_ca *ca, const char **url);
/* NULL: there is no account yet, or nobody looked for it. */
const char *hc_ca_account_url(const struct hc_ca *ca);
/* Reads it from the store, if no order has done that yet. */
void hc_ca_look_for_account(struct hc_ca *ca);

/*
 * True of refusals that only a person can end: terms, a contact, an account, an address that moved.
 * Such a CA is asked once a day. times: how often in a row, since some may pass by themselves.
 */
#define HC_CA_FINAL_S 86400
bool hc_ca_is_final(enum hc_problem p, unsigned times);
/* True if that is what the CA said last: its orders count as failed, not as waiting for it. */
bool hc_ca_refuses(const struct hc_ca *ca);

/* ---- orders ---- */

/* Somebody is going to order, and no longer. */
void hc_ca_begin(struct hc_ca *ca);
void hc_ca_end(struct hc_ca *ca);
/* 1: orders can be placed; 0: another agent is registering the account, ask again; -1: err. */
int hc_ca_open(struct hc_ca *ca, struct hc_error *err) HC_MUST_USE;
/* Places one; cancelled by the authority. Who does takes the turn to ask for all. */
int hc_ca_order(struct hc_ca *ca, const struct hc_order_options *options, struct hc_order **out,
                struct hc_error *err) HC_MUST_USE;
/* Who took the turn asked nothing after all. */
void hc_ca_give_back(struct hc_ca *ca);
/* Takes over what other agents on this store wrote of the CA meanwhile. */
void hc_ca_refresh(struct hc_ca *ca);
/* Writes the record at once if it changed: before another agent may go on. */
void hc_ca_store(struct hc_ca *ca);

/* A failure that is the CA's; opens the breaker and says so. */
void hc_ca_failed(struct hc_ca *ca, const struct hc_error *err);
void hc_ca_worked(struct hc_ca *ca);
/*
 * Held against a name, or a certificate as a whole, at this issuer alone: another may see it
 * otherwise. serving_until: notAfter of what serves it; retry_after: what the CA asked for.
 */
void hc_ca_hold(struct hc_ca *ca, const char *name, int64_t serving_until, int64_t retry_after);
/* It is over. */
void hc_ca_forgive(struct hc_ca *ca, const char *name);
/* Appends the methods for hosts of these settings, in the order in which to try them for the name.
 */
int hc_ca_methods(const struct hc_ca *ca, const char *name, const struct hc_scope *set,
                  struct hc_list *out, struct hc_error *err) HC_MUST_USE;
/* One of them was tried for the name. */
void hc_ca_tried(struct hc_ca *ca, const char *name, const struct hc_scope *set, const char *method,
                 bool worked);
/* Forgets what is held against the names (NULL: all) and the CA itself. */
void hc_ca_reset(struct hc_ca *ca, const struct hc_list *names);
/*
 * Gives up an account that the CA refused: the next order registers another one. 1: done, 0: it is
 * not refused, -1: err.
 */
int hc_ca_new_account(struct hc_ca *ca, struct hc_error *err) HC_MUST_USE;

#endif
