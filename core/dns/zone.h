/*
 * hc_zone: which zone a name stands in, and the addresses of that zone's own servers, so that they
 * can be asked directly: a resolver's cache neither blocks an order nor permits one. Found through
 * the resolvers (SOA, NS, A, AAAA), with checking disabled: a zone whose DNSSEC is broken has
 * servers too. Stepped, not called back; see slot.h.
 */
#ifndef HC_DNS_ZONE_H
#define HC_DNS_ZONE_H

#include "dns/slot.h"

#define HC_ZONE_SERVER_NAMES 8    /* NS records that are looked at */
#define HC_ZONE_SERVERS      16   /* addresses of theirs */
#define HC_ZONE_ASK_MS       3000 /* for a question to a zone's own servers */

enum hc_zone_state {
    HC_ZONE_SOA,
    HC_ZONE_APEX, /* apex is known; hc_zone_servers(), or same, is its user's to choose */
    HC_ZONE_NS,
    HC_ZONE_ADDRESS,
    HC_ZONE_READY,  /* servers are known */
    HC_ZONE_FAILED, /* error says why */
};

struct hc_zone {
    enum hc_zone_state state;
    struct hc_dname name;   /* that it was looked for */
    struct hc_dname cursor; /* where SOA is asked for: name, or above it */
    struct hc_dname apex;   /* from HC_ZONE_APEX on */
    struct hc_zone *same;   /* another with this apex, whose servers are taken; or NULL */
    struct hc_dname server_names[HC_ZONE_SERVER_NAMES];
    size_t server_name_count;
    struct hc_dns_server servers[HC_ZONE_SERVERS];
    size_t server_count;
    /* Set by its user when its servers did not answer: they are not asked in vain again. */
    bool unreachable;
    struct hc_kept_error error;
    int64_t deadline_ms;
    struct hc_dns_slot slots[2 * HC_ZONE_SERVER_NAMES];
};

/* Begins to look for the zone of name. zone does not move until it is disposed. */
void hc_zone_begin(struct hc_zone *zone, const struct hc_dns_slot_owner *owner,
                   const struct hc_dname *name, int64_t deadline_ms);

/* From HC_ZONE_APEX: looks for the servers. */
void hc_zone_servers(struct hc_zone *zone, const struct hc_dns_slot_owner *owner);

/* Goes on as far as possible; true if anything changed. */
bool hc_zone_step(struct hc_zone *zone, const struct hc_dns_slot_owner *owner);

static inline bool hc_zone_settled(const struct hc_zone *zone)
{
    return zone->state == HC_ZONE_READY || zone->state == HC_ZONE_FAILED;
}

void hc_zone_dispose(struct hc_zone *zone);

#endif
