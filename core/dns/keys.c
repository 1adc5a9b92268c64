/* The keys of a zone, RFC 4034 section 2 and RFC 4035 section 5; see keys.h. */
#include "dns/keys.h"

#include <string.h>

#include "dns/ldns_compat.h"
#include "dns/rr.h"
#include "dns/sha1.h"
#include "dns/signature.h"

#define FLAG_ZONE   0x0100u
#define FLAG_REVOKE 0x0080u
#define PROTOCOL    3
#define KEY_LEAST   4  /* octets: flags, protocol, algorithm */
#define DS_LEAST    5  /* tag, algorithm, kind of digest, and a digest */
#define TRUST_SEEN  64 /* records among which DS records and anchors are looked for */
#define DS_MOST     8  /* DS records and anchors that are compared with keys */

bool hc_algorithm_is_known(unsigned algorithm)
{
    static const struct {
        unsigned number;
        bool known;
        bool sha1;
    } algorithms[] = {
        {5, true, true},   /* RSA with SHA-1 */
        {7, true, true},   /* the same, with NSEC3 */
        {8, true, false},  /* RSA with SHA-256 */
        {10, true, false}, /* RSA with SHA-512 */
        {13, true, false}, /* ECDSA P-256 */
        {14, true, false}, /* ECDSA P-384 */
        {15, HC_LDNS_ED25519, false},
        {16, HC_LDNS_ED448, false},
    };

    for (size_t i = 0; i < HC_COUNT(algorithms); i++) {
        if (algorithms[i].number == algorithm) {
            return algorithms[i].known && (!algorithms[i].sha1 || hc_sha1_works());
        }
    }
    return false;
}

/* ---- one DNSKEY record ---- */

static unsigned flags_of(const struct hc_dns_record *key)
{
    return (unsigned)key->data[0] << 8 | key->data[1];
}

/* True if it may sign for its zone, were it not revoked. */
static bool is_zone_key(const struct hc_dns_record *key)
{
    return key->len > KEY_LEAST && (flags_of(key) & FLAG_ZONE) != 0 && key->data[2] == PROTOCOL &&
           hc_algorithm_is_known(key->data[3]);
}

static bool is_revoked(const struct hc_dns_record *key)
{
    return (flags_of(key) & FLAG_REVOKE) != 0;
}

/* ---- what names a key ---- */

/* 1, 2, 4: SHA-1, SHA-256, SHA-384. */
static bool is_known_ds(const struct hc_dns_record *ds)
{
    return ds->len >= DS_LEAST && hc_algorithm_is_known(ds->data[2]) &&
           (ds->data[3] == 1 || ds->data[3] == 2 || ds->data[3] == 4);
}

const char *hc_trust_fault(const struct hc_dns_record *record)
{
    static const uint8_t lengths[] = {[1] = 20, [2] = 32, [4] = 48}; /* of digests */

    if (record->type == HC_DNS_DNSKEY) {
        return record->len <= KEY_LEAST || (flags_of(record) & FLAG_ZONE) == 0 ||
                       record->data[2] != PROTOCOL
                   ? "a DNSKEY record that is no key of a zone"
                   : NULL;
    }
    if (record->len < DS_LEAST) {
        return "a DS record without a digest";
    }
    return record->data[3] < sizeof(lengths) && lengths[record->data[3]] != 0 &&
                   record->len != 4 + lengths[record->data[3]]
               ? "a DS record whose digest has a wrong length"
               : NULL;
}

bool hc_trust_is_known(const struct hc_dns_record *trust)
{
    return trust->type == HC_DNS_DS ? is_known_ds(trust) : is_zone_key(trust);
}

