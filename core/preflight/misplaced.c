/* Records that stand where nobody looks; see misplaced.h. */
#include "preflight/misplaced.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_LENGTH 43 /* of a challenge's TXT value: 32 bytes in base64url */

/* A label that no zone has, but by a wildcard. */
static const char nobody[] = "\016hotcert-nobody";

/* The zone's name once more behind the label's; false: that is too long to be a name. */
static bool append_zone(const struct hc_dname *label, const struct hc_dname *zone,
                        struct hc_dname *out)
{
    size_t front = label->len - 1u; /* without the root */

    if (front + zone->len > HC_DNAME_WIRE) {
        return false;
    }
    *out = *label;
    memcpy(out->wire + front, zone->wire, zone->len);
    out->len = (uint8_t)(front + zone->len);
    return true;
}

/* The same name with nobody's label as its first; false: that is too long. */
static bool beside_of(const struct hc_dname *name, struct hc_dname *out)
{
    size_t front = sizeof(nobody) - 1;
    size_t rest = 0;
    struct hc_dname above = *name;

    if (!hc_dname_climb(&above) || front + above.len > HC_DNAME_WIRE) {
        return false;
    }
    rest = above.len;
    memcpy(out->wire, nobody, front);
    memcpy(out->wire + front, above.wire, rest);
    out->len = (uint8_t)(front + rest);
    return true;
}

void hc_misplaced_begin(struct hc_misplaced *misplaced, struct hc_lookups *lookups,
                        const struct hc_dname *label, const struct hc_dname *host,
                        const struct hc_dname *zone)
{
    struct hc_dname doubled;
    struct hc_dname beside;
    struct hc_error ignored; /* without memory nothing is found */

    hc_error_init(&ignored);
    misplaced->asked = true;
    misplaced->label = *label;
    misplaced->zone = *zone;
    if (hc_dname_is_root(zone) || !hc_dname_is_within(host, zone)) {
        return;
    }
    if (append_zone(label, zone, &doubled)) {
        misplaced->doubled = hc_lookups_ask(lookups, &doubled, HC_DNS_TXT, true, &ignored);
        if (beside_of(&doubled, &beside)) {
            misplaced->beside = hc_lookups_ask(lookups, &beside, HC_DNS_TXT, true, &ignored);
        }
    }
    misplaced->unlabelled = hc_lookups_ask(lookups, host, HC_DNS_TXT, true, &ignored);
}

static bool complete(const struct hc_lookup *lookup)
{
    return lookup == NULL || lookup->complete;
}

bool hc_misplaced_complete(const struct hc_misplaced *misplaced)
{
    return complete(misplaced->doubled) && complete(misplaced->beside) &&
           complete(misplaced->unlabelled);
}

/* True if a wildcard answers for whatever name. */
static bool is_anywhere(const struct hc_lookup *beside)
{
    return beside != NULL && beside->view != NULL &&
           (beside->kind == HC_LOOKUP_RECORDS ||
            !hc_dname_equal(&beside->view->end, &beside->name));
}

bool hc_misplaced_doubled(const struct hc_misplaced *misplaced,
                          bool (*is_meant)(const struct hc_dns_record *record),
                          char text[HC_DNS_RECORD_TEXT])
{
    const struct hc_lookup *lookup = misplaced->doubled;
    const struct hc_dns_record *record = NULL;
    char name[HC_DNAME_TEXT];
    char end[HC_DNAME_TEXT];
    size_t at = 0;

    if (lookup == NULL || lookup->view == NULL || is_anywhere(misplaced->beside)) {
        return false;
    }
    if (!hc_dname_equal(&lookup->view->end, &lookup->name)) {
        (void)snprintf(text, HC_DNS_RECORD_TEXT, "%.180s IN CNAME %.180s",
                       hc_dname_format(&lookup->name, name),
                       hc_dname_format(&lookup->view->end, end));
        return true;
    }
    do {
        record = hc_lookup_record(lookup, &at);
    } while (record != NULL && !is_meant(record));
    if (record != NULL) {
        hc_dns_record_format(record, text);
    }
    return record != NULL;
}

const struct hc_dns_record *
hc_misplaced_unlabelled(const struct hc_misplaced *misplaced,
                        bool (*is_meant)(const struct hc_dns_record *record), size_t *at)
{
    const struct hc_lookup *lookup = misplaced->unlabelled;
    const struct hc_dns_record *record = NULL;

    /* what stands at the end of an alias is another host's */
    if (lookup == NULL || lookup->view == NULL ||
        !hc_dname_equal(&lookup->view->end, &lookup->name)) {
        return NULL;
    }
    do {
        record = hc_lookup_record(lookup, at);
    } while (record != NULL && !is_meant(record));
    return record;
}

bool hc_record_is_challenge(const struct hc_dns_record *record)
{
    if (record->len != VALUE_LENGTH + 1 || record->data[0] != VALUE_LENGTH) {
        return false;
    }
    for (size_t i = 1; i < record->len; i++) {
        if (!isalnum(record->data[i]) && record->data[i] != '-' && record->data[i] != '_') {
            return false;
        }
    }
    return true;
}

bool hc_record_is_standing(const struct hc_dns_record *record)
{
    static const char tag[] = "accounturi";

    for (size_t i = 0; i + sizeof(tag) - 1 <= record->len; i++) {
        if (strncasecmp((const char *)record->data + i, tag, sizeof(tag) - 1) == 0) {
            return true;
        }
    }
    return false;
}
