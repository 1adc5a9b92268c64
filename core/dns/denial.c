/* Proofs that something is not there; see denial.h. */
#include "dns/denial.h"

#include <string.h>

#define RECORDS_SEEN 32 /* of a reply: a proof takes four at most */

/* ---- taking them ---- */

static void add_nsec(struct hc_denials *d, const struct hc_dns_record *record)
{
    if (d->nsec_count < HC_DENIAL_RECORDS && hc_nsec_read(record, &d->nsec[d->nsec_count]) == 0) {
        d->nsec_count++;
    }
}

static bool is_alike(const struct hc_nsec3 *a, const struct hc_nsec3 *b)
{
    return a->iterations == b->iterations && a->salt.len == b->salt.len &&
           (a->salt.len == 0 || memcmp(a->salt.data, b->salt.data, a->salt.len) == 0);
}

/* RFC 5155 section 8.2: all of one reply are hashed alike. */
static void add_nsec3(struct hc_denials *d, const struct hc_dns_record *record)
{
    struct hc_nsec3 *to = &d->nsec3[d->nsec3_count];

    if (d->nsec3_count == HC_DENIAL_RECORDS || hc_nsec3_read(record, &d->zone, to) != 0 ||
        (d->nsec3_count > 0 && !is_alike(to, &d->nsec3[0]))) {
        return;
    }
    d->costly = d->costly || to->iterations > HC_NSEC3_ITERATIONS;
    d->nsec3_count++;
}

static void take_one(struct hc_denials *d, const struct hc_dns_reply *reply,
                     const struct hc_dns_record *record, const struct hc_keys *keys,
                     struct hc_dnssec_work *work)
{
    struct hc_dns_set set = {
        .reply = reply, .owner = record->owner, .type = record->type, .authority = true};
    struct hc_signature signature;
    size_t at = 0;

    if (hc_dns_set_next(&set, &at) != record || !hc_dname_is_within(record->owner, &keys->zone)) {
        return; /* of a set that was seen, or another zone's */
    }
    hc_signature_check(&set, keys, work, &signature);
    if (signature.flaw != HC_SIGNATURE_GOOD || hc_signature_expands(&set, &signature)) {
        d->flaw = signature;
        d->flawed = record->owner;
        d->flawed_type = record->type;
        return;
    }
    if (record->type == HC_DNS_NSEC) {
        add_nsec(d, record);
    } else {
        add_nsec3(d, record);
    }
}

void hc_denials_take(const struct hc_dns_reply *reply, const struct hc_keys *keys,
                     struct hc_dnssec_work *work, struct hc_denials *out)
{
    size_t seen = 0;

    memset(out, 0, sizeof(*out));
    out->reply = reply;
    out->zone = keys->zone;
    for (size_t i = 0; i < reply->authorities && seen < RECORDS_SEEN; i++) {
        const struct hc_dns_record *record = &reply->records[reply->answers + i];

        if (record->type == HC_DNS_NSEC || record->type == HC_DNS_NSEC3) {
            seen++;
            take_one(out, reply, record, keys, work);
        }
    }
}

/* ---- NSEC ---- */

static const struct hc_nsec *nsec_at(const struct hc_denials *d, const struct hc_dname *name)
{
    for (size_t i = 0; i < d->nsec_count; i++) {
        if (hc_dname_equal(d->nsec[i].owner, name)) {
            return &d->nsec[i];
        }
    }
    return NULL;
}

static const struct hc_nsec *nsec_over(const struct hc_denials *d, const struct hc_dname *name)
{
    for (size_t i = 0; i < d->nsec_count; i++) {
        if (hc_nsec_covers(&d->nsec[i], name)) {
            return &d->nsec[i];
        }
    }
    return NULL;
}

/* The wildcard that would stand for a covered name; false: there can be none. */
static bool nsec_wildcard(const struct hc_nsec *nsec, const struct hc_dname *name,
                          struct hc_dname *out)
{
    struct hc_dname encloser;

    hc_nsec_encloser(nsec, name, &encloser);
    return hc_dname_wildcard(&encloser, out);
}

static enum hc_denial nsec_of_name(const struct hc_denials *d, const struct hc_dname *name)
{
    const struct hc_nsec *over = nsec_over(d, name);
    struct hc_dname wildcard;

    if (over == NULL || hc_dname_is_within(&over->next, name)) {
        return HC_DENIAL_MISSING; /* names below it exist, so it does */
    }
    return !nsec_wildcard(over, name, &wildcard) || nsec_over(d, &wildcard) != NULL
               ? HC_DENIAL_PROVED
               : HC_DENIAL_MISSING;
}

