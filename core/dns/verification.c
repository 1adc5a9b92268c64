/* One reply, validated; see verification.h. */
#include "dns/verification.h"

#include <stdio.h>
#include <string.h>

const char *hc_dnssec_name(enum hc_dnssec state)
{
    static const char *const names[] = {
        [HC_DNSSEC_PENDING] = "",          [HC_DNSSEC_SECURE] = "secure",
        [HC_DNSSEC_INSECURE] = "insecure", [HC_DNSSEC_UNCHECKED] = "unchecked",
        [HC_DNSSEC_BOGUS] = "broken",
    };

    return names[state];
}

void hc_verification_begin(struct hc_verification *v, const struct hc_dns_reply *reply,
                           const struct hc_dname *name, enum hc_dns_type type)
{
    memset(v, 0, sizeof(*v));
    v->begun = true;
    v->reply = reply;
    v->name = *name;
    v->type = (unsigned)type;
}

void hc_verification_dispose(struct hc_verification *v)
{
    hc_kept_error_dispose(&v->why);
    memset(v, 0, sizeof(*v));
}

static void settle(struct hc_verification *v, enum hc_dnssec state, const struct hc_error *why)
{
    v->state = state;
    if (why != NULL) {
        hc_kept_error_set(&v->why, why);
    }
}

/* All of it is as it should be. */
static void settle_well(struct hc_verification *v)
{
    settle(v, v->insecure ? HC_DNSSEC_INSECURE : HC_DNSSEC_SECURE, NULL);
}

/* A signature or a proof is not what it should be; but one that never left the server is not the
 * zone's fault: without DO in the reply, its sender knows nothing of them. */
static void settle_badly(struct hc_verification *v, struct hc_links *links, bool missing,
                         struct hc_error *why)
{
    struct hc_error err;

    if (missing && !v->reply->dnssec_ok) {
        hc_error_init(&err);
        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "the resolver answers without DNSSEC records although they were asked for");
        settle(v, HC_DNSSEC_UNCHECKED, &err);
        return;
    }
    hc_links_hint_clock(links, why);
    settle(v, HC_DNSSEC_BOGUS, why);
}

/* ---- what stands there ---- */

static struct hc_dns_set answer(const struct hc_verification *v, unsigned type)
{
    return (struct hc_dns_set){.reply = v->reply, .owner = &v->name, .type = type};
}

/* The DNAME record above the name by which its CNAME record was made (RFC 6672); or NULL. */
static const struct hc_dns_record *find_dname(const struct hc_verification *v)
{
    for (size_t i = 0; i < v->reply->answers; i++) {
        const struct hc_dns_record *record = &v->reply->records[i];

        if (record->type == HC_DNS_DNAME && !hc_dname_equal(record->owner, &v->name) &&
            hc_dname_is_within(&v->name, record->owner)) {
            return record;
        }
    }
    return NULL;
}

/*
 * The set to look at: records of the type, else CNAME, or the DNAME that this one was made by.
 * False: there is nothing, which is to be proved.
 */
static bool find_set(const struct hc_verification *v, struct hc_dns_set *set)
{
    const struct hc_dns_record *dname = NULL;
    struct hc_dname signer;

    *set = answer(v, v->type);
    if (!hc_dns_set_is_empty(set)) {
        return true;
    }
    *set = answer(v, HC_DNS_CNAME);
    if (hc_dns_set_is_empty(set)) {
        return false;
    }
    if (!hc_dns_set_signer(set, &signer) && (dname = find_dname(v)) != NULL) {
        set->owner = dname->owner;
        set->type = HC_DNS_DNAME;
    }
    return true;
}

/* The zone that signed the proof that there is nothing; false: none says so. */
static bool proof_signer(const struct hc_verification *v, struct hc_dname *out)
{
    const struct hc_dns_reply *reply = v->reply;
    bool found = false;

    for (size_t i = reply->answers; i < reply->answers + reply->authorities; i++) {
        const struct hc_dns_record *record = &reply->records[i];
        struct hc_dns_set set = {
            .reply = reply, .owner = record->owner, .type = record->type, .authority = true};
        struct hc_dname signer;

        if (record->type != HC_DNS_RRSIG && hc_dns_set_signer(&set, &signer) &&
            hc_dname_is_within(&v->name, &signer) && (!found || signer.len > out->len)) {
            *out = signer;
            found = true;
        }
    }
    return found;
}

