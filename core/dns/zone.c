/* The zone of a name and its servers; see zone.h. */
#include "dns/zone.h"

#include <netinet/in.h>
#include <string.h>

static void ask(struct hc_zone *zone, const struct hc_dns_slot_owner *owner,
                struct hc_dns_slot *slot, const struct hc_dname *name, enum hc_dns_type type)
{
    struct hc_dns_ask question = {
        .question = {.name = *name, .type = type, .recurse = true, .checking_disabled = true},
        .deadline_ms = zone->deadline_ms,
    };

    hc_dns_slot_ask(slot, owner, &question);
}

void hc_zone_begin(struct hc_zone *zone, const struct hc_dns_slot_owner *owner,
                   const struct hc_dname *name, int64_t deadline_ms)
{
    memset(zone, 0, sizeof(*zone));
    zone->name = zone->cursor = *name;
    zone->deadline_ms = deadline_ms;
    ask(zone, owner, &zone->slots[0], &zone->cursor, HC_DNS_SOA);
}

/* cause: or NULL. */
static void fail(struct hc_zone *zone, const struct hc_kept_error *cause, const char *what)
{
    char name[HC_DNAME_TEXT];
    struct hc_error why;
    struct hc_error err;

    hc_error_init(&why);
    hc_error_init(&err);
    if (cause != NULL) {
        hc_kept_error_get(cause, &why);
    }
    zone->state = HC_ZONE_FAILED;
    hc_error_set(&err, HC_P_DNS_FAILED, hc_dname_format(&zone->name, name), "%s%s%s", what,
                 cause != NULL ? ": " : "", why.detail);
    hc_kept_error_set(&zone->error, &err);
}

static bool answered(const struct hc_dns_slot *slot)
{
    return slot->state == HC_DNS_SLOT_REPLY &&
           (slot->reply.rcode == HC_DNS_NOERROR || slot->reply.rcode == HC_DNS_NXDOMAIN);
}

static void after_soa(struct hc_zone *zone, const struct hc_dns_slot_owner *owner)
{
    const struct hc_dns_slot *slot = &zone->slots[0];
    const struct hc_dns_record *soa = NULL;
    size_t at = 0;

    if (slot->state == HC_DNS_SLOT_FAILED) {
        fail(zone, &slot->error, "its zone cannot be found");
        return;
    }
    /* behind a CNAME is another zone's SOA; what has a CNAME is never a zone's apex itself */
    if (answered(slot) &&
        hc_dns_reply_next(&slot->reply, &zone->cursor, HC_DNS_CNAME, &at) == NULL) {
        soa = hc_dns_reply_soa(&slot->reply, &zone->cursor);
    }
    if (soa != NULL) {
        zone->apex = *soa->owner;
        zone->state = HC_ZONE_APEX;
        return;
    }
    if (!hc_dname_climb(&zone->cursor) || hc_dname_is_root(&zone->cursor)) {
        fail(zone, NULL, "the resolver does not say which zone it is in");
        return;
    }
    ask(zone, owner, &zone->slots[0], &zone->cursor, HC_DNS_SOA);
}

void hc_zone_servers(struct hc_zone *zone, const struct hc_dns_slot_owner *owner)
{
    zone->state = HC_ZONE_NS;
    ask(zone, owner, &zone->slots[0], &zone->apex, HC_DNS_NS);
}

