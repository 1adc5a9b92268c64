/* The looks of one preflight from inside: looks.c has them all, look.c what one of them does. */
#ifndef HC_PREFLIGHT_LOOKS_H
#define HC_PREFLIGHT_LOOKS_H

#include "preflight/look.h"

struct hc_looks_zone_item {
    struct hc_looks_zone_item *next;
    struct hc_zone zone;
};

struct hc_looks {
    const struct hc_dns_slot_owner *owner;
    const struct hc_clock *clock;
    int64_t deadline_ms;
    struct hc_look *first;
    struct hc_look **tail;
    size_t count;
    struct hc_looks_zone_item *zones;
    bool direct_heard;    /* some zone's server answered */
    unsigned direct_lost; /* zones whose servers did not */
    bool direct_closed;   /* none ever did, of LOST_ZONES: no more are tried */
};

/* looks.c: the zone of this name, begun if it is not there; NULL: no memory. */
struct hc_zone *hc_looks_zone(struct hc_looks *looks, const struct hc_dname *name);

/* look.c */
void hc_look_ask_resolvers(struct hc_look *look);
/* At the servers of the name's zone. */
void hc_look_begin_hop(struct hc_look *look, const struct hc_dname *name);
/* The zone's servers are not asked. */
void hc_look_end_direct(struct hc_look *look);
/* True if anything changed. */
bool hc_look_step(struct hc_look *look);
void hc_look_view_dispose(struct hc_look_view *view);

#endif
