/*
 * Port: one HTTP request for the preflight's check of http-01 (RFC 8555 section 8.3), and the
 * adapter that makes it over net/fetch.h. One hop only: whoever uses it looks the next host up by
 * itself and decides whether it may be asked.
 */
#ifndef HC_NET_WEB_H
#define HC_NET_WEB_H

#include "base/address.h"
#include "base/buf.h"
#include "base/error.h"

struct hc_web_ask {
    const char *url; /* http:// or https://, absolute; host and port say what is asked for */
    const struct hc_address *address; /* where it is sent, whatever the host resolves to */
    unsigned port;                    /* of the URL, again */
    int64_t timeout_ms;               /* for connect and reply together, from the start */
    int64_t wait_ms;                  /* for its turn; HC_P_TIMED_OUT beyond, nothing was asked */
    size_t max_body;                  /* HC_P_TOO_LARGE beyond */
};

/* Valid during the callback. */
struct hc_web_reply {
    long status;
    const char *location; /* of a redirect: the URL it leads to; else "" */
    const char *server;   /* headers of these names; "" where there is none */
    const char *www_authenticate;
    struct hc_bytes body; /* never to be logged */
};

/* Once for each request, never from ask(): either reply is set (any status), or err. */
typedef void hc_web_done(void *arg, const struct hc_web_reply *reply, const struct hc_error *err);

/* One thread; never blocks. Certificates of https redirects are not verified, as CAs do not. */
struct hc_web_port {
    void *self;
    /* Starts; *id (never 0) can cancel it. 0, or -1 with err and no callback. */
    int (*ask)(void *self, const struct hc_web_ask *ask, hc_web_done *done, void *arg, uint64_t *id,
               struct hc_error *err);
    /* Ends a request without its callback. Unknown ids are ignored. */
    void (*cancel)(void *self, uint64_t id);
};

/* The adapter: requests over this client (borrowed), called back from the loop. */
struct hc_http;
struct hc_web;
int hc_web_new(struct hc_http *http, struct hc_web **out, struct hc_error *err) HC_MUST_USE;
void hc_web_free(struct hc_web *web); /* requests in flight end without callbacks */
const struct hc_web_port *hc_web_port(struct hc_web *web);

#endif