static enum hc_denial nsec_of_type(const struct hc_denials *d, const struct hc_dname *name,
                                   unsigned type)
{
    const struct hc_nsec *at = nsec_at(d, name);
    const struct hc_nsec *over = NULL;
    struct hc_dname wildcard;
    bool denied = false;

    if (at != NULL) {
        denied = hc_types_deny(at->types, name, type);
    } else if ((over = nsec_over(d, name)) != NULL) {
        denied = hc_dname_is_within(&over->next, name);
        if (!denied && nsec_wildcard(over, name, &wildcard)) {
            at = nsec_at(d, &wildcard);
            denied = at != NULL && hc_types_deny(at->types, &wildcard, type);
        }
    }
    return denied ? HC_DENIAL_PROVED : HC_DENIAL_MISSING;
}

/* ---- NSEC3 ---- */

static int hash(struct hc_denials *d, const struct hc_dname *name, char dst[HC_NSEC3_HASH])
{
    int rc = -1;

    if (d->hashed < HC_DENIAL_HASHES) {
        d->hashed++;
        rc = hc_nsec3_hash(&d->nsec3[0], name, dst);
    }
    d->unhashed = d->unhashed || rc != 0;
    return rc;
}

unsigned hc_denials_cost(const struct hc_denials *d)
{
    return d->hashed > 0 ? d->hashed * (d->nsec3[0].iterations + 1) / HC_NSEC3_ITERATIONS : 0;
}

static const struct hc_nsec3 *nsec3_at(struct hc_denials *d, const struct hc_dname *name)
{
    char text[HC_NSEC3_HASH];

    if (hash(d, name, text) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < d->nsec3_count; i++) {
        if (strcmp(d->nsec3[i].hash, text) == 0) {
            return &d->nsec3[i];
        }
    }
    return NULL;
}

static const struct hc_nsec3 *nsec3_over(struct hc_denials *d, const struct hc_dname *name)
{
    char text[HC_NSEC3_HASH];

    if (hash(d, name, text) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < d->nsec3_count; i++) {
        if (hc_nsec3_covers(&d->nsec3[i], text)) {
            return &d->nsec3[i];
        }
    }
    return NULL;
}

/*
 * The proof of the closest encloser, RFC 5155 section 8.3, for a name that has no record of its
 * own: encloser exists, and the record that is returned covers the name one label longer.
 */
static const struct hc_nsec3 *nsec3_encloser(struct hc_denials *d, const struct hc_dname *name,
                                             struct hc_dname *encloser)
{
    struct hc_dname closer = *name;

    *encloser = *name;
    while (hc_dname_climb(encloser) && hc_dname_is_within(encloser, &d->zone)) {
        const struct hc_nsec3 *at = nsec3_at(d, encloser);

        if (at != NULL) {
            return hc_types_delegate(at->types) || hc_types_have(at->types, HC_DNS_DNAME)
                       ? NULL
                       : nsec3_over(d, &closer);
        }
        closer = *encloser;
    }
    return NULL;
}

static enum hc_denial nsec3_of_name(struct hc_denials *d, const struct hc_dname *name)
{
    struct hc_dname encloser;
    struct hc_dname wildcard;
    const struct hc_nsec3 *over = nsec3_encloser(d, name, &encloser);

    if (over == NULL) {
        return HC_DENIAL_MISSING;
    }
    if (over->opt_out) {
        return HC_DENIAL_UNSIGNED; /* RFC 5155 section 9.2 */
    }
    return !hc_dname_wildcard(&encloser, &wildcard) || nsec3_over(d, &wildcard) != NULL
               ? HC_DENIAL_PROVED
               : HC_DENIAL_MISSING;
}

static enum hc_denial nsec3_of_type(struct hc_denials *d, const struct hc_dname *name,
                                    unsigned type)
{
    const struct hc_nsec3 *at = nsec3_at(d, name);
    const struct hc_nsec3 *over = NULL;
    struct hc_dname encloser;
    struct hc_dname wildcard;

    if (at != NULL) {
        return hc_types_deny(at->types, name, type) ? HC_DENIAL_PROVED : HC_DENIAL_MISSING;
    }
    over = nsec3_encloser(d, name, &encloser);
    if (over == NULL) {
        return HC_DENIAL_MISSING;
    }
    if (over->opt_out) {
        return HC_DENIAL_UNSIGNED;
    }
    at = hc_dname_wildcard(&encloser, &wildcard) ? nsec3_at(d, &wildcard) : NULL;
    return at != NULL && hc_types_deny(at->types, &wildcard, type) ? HC_DENIAL_PROVED
                                                                   : HC_DENIAL_MISSING;
}

