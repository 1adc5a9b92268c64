/*
 * hc_dns_set: the records of one owner and type in one section of a reply, and the signatures
 * beside them (RRSIG, RFC 4034 section 3). Views; the reply is borrowed. Any thread.
 */
#ifndef HC_DNS_SET_H
#define HC_DNS_SET_H

#include "dns/message.h"

struct hc_dns_set {
    const struct hc_dns_reply *reply;
    const struct hc_dname *owner;
    unsigned type;
    bool authority; /* of the authority section, else of the answers */
};

/* The next of its records; *at counts from 0. NULL: no more. */
const struct hc_dns_record *hc_dns_set_next(const struct hc_dns_set *set, size_t *at);
bool hc_dns_set_is_empty(const struct hc_dns_set *set);

/* What a signature says of itself. */
struct hc_rrsig {
    unsigned covers;
    unsigned algorithm;
    unsigned labels; /* of the owner that was signed, without "*" */
    uint32_t expires;
    uint32_t begins; /* both in seconds, modulo 2^32 */
    unsigned tag;
    struct hc_dname signer;
};

/* Reads an RRSIG record. -1: malformed. */
int hc_rrsig_read(const struct hc_dns_record *record, struct hc_rrsig *out) HC_MUST_USE;

/* The next signature that covers the set; what is malformed is passed over. */
const struct hc_dns_record *hc_dns_set_signature(const struct hc_dns_set *set, size_t *at,
                                                 struct hc_rrsig *out);

/* The zone that signed it: of several the one that is nearest to the owner. False: none. */
bool hc_dns_set_signer(const struct hc_dns_set *set, struct hc_dname *out);

#endif
