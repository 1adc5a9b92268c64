/*
 * What happened since the agent began, counted: orders of each issuer by their end, failures by
 * their problem, swaps. For metrics, which want numbers that only grow; a new agent begins anew.
 *
 * Hears ORDER_OBTAINED, ORDER_FAILED, FILES_CHECKED and PUBLISHED, and is asked by the model alone.
 */
#ifndef HC_AGENT_COUNTERS_H
#define HC_AGENT_COUNTERS_H

#include "agent/env.h"

/* Orders at one issuer. */
struct hc_counted_orders {
    const char *issuer; /* its name */
    uint64_t obtained;  /* certificates: the first of their line .. */
    uint64_t renewed;   /* .. and those that replace one */
    uint64_t failed;
};

/* So often something failed of this. */
struct hc_counted_failures {
    const char *issuer; /* whose orders; NULL: checks of watched files, when they find it first */
    enum hc_problem problem;
    uint64_t count;
};

struct hc_counters {
    const struct hc_env *env;
    int64_t since;                    /* UTC */
    uint64_t swaps;                   /* bundles that were put into the table */
    struct hc_counted_orders *orders; /* as conf->issuers */
    struct hc_counted_failures *failures;
    size_t failure_count;
};

int hc_counters_new(const struct hc_env *env, struct hc_counters **out,
                    struct hc_error *err) HC_MUST_USE;
void hc_counters_free(struct hc_counters *counters); /* NULL is fine */

#endif
