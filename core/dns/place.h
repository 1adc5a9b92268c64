/*
 * hc_dns_place: where a record that CAs look for at a name is to be written: CNAMEs are followed
 * from there (RFC 8555 section 8.4 allows them, and delegations live by them), then the zone of
 * their end and its servers are found (zone.h). Asked of the resolvers. Stepped; see slot.h.
 */
#ifndef HC_DNS_PLACE_H
#define HC_DNS_PLACE_H

#include "dns/zone.h"

enum hc_dns_place_state {
    HC_PLACE_ALIAS, /* is it an alias? */
    HC_PLACE_ZONE,
    HC_PLACE_READY,  /* name is known; zone.state says whether its zone is as well */
    HC_PLACE_FAILED, /* error: nothing can be written without knowing where */
};

struct hc_dns_place {
    enum hc_dns_place_state state;
    struct hc_dname alias; /* where it began */
    struct hc_dname name;  /* where the CNAMEs lead: alias itself without any */
    unsigned links;        /* how many */
    struct hc_dns_slot slot;
    struct hc_zone zone; /* from HC_PLACE_ZONE on */
    struct hc_kept_error error;
    int64_t deadline_ms;
};

/* place is zeroed memory, and does not move until it is disposed. */
void hc_dns_place_begin(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner,
                        const struct hc_dname *alias, int64_t deadline_ms);

/* Goes on as far as possible; true if anything changed. */
bool hc_dns_place_step(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner);

static inline bool hc_dns_place_settled(const struct hc_dns_place *place)
{
    return place->state == HC_PLACE_READY || place->state == HC_PLACE_FAILED;
}

/* Safe on zeroed memory and twice. */
void hc_dns_place_dispose(struct hc_dns_place *place);

#endif