/* RFC 4509 section 3: where there is a better digest, SHA-1 does not count. */
static bool is_outdone(const struct hc_dns_reply *trust, const struct hc_dns_record *ds)
{
    if (ds->type != HC_DNS_DS || ds->data[3] != 1) {
        return false;
    }
    for (size_t i = 0; i < trust->answers && i < TRUST_SEEN; i++) {
        const struct hc_dns_record *other = &trust->records[i];

        if (other->type == HC_DNS_DS && hc_dname_equal(other->owner, ds->owner) &&
            is_known_ds(other) && other->data[3] != 1) {
            return true;
        }
    }
    return false;
}

/* The next record of trust, by *at, that names keys of the zone and is understood; or NULL. */
static const struct hc_dns_record *next_trust(const struct hc_dns_reply *trust,
                                              const struct hc_dname *zone, size_t *at)
{
    while (*at < trust->answers && *at < TRUST_SEEN) {
        const struct hc_dns_record *record = &trust->records[(*at)++];

        if ((record->type == HC_DNS_DS || record->type == HC_DNS_DNSKEY) &&
            hc_dname_equal(record->owner, zone) && hc_trust_is_known(record) &&
            !is_outdone(trust, record)) {
            return record;
        }
    }
    return NULL;
}

static bool digest_fits(const struct hc_dns_record *ds, const ldns_rr *key)
{
    ldns_rr *made = ldns_key_rr2ds(key, (ldns_hash)ds->data[3]);
    const ldns_rdf *digest = made != NULL ? ldns_rr_rdf(made, 3) : NULL;
    bool fits = digest != NULL && ldns_rdf_size(digest) == (size_t)ds->len - 4 &&
                memcmp(ldns_rdf_data(digest), ds->data + 4, ldns_rdf_size(digest)) == 0;

    ldns_rr_free(made);
    return fits;
}

/* record: a copy of the key's, as rr is; both unrevoked. */
static bool is_named_by(const struct hc_dns_record *trust, const struct hc_dns_record *record,
                        const ldns_rr *rr)
{
    if (trust->type == HC_DNS_DNSKEY) {
        return trust->len == record->len && trust->data[3] == record->data[3] &&
               memcmp(trust->data + KEY_LEAST, record->data + KEY_LEAST,
                      (size_t)record->len - KEY_LEAST) == 0;
    }
    return trust->data[2] == record->data[3] &&
           ((unsigned)trust->data[0] << 8 | trust->data[1]) == ldns_calc_keytag(rr) &&
           digest_fits(trust, rr);
}

/* A record of trust that names this key, whether it is revoked or not (RFC 5011 section 2.1). */
static const struct hc_dns_record *find_trust(const struct hc_dns_reply *trust,
                                              const struct hc_dns_record *key)
{
    uint8_t data[4096];
    struct hc_dns_record plain = *key;
    const struct hc_dns_record *record = NULL;
    ldns_rr *rr = NULL;
    size_t at = 0;

    if (key->len > sizeof(data)) {
        return NULL;
    }
    memcpy(data, key->data, key->len);
    data[1] = (uint8_t)(data[1] & ~FLAG_REVOKE);
    plain.data = data;
    rr = hc_rr_of(&plain);
    for (int i = 0; rr != NULL && i < DS_MOST; i++) {
        record = next_trust(trust, key->owner, &at);
        if (record == NULL || is_named_by(record, &plain, rr)) {
            break;
        }
    }
    ldns_rr_free(rr);
    return rr != NULL ? record : NULL;
}

/* ---- all of them ---- */

static int add_key(struct hc_keys *keys, const struct hc_dns_record *record)
{
    struct hc_key *key = &keys->items[keys->count];

    if (keys->count == HC_KEYS_MOST) {
        return 0;
    }
    key->rr = hc_rr_of(record);
    if (key->rr == NULL) {
        return -1;
    }
    key->tag = ldns_calc_keytag(key->rr);
    key->algorithm = record->data[3];
    keys->count++;
    return 0;
}

/* What of the zone's keys there is. */
struct census {
    size_t all;
    unsigned revoked; /* the tag of one that is trusted but for that; 0: none */
};

