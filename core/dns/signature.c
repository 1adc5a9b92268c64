/* Signatures of record sets; see signature.h. */
#include "dns/signature.h"

#include <string.h>

#include "base/time.h"
#include "dns/rr.h"

#define SIGNATURES_MOST 8   /* beside one set; what is more is not tried */
#define RECORDS_MOST    512 /* of one set: each try copies and sorts all of them */
#define RECORDS_A_TRY   64  /* so many cost as much as the cryptography */
#define SAME_TAG_MOST   4   /* keys with one tag, by chance or by malice (KeyTrap) */
#define RSA_MODULUS     512 /* octets: what is more is too costly (RFC 3110: 4096 bits) .. */
#define RSA_EXPONENT    8   /* .. and so is this; most have three */
#define COST_TOO_MUCH   (HC_DNSSEC_TRIES + 1)

static unsigned signed_labels(const struct hc_dname *owner)
{
    return hc_dname_labels(owner) - (hc_dname_is_wildcard(owner) ? 1 : 0);
}

/* RFC 1982: times are modulo 2^32. */
static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool is_same(const struct hc_dns_record *a, const struct hc_dns_record *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* True if a record of the set before this one is the same: it counts once (RFC 4034 6.3). */
static bool is_repeated(const struct hc_dns_set *set, const struct hc_dns_record *record)
{
    const struct hc_dns_record *before = NULL;
    size_t at = 0;

    while ((before = hc_dns_set_next(set, &at)) != NULL && before != record) {
        if (is_same(before, record)) {
            return true;
        }
    }
    return false;
}

static size_t count_of(const struct hc_dns_set *set)
{
    size_t count = 0;
    size_t at = 0;

    while (hc_dns_set_next(set, &at) != NULL) {
        count++;
    }
    return count;
}

/* All records of the set; NULL: malformed, or no memory. */
static ldns_rr_list *list_of(const struct hc_dns_set *set)
{
    ldns_rr_list *list = ldns_rr_list_new();
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    while (list != NULL && (record = hc_dns_set_next(set, &at)) != NULL) {
        ldns_rr *rr = is_repeated(set, record) ? NULL : hc_rr_of(record);

        if (rr == NULL && is_repeated(set, record)) {
            continue;
        }
        if (rr == NULL || !ldns_rr_list_push_rr(list, rr)) {
            ldns_rr_free(rr);
            ldns_rr_list_deep_free(list);
            return NULL;
        }
    }
    return list;
}

/* RFC 3110 section 2 */
static unsigned cost_of_rsa(const ldns_rdf *key)
{
    const uint8_t *data = ldns_rdf_data(key);
    size_t size = ldns_rdf_size(key);
    size_t head = size > 0 && data[0] == 0 ? 3 : 1;
    size_t exponent = 0;

    if (size < head) {
        return 1;
    }
    exponent = head == 3 ? (size_t)data[1] << 8 | data[2] : data[0];
    if (exponent > RSA_EXPONENT || size - head > exponent + RSA_MODULUS) {
        return COST_TOO_MUCH;
    }
    return exponent > 3 ? 4 : 2;
}

/* In tries of the cheap algorithms. */
static unsigned cost_of(const struct hc_key *key)
{
    switch (key->algorithm) {
    case LDNS_RSASHA1:
    case LDNS_RSASHA1_NSEC3:
    case LDNS_RSASHA256:
    case LDNS_RSASHA512:
        return cost_of_rsa(ldns_rr_rdf(key->rr, 3));
    case LDNS_ECDSAP384SHA384:
    case LDNS_ED448:
        return 4;
    default:
        return 1;
    }
}

/* As ldns has to be told it: who is early or late by no more than the slack is in time. */
static int64_t time_for(const struct hc_rrsig *rrsig, int64_t now)
{
    if (is_before((uint32_t)now, rrsig->begins)) {
        return (int64_t)rrsig->begins;
    }
    return is_before(rrsig->expires, (uint32_t)now) ? (int64_t)rrsig->expires : now;
}

static bool try_key(const ldns_rr_list *records, const ldns_rr *rrsig, const struct hc_key *key,
                    int64_t now)
{
    ldns_rr_list *keys = ldns_rr_list_new();
    bool good = false;

    if (keys != NULL && ldns_rr_list_push_rr(keys, key->rr)) {
        good = ldns_verify_rrsig_keylist_time(records, rrsig, keys, (time_t)now, NULL) ==
               LDNS_STATUS_OK;
    }
    ldns_rr_list_free(keys);
    return good;
}

static enum hc_signature_flaw try_keys(const ldns_rr_list *records,
                                       const struct hc_dns_record *record,
                                       const struct hc_rrsig *rrsig, const struct hc_keys *keys,
                                       struct hc_dnssec_work *work)
{
    enum hc_signature_flaw flaw = HC_SIGNATURE_KEY;
    ldns_rr *rr = hc_rr_of(record);
    unsigned large = (unsigned)(ldns_rr_list_rr_count(records) / RECORDS_A_TRY);
    unsigned same = 0;

    if (rr == NULL) {
        return HC_SIGNATURE_UNREAD;
    }
    for (size_t i = 0; i < keys->count && same < SAME_TAG_MOST; i++) {
        unsigned cost = 0;

        if (keys->items[i].tag != rrsig->tag || keys->items[i].algorithm != rrsig->algorithm) {
            continue;
        }
        same++;
        cost = large + cost_of(&keys->items[i]);
        if (work->left < cost) {
            flaw = HC_SIGNATURE_COSTLY;
            break;
        }
        work->left -= cost;
        work->tries += cost;
        flaw = HC_SIGNATURE_WRONG;
        if (try_key(records, rr, &keys->items[i], time_for(rrsig, work->now))) {
            flaw = HC_SIGNATURE_GOOD;
            break;
        }
    }
    ldns_rr_free(rr);
    return flaw;
}

static enum hc_signature_flaw judge(const struct hc_dns_set *set, const ldns_rr_list *records,
                                    const struct hc_dns_record *record,
                                    const struct hc_rrsig *rrsig, const struct hc_keys *keys,
                                    struct hc_dnssec_work *work)
{
    uint32_t now = (uint32_t)work->now;

    if (!hc_dname_equal(&rrsig->signer, &keys->zone) ||
        !hc_dname_is_within(set->owner, &keys->zone)) {
        return HC_SIGNATURE_SIGNER;
    }
    if (rrsig->labels > signed_labels(set->owner)) {
        return HC_SIGNATURE_LABELS;
    }
    if (!hc_algorithm_is_known(rrsig->algorithm)) {
        return HC_SIGNATURE_UNKNOWN;
    }
    if (is_before(rrsig->expires + HC_SIGNATURE_SLACK, now)) {
        return HC_SIGNATURE_EXPIRED;
    }
    if (is_before(now, rrsig->begins - HC_SIGNATURE_SLACK)) {
        return HC_SIGNATURE_EARLY;
    }
    return records != NULL ? try_keys(records, record, rrsig, keys, work) : HC_SIGNATURE_UNREAD;
}

void hc_signature_check(const struct hc_dns_set *set, const struct hc_keys *keys,
                        struct hc_dnssec_work *work, struct hc_signature *out)
{
    const struct hc_dns_record *record = NULL;
    ldns_rr_list *records = NULL;
    struct hc_rrsig rrsig;
    bool large = count_of(set) > RECORDS_MOST;
    size_t at = 0;

    memset(out, 0, sizeof(*out));
    for (int i = 0; i < SIGNATURES_MOST && out->flaw != HC_SIGNATURE_GOOD &&
                    (record = hc_dns_set_signature(set, &at, &rrsig)) != NULL;
         i++) {
        enum hc_signature_flaw flaw = HC_SIGNATURE_MISSING;

        records = records != NULL || large ? records : list_of(set);
        flaw = large ? HC_SIGNATURE_COSTLY : judge(set, records, record, &rrsig, keys, work);
        if (flaw > out->flaw) {
            out->flaw = flaw;
            out->rrsig = rrsig;
        }
    }
    ldns_rr_list_deep_free(records);
}

bool hc_signature_expands(const struct hc_dns_set *set, const struct hc_signature *signature)
{
    return signature->rrsig.labels < signed_labels(set->owner);
}

bool hc_signature_is_of_time(const struct hc_signature *signature)
{
    return signature->flaw == HC_SIGNATURE_EARLY || signature->flaw == HC_SIGNATURE_EXPIRED;
}

static void tell(const struct hc_dns_set *set, const struct hc_keys *keys,
                 const struct hc_signature *signature, struct hc_error *err)
{
    const struct hc_rrsig *rrsig = &signature->rrsig;
    char owner[HC_DNAME_TEXT];
    char zone[HC_DNAME_TEXT];
    char signer[HC_DNAME_TEXT];
    char type[16];
    char time[HC_TIME_TEXT];

    hc_dname_format(set->owner, owner);
    hc_dname_format(&keys->zone, zone);
    hc_dns_type_format(set->type, type);
    switch (signature->flaw) {
    case HC_SIGNATURE_MISSING:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "%s of %s has no signature (RRSIG), although the zone %s is signed", type,
                     owner, zone);
        return;
    case HC_SIGNATURE_SIGNER:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "the signature of %s of %s names the signer %s, but it is in the zone "
                     "%s",
                     type, owner, hc_dname_format(&rrsig->signer, signer), zone);
        return;
    case HC_SIGNATURE_LABELS:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "the signature of %s of %s is for a name of %u labels, longer than this one",
                     type, owner, rrsig->labels);
        return;
    case HC_SIGNATURE_UNREAD:
        hc_error_set(err, HC_P_DNS_FAILED, zone, "%s of %s, or its signature, cannot be read", type,
                     owner);
        return;
    case HC_SIGNATURE_UNKNOWN:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "%s of %s is signed by algorithm %u alone, which hotcert does not know", type,
                     owner, rrsig->algorithm);
        return;
    case HC_SIGNATURE_KEY:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "%s of %s is signed by the key %u, which is not among the keys of the "
                     "zone %s",
                     type, owner, rrsig->tag, zone);
        return;
    case HC_SIGNATURE_COSTLY:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "%s of %s has more records, keys or signatures than hotcert tries", type,
                     owner);
        return;
    case HC_SIGNATURE_EARLY:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "the signature of %s of %s is not valid before %s", type, owner,
                     hc_time_format((int64_t)rrsig->begins, time));
        return;
    case HC_SIGNATURE_EXPIRED:
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone, "the signature of %s of %s expired on %s",
                     type, owner, hc_time_format((int64_t)rrsig->expires, time));
        return;
    case HC_SIGNATURE_WRONG:
    case HC_SIGNATURE_GOOD:
        break;
    }
    hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                 "the signature of %s of %s by the key %u does not match its records", type, owner,
                 rrsig->tag);
}

bool hc_dnssec_is_withheld(const struct hc_dns_reply *reply, struct hc_error *err)
{
    if (!reply->dnssec_ok) {
        hc_error_set(err, HC_P_DNS_FAILED, NULL,
                     "the resolver answers without DNSSEC records although they were asked for");
        return true;
    }
    if (reply->authoritative) {
        hc_error_set(err, HC_P_DNS_FAILED, NULL,
                     "the resolver answers from data of its own, without DNSSEC records");
        return true;
    }
    return false;
}

enum hc_dnssec hc_signature_fail(const struct hc_dns_set *set, const struct hc_keys *keys,
                                 const struct hc_signature *signature, struct hc_error *err)
{
    if (signature->flaw == HC_SIGNATURE_MISSING && hc_dnssec_is_withheld(set->reply, err)) {
        return HC_DNSSEC_UNCHECKED;
    }
    tell(set, keys, signature, err);
    return signature->flaw == HC_SIGNATURE_COSTLY || signature->flaw == HC_SIGNATURE_UNREAD
               ? HC_DNSSEC_UNCHECKED
               : HC_DNSSEC_BOGUS;
}
