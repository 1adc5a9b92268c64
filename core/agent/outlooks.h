/*
 * The outlook of each identity's names: which are left out of an order and until when, and the
 * checks that bring them back. preflights.h checks, preflight/leaveout.h decides; here is when, and
 * what is logged.
 *
 * Hears STORE_IDENTITY, STORE_READY, STORE_CLOSING, CLOCK_SET and the ends of preflights; raises
 * PREFLIGHT_ENDED.
 */
#ifndef HC_AGENT_OUTLOOKS_H
#define HC_AGENT_OUTLOOKS_H

#include "agent/cas.h"
#include "agent/preflights.h"
#include "agent/publisher.h"

struct hc_outlooks;

struct hc_outlooks_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_publisher *publisher;
    struct hc_cas *cas;
    struct hc_preflights *preflights;
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

/* The operator asks for an order: the names are checked anew, and one good check is enough. */
void hc_outlook_vouch(struct hc_outlooks *outlooks, size_t index);

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