/* Takes the keys that may sign: those that trust names, or (NULL) all. */
static int choose(const struct hc_dns_set *set, const struct hc_dns_reply *trust,
                  struct hc_keys *keys, struct census *census)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    keys->zone = *set->owner;
    while ((record = hc_dns_set_next(set, &at)) != NULL && census->all < 2 * HC_KEYS_MOST) {
        bool trusted = false;

        census->all++;
        if (!is_zone_key(record)) {
            continue;
        }
        trusted = trust == NULL || find_trust(trust, record) != NULL;
        if (trusted && is_revoked(record)) {
            census->revoked = ldns_calc_keytag_raw(record->data, record->len);
        } else if (trusted && add_key(keys, record) != 0) {
            return -1;
        }
    }
    return 0;
}

static int nothing_fits(const struct hc_trust *trust, const struct hc_dname *zone,
                        const struct census *census, struct hc_error *why)
{
    char name[HC_DNAME_TEXT];
    const struct hc_dns_record *first = NULL;
    size_t at = 0;

    hc_dname_format(zone, name);
    first = next_trust(trust->records, zone, &at);
    if (first == NULL || trust->anchors) {
        return hc_error_set(why, HC_P_DNS_DNSSEC_BROKEN, name,
                            "the trust anchor matches none of the %zu keys of the zone %s",
                            census->all, name);
    }
    if (census->all == 0) {
        return hc_error_set(why, HC_P_DNS_DNSSEC_BROKEN, name,
                            "the parent has a DS record of %s, but %s has no keys (DNSKEY)", name,
                            name);
    }
    if (census->revoked != 0) {
        return hc_error_set(why, HC_P_DNS_DNSSEC_BROKEN, name,
                            "the DS record of %s at the parent names the key %u, which is revoked",
                            name, census->revoked);
    }
    return hc_error_set(why, HC_P_DNS_DNSSEC_BROKEN, name,
                        "the DS record of %s at the parent (key %u) matches no key of %s", name,
                        (unsigned)first->data[0] << 8 | first->data[1], name);
}

enum hc_dnssec hc_keys_take(const struct hc_dns_reply *reply, const struct hc_dname *zone,
                            const struct hc_trust *trust, struct hc_dnssec_work *work,
                            struct hc_keys *out, struct hc_error *why)
{
    struct hc_dns_set set = {.reply = reply, .owner = zone, .type = HC_DNS_DNSKEY};
    struct hc_keys entry = {.count = 0};
    struct census census = {0, 0};
    struct hc_signature signature;
    enum hc_dnssec result = HC_DNSSEC_BOGUS;
    size_t at = 0;

    memset(out, 0, sizeof(*out));
    if (next_trust(trust->records, zone, &at) == NULL) {
        return HC_DNSSEC_INSECURE;
    }
    if (choose(&set, trust->records, &entry, &census) != 0) {
        hc_error_nomem(why);
        result = HC_DNSSEC_UNCHECKED;
        goto out;
    }
    if (census.all == 0 && hc_dnssec_is_withheld(reply, why)) {
        result = HC_DNSSEC_UNCHECKED;
        goto out;
    }
    if (entry.count == 0) {
        nothing_fits(trust, zone, &census, why);
        goto out;
    }
    hc_signature_check(&set, &entry, work, &signature);
    if (signature.flaw != HC_SIGNATURE_GOOD) {
        result = hc_signature_fail(&set, &entry, &signature, why);
        goto out;
    }
    result = HC_DNSSEC_SECURE;
    if (choose(&set, NULL, out, &(struct census){0, 0}) != 0) {
        hc_keys_dispose(out);
        hc_error_nomem(why);
        result = HC_DNSSEC_UNCHECKED;
    }
out:
    hc_keys_dispose(&entry);
    return result;
}

void hc_keys_dispose(struct hc_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        ldns_rr_free(keys->items[i].rr);
    }
    memset(keys, 0, sizeof(*keys));
}
