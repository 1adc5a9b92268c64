/* One reply, validated; see verification.h. */
#include "dns/verification.h"

#include <stdio.h>
#include <string.h>

#include "dns/alias.h"

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

/* A signature or a proof is not what it should be. */
static void settle_badly(struct hc_verification *v, const struct hc_links *links,
                         enum hc_dnssec state, struct hc_error *why)
{
    hc_links_hint_clock(links, why);
    settle(v, state, why);
}

/* ---- what stands there ---- */

static struct hc_dns_set answer(const struct hc_verification *v, unsigned type)
{
    return (struct hc_dns_set){.reply = v->reply, .owner = &v->name, .type = type};
}

/*
 * The set to look at: records of the type, else CNAME, or the DNAME that this one was made by.
 * False: there is nothing, which is to be proved.
 */
static bool find_set(const struct hc_verification *v, struct hc_dns_set *set)
{
    struct hc_dname signer;

    *set = answer(v, v->type);
    if (hc_dns_set_is_empty(set)) {
        *set = answer(v, HC_DNS_CNAME);
    }
    if (hc_dns_set_is_empty(set)) {
        return false;
    }
    if (set->type == HC_DNS_CNAME && !hc_dns_set_signer(set, &signer)) {
        (void)hc_alias_dname(v->reply, &v->name, set);
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
        struct hc_rrsig rrsig;

        if (record->type == HC_DNS_RRSIG && hc_rrsig_read(record, &rrsig) == 0 &&
            hc_dname_is_within(record->owner, &rrsig.signer) &&
            hc_dname_is_within(&v->name, &rrsig.signer) &&
            (!found || rrsig.signer.len > out->len)) {
            *out = rrsig.signer;
            found = true;
        }
    }
    return found;
}

/* Whose keys are wanted: those of who signed it; of what nobody signed, whose it is. So it is with
 * a proof that shows nothing: it may belong to the alias before. */
static bool find_link(struct hc_verification *v, struct hc_links *links, bool present,
                      const struct hc_dns_set *set)
{
    struct hc_dname signer;
    struct hc_error err;

    if (present ? !hc_dns_set_signer(set, &signer) : v->again || !proof_signer(v, &signer)) {
        signer = present ? *set->owner : v->name;
    }
    hc_error_init(&err);
    v->link = hc_links_find(links, &signer, &err);
    if (v->link == NULL) {
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
    if (set->type == v->type || v->type == HC_DNS_CNAME) {
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
    enum hc_denial found = HC_DENIAL_MISSING;
    enum hc_dnssec state = HC_DNSSEC_BOGUS;
    struct hc_error err;

    if (!hc_signature_expands(set, signature)) {
        return true;
    }
    hc_denials_take(v->reply, keys, &links->work, &denials);
    found = hc_denial_of_closer(&denials, set->owner, signature->rrsig.labels);
    links->work.tries += hc_denials_cost(&denials);
    switch (found) {
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
    state = hc_denial_fail(&denials, keys, what, &err);
    settle_badly(v, links, state, &err);
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
        enum hc_dnssec state = hc_signature_fail(set, keys, &signature, &err);

        links->untimely += hc_signature_is_of_time(&signature);
        settle_badly(v, links, state, &err);
        return;
    }
    if (set->type == HC_DNS_DNAME && !hc_alias_fits(set, &v->name)) {
        hc_error_set(&err, HC_P_DNS_DNSSEC_BROKEN, NULL,
                     "a CNAME record does not match the DNAME record above it");
        settle(v, HC_DNSSEC_BOGUS, &err);
        return;
    }
    if (wildcard_fits(v, links, set, &signature)) {
        go_on(v, set);
    }
}

/* What the proofs show. A name error whose proof shows that the name exists, but has nothing of
 * this type, is a server's wrong RCODE: others are lenient with it. */
static enum hc_denial deny(const struct hc_verification *v, struct hc_denials *denials)
{
    enum hc_denial name = HC_DENIAL_MISSING;

    if (v->reply->rcode == HC_DNS_NXDOMAIN) {
        name = hc_denial_of_name(denials, &v->name);
        if (name != HC_DENIAL_MISSING || denials->nsec3_count > 0) {
            return name;
        }
    }
    return hc_denial_of_type(denials, &v->name, v->type);
}

/* There is nothing: that has to be proved. */
static void judge_nothing(struct hc_verification *v, struct hc_links *links)
{
    const struct hc_keys *keys = &v->link->zone->keys;
    struct hc_denials denials;
    char what[HC_DNAME_TEXT + 32];
    enum hc_denial found = HC_DENIAL_MISSING;
    enum hc_dnssec state = HC_DNSSEC_BOGUS;
    struct hc_error err;

    hc_dnssec_work_begin(&links->work);
    hc_denials_take(v->reply, keys, &links->work, &denials);
    found = deny(v, &denials);
    links->work.tries += hc_denials_cost(&denials);
    switch (found) {
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
    state = hc_denial_fail(&denials, keys, what, &err);
    links->untimely += denials.flawed != NULL && hc_signature_is_of_time(&denials.flaw);
    settle_badly(v, links, state, &err);
    if (state == HC_DNSSEC_BOGUS && !hc_dname_equal(&v->link->name, &v->name)) {
        v->state = HC_DNSSEC_PENDING;
        v->again = true;
        v->link = NULL;
    }
}

/* The proof showed nothing. Is the name in a zone that is not signed, and the proof another's? */
static void judge_again(struct hc_verification *v)
{
    switch (v->link->state) {
    case HC_DNSSEC_INSECURE:
        v->insecure = true;
        hc_kept_error_dispose(&v->why);
        settle_well(v);
        return;
    case HC_DNSSEC_UNCHECKED:
        hc_kept_error_copy(&v->why, &v->link->why);
        v->at_top = v->link->at_top;
        settle(v, HC_DNSSEC_UNCHECKED, NULL);
        return;
    case HC_DNSSEC_SECURE:
    case HC_DNSSEC_PENDING:
    case HC_DNSSEC_BOGUS:
        break;
    }
    settle(v, HC_DNSSEC_BOGUS, NULL);
}

/* The keys of this part's zone are known, or why they are not. */
static void judge(struct hc_verification *v, struct hc_links *links, bool present,
                  const struct hc_dns_set *set)
{
    if (v->again) {
        judge_again(v);
        return;
    }
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
