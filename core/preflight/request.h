/*
 * hc_request: the request that a CA would make for http-01 (RFC 8555 section 8.3), to one address
 * of one name: pinned to it, redirects followed as CAs follow them (at most 10, http and https,
 * ports 80 and 443), each new host looked up and vetted again. Stepped, as lookups are.
 */
#ifndef HC_PREFLIGHT_REQUEST_H
#define HC_PREFLIGHT_REQUEST_H

#include "base/address.h"
#include "net/url.h"
#include "net/web.h"
#include "preflight/device.h"
#include "preflight/lookup.h"

#define HC_REQUEST_REDIRECTS 10
#define HC_REQUEST_FETCH_MS  5000 /* for one hop */
#define HC_REQUEST_TARGET    256  /* of a redirect's URL, for the findings */

/* The same for all requests of a preflight. Borrowed. */
struct hc_request_how {
    const struct hc_web_port *web;
    struct hc_lookups *lookups;
    const struct hc_clock *clock;
    int64_t deadline_ms;  /* monotonic, for all of them */
    bool private_network; /* reserved addresses and the CA's own ports are asked too */
    unsigned port;        /* of the first hop */
    unsigned tls_port;    /* of a private CA, for redirects */
    const char *token;    /* or NULL: any reply will do */
    const char *answer;
    void (*wake)(void *self); /* after a callback, last thing in it */
    void *self;
};

enum hc_request_end {
    HC_REQUEST_NONE,        /* not complete yet */
    HC_REQUEST_RIGHT,       /* our answer came; without a token: an answer */
    HC_REQUEST_WRONG,       /* something else came; status says what */
    HC_REQUEST_UNREACHABLE, /* nothing came; error says why */
    HC_REQUEST_ASTRAY,      /* redirected where no CA follows; error says where and why */
};

struct hc_request {
    const struct hc_request_how *how;
    const char *host;        /* borrowed: a name or an IP address */
    struct hc_address first; /* the address that is asked */
    enum hc_request_end end;
    long status; /* of the last reply */
    unsigned redirects;
    char url[HC_URL_TARGET]; /* where it is now */
    struct hc_address last;  /* the address that was asked for that */
    struct hc_kept_error error;
    char *device; /* the first answer looks like a router's: how; or NULL */

    /* the work */
    bool started;
    uint64_t request_id; /* in flight */
    bool resolving;
    char redirect_host[HC_URL_HOST]; /* of url; "" before the first redirect */
    unsigned redirect_port;
};

/* Sets a request up; nothing happens before the first step. request does not move until disposed.
 */
void hc_request_init(struct hc_request *request, const struct hc_request_how *how, const char *host,
                     const struct hc_address *address);

/* Goes on; true if anything changed. Lookups must be stepped by the caller. */
bool hc_request_step(struct hc_request *request);

void hc_request_dispose(struct hc_request *request);

#endif
