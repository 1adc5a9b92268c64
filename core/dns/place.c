/* Where a record is to be written; see place.h. */
#include "dns/place.h"

#include <stdio.h>
#include <string.h>

#define SEEKS_MOST  24 /* zones on the way, all aliases together */
#define SEEK_LABELS 2  /* where the way down begins: the name's last labels */

/* Asks whether the name is an alias: its zone's servers, or the resolvers. */
static void ask(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner, bool direct)
{
    const struct hc_zone *zone = &place->zone;
    struct hc_dns_ask question = {
        .question = {.name = place->name,
                     .type = HC_DNS_CNAME,
                     .recurse = !direct,
                     .checking_disabled = !direct},
        .servers = direct ? zone->servers : NULL,
        .server_count = direct ? zone->server_count : 0,
        .deadline_ms = place->deadline_ms,
    };

    place->state = direct ? HC_PLACE_ASK : HC_PLACE_ALIAS;
    hc_dns_slot_ask(&place->slot, owner, &question);
}

static void seek(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner,
                 const struct hc_dname *from)
{
    place->state = HC_PLACE_SEEK;
    place->seeks++;
    hc_zone_dispose(&place->zone);
    hc_zone_begin(&place->zone, owner, from, place->deadline_ms);
}

static void seek_from_above(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    struct hc_dname top = place->name;

    while (hc_dname_labels(&top) > SEEK_LABELS && hc_dname_climb(&top)) {
    }
    seek(place, owner, &top);
}

void hc_dns_place_begin(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner,
                        const struct hc_dname *alias, int64_t deadline_ms)
{
    memset(place, 0, sizeof(*place));
    place->alias = place->name = *alias;
    place->deadline_ms = deadline_ms;
    seek_from_above(place, owner);
}

static void fail(struct hc_dns_place *place, const char *what, const char *why)
{
    char name[HC_DNAME_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_DNS_FAILED, hc_dname_format(&place->name, name), "%s%s", what, why);
    hc_kept_error_set(&place->error, &err);
    place->state = HC_PLACE_FAILED;
}

static void refused(struct hc_dns_place *place)
{
    char code[16];
    char from[HC_DNS_SERVER_TEXT];
    char why[HC_DNS_SERVER_TEXT + 32];
    struct hc_error err;

    if (place->slot.state == HC_DNS_SLOT_FAILED) {
        hc_error_init(&err);
        hc_kept_error_get(&place->slot.error, &err);
        fail(place, "cannot find out whether it is an alias (CNAME): ", err.detail);
        return;
    }
    (void)snprintf(why, sizeof(why), "%s answers %s", hc_dns_server_format(&place->slot.from, from),
                   hc_dns_rcode_format(place->slot.reply.rcode, code));
    fail(place, "cannot find out whether it is an alias (CNAME): ", why);
}

/* Follows an alias, if it is one. False: it is none. */
static bool follow(struct hc_dns_place *place)
{
    size_t at = 0;
    const struct hc_dns_record *alias =
        hc_dns_reply_next(&place->slot.reply, &place->name, HC_DNS_CNAME, &at);

    if (alias == NULL) {
        return false;
    }
    if (++place->links > HC_DNS_CHAIN || hc_dns_record_target(alias, &place->name) != 0) {
        fail(place, "the CNAME records form a loop, or a chain that is too long", "");
    }
    return true;
}

static void after_alias(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    const struct hc_dns_reply *reply = &place->slot.reply;

    if (place->slot.state == HC_DNS_SLOT_FAILED ||
        (reply->rcode != HC_DNS_NOERROR && reply->rcode != HC_DNS_NXDOMAIN)) {
        refused(place);
    } else if (!follow(place)) {
        place->state = HC_PLACE_ZONE;
        hc_zone_begin(&place->zone, owner, &place->name, place->deadline_ms);
    } else if (place->state != HC_PLACE_FAILED) {
        ask(place, owner, false);
    }
}

/* A zone below this one that the name is in, by a reply of this one's server; NULL: none. */
static const struct hc_dname *below(const struct hc_dns_place *place)
{
    const struct hc_dns_reply *reply = &place->slot.reply;

    for (size_t i = reply->answers; i < reply->answers + reply->authorities; i++) {
        const struct hc_dns_record *record = &reply->records[i];

        if ((record->type == HC_DNS_NS || record->type == HC_DNS_SOA) &&
            hc_dname_is_within(&place->name, record->owner) &&
            hc_dname_is_within(record->owner, &place->zone.apex) &&
            !hc_dname_equal(record->owner, &place->zone.apex)) {
            return record->owner;
        }
    }
    return NULL;
}

static void after_ask(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    const struct hc_dns_reply *reply = &place->slot.reply;
    bool answered = place->slot.state == HC_DNS_SLOT_REPLY &&
                    (reply->rcode == HC_DNS_NOERROR || reply->rcode == HC_DNS_NXDOMAIN);
    const struct hc_dname *zone = answered ? below(place) : NULL;

    if (answered && reply->authoritative && follow(place)) {
        if (place->state != HC_PLACE_FAILED) {
            seek_from_above(place, owner);
        }
    } else if (zone != NULL && place->seeks < SEEKS_MOST) {
        struct hc_dname from = *zone;

        seek(place, owner, &from);
    } else if (answered && reply->authoritative) {
        place->state = HC_PLACE_READY;
    } else {
        hc_zone_dispose(&place->zone);
        ask(place, owner, false);
    }
}

/* With servers to ask, or without. */
static void after_seek(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    bool found = place->zone.state == HC_ZONE_READY && place->seeks < SEEKS_MOST;

    if (!found) {
        hc_zone_dispose(&place->zone);
    }
    ask(place, owner, found);
}

/* True if it is settled. */
static bool step_zone(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    (void)hc_zone_step(&place->zone, owner);
    if (place->zone.state == HC_ZONE_APEX) {
        hc_zone_servers(&place->zone, owner);
        (void)hc_zone_step(&place->zone, owner);
    }
    return hc_zone_settled(&place->zone);
}

/* One step; false if there is something to wait for. */
static bool step(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    bool zone = place->state == HC_PLACE_SEEK || place->state == HC_PLACE_ZONE;

    if (zone ? !step_zone(place, owner) : !hc_dns_slot_settled(&place->slot)) {
        return false;
    }
    switch (place->state) {
    case HC_PLACE_SEEK:
        after_seek(place, owner);
        break;
    case HC_PLACE_ASK:
        after_ask(place, owner);
        break;
    case HC_PLACE_ALIAS:
        after_alias(place, owner);
        break;
    case HC_PLACE_ZONE:
        place->state = HC_PLACE_READY;
        break;
    case HC_PLACE_READY:
    case HC_PLACE_FAILED:
        break;
    }
    return true;
}

bool hc_dns_place_step(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    bool changed = false;

    while (!hc_dns_place_settled(place) && step(place, owner)) {
        changed = true;
    }
    return changed;
}

void hc_dns_place_dispose(struct hc_dns_place *place)
{
    hc_dns_slot_dispose(&place->slot);
    hc_zone_dispose(&place->zone);
    hc_kept_error_dispose(&place->error);
    memset(place, 0, sizeof(*place));
}