/* ---- either ---- */

enum hc_denial hc_denial_of_name(struct hc_denials *d, const struct hc_dname *name)
{
    if (d->costly) {
        return HC_DENIAL_UNSIGNED;
    }
    return d->nsec3_count > 0 ? nsec3_of_name(d, name) : nsec_of_name(d, name);
}

enum hc_denial hc_denial_of_type(struct hc_denials *d, const struct hc_dname *name, unsigned type)
{
    if (d->costly) {
        return HC_DENIAL_UNSIGNED;
    }
    return d->nsec3_count > 0 ? nsec3_of_type(d, name, type) : nsec_of_type(d, name, type);
}

enum hc_denial hc_denial_of_closer(struct hc_denials *d, const struct hc_dname *name,
                                   unsigned labels)
{
    struct hc_dname closer = *name;
    const struct hc_nsec3 *over = NULL;

    if (d->costly) {
        return HC_DENIAL_UNSIGNED;
    }
    if (d->nsec3_count == 0) {
        return nsec_over(d, name) != NULL ? HC_DENIAL_PROVED : HC_DENIAL_MISSING;
    }
    hc_dname_shorten(&closer, labels + 1);
    over = nsec3_over(d, &closer);
    if (over == NULL) {
        return HC_DENIAL_MISSING;
    }
    return over->opt_out ? HC_DENIAL_UNSIGNED : HC_DENIAL_PROVED;
}

/* What a bitmap at the name itself says. */
static enum hc_cut cut_of(struct hc_bytes types, const struct hc_dname *name)
{
    if (!hc_types_deny(types, name, HC_DNS_DS)) {
        return HC_CUT_UNPROVED;
    }
    return hc_types_have(types, HC_DNS_NS) ? HC_CUT_UNSIGNED : HC_CUT_NONE;
}

static enum hc_cut nsec3_of_cut(struct hc_denials *d, const struct hc_dname *name)
{
    const struct hc_nsec3 *at = nsec3_at(d, name);
    struct hc_dname encloser;

    if (at != NULL) {
        return cut_of(at->types, name);
    }
    at = nsec3_encloser(d, name, &encloser);
    if (at == NULL) {
        return HC_CUT_UNPROVED;
    }
    return at->opt_out ? HC_CUT_UNSIGNED : HC_CUT_NONE;
}

enum hc_cut hc_denial_of_cut(struct hc_denials *d, const struct hc_dname *name)
{
    const struct hc_nsec *at = NULL;

    if (d->costly) {
        return HC_CUT_UNSIGNED;
    }
    if (d->nsec3_count > 0) {
        return nsec3_of_cut(d, name);
    }
    at = nsec_at(d, name);
    if (at != NULL) {
        return cut_of(at->types, name);
    }
    return nsec_over(d, name) != NULL ? HC_CUT_NONE : HC_CUT_UNPROVED;
}

enum hc_dnssec hc_denial_fail(const struct hc_denials *d, const struct hc_keys *keys,
                              const char *what, struct hc_error *err)
{
    char zone[HC_DNAME_TEXT];

    hc_dname_format(&keys->zone, zone);
    if (d->flawed != NULL) {
        struct hc_dns_set set = {
            .reply = d->reply, .owner = d->flawed, .type = d->flawed_type, .authority = true};

        return hc_signature_fail(&set, keys, &d->flaw, err);
    }
    if (d->unhashed) {
        hc_error_set(err, HC_P_DNS_FAILED, zone,
                     "the proof that there is no %s takes more hashes than hotcert computes", what);
        return HC_DNSSEC_UNCHECKED;
    }
    if (d->nsec_count + d->nsec3_count > 0) {
        hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                     "the reply that there is no %s has a proof (NSEC or NSEC3) of the zone %s "
                     "that does not show it",
                     what, zone);
        return HC_DNSSEC_BOGUS;
    }
    if (hc_dnssec_is_withheld(d->reply, err)) {
        return HC_DNSSEC_UNCHECKED;
    }
    hc_error_set(err, HC_P_DNS_DNSSEC_BROKEN, zone,
                 "the reply that there is no %s has no proof (NSEC or NSEC3), although the zone %s "
                 "is signed",
                 what, zone);
    return HC_DNSSEC_BOGUS;
}
