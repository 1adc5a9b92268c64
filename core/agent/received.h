/* What a CA sent: is it what was ordered, and better than what serves? */
#ifndef HC_AGENT_RECEIVED_H
#define HC_AGENT_RECEIVED_H

#include "acme/acme.h"
#include "agent/chains.h"

/* All are borrowed. */
struct hc_received {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_judge *judge;
    struct hc_chains *chains;
    const struct hc_identity *identity;
    enum hc_key_type key_type;
    const unsigned char *line;
    const struct hc_list *names;    /* that were ordered */
    const struct hc_list *left_out; /* on purpose */
};

/*
 * Makes the pair of an order that went well, unless it is not what was ordered or the one in use is
 * better: then err says why, and its retry_after when it may be otherwise. *pair and *findings are
 * the caller's.
 */
int hc_received_take(const struct hc_received *received, const struct hc_order_result *result,
                     struct hc_pair **pair, struct hc_findings *findings,
                     struct hc_error *err) HC_MUST_USE;

#endif
