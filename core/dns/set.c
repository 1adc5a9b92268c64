/* Sets of records and their signatures; see set.h. */
#include "dns/set.h"

#include <string.h>

#include "base/reader.h"

static const struct hc_dns_record *next_of_type(const struct hc_dns_set *set, size_t *at,
                                                unsigned type)
{
    const struct hc_dns_reply *reply = set->reply;
    size_t start = set->authority ? reply->answers : 0;
    size_t count = set->authority ? reply->authorities : reply->answers;

    while (*at < count) {
        const struct hc_dns_record *record = &reply->records[start + (*at)++];

        if (record->type == type && hc_dname_equal(record->owner, set->owner)) {
            return record;
        }
    }
    return NULL;
}

const struct hc_dns_record *hc_dns_set_next(const struct hc_dns_set *set, size_t *at)
{
    return next_of_type(set, at, set->type);
}

bool hc_dns_set_is_empty(const struct hc_dns_set *set)
{
    size_t at = 0;

    return hc_dns_set_next(set, &at) == NULL;
}

/* RFC 4034 section 3.1 */
int hc_rrsig_read(const struct hc_dns_record *record, struct hc_rrsig *out)
{
    static const size_t widths[] = {2, 1, 1, 4, 4, 4, 2};
    struct hc_reader in = {record->data, record->len};
    uint64_t field[HC_COUNT(widths)];
    size_t len = 0;

    for (size_t i = 0; i < HC_COUNT(widths); i++) {
        if (hc_get_number(&in, widths[i], &field[i], NULL) != 0) {
            return -1;
        }
    }
    while (len < in.left && in.data[len] != 0) {
        len += in.data[len] + 1U;
    }
    if (len >= in.left || hc_dname_from_wire(in.data, len + 1, &out->signer) != 0) {
        return -1;
    }
    out->covers = (unsigned)field[0];
    out->algorithm = (unsigned)field[1];
    out->labels = (unsigned)field[2];
    out->expires = (uint32_t)field[4];
    out->begins = (uint32_t)field[5];
    out->tag = (unsigned)field[6];
    return 0;
}

const struct hc_dns_record *hc_dns_set_signature(const struct hc_dns_set *set, size_t *at,
                                                 struct hc_rrsig *out)
{
    const struct hc_dns_record *record = NULL;

    while ((record = next_of_type(set, at, HC_DNS_RRSIG)) != NULL) {
        if (hc_rrsig_read(record, out) == 0 && out->covers == set->type) {
            return record;
        }
    }
    return NULL;
}

bool hc_dns_set_signer(const struct hc_dns_set *set, struct hc_dname *out)
{
    struct hc_rrsig signature;
    size_t at = 0;
    bool found = false;

    while (hc_dns_set_signature(set, &at, &signature) != NULL) {
        if (hc_dname_is_within(set->owner, &signature.signer) &&
            (!found || signature.signer.len > out->len)) {
            *out = signature.signer;
            found = true;
        }
    }
    return found;
}
