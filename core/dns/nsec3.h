/* One NSEC3 record, and hashed names, RFC 5155 with the limits of RFC 9276. Any thread. */
#ifndef HC_DNS_NSEC3_H
#define HC_DNS_NSEC3_H

#include "base/buf.h"
#include "dns/message.h"

#define HC_NSEC3_HASH       33  /* a hash as text (base32hex, lower case), with its NUL */
#define HC_NSEC3_ITERATIONS 150 /* with more, a zone counts as not signed: it costs too much */

struct hc_nsec3 {
    const struct hc_dname *owner;
    char hash[HC_NSEC3_HASH]; /* of the name that it stands for */
    char next[HC_NSEC3_HASH];
    unsigned iterations;
    struct hc_bytes salt;
    bool opt_out;          /* what stands between hash and next may be delegated unsigned */
    struct hc_bytes types; /* its bitmap; borrowed */
};

/* -1: it is malformed, or of a kind that is to be ignored (RFC 5155 section 8.1, 8.2). */
int hc_nsec3_read(const struct hc_dns_record *record, const struct hc_dname *zone,
                  struct hc_nsec3 *out) HC_MUST_USE;

/* Hashes a name as the record's owner was. -1: no memory. */
int hc_nsec3_hash(const struct hc_nsec3 *like, const struct hc_dname *name,
                  char dst[HC_NSEC3_HASH]) HC_MUST_USE;

/* True if it proves that there is no name of this hash. */
bool hc_nsec3_covers(const struct hc_nsec3 *nsec3, const char *hash);

#endif
