/*
 * hc_keys: the keys of a zone (DNSKEY, RFC 4034 section 2) that are trusted, because its DS records
 * at the parent, or an anchor, name one of them, and that one signed them all (RFC 4035 section 5).
 */
#ifndef HC_DNS_KEYS_H
#define HC_DNS_KEYS_H

#include "dns/dnssec.h"
#include "dns/set.h"

#define HC_KEYS_MOST 24 /* of one zone; what is more is not used */

struct ldns_struct_rr;

struct hc_key {
    struct ldns_struct_rr *rr;
    unsigned tag;
    unsigned algorithm;
};

/* Zeroed memory: none. */
struct hc_keys {
    struct hc_dname zone;
    struct hc_key items[HC_KEYS_MOST];
    size_t count;
};

/* True for an algorithm of signatures that this build knows; a zone that has no other is not
 * signed for us (RFC 4035 section 5.2). */
bool hc_algorithm_is_known(unsigned algorithm);

/* What names the first key: the DS records of the parent's, verified, or DS and DNSKEY records of
 * anchors. Of what it has for another owner nothing is used. */
struct hc_trust {
    const struct hc_dns_reply *records;
    bool anchors;
};

/* What is wrong with such a record, "a DS record ..", or NULL. */
const char *hc_trust_fault(const struct hc_dns_record *record);
/* True if its algorithm, and its digest's, are known. */
bool hc_trust_is_known(const struct hc_dns_record *record);

/*
 * Takes the keys of a zone from a reply to the question for them.
 * SECURE: out has them. INSECURE: trust names no key of an algorithm and digest that are known.
 * BOGUS: why says what is wrong, without a subject. UNCHECKED: out of memory.
 */
enum hc_dnssec hc_keys_take(const struct hc_dns_reply *reply, const struct hc_dname *zone,
                            const struct hc_trust *trust, struct hc_dnssec_work *work,
                            struct hc_keys *out, struct hc_error *why) HC_MUST_USE;

void hc_keys_dispose(struct hc_keys *keys);

#endif
