/*
 * From a question to the answer of an authoritative server: octets in, octets out, nothing else.
 * What it is authoritative for is in dns/domain.h; texts of TXT records come from a port.
 *
 * RFC 1035, 2308 (no such name, no such data), 6891 (EDNS), 8020 (a name above others exists).
 * Letters of the question come back as they were. Options of EDNS, cookies among them, are passed
 * over. Over UDP no answer is larger than 512 octets, whatever the other side takes, so that
 * nothing is fragmented and nobody gains by a forged source.
 */
#ifndef HC_DNS_RESPOND_H
#define HC_DNS_RESPOND_H

#include "dns/domain.h"

#define HC_DNS_UDP_ANSWER ((size_t)512)
#define HC_DNS_TCP_ANSWER ((size_t)65535)

/* Nobody keeps a text, since the next order has another, nor that there is none: soon there is. */
#define HC_DNS_TEXT_TTL 0
#define HC_DNS_NONE_TTL 0
#define HC_DNS_APEX_TTL 300 /* of all else */

typedef void hc_dns_text_found(void *arg, const char *value);

/* Port: the texts. owner: lower case, without the dot at the end. */
struct hc_dns_texts {
    void *self;
    /* False while it is not known which there are: SERVFAIL, for the other side asks again. */
    bool (*ready)(void *self);
    /* Calls found for each value that stands there; none is longer than 255 octets. */
    void (*each)(void *self, const char *owner, hc_dns_text_found *found, void *arg);
    /* True if something stands below it. */
    bool (*below)(void *self, const char *owner);
};

enum hc_dns_way {
    HC_DNS_OVER_UDP,
    HC_DNS_OVER_TCP,
    HC_DNS_TOO_OFTEN, /* over UDP, and who asks shall come over TCP: nothing but TC */
};

/*
 * Writes the answer to dst, which has room for HC_DNS_TCP_ANSWER, or for HC_DNS_UDP_ANSWER if it
 * goes over UDP. Returns its length; 0: nothing is sent.
 */
size_t hc_dns_respond(const struct hc_dns_domain *domain, const struct hc_dns_texts *texts,
                      struct hc_bytes query, enum hc_dns_way way, uint8_t *dst) HC_MUST_USE;

/* True if an SOA record with this data is one that hc_dns_respond() makes, whatever its servers. */
bool hc_dns_soa_is_responders(const uint8_t *data, size_t len);

#endif