/* Whose keys are wanted: those of who signed it; of what nobody signed, whose it is. */
static bool find_link(struct hc_verification *v, struct hc_links *links, bool present,
                      const struct hc_dns_set *set)
{
    struct hc_dname signer;
    struct hc_error err;

    if (present ? !hc_dns_set_signer(set, &signer) : !proof_signer(v, &signer)) {
        signer = present ? *set->owner : v->name;
    }
    v->link = hc_links_find(links, &signer);
    if (v->link == NULL) {
        hc_error_init(&err);
        hc_error_nomem(&err);
        settle(v, HC_DNSSEC_UNCHECKED, &err);
    }
    return v->link != NULL;
}

/* ---- what it is worth ---- */

/* Goes on with the target of an alias; the end is reached where there is none. */
static void go_on(struct hc_verification *v, const struct hc_dns_set *set)
{
    struct hc_dns_set alias = answer(v, HC_DNS_CNAME);
    const struct hc_dns_record *record = NULL;
    struct hc_error err;
    size_t at = 0;

    v->link = NULL;
    if (set->type == v->type) {
        settle_well(v);
        return;
    }
    record = hc_dns_set_next(&alias, &at);
    if (record == NULL || hc_dns_record_target(record, &v->name) != 0 ||
        ++v->aliases > HC_DNS_CHAIN) {
        hc_error_init(&err);
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "a chain of CNAME records is malformed");
        settle(v, HC_DNSSEC_UNCHECKED, &err);
    }
}

/* True if the CNAME record at the name is what the DNAME record makes of it. */
static bool dname_fits(const struct hc_verification *v, const struct hc_dns_set *set)
{
    struct hc_dns_set alias = answer(v, HC_DNS_CNAME);
    const struct hc_dns_record *record = NULL;
    const struct hc_dns_record *dname = NULL;
    size_t kept = (size_t)v->name.len - set->owner->len;
    struct hc_dname target;
    uint8_t made[2 * HC_DNAME_WIRE];
    struct hc_dname expected;
    size_t at = 0;

    record = hc_dns_set_next(&alias, &at);
    at = 0;
    dname = hc_dns_set_next(set, &at);
    if (record == NULL || dname == NULL || hc_dns_record_target(record, &target) != 0 ||
        dname->len > HC_DNAME_WIRE) {
        return false;
    }
    memcpy(made, v->name.wire, kept);
    memcpy(made + kept, dname->data, dname->len);
    return hc_dname_from_wire(made, kept + dname->len, &expected) == 0 &&
           hc_dname_equal(&expected, &target);
}

static void describe(const struct hc_dname *owner, unsigned type, char *dst, size_t cap)
{
    char name[HC_DNAME_TEXT];
    char text[16];

    (void)snprintf(dst, cap, "%s record of %s", hc_dns_type_format(type, text),
                   hc_dname_format(owner, name));
}

/* A set that was made from a wildcard: nothing nearer may be there (RFC 4035 section 5.3.4). */
static bool wildcard_fits(struct hc_verification *v, struct hc_links *links,
                          const struct hc_dns_set *set, const struct hc_signature *signature)
{
    const struct hc_keys *keys = &v->link->zone->keys;
    struct hc_denials denials;
    char what[HC_DNAME_TEXT + 64];
    char owner[HC_DNAME_TEXT];
    struct hc_error err;

    if (!hc_signature_expands(set, signature)) {
        return true;
    }
    hc_denials_take(v->reply, keys, &links->work, &denials);
    switch (hc_denial_of_closer(&denials, set->owner, signature->rrsig.labels)) {
    case HC_DENIAL_PROVED:
        return true;
    case HC_DENIAL_UNSIGNED:
        v->insecure = true;
        return true;
    case HC_DENIAL_MISSING:
        break;
    }
    hc_error_init(&err);
    (void)snprintf(what, sizeof(what), "name %s (a wildcard answers for it)",
                   hc_dname_format(set->owner, owner));
    hc_denial_fail(&denials, keys, what, &err);
    settle_badly(v, links, denials.nsec_count + denials.nsec3_count == 0 && denials.flawed == NULL,
                 &err);
    return false;
}

