/* Where a record is to be written; see place.h. */
#include "dns/place.h"

#include <stdio.h>
#include <string.h>

static void ask(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    struct hc_dns_ask question = {
        .question = {.name = place->name,
                     .type = HC_DNS_CNAME,
                     .recurse = true,
                     .checking_disabled = true},
        .deadline_ms = place->deadline_ms,
    };

    hc_dns_slot_ask(&place->slot, owner, &question);
}

void hc_dns_place_begin(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner,
                        const struct hc_dname *alias, int64_t deadline_ms)
{
    memset(place, 0, sizeof(*place));
    place->alias = place->name = *alias;
    place->deadline_ms = deadline_ms;
    ask(place, owner);
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
        fail(place, "whether it is an alias (CNAME) cannot be found: ", err.detail);
        return;
    }
    (void)snprintf(why, sizeof(why), "%s answers %s", hc_dns_server_format(&place->slot.from, from),
                   hc_dns_rcode_format(place->slot.reply.rcode, code));
    fail(place, "whether it is an alias (CNAME) cannot be found: ", why);
}

static void after_alias(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    const struct hc_dns_reply *reply = &place->slot.reply;
    const struct hc_dns_record *alias = NULL;
    size_t at = 0;

    if (place->slot.state == HC_DNS_SLOT_FAILED ||
        (reply->rcode != HC_DNS_NOERROR && reply->rcode != HC_DNS_NXDOMAIN)) {
        refused(place);
        return;
    }
    alias = hc_dns_reply_next(reply, &place->name, HC_DNS_CNAME, &at);
    if (alias == NULL) {
        place->state = HC_PLACE_ZONE;
        hc_zone_begin(&place->zone, owner, &place->name, place->deadline_ms);
        return;
    }
    if (++place->links > HC_DNS_CHAIN || hc_dns_record_target(alias, &place->name) != 0) {
        fail(place, "the CNAME records form a loop, or a chain that is too long", "");
        return;
    }
    ask(place, owner);
}

static bool step_zone(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    bool changed = hc_zone_step(&place->zone, owner);

    if (place->zone.state == HC_ZONE_APEX) {
        hc_zone_servers(&place->zone, owner);
        changed = true;
    }
    if (hc_zone_settled(&place->zone)) {
        place->state = HC_PLACE_READY;
        changed = true;
    }
    return changed;
}

bool hc_dns_place_step(struct hc_dns_place *place, const struct hc_dns_slot_owner *owner)
{
    bool changed = false;
    bool again = true;

    while (again && !hc_dns_place_settled(place)) {
        if (place->state == HC_PLACE_ZONE) {
            again = step_zone(place, owner);
        } else {
            again = hc_dns_slot_settled(&place->slot);
            if (again) {
                after_alias(place, owner);
            }
        }
        changed = changed || again;
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
