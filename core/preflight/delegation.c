/* Whether a challenge record leads to our own DNS server; see delegation.h. */
#include "preflight/delegation.h"

#include <stdio.h>

int hc_delegation_begin(struct hc_delegation *delegation, const struct hc_dns_domain *domain,
                        struct hc_lookups *lookups, const char *host, struct hc_error *err)
{
    char label[HC_DNAME_TEXT];

    (void)snprintf(label, sizeof(label), HC_DNS_LABEL ".%.255s", host);
    if (hc_dname_from_host(label, &delegation->label, err) != 0) {
        return -1;
    }
    delegation->label_soa = hc_lookups_ask(lookups, &delegation->label, HC_DNS_SOA, true, err);
    if (domain->one) {
        delegation->zone_soa = hc_lookups_ask(lookups, &domain->zone, HC_DNS_SOA, true, err);
    }
    return delegation->label_soa == NULL || (domain->one && delegation->zone_soa == NULL) ? -1 : 0;
}

static bool complete(const struct hc_lookup *lookup)
{
    return lookup == NULL || lookup->complete;
}

bool hc_delegation_complete(const struct hc_delegation *delegation)
{
    return complete(delegation->label_soa) && complete(delegation->zone_soa);
}
