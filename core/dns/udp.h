/* The responder over UDP: a datagram, an answer, from the very address that was asked. */
#ifndef HC_DNS_UDP_H
#define HC_DNS_UDP_H

#include "dns/service.h"

struct hc_dns_udp {
    struct hc_dns_service *service;
    struct hc_loop_fd guest;
};

/* Answers what comes at this socket, which must not block, until hc_dns_udp_close(). */
int hc_dns_udp_open(struct hc_dns_udp *udp, struct hc_dns_service *service, int fd,
                    struct hc_error *err) HC_MUST_USE;
/* Safe on zeroed memory and twice. */
void hc_dns_udp_close(struct hc_dns_udp *udp);

#endif
