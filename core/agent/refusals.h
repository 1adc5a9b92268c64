/* What the CA said of single names since the latest preflight: a value, a few entries. */
#ifndef HC_AGENT_REFUSALS_H
#define HC_AGENT_REFUSALS_H

#include "base/kept_error.h"
#include "base/log.h"

/* A name that the CA refused, and its words. */
struct hc_refused {
    char *name;
    struct hc_kept_error said;
};

/* Zeroed memory is empty. */
struct hc_refusals {
    struct hc_refused *items;
    size_t count;
};

/* The first words of a name stay. */
int hc_refusals_add(struct hc_refusals *refusals, const char *name, const struct hc_error *said,
                    struct hc_error *err) HC_MUST_USE;
const struct hc_refused *hc_refusals_find(const struct hc_refusals *refusals, const char *name);
/* A line for each, without what a preflight would have found. */
void hc_refusals_tell(const struct hc_refusals *refusals, const struct hc_log *log);
void hc_refusals_dispose(struct hc_refusals *refusals);

#endif
