/*
 * How the names of one identity stand: what preflights and CAs found, as it is remembered in the
 * store, and what is to be ordered (preflight/leaveout.h decides that).
 */
#ifndef HC_AGENT_STANDING_H
#define HC_AGENT_STANDING_H

#include "agent/publisher.h"
#include "agent/refusals.h"
#include "agent/said.h"
#include "preflight/leaveout.h"

/* What standings are given, all the same. */
struct hc_standing_env {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_publisher *publisher;
    bool preflights; /* names are checked */
};

/* Zeroed but for its identity it is that of names of which nothing is known. */
struct hc_standing {
    const struct hc_identity *identity;
    struct hc_leaveout state;
    hc_said stored; /* what its record says; 0: there is none */
    struct hc_leaveout_plan plan;
    bool planned;
    struct hc_refusals refused; /* by the CA, since the latest preflight */
    hc_said said_plan;
    hc_said said_findings;
};

void hc_standing_dispose(struct hc_standing *standing);
/* True if it says no more than one of which nothing is known, planned: all names are ordered. */
bool hc_standing_is_plain(const struct hc_standing *standing);

/* From and to the store; what goes wrong is logged, or the storage's. */
void hc_standing_load(struct hc_standing *standing, const struct hc_standing_env *e);
void hc_standing_store(struct hc_standing *standing, const struct hc_standing_env *e);

/* Decides what is to be ordered, and says once what is left out. */
void hc_standing_plan(struct hc_standing *standing, const struct hc_standing_env *e);
/* The names to order, should an order be due. */
const struct hc_list *hc_standing_order(const struct hc_standing *standing);
/* True if a certificate for these names is not all that is to be had now. */
bool hc_standing_wants(const struct hc_standing *standing, const struct hc_list *have);

/*
 * A preflight ended: notes and says what it found. recovered gets those that are well again. -1:
 * no memory for some of it.
 */
int hc_standing_see(struct hc_standing *standing, const struct hc_standing_env *e,
                    const struct hc_preflight_result *result, struct hc_list *recovered,
                    struct hc_error *err) HC_MUST_USE;

#endif