static void judge_set(struct hc_verification *v, struct hc_links *links,
                      const struct hc_dns_set *set)
{
    const struct hc_keys *keys = &v->link->zone->keys;
    struct hc_signature signature;
    struct hc_error err;

    hc_error_init(&err);
    hc_dnssec_work_begin(&links->work);
    hc_signature_check(set, keys, &links->work, &signature);
    if (signature.flaw != HC_SIGNATURE_GOOD) {
        hc_signature_fail(set, keys, &signature, &err);
        links->untimely += hc_signature_is_of_time(&signature);
        if (signature.flaw == HC_SIGNATURE_COSTLY) {
            settle(v, HC_DNSSEC_UNCHECKED, &err); /* others may have more patience */
        } else {
            settle_badly(v, links, signature.flaw == HC_SIGNATURE_MISSING, &err);
        }
        return;
    }
    if (set->type == HC_DNS_DNAME && !dname_fits(v, set)) {
        hc_error_set(&err, HC_P_DNS_DNSSEC_BROKEN, NULL,
                     "a CNAME record does not match the DNAME record above it");
        settle(v, HC_DNSSEC_BOGUS, &err);
        return;
    }
    if (wildcard_fits(v, links, set, &signature)) {
        go_on(v, set);
    }
}

/* There is nothing: that has to be proved. */
static void judge_nothing(struct hc_verification *v, struct hc_links *links)
{
    const struct hc_keys *keys = &v->link->zone->keys;
    bool name = v->reply->rcode == HC_DNS_NXDOMAIN;
    struct hc_denials denials;
    char what[HC_DNAME_TEXT + 32];
    struct hc_error err;

    hc_dnssec_work_begin(&links->work);
    hc_denials_take(v->reply, keys, &links->work, &denials);
    switch (name ? hc_denial_of_name(&denials, &v->name)
                 : hc_denial_of_type(&denials, &v->name, v->type)) {
    case HC_DENIAL_UNSIGNED:
        v->insecure = true;
        settle_well(v);
        return;
    case HC_DENIAL_PROVED:
        settle_well(v);
        return;
    case HC_DENIAL_MISSING:
        break;
    }
    hc_error_init(&err);
    describe(&v->name, v->type, what, sizeof(what));
    hc_denial_fail(&denials, keys, what, &err);
    links->untimely += denials.flawed != NULL && hc_signature_is_of_time(&denials.flaw);
    settle_badly(v, links, denials.nsec_count + denials.nsec3_count == 0 && denials.flawed == NULL,
                 &err);
}

/* The keys of this part's zone are known, or why they are not. */
static void judge(struct hc_verification *v, struct hc_links *links, bool present,
                  const struct hc_dns_set *set)
{
    switch (v->link->state) {
    case HC_DNSSEC_SECURE:
        if (present) {
            judge_set(v, links, set);
        } else {
            judge_nothing(v, links);
        }
        return;
    case HC_DNSSEC_INSECURE:
        v->insecure = true;
        if (present) {
            go_on(v, set);
        } else {
            settle_well(v);
        }
        return;
    case HC_DNSSEC_PENDING:
    case HC_DNSSEC_BOGUS:
    case HC_DNSSEC_UNCHECKED:
        break;
    }
    hc_kept_error_copy(&v->why, &v->link->why);
    v->at_top = v->link->at_top;
    settle(v, v->link->state, NULL);
}

bool hc_verification_step(struct hc_verification *v, struct hc_links *links)
{
    bool changed = false;

    while (!hc_verification_settled(v) && !hc_links_rest(links)) {
        struct hc_dns_set set;
        bool present = find_set(v, &set);

        if (v->link == NULL && !find_link(v, links, present, &set)) {
            return true;
        }
        if (v->link->stage != HC_LINK_SETTLED) {
            break;
        }
        judge(v, links, present, &set);
        changed = true;
    }
    return changed;
}
