/*
 * What spares an order: a version that another agent committed meanwhile, or a stored pair of
 * another line that is as good. Both are searched under the line's lock, right before an order.
 */
#ifndef HC_AGENT_TAKEOVER_H
#define HC_AGENT_TAKEOVER_H

#include "agent/jobs.h"

/* All are borrowed. */
struct hc_takeover {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_jobs *jobs;
};

/* Reads what other agents did with the job's line. 1: no order is needed, 0: it is, -1: err. */
int hc_takeover_refresh(const struct hc_takeover *t, struct hc_job *job,
                        struct hc_error *err) HC_MUST_USE;
/* A pair of the same names, key type and an issuer in use becomes the line's own. The same. */
int hc_takeover_adopt(const struct hc_takeover *t, struct hc_job *job,
                      struct hc_error *err) HC_MUST_USE;

#endif
