/* Aliases that a DNAME record makes; see alias.h. */
#include "dns/alias.h"

#include <string.h>

bool hc_alias_dname(const struct hc_dns_reply *reply, const struct hc_dname *name,
                    struct hc_dns_set *out)
{
    for (size_t i = 0; i < reply->answers; i++) {
        const struct hc_dns_record *record = &reply->records[i];

        if (record->type == HC_DNS_DNAME && !hc_dname_equal(record->owner, name) &&
            hc_dname_is_within(name, record->owner)) {
            *out =
                (struct hc_dns_set){.reply = reply, .owner = record->owner, .type = HC_DNS_DNAME};
            return true;
        }
    }
    return false;
}

bool hc_alias_fits(const struct hc_dns_set *dname, const struct hc_dname *name)
{
    struct hc_dns_set alias = {.reply = dname->reply, .owner = name, .type = HC_DNS_CNAME};
    const struct hc_dns_record *record = NULL;
    const struct hc_dns_record *above = NULL;
    size_t kept = (size_t)name->len - dname->owner->len;
    struct hc_dname target;
    uint8_t made[2 * HC_DNAME_WIRE];
    struct hc_dname expected;
    size_t at = 0;

    record = hc_dns_set_next(&alias, &at);
    at = 0;
    above = hc_dns_set_next(dname, &at);
    if (record == NULL || above == NULL || hc_dns_record_target(record, &target) != 0 ||
        above->len > HC_DNAME_WIRE) {
        return false;
    }
    memcpy(made, name->wire, kept);
    memcpy(made + kept, above->data, above->len);
    return hc_dname_from_wire(made, kept + above->len, &expected) == 0 &&
           hc_dname_equal(&expected, &target);
}
