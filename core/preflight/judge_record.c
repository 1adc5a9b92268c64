/* The challenge record of a name: its place, its servers, what stands there; see judge.h. */
#include <stdio.h>
#include <string.h>

#include "preflight/judge.h"

#define VALUES_MOST 64

static bool answers(const struct hc_dns_slot *slot)
{
    return slot->state == HC_DNS_SLOT_REPLY && slot->reply.authoritative &&
           (slot->reply.rcode == HC_DNS_NOERROR || slot->reply.rcode == HC_DNS_NXDOMAIN);
}

static size_t count_values(const struct hc_record_lookup *lookup, const struct hc_dns_slot *slot)
{
    size_t count = 0;
    size_t at = 0;

    while (count < VALUES_MOST &&
           hc_dns_reply_next(&slot->reply, &lookup->place.name, HC_DNS_TXT, &at) != NULL) {
        count++;
    }
    return count;
}

/* True if each value of a is one of b; the order means nothing. */
static bool covers(const struct hc_record_lookup *lookup, const struct hc_dns_slot *a,
                   const struct hc_dns_slot *b)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    while ((record = hc_dns_reply_next(&a->reply, &lookup->place.name, HC_DNS_TXT, &at)) != NULL) {
        const struct hc_dns_record *other = NULL;
        size_t k = 0;

        do {
            other = hc_dns_reply_next(&b->reply, &lookup->place.name, HC_DNS_TXT, &k);
        } while (other != NULL && (other->len != record->len ||
                                   memcmp(other->data, record->data, record->len) != 0));
        if (other == NULL) {
            return false;
        }
    }
    return true;
}

static bool agree(const struct hc_record_lookup *lookup, const struct hc_dns_slot *a,
                  const struct hc_dns_slot *b)
{
    size_t count = count_values(lookup, a);

    if (count != count_values(lookup, b)) {
        return false;
    }
    /* who has so many means harm: to compare them takes the square of the time */
    return count == VALUES_MOST || (covers(lookup, a, b) && covers(lookup, b, a));
}

static void judge_stale(struct hc_name_judge *judge, const struct hc_record_lookup *lookup,
                        const struct hc_dns_slot *slot)
{
    const struct hc_dns_record *record = NULL;
    char text[HC_DNS_RECORD_TEXT];
    size_t at = 0;

    while ((record = hc_dns_reply_next(&slot->reply, &lookup->place.name, HC_DNS_TXT, &at)) !=
           NULL) {
        hc_judge_seen(judge, "%s", hc_dns_record_format(record, text));
        if (hc_record_is_challenge(record)) {
            hc_judge_note(judge, HC_P_DNS_STALE_RECORD, HC_JUDGE_NOTHING, "%s", text);
        }
    }
}

/* The servers one by one: who does not answer, who answers something else than the first. */
static void judge_servers(struct hc_name_judge *judge, const struct hc_record_lookup *lookup,
                          bool alone)
{
    const struct hc_zone *zone = &lookup->place.zone;
    const struct hc_dns_slot *first = NULL;
    const struct hc_dns_server *first_server = NULL;
    char name[HC_DNAME_TEXT];
    char a[HC_DNS_SERVER_TEXT];
    char b[HC_DNS_SERVER_TEXT];
    unsigned silent = 0;

    hc_dname_format(&lookup->place.name, name);
    for (size_t i = 0; i < zone->server_count; i++) {
        const struct hc_dns_slot *slot = &lookup->slots[i];

        if (!answers(slot)) {
            silent++;
            hc_judge_seen(judge, "%s does not answer for %.255s",
                          hc_dns_server_format(&zone->servers[i], a), name);
        } else if (first == NULL) {
            first = slot;
            first_server = &zone->servers[i];
        } else if (!agree(lookup, first, slot)) {
            hc_judge_note(judge, HC_P_DNS_SERVERS_DIFFER, HC_JUDGE_NOTHING,
                          "%s and %s have different TXT records for %.255s",
                          hc_dns_server_format(first_server, a),
                          hc_dns_server_format(&zone->servers[i], b), name);
            break;
        }
    }
    if (first == NULL && zone->server_count > 0) {
        hc_judge_note(judge, HC_P_DNS_FAILED, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING,
                      "none of the %u name servers asked answers for %.255s", silent, name);
    } else if (first != NULL && judge->accounts != NULL) {
        judge_stale(judge, lookup, first); /* an agent's own orders have their values there */
    }
}

void hc_judge_record(struct hc_name_judge *judge, const struct hc_record_lookup *lookup, bool alone)
{
    const struct hc_dns_place *place = &lookup->place;
    char label[HC_DNAME_TEXT];
    char name[HC_DNAME_TEXT];
    char apex[HC_DNAME_TEXT];
    struct hc_error why;

    hc_dname_format(&lookup->label, label);
    hc_dname_format(&place->name, name);
    if (place->links > 0) {
        hc_judge_seen(judge,
                      "%.255s is an alias (CNAME) of %.255s: hotcert writes the record there",
                      label, name);
    }
    if (place->state == HC_PLACE_FAILED || place->zone.state != HC_ZONE_READY) {
        hc_error_init(&why);
        hc_kept_error_get(place->state == HC_PLACE_FAILED ? &place->error : &place->zone.error,
                          &why);
        hc_judge_note(judge, HC_P_DNS_FAILED, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING,
                      "cannot find the zone of the record %.255s: %s", label, why.detail);
        return;
    }
    hc_judge_seen(judge, "%.255s belongs to the zone %.255s", name,
                  hc_dname_format(&place->zone.apex, apex));
    judge_servers(judge, lookup, alone);
}

void hc_judge_alias(struct hc_name_judge *judge, const struct hc_record_lookup *lookup,
                    const struct hc_dname *target, bool alone)
{
    const struct hc_dns_place *place = &lookup->place;
    enum hc_judge_effect effect = alone ? HC_JUDGE_FAIL : HC_JUDGE_NOTHING;
    char label[HC_DNAME_TEXT];
    char there[HC_DNAME_TEXT];
    char wanted[HC_DNAME_TEXT];

    hc_dname_format(&lookup->label, label);
    hc_dname_format(&place->name, there);
    hc_dname_format(target, wanted);
    if (place->state != HC_PLACE_READY) {
        return; /* which is told of the record */
    }
    if (hc_dname_equal(&place->name, target)) {
        hc_judge_seen(judge, "%.255s leads to %.255s, as it must", label, wanted);
        return;
    }
    if (place->links > 0) {
        hc_judge_note(judge, HC_P_DNS_ALIAS, effect, "%.200s is an alias (CNAME) of %.200s", label,
                      there);
        hc_judge_hint(judge, "replace it with: %.255s 300 IN CNAME %.255s", label, wanted);
    } else {
        hc_judge_note(judge, HC_P_DNS_ALIAS, effect, "%.255s is not an alias (CNAME)", label);
        hc_judge_hint(judge, "add: %.255s 300 IN CNAME %.255s", label, wanted);
    }
}
