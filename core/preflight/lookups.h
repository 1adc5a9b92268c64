/* The lookups of one preflight from inside: lookups.c has them all, lookup.c what one of them does.
 */
#ifndef HC_PREFLIGHT_LOOKUPS_H
#define HC_PREFLIGHT_LOOKUPS_H

#include "preflight/lookup.h"

struct hc_lookups_zone_item {
    struct hc_lookups_zone_item *next;
    struct hc_zone zone;
};

struct hc_lookups {
    const struct hc_dns_slot_owner *owner;
    const struct hc_clock *clock;
    int64_t deadline_ms;
    struct hc_links links; /* to the keys of zones */
    bool validates;
    struct hc_kept_error unchecked; /* why nothing can be validated */
    struct hc_lookup *first;
    struct hc_lookup **tail;
    size_t count;
    struct hc_lookups_zone_item *zones;
    bool direct_heard;    /* some zone's server answered */
    unsigned direct_lost; /* zones whose servers did not */
    bool direct_closed;   /* none ever did, of LOST_ZONES: no more are tried */
};

/* lookups.c: the zone of this name, begun if it is not there; NULL: no memory. */
struct hc_zone *hc_lookups_zone(struct hc_lookups *lookups, const struct hc_dname *name);

/* lookup.c */
void hc_lookup_ask_resolvers(struct hc_lookup *lookup);
/* At the servers of the name's zone. */
void hc_lookup_begin_hop(struct hc_lookup *lookup, const struct hc_dname *name);
/* The zone's servers are not asked. */
void hc_lookup_end_direct(struct hc_lookup *lookup);
/* True if anything changed. */
bool hc_lookup_step(struct hc_lookup *lookup);
void hc_lookup_view_dispose(struct hc_lookup_view *view);

#endif
