/*
 * What the responder's sockets share: what is answered, and the loop that they are guests of. The
 * sockets (udp.h, tcp.h) are bound by others, and stay theirs. One thread; nothing blocks.
 */
#ifndef HC_DNS_SERVICE_H
#define HC_DNS_SERVICE_H

#include "dns/limit.h"
#include "dns/respond.h"
#include "loop/loop.h"

/* Packets since the responder began; questions are those that got an answer. */
struct hc_dns_counts {
    uint64_t questions; /* in all; some of them .. */
    uint64_t refused;   /* for what is not ours: REFUSED */
    uint64_t malformed; /* FORMERR */
    uint64_t truncated; /* over UDP with nothing but TC, since the answer has no room .. */
    uint64_t limited;   /* .. or since the source asked too often */
    uint64_t dropped;   /* besides: no question at all, and nothing was sent */
};

/* Borrowed by all sockets; outlives them. */
struct hc_dns_service {
    const struct hc_dns_domain *domain;
    const struct hc_dns_texts *texts;
    struct hc_loop *loop;
    struct hc_dns_limit limit; /* of all sockets together */
    struct hc_dns_counts counts;
};

/* hc_dns_respond(), counted. */
size_t hc_dns_service_answer(struct hc_dns_service *service, struct hc_bytes query,
                             enum hc_dns_way way, uint8_t *dst) HC_MUST_USE;

#endif