static void after_ns(struct hc_zone *zone, const struct hc_dns_slot_owner *owner)
{
    const struct hc_dns_slot *slot = &zone->slots[0];
    const struct hc_dns_record *ns = NULL;
    size_t at = 0;

    while (slot->state == HC_DNS_SLOT_REPLY && zone->server_name_count < HC_ZONE_SERVER_NAMES &&
           (ns = hc_dns_reply_next(&slot->reply, &zone->apex, HC_DNS_NS, &at)) != NULL) {
        struct hc_dname *name = &zone->server_names[zone->server_name_count];

        if (hc_dns_record_target(ns, name) == 0 && !hc_dname_is_root(name)) {
            zone->server_name_count++;
        }
    }
    if (zone->server_name_count == 0) {
        fail(zone, slot->state == HC_DNS_SLOT_FAILED ? &slot->error : NULL,
             "the name servers of its zone cannot be found");
        return;
    }
    zone->state = HC_ZONE_ADDRESS;
    for (size_t i = 0; i < zone->server_name_count; i++) {
        ask(zone, owner, &zone->slots[2 * i], &zone->server_names[i], HC_DNS_A);
        ask(zone, owner, &zone->slots[2 * i + 1], &zone->server_names[i], HC_DNS_AAAA);
    }
}

static void add_server(struct hc_zone *zone, const struct hc_dns_record *record)
{
    struct hc_dns_server *server = &zone->servers[zone->server_count];

    if (record->type == HC_DNS_A && record->len == 4) {
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(53)};

        memcpy(&sin.sin_addr, record->data, 4);
        memcpy(&server->addr, &sin, sizeof(sin));
        server->len = sizeof(sin);
    } else if (record->type == HC_DNS_AAAA && record->len == 16) {
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};

        memcpy(&sin6.sin6_addr, record->data, 16);
        memcpy(&server->addr, &sin6, sizeof(sin6));
        server->len = sizeof(sin6);
    } else {
        return;
    }
    zone->server_count++;
}

/* Takes the addresses of all its servers: first[0], first[1] .. so that no one server fills it. */
static void take_addresses(struct hc_zone *zone, enum hc_dns_type type)
{
    for (size_t i = 0; i < zone->server_name_count; i++) {
        const struct hc_dns_slot *slot = &zone->slots[2 * i + (type == HC_DNS_AAAA ? 1 : 0)];
        const struct hc_dns_record *record = NULL;
        size_t at = 0;

        /* two of each: a zone with a hundred addresses for one name gains nothing by it */
        for (int n = 0; n < 2 && answered(slot) && zone->server_count < HC_ZONE_SERVERS; n++) {
            record = hc_dns_reply_next(&slot->reply, &zone->server_names[i], type, &at);
            if (record == NULL) {
                break;
            }
            add_server(zone, record);
        }
    }
}

static void after_addresses(struct hc_zone *zone)
{
    /* IPv4 first: where IPv6 goes nowhere it may do so without a word */
    take_addresses(zone, HC_DNS_A);
    take_addresses(zone, HC_DNS_AAAA);
    if (zone->server_count == 0) {
        fail(zone, NULL, "the name servers of its zone have no address");
        return;
    }
    zone->state = HC_ZONE_READY;
}

static bool slots_settled(const struct hc_zone *zone)
{
    for (size_t i = 0; i < HC_COUNT(zone->slots); i++) {
        if (!hc_dns_slot_settled(&zone->slots[i])) {
            return false;
        }
    }
    return true;
}

bool hc_zone_step(struct hc_zone *zone, const struct hc_dns_slot_owner *owner)
{
    bool changed = false;

    while (!hc_zone_settled(zone) && zone->state != HC_ZONE_APEX && slots_settled(zone)) {
        changed = true;
        switch (zone->state) {
        case HC_ZONE_SOA:
            after_soa(zone, owner);
            break;
        case HC_ZONE_NS:
            after_ns(zone, owner);
            break;
        case HC_ZONE_ADDRESS:
            after_addresses(zone);
            break;
        case HC_ZONE_APEX:
        case HC_ZONE_READY:
        case HC_ZONE_FAILED:
            break;
        }
    }
    return changed;
}

void hc_zone_dispose(struct hc_zone *zone)
{
    for (size_t i = 0; i < HC_COUNT(zone->slots); i++) {
        hc_dns_slot_dispose(&zone->slots[i]);
    }
    hc_kept_error_dispose(&zone->error);
    memset(zone, 0, sizeof(*zone));
}
