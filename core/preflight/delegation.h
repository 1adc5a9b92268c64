/*
 * Whether the challenge record of a name leads to hotcert's own DNS server, over the same way as a
 * CA's question: through CNAME records, the delegation, and whatever forwards to it. What lacks is
 * told as the records to add.
 */
#ifndef HC_PREFLIGHT_DELEGATION_H
#define HC_PREFLIGHT_DELEGATION_H

#include "dns/domain.h"
#include "preflight/lookup.h"

/* Of one name. Zeroed: nothing is asked. */
struct hc_delegation {
    struct hc_dname label;             /* "_acme-challenge" of the name */
    const struct hc_lookup *label_soa; /* whose is what it leads to? */
    const struct hc_lookup *zone_soa;  /* the responder's one zone; NULL: it has none */
};

/* Begins to ask about the host (without "*."). */
int hc_delegation_begin(struct hc_delegation *delegation, const struct hc_dns_domain *domain,
                        struct hc_lookups *lookups, const char *host,
                        struct hc_error *err) HC_MUST_USE;
bool hc_delegation_complete(const struct hc_delegation *delegation);

#endif
