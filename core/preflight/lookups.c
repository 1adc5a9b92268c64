/* The lookups of one preflight, and the zones that they have in common; see lookup.h. */
#include "preflight/lookups.h"

#include <stdlib.h>

#define LOOKUPS_MAX 5000 /* names times types times steps of the climb */

int hc_lookups_new(const struct hc_dns_slot_owner *owner, const struct hc_clock *clock,
                   int64_t deadline_ms, const struct hc_anchors *anchors, struct hc_lookups **out,
                   struct hc_error *err)
{
    struct hc_lookups *lookups = calloc(1, sizeof(*lookups));

    *out = lookups;
    if (lookups == NULL) {
        return hc_error_nomem(err);
    }
    lookups->owner = owner;
    lookups->clock = clock;
    lookups->deadline_ms = deadline_ms;
    lookups->tail = &lookups->first;
    lookups->validates = anchors != NULL && !anchors->off;
    hc_links_init(&lookups->links, owner, anchors, clock, deadline_ms);
    return 0;
}

void hc_lookups_free(struct hc_lookups *lookups)
{
    if (lookups == NULL) {
        return;
    }
    while (lookups->first != NULL) {
        struct hc_lookup *lookup = lookups->first;

        lookups->first = lookup->next;
        hc_dns_slot_dispose(&lookup->cached_slot);
        hc_dns_slot_dispose(&lookup->own_slot);
        hc_lookup_view_dispose(&lookup->cached);
        hc_lookup_view_dispose(&lookup->own);
        hc_kept_error_dispose(&lookup->error);
        hc_kept_error_dispose(&lookup->direct_error);
        hc_verification_dispose(&lookup->verification);
        free(lookup);
    }
    while (lookups->zones != NULL) {
        struct hc_lookups_zone_item *item = lookups->zones;

        lookups->zones = item->next;
        hc_zone_dispose(&item->zone);
        free(item);
    }
    hc_links_dispose(&lookups->links);
    hc_kept_error_dispose(&lookups->unchecked);
    free(lookups);
}

struct hc_zone *hc_lookups_zone(struct hc_lookups *lookups, const struct hc_dname *name)
{
    struct hc_lookups_zone_item *item = NULL;

    for (item = lookups->zones; item != NULL; item = item->next) {
        if (hc_dname_equal(&item->zone.name, name)) {
            return &item->zone;
        }
    }
    item = calloc(1, sizeof(*item));
    if (item == NULL) {
        return NULL;
    }
    hc_zone_begin(&item->zone, lookups->owner, name, lookups->deadline_ms);
    item->next = lookups->zones;
    lookups->zones = item;
    return &item->zone;
}

const struct hc_lookup *hc_lookups_ask(struct hc_lookups *lookups, const struct hc_dname *name,
                                       enum hc_dns_type type, bool direct, struct hc_error *err)
{
    struct hc_lookup *lookup = NULL;

    for (lookup = lookups->first; lookup != NULL; lookup = lookup->next) {
        if (lookup->type == type && lookup->wants_direct == direct &&
            hc_dname_equal(&lookup->name, name)) {
            return lookup;
        }
    }
    lookup = lookups->count < LOOKUPS_MAX ? calloc(1, sizeof(*lookup)) : NULL;
    if (lookup == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    lookup->lookups = lookups;
    lookup->name = *name;
    lookup->type = type;
    lookup->wants_direct = direct;
    *lookups->tail = lookup;
    lookups->tail = &lookup->next;
    lookups->count++;
    hc_lookup_ask_resolvers(lookup);
    if (direct) {
        hc_lookup_begin_hop(lookup, name);
    } else {
        hc_lookup_end_direct(lookup);
    }
    return lookup;
}

/* Many names stand in one zone: its servers are searched once. */
static bool step_zone(struct hc_lookups *lookups, struct hc_zone *zone)
{
    bool changed = hc_zone_step(zone, lookups->owner);

    if (zone->state != HC_ZONE_APEX || zone->same != NULL) {
        return changed;
    }
    for (struct hc_lookups_zone_item *item = lookups->zones; item != NULL; item = item->next) {
        if (item->zone.state > HC_ZONE_APEX && item->zone.apex.len > 0 &&
            hc_dname_equal(&item->zone.apex, &zone->apex)) {
            zone->same = &item->zone;
            return true;
        }
    }
    hc_zone_servers(zone, lookups->owner);
    return true;
}

bool hc_lookups_step(struct hc_lookups *lookups)
{
    bool changed = false;

    for (struct hc_lookups_zone_item *item = lookups->zones; item != NULL; item = item->next) {
        changed = step_zone(lookups, &item->zone) || changed;
    }
    changed = hc_links_step(&lookups->links) || changed;
    for (struct hc_lookup *lookup = lookups->first; lookup != NULL; lookup = lookup->next) {
        changed = hc_lookup_step(lookup) || changed;
    }
    return changed;
}

void hc_lookups_begin_pass(struct hc_lookups *lookups)
{
    hc_links_begin_pass(&lookups->links);
}

bool hc_lookups_stop_validating(struct hc_lookups *lookups)
{
    bool changed = false;

    for (struct hc_lookup *lookup = lookups->first; lookup != NULL && lookups->validates;
         lookup = lookup->next) {
        if (lookup->complete && lookup->dnssec == HC_DNSSEC_BOGUS) {
            lookup->complete = false;
            changed = true;
        }
        hc_verification_dispose(&lookup->verification);
    }
    lookups->validates = false;
    hc_kept_error_dispose(&lookups->unchecked);
    return changed;
}

bool hc_lookups_unchecked(const struct hc_lookups *lookups, struct hc_error *why)
{
    if (hc_kept_error_is_set(&lookups->unchecked)) {
        hc_kept_error_get(&lookups->unchecked, why);
        return true;
    }
    return false;
}

int64_t hc_lookups_next(const struct hc_lookups *lookups)
{
    int64_t now = hc_now_ms(lookups->clock);
    int64_t next = lookups->links.more ? 0 : -1;

    for (const struct hc_lookup *lookup = lookups->first; lookup != NULL; lookup = lookup->next) {
        if (!lookup->complete && lookup->again_ms > 0) {
            int64_t left = lookup->again_ms > now ? lookup->again_ms - now : 0;

            next = hc_wait_least(next, left);
        }
    }
    return next;
}
