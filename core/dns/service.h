/*
 * What the responder's sockets share: what is answered, and the loop that they are guests of. The
 * sockets (udp.h, tcp.h) are bound by others, and stay theirs. One thread; nothing blocks.
 */
#ifndef HC_DNS_SERVICE_H
#define HC_DNS_SERVICE_H

#include "dns/limit.h"
#include "dns/respond.h"
#include "loop/loop.h"

/* Borrowed by all sockets; outlives them. */
struct hc_dns_service {
    const struct hc_dns_domain *domain;
    const struct hc_dns_texts *texts;
    struct hc_loop *loop;
    struct hc_dns_limit limit; /* of all sockets together */
    uint64_t answered;         /* questions */
    uint64_t limited;          /* of them with nothing but TC, since the source asked too often */
};

#endif
