/*
 * One request of the HTTP client on its way: libcurl's handle with the rules that hold for it, what
 * has arrived of the reply, and which problem of the network a failure is.
 */
#ifndef HC_NET_TRANSFER_H
#define HC_NET_TRANSFER_H

#include <netinet/in.h>

#include "base/kept_error.h"
#include "net/curl_compat.h"
#include "net/header.h"
#include "net/http.h"

/* For fetch.h: a connection to this address only, whatever the URL's host. */
struct hc_http_pin {
    const char *address; /* numeric, IPv6 without brackets */
    uint16_t port;
    bool any_certificate;
    long wait_ms; /* for its turn; 0: HC_HTTP_TIMEOUT_MS */
    hc_http_done *done;
    void *arg;
    void (*release)(void *arg); /* frees arg with the transfer, however that ends */
};

struct hc_transfer {
    struct hc_transfer *next;
    CURL *easy;
    uint64_t id;
    hc_http_done *done;
    void *arg;
    void (*release)(void *arg); /* or NULL */
    struct hc_http_headers headers;
    size_t header_bytes;
    struct hc_buf request_body; /* secret: it may hold what only the peer shall see */
    struct hc_buf reply_body;
    struct curl_slist *extra;
    struct curl_slist *connect_to;
    bool pinned;
    char address[INET6_ADDRSTRLEN]; /* of a pinned one */
    int64_t wait_until_ms;          /* of one that waits for its turn */
    long timeout_ms;                /* from its start */
    char *url;
    char *ca_bundle;
    struct hc_kept_error failed; /* of our own callbacks: too large, no memory */
    char reason[CURL_ERROR_SIZE];
};

/*
 * easy is taken over: an idle handle without options. pin: NULL, or how to connect. NULL with err
 * on failure; easy is then gone.
 */
struct hc_transfer *hc_transfer_new(CURL *easy, const char *user_agent,
                                    const struct hc_http_request *request,
                                    const struct hc_http_pin *pin, struct hc_error *err);
/* Frees all but easy, which is given back, without options, for the next one. NULL is fine. */
CURL *hc_transfer_free(struct hc_transfer *t);

/* Tells the caller: the reply, or what code means. */
void hc_transfer_complete(struct hc_transfer *t, CURLcode code);

/*
 * http.c: as the port's send(), but pinned, and for any http or https URL. pin->release(arg) is
 * called also when this fails.
 */
int hc_http_send_pinned(struct hc_http *http, const struct hc_http_request *request,
                        const struct hc_http_pin *pin, uint64_t *id,
                        struct hc_error *err) HC_MUST_USE;

#endif
