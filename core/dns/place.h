/*
 * hc_dns_place: where a record that CAs look for at a name is to be written: CNAMEs are followed
 * from there (RFC 8555 section 8.4 allows them, and delegations live by them), and the zone of
 * their end and its servers are found (zone.h). Stepped; see slot.h.
 *
 * What does not exist yet is asked of the zones' own servers, from the top down, and not of the
 * resolvers: those would remember that it does not exist, and a CA may use the same ones. Only
 * where the servers cannot be asked from here, the resolvers are.
 */
#ifndef HC_DNS_PLACE_H
#define HC_DNS_PLACE_H

#include "dns/zone.h"

enum hc_dns_place_state {
    HC_PLACE_SEEK,   /* a zone above the name, and its servers */
    HC_PLACE_ASK,    /* those: do they have the name, is it an alias, or whose is it? */
    HC_PLACE_ALIAS,  /* the resolvers: is it an alias? */
    HC_PLACE_ZONE,   /* and whose is its end? */
    HC_PLACE_READY,  /* name is known; zone.state says whether its zone is as well */
    HC_PLACE_FAILED, /* error: nothing can be written without knowing where */
};

struct hc_dns_place {
    enum hc_dns_place_state state;
    struct hc_dname alias; /* where it began */
    struct hc_dname name;  /* where the CNAMEs lead: alias itself without any */
    unsigned links;        /* how many */
    struct hc_dns_slot slot;
    struct hc_zone zone;
    unsigned seeks; /* zones that were looked at */
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
