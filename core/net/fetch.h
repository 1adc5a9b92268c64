/*
 * A plain GET of somebody else's URL, one step at a time: to check http-01 as a CA's
 * validator does (RFC 8555 section 8.3), and for intermediates named in certificates (RFC 5280
 * section 4.2.2.1). The connection goes to one numeric address that the caller vetted, whatever the
 * DNS says by now; Host (and SNI) are the URL's. No redirect is followed: the reply tells where it
 * leads, and the caller looks up, vets and starts the next step, with a count and a clock of its
 * own.
 *
 * No proxy, no kept connection, no cookies, no authentication, HTTP/1.1; bounded in size and time.
 * Nothing of a body is ever logged or put into an error.
 */
#ifndef HC_NET_FETCH_H
#define HC_NET_FETCH_H

#include "net/http.h"

#define HC_FETCH_HOST 256

/* Where a URL leads. */
struct hc_fetch_target {
    char host[HC_FETCH_HOST]; /* lower case, without brackets; maybe a numeric address itself */
    uint16_t port;
    bool tls; /* https */
};

/*
 * Takes a URL apart. HC_P_FETCH_URL for all but http and https without user name, and for ports
 * other than 80 (http) and 443 (https); ports: the caller's further allowed ones, ended by 0, or
 * NULL. Any thread.
 */
int hc_fetch_target(const char *url, const uint16_t *ports, struct hc_fetch_target *out,
                    struct hc_error *err) HC_MUST_USE;

struct hc_fetch_options {
    const char *url;       /* copied, as all below */
    const char *address;   /* numeric IPv4 or IPv6 address to connect to, without brackets */
    const uint16_t *ports; /* as in hc_fetch_target() */
    const char *accept;    /* or NULL */
    size_t max_body;       /* 0: HC_HTTP_BODY_MAX */
    long timeout_ms;       /* of this step, from its start; 0: HC_HTTP_TIMEOUT_MS */
    /*
     * How long it may wait before that: fetches leave some of the client's connections to CAs, and
     * do not all go to one address at a time. 0: HC_HTTP_TIMEOUT_MS.
     */
    long wait_ms;
    /*
     * https only. False: the certificate must be trusted and fit the host. True: any will do, as
     * for a CA's validator behind a redirect; then nothing but a comparison may be made with the
     * reply.
     */
    bool any_certificate;
};

/* Valid during the callback only. */
struct hc_fetch_reply {
    long status;
    const char *content_type; /* "" when absent */
    const char *redirect; /* status 301, 302, 303, 307, 308: the absolute URL, unvetted; else "" */
    const char *server;   /* "" when absent */
    const char *www_authenticate;
    struct hc_bytes body; /* empty for a redirect */
};

/*
 * Called once, from the loop. Either reply is set (any status) or err is: HC_P_FETCH_FAILED
 * (no connection, no HTTP; its own words tell), HC_P_FETCH_TIMEOUT, HC_P_FETCH_UNTRUSTED,
 * HC_P_TOO_LARGE, HC_P_TIMED_OUT (its turn did not come within wait_ms: nothing was asked).
 */
typedef void hc_fetch_done(void *arg, const struct hc_fetch_reply *reply,
                           const struct hc_error *err);

/* Starts one step on the client's loop; *id (never 0) can cancel it. -1 with err, no callback. */
int hc_fetch_start(struct hc_http *http, const struct hc_fetch_options *options,
                   hc_fetch_done *done, void *arg, uint64_t *id, struct hc_error *err) HC_MUST_USE;
/* Ends a step without its callback. Unknown ids are ignored. */
void hc_fetch_cancel(struct hc_http *http, uint64_t id);

#endif
