/*
 * Port: one HTTP request for the preflight's look at http-01 (RFC 8555 section 8.3). One hop only:
 * whoever uses it looks the next host up by itself and decides whether it may be asked.
 */
#ifndef HC_DNS_FETCH_PORT_H
#define HC_DNS_FETCH_PORT_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/error.h"

struct hc_fetch_ask {
    const char *url; /* http:// or https://, absolute; host and port say what is asked for */
    const struct sockaddr
        *addr;          /* where it is sent, whatever the host resolves to; with the port */
    int64_t timeout_ms; /* for connect and reply together */
    size_t max_body;    /* no more of the body is read; the rest is cut off without error */
};

/* Valid during the callback. */
struct hc_fetch_reply {
    long status;
    const char *location; /* as received, "" when absent */
    struct hc_bytes body; /* never to be logged */
};

/* Once for each fetch, never from fetch(): either reply is set (any status), or err. */
typedef void hc_fetch_done(void *arg, const struct hc_fetch_reply *reply,
                           const struct hc_error *err);

/* One thread; never blocks. Certificates of https redirects are not verified, as CAs do not. */
struct hc_fetch_port {
    void *self;
    int (*fetch)(void *self, const struct hc_fetch_ask *ask, hc_fetch_done *done, void *arg,
                 uint64_t *id, struct hc_error *err);
    void (*cancel)(void *self, uint64_t id);
};

#endif
