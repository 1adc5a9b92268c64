/* One NSEC record, RFC 4034 section 4, with the rules of RFC 6840 section 4. Any thread. */
#ifndef HC_DNS_NSEC_H
#define HC_DNS_NSEC_H

#include "base/buf.h"
#include "dns/message.h"

struct hc_nsec {
    const struct hc_dname *owner;
    struct hc_dname next;
    struct hc_bytes types; /* its bitmap; borrowed */
};

/* -1: it is malformed. */
int hc_nsec_read(const struct hc_dns_record *record, struct hc_nsec *out) HC_MUST_USE;

/* True if the bitmap (RFC 4034 section 4.1.2) has this type. */
bool hc_types_have(struct hc_bytes types, unsigned type);

/* True if a record with this bitmap is the parent's, at a delegation: of what is below it, and of
 * all types but DS, it says nothing. */
bool hc_types_delegate(struct hc_bytes types);

/* True if a record with this bitmap, at a name that stands there, proves that it has no records of
 * this type. */
bool hc_types_deny(struct hc_bytes types, const struct hc_dname *owner, unsigned type);

/* True if it proves that no records stand at this name (at or below zone) itself. Names below it
 * may exist: then next is one of those. */
bool hc_nsec_covers(const struct hc_nsec *nsec, const struct hc_dname *name);

/* The deepest name above a covered one that exists, as far as this record says. */
void hc_nsec_encloser(const struct hc_nsec *nsec, const struct hc_dname *name,
                      struct hc_dname *out);

#endif
