/* One NSEC record; see nsec.h. */
#include "dns/nsec.h"

#include <string.h>

int hc_nsec_read(const struct hc_dns_record *record, struct hc_nsec *out)
{
    size_t len = 0;

    while (len < record->len && record->data[len] != 0) {
        len += record->data[len] + 1U;
    }
    if (len >= record->len || hc_dname_from_wire(record->data, len + 1, &out->next) != 0) {
        return -1;
    }
    out->owner = record->owner;
    out->types = (struct hc_bytes){record->data + len + 1, record->len - len - 1};
    return 0;
}

bool hc_types_have(struct hc_bytes types, unsigned type)
{
    size_t at = 0;

    while (at + 2 <= types.len) {
        unsigned window = types.data[at];
        size_t octets = types.data[at + 1];
        size_t octet = (type & 0xffu) >> 3;

        at += 2;
        if (octets > types.len - at) {
            return false;
        }
        if (window == type >> 8 && octet < octets) {
            return (types.data[at + octet] & 0x80u >> (type & 7u)) != 0;
        }
        at += octets;
    }
    return false;
}

bool hc_types_delegate(struct hc_bytes types)
{
    return hc_types_have(types, HC_DNS_NS) && !hc_types_have(types, HC_DNS_SOA);
}

bool hc_types_deny(struct hc_bytes types, const struct hc_dname *owner, unsigned type)
{
    if (hc_types_have(types, type) || hc_types_have(types, HC_DNS_CNAME)) {
        return false;
    }
    if (type == HC_DNS_DS) {
        /* the zone's own word on itself is not its parent's */
        return !hc_types_have(types, HC_DNS_SOA) || hc_dname_is_root(owner);
    }
    return !hc_types_delegate(types);
}

bool hc_nsec_covers(const struct hc_nsec *nsec, const struct hc_dname *name)
{
    bool last = hc_dname_compare(&nsec->next, nsec->owner) <= 0;

    if (hc_dname_compare(nsec->owner, name) >= 0 ||
        (!last && hc_dname_compare(name, &nsec->next) >= 0)) {
        return false;
    }
    return !hc_dname_is_within(name, nsec->owner) ||
           (!hc_types_delegate(nsec->types) && !hc_types_have(nsec->types, HC_DNS_DNAME));
}

void hc_nsec_encloser(const struct hc_nsec *nsec, const struct hc_dname *name, struct hc_dname *out)
{
    unsigned above = hc_dname_common(nsec->owner, name);
    unsigned below = hc_dname_common(&nsec->next, name);

    *out = *name;
    hc_dname_shorten(out, above > below ? above : below);
}
