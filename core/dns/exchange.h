/*
 * hc_exchange: one try of the resolver: one question, one server, one fresh socket with a port and
 * an id of its own, over UDP or TCP (RFC 7766). Zeroed memory is a closed one. Never blocks.
 */
#ifndef HC_DNS_EXCHANGE_H
#define HC_DNS_EXCHANGE_H

#include "base/time.h"
#include "dns/message.h"
#include "dns/server.h"
#include "loop/loop.h"

struct hc_exchange {
    bool open;
    bool tcp;
    bool plain; /* without EDNS */
    int fd;
    uint16_t id;
    struct hc_dns_question question;
    uint8_t out[2 + HC_DNS_QUERY_MAX]; /* with the length that TCP wants */
    size_t out_len;
    size_t sent;
    uint8_t *in; /* TCP: length and reply as they come; HC_DNS_REPLY_MAX + 2 */
    size_t in_len;
};

enum hc_exchange_step {
    HC_EXCHANGE_WAITING, /* for hc_exchange_events() on its descriptor */
    HC_EXCHANGE_REPLY,   /* *reply is filled, the caller disposes it */
    HC_EXCHANGE_FAILED,  /* this server will not answer this; err says why */
};

#define HC_EXCHANGE_TCP   0x1u
#define HC_EXCHANGE_PLAIN 0x2u /* without EDNS */

/* Opens the socket and sends (or begins to connect). x must be closed. -1 with err. */
int hc_exchange_open(struct hc_exchange *x, const struct hc_dns_question *question,
                     const struct hc_dns_server *server, unsigned how,
                     const struct hc_random *random, struct hc_error *err) HC_MUST_USE;

/* Goes on after its descriptor became ready. */
enum hc_exchange_step hc_exchange_step(struct hc_exchange *x, struct hc_dns_reply *reply,
                                       struct hc_error *err) HC_MUST_USE;

/* What to wait for: HC_LOOP_READ or HC_LOOP_WRITE. */
unsigned hc_exchange_events(const struct hc_exchange *x);

void hc_exchange_close(struct hc_exchange *x);

#endif
