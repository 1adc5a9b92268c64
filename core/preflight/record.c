/* The challenge record of a name; see record.h. */
#include "preflight/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hc_record_lookup_new(const struct hc_dns_slot_owner *owner, const char *label, const char *host,
                         int64_t deadline_ms, struct hc_record_lookup **out, struct hc_error *err)
{
    struct hc_record_lookup *lookup = calloc(1, sizeof(*lookup));
    char text[HC_DNAME_TEXT];

    *out = NULL;
    if (lookup == NULL) {
        return hc_error_nomem(err);
    }
    (void)snprintf(text, sizeof(text), "%.100s%.255s", label, host);
    if (hc_dname_from_host(text, &lookup->label, err) != 0) {
        free(lookup);
        return -1;
    }
    hc_dns_place_begin(&lookup->place, owner, &lookup->label, deadline_ms);
    *out = lookup;
    return 0;
}

void hc_record_lookup_free(struct hc_record_lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    hc_dns_place_dispose(&lookup->place);
    for (size_t i = 0; i < HC_ZONE_SERVERS; i++) {
        hc_dns_slot_dispose(&lookup->slots[i]);
    }
    free(lookup);
}

/* Each server by itself: whether they agree is what a CA meets with. */
static void ask_servers(struct hc_record_lookup *lookup, const struct hc_dns_slot_owner *owner)
{
    for (size_t i = 0; i < lookup->place.zone.server_count; i++) {
        const struct hc_dns_ask ask = {
            .question = {.name = lookup->place.name, .type = HC_DNS_TXT},
            .servers = &lookup->place.zone.servers[i],
            .server_count = 1,
            .deadline_ms = lookup->place.deadline_ms,
        };

        hc_dns_slot_ask(&lookup->slots[i], owner, &ask);
    }
    lookup->asked = true;
}

bool hc_record_lookup_step(struct hc_record_lookup *lookup, const struct hc_dns_slot_owner *owner)
{
    bool changed = lookup != NULL && hc_dns_place_step(&lookup->place, owner);

    if (lookup != NULL && !lookup->asked && hc_dns_place_settled(&lookup->place)) {
        ask_servers(lookup, owner);
        changed = true;
    }
    return changed;
}

bool hc_record_lookup_complete(const struct hc_record_lookup *lookup)
{
    if (lookup == NULL) {
        return true;
    }
    for (size_t i = 0; i < HC_ZONE_SERVERS; i++) {
        if (!hc_dns_slot_settled(&lookup->slots[i])) {
            return false;
        }
    }
    return lookup->asked;
}

bool hc_record_lookup_is_missing(const struct hc_record_lookup *lookup)
{
    const struct hc_dns_place *place = &lookup->place;

    if (place->state != HC_PLACE_READY || place->links > 0 || place->zone.state != HC_ZONE_READY ||
        hc_dname_equal(&place->zone.apex, &lookup->label)) {
        return false;
    }
    for (size_t i = 0; i < place->zone.server_count; i++) {
        const struct hc_dns_slot *slot = &lookup->slots[i];
        size_t at = 0;

        if (slot->state == HC_DNS_SLOT_REPLY &&
            hc_dns_reply_next(&slot->reply, &place->name, HC_DNS_TXT, &at) != NULL) {
            return false;
        }
    }
    return true;
}
