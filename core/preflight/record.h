/*
 * The challenge record of a name, as a preflight finds it: where it belongs (CNAMEs, zone,
 * servers), and what TXT values each server of that zone has there. Stepped; see dns/slot.h.
 * Nothing that does not exist is asked of the resolvers, who would remember it when a CA comes.
 */
#ifndef HC_PREFLIGHT_RECORD_H
#define HC_PREFLIGHT_RECORD_H

#include "dns/place.h"

struct hc_record_lookup {
    struct hc_dname label; /* where CAs look */
    struct hc_dns_place place;
    bool asked; /* the servers, by slots */
    struct hc_dns_slot slots[HC_ZONE_SERVERS];
};

/* label: in front of host, with its dot. *out is the caller's to free; it is for one preflight. */
int hc_record_lookup_new(const struct hc_dns_slot_owner *owner, const char *label, const char *host,
                         int64_t deadline_ms, struct hc_record_lookup **out,
                         struct hc_error *err) HC_MUST_USE;
void hc_record_lookup_free(struct hc_record_lookup *lookup); /* NULL is fine */

/* Goes on; true if anything changed. NULL is fine, and complete. */
bool hc_record_lookup_step(struct hc_record_lookup *lookup, const struct hc_dns_slot_owner *owner);
bool hc_record_lookup_complete(const struct hc_record_lookup *lookup);

/* Complete: there is neither a TXT record nor an alias, and no zone begins there. */
bool hc_record_lookup_is_missing(const struct hc_record_lookup *lookup);

#endif
