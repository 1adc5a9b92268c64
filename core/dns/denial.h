/*
 * hc_denials: what the proofs (NSEC, NSEC3) in a reply's authority section say that there is not:
 * RFC 4035 section 5.4, RFC 5155 section 8. Any thread.
 */
#ifndef HC_DNS_DENIAL_H
#define HC_DNS_DENIAL_H

#include "dns/nsec.h"
#include "dns/nsec3.h"
#include "dns/signature.h"

#define HC_DENIAL_RECORDS 8  /* of each kind in one reply: a proof takes four at most */
#define HC_DENIAL_HASHES  32 /* names that are hashed for one reply */

/* Zeroed memory: none. Points into the reply. */
struct hc_denials {
    const struct hc_dns_reply *reply;
    struct hc_dname zone;
    struct hc_nsec nsec[HC_DENIAL_RECORDS];
    size_t nsec_count;
    struct hc_nsec3 nsec3[HC_DENIAL_RECORDS];
    size_t nsec3_count;
    bool costly;              /* more iterations than are computed: the zone counts as not signed */
    unsigned hashed;          /* names so far */
    bool unhashed;            /* one was not: too many, or no memory */
    struct hc_signature flaw; /* of a proof whose signature is not good.. */
    const struct hc_dname *flawed; /* ..its owner; NULL: all are */
    unsigned flawed_type;
};

/* Takes the proofs of this zone whose signatures are good. */
void hc_denials_take(const struct hc_dns_reply *reply, const struct hc_keys *keys,
                     struct hc_dnssec_work *work, struct hc_denials *out);

/* What the hashes cost so far, in tries of signatures. */
unsigned hc_denials_cost(const struct hc_denials *d);

enum hc_denial {
    HC_DENIAL_MISSING,  /* nothing proves it */
    HC_DENIAL_PROVED,   /* it is proved */
    HC_DENIAL_UNSIGNED, /* nothing is to be proved: it may be delegated, and is not signed */
};

/* That this name does not exist, nor a wildcard for it. */
enum hc_denial hc_denial_of_name(struct hc_denials *d, const struct hc_dname *name);
/* That it, or the wildcard for it, has no records of this type. */
enum hc_denial hc_denial_of_type(struct hc_denials *d, const struct hc_dname *name, unsigned type);
/* That a wildcard may stand for it: no name is nearer than one of so many labels. */
enum hc_denial hc_denial_of_closer(struct hc_denials *d, const struct hc_dname *name,
                                   unsigned labels);

enum hc_cut {
    HC_CUT_UNPROVED,
    HC_CUT_NONE,     /* no zone begins at this name */
    HC_CUT_UNSIGNED, /* if one does, it is not signed */
};
/* What no DS record at this name means. */
enum hc_cut hc_denial_of_cut(struct hc_denials *d, const struct hc_dname *name);

/* Where a proof is missing: what that means, BOGUS, or UNCHECKED where the zone is not to blame,
 * and why. what: "CAA record of www.example.net.". */
enum hc_dnssec hc_denial_fail(const struct hc_denials *d, const struct hc_keys *keys,
                              const char *what, struct hc_error *err);

#endif
