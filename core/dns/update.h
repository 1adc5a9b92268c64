/*
 * DNS UPDATE, RFC 2136: one TXT value is added to a zone, or removed from it; nothing else of the
 * zone, and no other value of the name, is named in the message. Pure functions; any thread.
 */
#ifndef HC_DNS_UPDATE_H
#define HC_DNS_UPDATE_H

#include "base/buf.h"
#include "dns/dname.h"

#define HC_DNS_UPDATE_MAX 2048 /* octets of a message of ours, with its signature */

struct hc_dns_update {
    struct hc_dname zone;
    struct hc_dname name;
    const char *value; /* at most 255 octets */
    uint32_t ttl;      /* of an added one */
    bool remove;
};

/* Appends the message to an empty buffer. */
int hc_dns_update_write(const struct hc_dns_update *update, uint16_t id, struct hc_buf *out,
                        struct hc_error *err) HC_MUST_USE;

/*
 * What the server made of it: HC_P_DNS_REFUSED where it may not be changed, HC_P_DNS_WRITE for all
 * else; the name and the zone are in the words. Whether the reply is the server's own is asked of
 * tsig.h before.
 */
int hc_dns_update_check(struct hc_bytes reply, const struct hc_dns_update *update, uint16_t id,
                        struct hc_error *err) HC_MUST_USE;

#endif
