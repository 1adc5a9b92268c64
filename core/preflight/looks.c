/* The looks of one preflight, and the zones that they have in common; see look.h. */
#include "preflight/looks.h"

#include <stdlib.h>

#define LOOKS_MAX 5000 /* names times types times steps of the climb */

int hc_looks_new(const struct hc_dns_slot_owner *owner, const struct hc_clock *clock,
                 int64_t deadline_ms, struct hc_looks **out, struct hc_error *err)
{
    struct hc_looks *looks = calloc(1, sizeof(*looks));

    *out = looks;
    if (looks == NULL) {
        return hc_error_nomem(err);
    }
    looks->owner = owner;
    looks->clock = clock;
    looks->deadline_ms = deadline_ms;
    looks->tail = &looks->first;
    return 0;
}

void hc_looks_free(struct hc_looks *looks)
{
    if (looks == NULL) {
        return;
    }
    while (looks->first != NULL) {
        struct hc_look *look = looks->first;

        looks->first = look->next;
        hc_dns_slot_dispose(&look->cached_slot);
        hc_dns_slot_dispose(&look->own_slot);
        hc_look_view_dispose(&look->cached);
        hc_look_view_dispose(&look->own);
        hc_kept_error_dispose(&look->error);
        hc_kept_error_dispose(&look->direct_error);
        free(look);
    }
    while (looks->zones != NULL) {
        struct hc_looks_zone_item *item = looks->zones;

        looks->zones = item->next;
        hc_zone_dispose(&item->zone);
        free(item);
    }
    free(looks);
}

struct hc_zone *hc_looks_zone(struct hc_looks *looks, const struct hc_dname *name)
{
    struct hc_looks_zone_item *item = NULL;

    for (item = looks->zones; item != NULL; item = item->next) {
        if (hc_dname_equal(&item->zone.name, name)) {
            return &item->zone;
        }
    }
    item = calloc(1, sizeof(*item));
    if (item == NULL) {
        return NULL;
    }
    hc_zone_begin(&item->zone, looks->owner, name, looks->deadline_ms);
    item->next = looks->zones;
    looks->zones = item;
    return &item->zone;
}

const struct hc_look *hc_looks_at(struct hc_looks *looks, const struct hc_dname *name,
                                  enum hc_dns_type type, bool direct, struct hc_error *err)
{
    struct hc_look *look = NULL;

    for (look = looks->first; look != NULL; look = look->next) {
        if (look->type == type && look->wants_direct == direct &&
            hc_dname_equal(&look->name, name)) {
            return look;
        }
    }
    look = looks->count < LOOKS_MAX ? calloc(1, sizeof(*look)) : NULL;
    if (look == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    look->looks = looks;
    look->name = *name;
    look->type = type;
    look->wants_direct = direct;
    *looks->tail = look;
    looks->tail = &look->next;
    looks->count++;
    hc_look_ask_resolvers(look);
    if (direct) {
        hc_look_begin_hop(look, name);
    } else {
        hc_look_end_direct(look);
    }
    return look;
}

/* Many names stand in one zone: its servers are looked for once. */
static bool step_zone(struct hc_looks *looks, struct hc_zone *zone)
{
    bool changed = hc_zone_step(zone, looks->owner);

    if (zone->state != HC_ZONE_APEX || zone->same != NULL) {
        return changed;
    }
    for (struct hc_looks_zone_item *item = looks->zones; item != NULL; item = item->next) {
        if (item->zone.state > HC_ZONE_APEX && item->zone.apex.len > 0 &&
            hc_dname_equal(&item->zone.apex, &zone->apex)) {
            zone->same = &item->zone;
            return true;
        }
    }
    hc_zone_servers(zone, looks->owner);
    return true;
}

bool hc_looks_step(struct hc_looks *looks)
{
    bool changed = false;

    for (struct hc_looks_zone_item *item = looks->zones; item != NULL; item = item->next) {
        changed = step_zone(looks, &item->zone) || changed;
    }
    for (struct hc_look *look = looks->first; look != NULL; look = look->next) {
        changed = hc_look_step(look) || changed;
    }
    return changed;
}

int64_t hc_looks_next(const struct hc_looks *looks)
{
    int64_t now = hc_now_ms(looks->clock);
    int64_t next = -1;

    for (const struct hc_look *look = looks->first; look != NULL; look = look->next) {
        if (!look->complete && look->again_ms > 0) {
            int64_t left = look->again_ms > now ? look->again_ms - now : 0;

            next = hc_wait_least(next, left);
        }
    }
    return next;
}
