/*
 * DNSSEC: what a validation comes to (RFC 4035 section 4.3), and what it may cost. Parts, from the
 * bottom up:
 *
 *     rr, set        one record, one set of records, its signatures
 *     keys           the keys of a zone that are trusted, and whether they signed a set
 *     sha1           whether SHA-1 is to be had here
 *     nsec, nsec3    what one record of a proof says
 *     denial         what all proofs of a reply say together
 *     anchors        the keys that trust begins with
 *     links          from there down to the keys of a zone, by way of the resolvers
 *     verification   one reply, with all that it consists of
 */
#ifndef HC_DNS_DNSSEC_H
#define HC_DNS_DNSSEC_H

#include "base/compiler.h"

enum hc_dnssec {
    HC_DNSSEC_PENDING,
    HC_DNSSEC_SECURE,    /* signed, from the anchor down */
    HC_DNSSEC_INSECURE,  /* not signed, and that is proved */
    HC_DNSSEC_UNCHECKED, /* nothing can be said */
    HC_DNSSEC_BOGUS,     /* it should be signed and is not, or not rightly: CAs refuse it */
};

/* "secure", "insecure", "unchecked", "broken"; "" while it is pending. Any thread. */
const char *hc_dnssec_name(enum hc_dnssec state);

/* Signatures that are tried for one reply, those of large sets counting several times: whoever
 * makes a reply may make it costly. */
#define HC_DNSSEC_TRIES 24

struct hc_dnssec_work {
    int64_t now;    /* UTC seconds */
    unsigned left;  /* tries that this reply still has */
    unsigned tries; /* of signatures since the caller last set it to 0 */
};

static inline void hc_dnssec_work_begin(struct hc_dnssec_work *work)
{
    work->left = HC_DNSSEC_TRIES;
}

#endif
