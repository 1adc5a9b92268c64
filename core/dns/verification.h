/*
 * hc_verification: whether a resolver's reply is signed as it should be (RFC 4035 section 5): each
 * CNAME on the way, the records at its end, or the proof that there are none. Stepped.
 */
#ifndef HC_DNS_VERIFICATION_H
#define HC_DNS_VERIFICATION_H

#include "dns/links.h"

/* Zeroed memory is one that has not begun. Does not move while it is pending. */
struct hc_verification {
    bool begun;
    enum hc_dnssec state;
    struct hc_kept_error why; /* BOGUS: which link is broken; UNCHECKED: why; subject: the zone */
    bool at_top;              /* UNCHECKED: and so is everything else */
    bool again;               /* a proof showed nothing; why says so */
    bool insecure;            /* a part of it is not signed, and need not be */
    const struct hc_dns_reply *reply;
    unsigned type;
    struct hc_dname name; /* that is looked at: the one that was asked for, or an alias' target */
    unsigned aliases;
    const struct hc_link *link; /* that its keys are waited for */
};

/* reply: to a question with HC_DNS dnssec_ok, NOERROR or NXDOMAIN; borrowed until it is settled. */
void hc_verification_begin(struct hc_verification *v, const struct hc_dns_reply *reply,
                           const struct hc_dname *name, enum hc_dns_type type);

/* Goes on as far as possible; true if anything changed. */
bool hc_verification_step(struct hc_verification *v, struct hc_links *links);

static inline bool hc_verification_settled(const struct hc_verification *v)
{
    return !v->begun || v->state != HC_DNSSEC_PENDING;
}

void hc_verification_dispose(struct hc_verification *v);

#endif
