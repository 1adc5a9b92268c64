/*
 * How often one source may ask over UDP before it is told to come over TCP, where a source cannot
 * be forged. Behind a forwarder all resolvers of the world are one source, so it is generous.
 * An IPv6 source is its /64. Bounded memory, however many there are. One thread.
 */
#ifndef HC_DNS_LIMIT_H
#define HC_DNS_LIMIT_H

#include <sys/socket.h>

#include "base/compiler.h"

#define HC_DNS_LIMIT_RATE    100 /* a second */
#define HC_DNS_LIMIT_BURST   200
#define HC_DNS_LIMIT_SOURCES 1024 /* that are remembered */

struct hc_dns_limit_source {
    unsigned char place[8]; /* of the address what counts */
    bool used;
    int64_t at_ms; /* when it last asked */
    int64_t left;  /* in thousandths */
};

struct hc_dns_limit {
    uint64_t seed; /* random, so that nobody finds sources that share a place */
    struct hc_dns_limit_source sources[HC_DNS_LIMIT_SOURCES];
};

/* True if this source may ask now. limit: zeroed at first, but for the seed. */
bool hc_dns_limit_allows(struct hc_dns_limit *limit, const struct sockaddr_storage *source,
                         int64_t now_ms);

#endif
