/* Records as ldns has them; see rr.h. */
#include "dns/rr.h"

#include <stdlib.h>
#include <string.h>

#define FIXED 10 /* type, class, TTL, length */

static uint8_t *put16(uint8_t *at, unsigned number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
    return at + 2;
}

ldns_rr *hc_rr_of(const struct hc_dns_record *record)
{
    size_t len = record->owner->len + FIXED + (size_t)record->len;
    uint8_t *wire = malloc(len);
    uint8_t *at = wire;
    ldns_rr *rr = NULL;
    size_t used = 0;

    if (wire == NULL) {
        return NULL;
    }
    memcpy(at, record->owner->wire, record->owner->len);
    at = put16(at + record->owner->len, record->type);
    at = put16(at, LDNS_RR_CLASS_IN);
    at = put16(at, record->ttl >> 16);
    at = put16(at, record->ttl & 0xffffu);
    at = put16(at, record->len);
    if (record->len > 0) {
        memcpy(at, record->data, record->len);
    }
    if (ldns_wire2rr(&rr, wire, len, &used, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK) {
        rr = NULL;
    }
    free(wire);
    return rr;
}

static int put_record(const ldns_rr *rr, struct hc_dns_reply *out, size_t i, size_t *used)
{
    const ldns_rdf *owner = ldns_rr_owner(rr);
    struct hc_dns_record *record = &out->records[i];
    size_t start = *used;

    if (owner == NULL ||
        hc_dname_from_wire(ldns_rdf_data(owner), ldns_rdf_size(owner), &out->owners[i]) != 0) {
        return -1;
    }
    for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
        const ldns_rdf *part = ldns_rr_rdf(rr, k);

        if (ldns_rdf_size(part) > UINT16_MAX - (*used - start)) {
            return -1;
        }
        memcpy(out->pool + *used, ldns_rdf_data(part), ldns_rdf_size(part));
        *used += ldns_rdf_size(part);
    }
    record->owner = &out->owners[i];
    record->type = (unsigned)ldns_rr_get_type(rr);
    record->ttl = ldns_rr_ttl(rr);
    record->data = out->pool + start;
    record->len = (uint16_t)(*used - start);
    return 0;
}

int hc_rr_records(const ldns_rr_list *list, struct hc_dns_reply *out, struct hc_error *err)
{
    size_t count = ldns_rr_list_rr_count(list);
    size_t bytes = 1;
    size_t used = 0;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);

        for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
            bytes += ldns_rdf_size(ldns_rr_rdf(rr, k));
        }
    }
    out->records = calloc(count + 1, sizeof(*out->records));
    out->owners = calloc(count + 1, sizeof(*out->owners));
    out->pool = malloc(bytes);
    if (out->records == NULL || out->owners == NULL || out->pool == NULL) {
        hc_dns_reply_dispose(out);
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (put_record(ldns_rr_list_rr(list, i), out, i, &used) != 0) {
            hc_dns_reply_dispose(out);
            return hc_error_set(err, HC_P_DNS_FAILED, NULL, "a record is malformed");
        }
    }
    out->answers = out->owner_count = count;
    return 0;
}
