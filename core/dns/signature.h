/* Whether keys of a zone signed a set of records, RFC 4035 section 5.3. The cryptography is ldns'.
 */
#ifndef HC_DNS_SIGNATURE_H
#define HC_DNS_SIGNATURE_H

#include "dns/keys.h"

/* The further down, the nearer to a good one. */
enum hc_signature_flaw {
    HC_SIGNATURE_MISSING,
    HC_SIGNATURE_SIGNER,  /* of another zone */
    HC_SIGNATURE_LABELS,  /* for a longer name */
    HC_SIGNATURE_UNKNOWN, /* an algorithm that is not known */
    HC_SIGNATURE_KEY,     /* by a key that the zone does not have */
    HC_SIGNATURE_WRONG,   /* it does not fit the records */
    HC_SIGNATURE_EARLY,
    HC_SIGNATURE_EXPIRED,
    HC_SIGNATURE_UNREAD, /* ldns cannot read the records, or there is no memory */
    HC_SIGNATURE_COSTLY, /* more work than a reply may cost */
    HC_SIGNATURE_GOOD,
};

/* Seconds by which a signature may be too early or too late, as clocks differ. */
#define HC_SIGNATURE_SLACK 3600

struct hc_signature {
    enum hc_signature_flaw flaw; /* of the signature that comes nearest; one good one is enough */
    struct hc_rrsig rrsig;       /* that one, unless MISSING */
};

/* Tries the set's signatures with these keys. */
void hc_signature_check(const struct hc_dns_set *set, const struct hc_keys *keys,
                        struct hc_dnssec_work *work, struct hc_signature *out);

/* True if the set was made from a wildcard: its owner has more labels than what was signed. */
bool hc_signature_expands(const struct hc_dns_set *set, const struct hc_signature *signature);

/*
 * What a set is worth whose signature is not good: BOGUS, or UNCHECKED where the zone is not to
 * blame. err: "the signature of CAA of example.net. expired on 2026-03-04T05:06:07Z".
 */
enum hc_dnssec hc_signature_fail(const struct hc_dns_set *set, const struct hc_keys *keys,
                                 const struct hc_signature *signature, struct hc_error *err);

/* True if what is missing from this reply is missing because of the resolver, not of the zone; err
 * says it. */
bool hc_dnssec_is_withheld(const struct hc_dns_reply *reply, struct hc_error *err);

/* True if the clock may be the reason. */
bool hc_signature_is_of_time(const struct hc_signature *signature);

#endif
