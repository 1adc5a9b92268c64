/* One NSEC3 record; see nsec3.h. */
#include "dns/nsec3.h"

#include <ctype.h>
#include <string.h>

#include "base/reader.h"
#include "dns/rr.h"

#define SHA1        1
#define SHA1_OCTETS 20
#define OPT_OUT     0x01u

/* RFC 4648 section 7 keeps the order of what it writes. */
static int take_hash(const char *text, size_t len, char dst[HC_NSEC3_HASH])
{
    if (len != HC_NSEC3_HASH - 1) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        char c = (char)tolower((unsigned char)text[i]);

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'v')) {
            return -1;
        }
        dst[i] = c;
    }
    dst[len] = '\0';
    return 0;
}

static int read_next(struct hc_reader *in, char dst[HC_NSEC3_HASH])
{
    struct hc_bytes hash;
    uint64_t len = 0;
    char text[64];

    if (hc_get_number(in, 1, &len, NULL) != 0 || len != SHA1_OCTETS ||
        hc_get_bytes(in, (size_t)len, &hash, NULL) != 0 ||
        ldns_b32_ntop_extended_hex(hash.data, hash.len, text, sizeof(text)) < 0) {
        return -1;
    }
    return take_hash(text, strlen(text), dst);
}

int hc_nsec3_read(const struct hc_dns_record *record, const struct hc_dname *zone,
                  struct hc_nsec3 *out)
{
    struct hc_reader in = {record->data, record->len};
    struct hc_dname parent = *record->owner;
    uint64_t algorithm = 0;
    uint64_t flags = 0;
    uint64_t iterations = 0;
    uint64_t salt = 0;

    if (hc_get_number(&in, 1, &algorithm, NULL) != 0 || hc_get_number(&in, 1, &flags, NULL) != 0 ||
        hc_get_number(&in, 2, &iterations, NULL) != 0 || hc_get_number(&in, 1, &salt, NULL) != 0 ||
        hc_get_bytes(&in, (size_t)salt, &out->salt, NULL) != 0 || read_next(&in, out->next) != 0) {
        return -1;
    }
    if (algorithm != SHA1 || (flags & ~(uint64_t)OPT_OUT) != 0 || !hc_dname_climb(&parent) ||
        !hc_dname_equal(&parent, zone) ||
        take_hash((const char *)record->owner->wire + 1, record->owner->wire[0], out->hash) != 0) {
        return -1;
    }
    out->owner = record->owner;
    out->iterations = (unsigned)iterations;
    out->opt_out = (flags & OPT_OUT) != 0;
    out->types = (struct hc_bytes){in.data, in.left};
    return 0;
}

int hc_nsec3_hash(const struct hc_nsec3 *like, const struct hc_dname *name, char dst[HC_NSEC3_HASH])
{
    ldns_rdf *plain = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name->len, name->wire);
    ldns_rdf *hashed = NULL;
    int rc = -1;

    if (plain != NULL) {
        hashed = ldns_nsec3_hash_name(plain, SHA1, (uint16_t)like->iterations,
                                      (uint8_t)like->salt.len, like->salt.data);
    }
    if (hashed != NULL && ldns_rdf_size(hashed) > HC_NSEC3_HASH) {
        const uint8_t *wire = ldns_rdf_data(hashed);

        rc = take_hash((const char *)wire + 1, wire[0], dst);
    }
    ldns_rdf_deep_free(plain);
    ldns_rdf_deep_free(hashed);
    return rc;
}

bool hc_nsec3_covers(const struct hc_nsec3 *nsec3, const char *hash)
{
    bool behind = strcmp(nsec3->hash, hash) < 0;
    bool before = strcmp(hash, nsec3->next) < 0;

    return strcmp(nsec3->hash, nsec3->next) < 0 ? behind && before : behind || before;
}
