/*
 * The responder over TCP (RFC 7766): a bounded number of connections, each with as many questions
 * one behind the other as its client likes. A client that is slow to ask or to read is cut off; one
 * that only holds its place gives it to the next when there is none left. Who has sent his last
 * question and closed his side still gets the answers, as forwarders need it.
 */
#ifndef HC_DNS_TCP_H
#define HC_DNS_TCP_H

#include "dns/service.h"
#include "loop/timer.h"

#define HC_DNS_TCP_CLIENTS 64    /* at one socket */
#define HC_DNS_TCP_MS      10000 /* for a whole question, or to read some of the answers */

struct hc_dns_tcp_client;

struct hc_dns_tcp {
    struct hc_dns_service *service;
    struct hc_loop_fd door;
    struct hc_timer sweep;
    struct hc_dns_tcp_client *clients[HC_DNS_TCP_CLIENTS]; /* NULL: free */
    size_t count;
    bool shut; /* the door, for a while: descriptors or memory are short */
};

/* Takes connections at this listening socket, which must not block, until hc_dns_tcp_close(). */
int hc_dns_tcp_open(struct hc_dns_tcp *tcp, struct hc_dns_service *service, int fd,
                    struct hc_error *err) HC_MUST_USE;
/* Ends all connections; safe on zeroed memory and twice. */
void hc_dns_tcp_close(struct hc_dns_tcp *tcp);

#endif
