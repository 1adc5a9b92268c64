/*
 * What an order's failure means: for the CA, for names and certificate at that CA, for the job; and
 * what is said of it. Nothing is stored here.
 */
#ifndef HC_AGENT_FAILURE_H
#define HC_AGENT_FAILURE_H

#include "agent/jobs.h"

struct hc_failure {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_publisher *publisher;
    struct hc_outlooks *outlooks;
    struct hc_jobs *jobs;
    struct hc_job *job;
    struct hc_ca *ca;
    bool asked; /* there was an order: the CA was asked */
};

/* Counts and says it; the job's record, and the CA's, are to be stored then. */
void hc_failure_take(const struct hc_failure *f, const struct hc_order_result *result,
                     const struct hc_error *err);

#endif
