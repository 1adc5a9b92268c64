/*
 * The outlook of each identity's names: the preflight before an order, which names are left out of
 * it and until when, and the checks that bring them back. preflight/preflight.h checks,
 * preflight/leaveout.h decides; here is when, for whom, and what is said.
 *
 * Hears STORE_OPENED, STORE_READY, STORE_CLOSING and CLOCK_SET; raises PREFLIGHT_ENDED.
 */
#ifndef HC_AGENT_OUTLOOKS_H
#define HC_AGENT_OUTLOOKS_H

#include "agent/answers.h"
#include "agent/cas.h"
#include "agent/publisher.h"
#include "agent/ruled_out.h"
#include "net/web.h"

#define HC_CHECKING_MOST 32 /* preflights side by side */

struct hc_outlooks;

struct hc_outlooks_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_publisher *publisher;
    struct hc_cas *cas;
    struct hc_answers *answers;
    const struct hc_responder *responder;
    const struct hc_dns_port *dns;       /* NULL: names are not checked */
    const struct hc_web_port *web;       /* NULL: no request is made by a preflight */
    const struct hc_handshake_port *tls; /* NULL: nor is a handshake */
};

int hc_outlooks_new(const struct hc_outlooks_options *options, struct hc_outlooks **out,
                    struct hc_error *err) HC_MUST_USE;
void hc_outlooks_free(struct hc_outlooks *outlooks); /* NULL is fine */
/* By its own timer: starts preflights that are due; milliseconds until something may be. */
int64_t hc_outlooks_run(struct hc_outlooks *outlooks);
/* Decides anew what is to be ordered, for all of which something is known. */
void hc_outlooks_plan(struct hc_outlooks *outlooks);

/* ---- what is thought of an identity's names; index: of an identity under `on` ---- */

/* The names to order, should an order be due. Borrowed until the next plan. */
const struct hc_list *hc_outlook_order(const struct hc_outlooks *outlooks, size_t index);
const struct hc_list *hc_outlook_left_out(const struct hc_outlooks *outlooks, size_t index);
/* True if no order is to be placed at this issuer before *until, by a preflight that still counts.
 */
bool hc_outlook_holds(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca,
                      int64_t *until);
/* True if a certificate for these names is not all that is to be had now. */
bool hc_outlook_wants(const struct hc_outlooks *outlooks, size_t index, const struct hc_list *have);

/* ---- preflights ---- */

/* True if the names were checked lately, for this issuer (NULL: none yet); or need not be. */
bool hc_outlook_is_fresh(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca);
bool hc_outlook_is_checking(const struct hc_outlooks *outlooks, size_t index);
/* For whom the names were checked last, or NULL. */
const struct hc_ca *hc_outlook_checked_for(const struct hc_outlooks *outlooks, size_t index);
/* How many identities are being checked. */
size_t hc_outlooks_checking(const struct hc_outlooks *outlooks);
/* Starts a preflight. One that is under way is fine. */
int hc_outlook_start(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca,
                     struct hc_error *err) HC_MUST_USE;
/* The names are checked anew before the next order. */
void hc_outlook_forget(struct hc_outlooks *outlooks, size_t index);

/* What the latest preflight rules out; NULL: it was for another issuer. Valid until the next. */
const struct hc_ruled_out *hc_outlook_ruled_out(const struct hc_outlooks *outlooks, size_t index,
                                                const struct hc_ca *ca);

/* ---- what became of orders ---- */

void hc_outlook_ordered(struct hc_outlooks *outlooks, size_t index);
void hc_outlook_obtained(struct hc_outlooks *outlooks, size_t index, const struct hc_list *names);
void hc_outlook_refused(struct hc_outlooks *outlooks, size_t index, const char *name,
                        const struct hc_error *said);
/*
 * After refusals: checks the names, so that both views stand side by side in the log. False if
 * no preflight started: the caller tells what the CA said.
 */
bool hc_outlook_compare(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca);

#endif
