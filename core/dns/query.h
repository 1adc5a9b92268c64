/*
 * hc_dns_query: a question that somebody puts to our responder, read from its octets (RFC 1035
 * section 4.1, EDNS RFC 6891). Whoever asks is hostile. Any thread.
 */
#ifndef HC_DNS_QUERY_H
#define HC_DNS_QUERY_H

#include "dns/dname.h"

#define HC_DNS_HEADER 12

/* What becomes of it. */
enum hc_dns_query_state {
    HC_DNS_QUERY_GOOD,
    HC_DNS_QUERY_DROPPED,   /* a reply, or too short for one: nothing is sent */
    HC_DNS_QUERY_MALFORMED, /* FORMERR; question is NULL where it could not be read */
    HC_DNS_QUERY_UNKNOWN,   /* another operation than a question: NOTIMP */
    HC_DNS_QUERY_VERSION,   /* of EDNS, which nobody knows: BADVERS */
};

struct hc_dns_query {
    uint16_t id;
    uint16_t flags;          /* as they came */
    const uint8_t *question; /* name, type and class as they came, letters and all; or NULL */
    size_t question_len;
    struct hc_dname name;
    unsigned type;
    unsigned class;
    bool edns;      /* options in it (cookies, NSID) are passed over */
    bool dnssec_ok; /* DO */
};

/* Points into data. */
enum hc_dns_query_state hc_dns_query_read(const uint8_t *data, size_t len,
                                          struct hc_dns_query *out) HC_MUST_USE;

#endif
