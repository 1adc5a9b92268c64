/*
 * A signed request (RFC 8555 section 6): waits for the directory, the account and a nonce, is
 * signed, sent, and sent again where that is right: badNonce at most 30 times, a network that
 * failed or an error of the CA's twice, an account that the CA lost once it is registered again.
 */
#ifndef HC_ACME_REQUEST_H
#define HC_ACME_REQUEST_H

#include "acme/client.h"

#define HC_REQUEST_NONCES 30
#define HC_REQUEST_TRIES  3

/* Where it goes: url, or an endpoint of the directory. */
enum hc_endpoint { HC_ENDPOINT_URL, HC_ENDPOINT_NEW_ACCOUNT, HC_ENDPOINT_NEW_ORDER };

/*
 * The end: err is NULL (status 2xx), or set, with reply if there is one. Called from the pump;
 * the request is gone when it returns. reply is valid during the call.
 */
typedef void hc_acme_request_done(void *arg, const struct hc_http_reply *reply,
                                  const struct hc_error *err);

struct hc_acme_request_options {
    enum hc_endpoint endpoint;
    const char *url;     /* for HC_ENDPOINT_URL; copied */
    const char *payload; /* copied; "" is POST-as-GET; NULL: fill() makes it */
    /* Before each signature, when the directory is known: appends the payload. */
    int (*fill)(void *arg, struct hc_buf *payload, struct hc_error *err);
    const char *accept; /* static text, or NULL */
    size_t max_body;    /* 0: the HTTP client's */
    hc_acme_request_done *done;
    void *arg;
};

/* Queues a request; it runs with the next pump. *out is valid until done() or cancel. */
int hc_acme_request_new(struct hc_acme *acme, const struct hc_acme_request_options *options,
                        struct hc_acme_request **out, struct hc_error *err) HC_MUST_USE;
/* Ends it without done(). NULL is fine. */
void hc_acme_request_cancel(struct hc_acme_request *request);

/* For the pump: runs one request that can run; false if there is none. */
bool hc_acme_requests_run(struct hc_acme *acme, int64_t now_ms);
/* When the next request wants to run, or -1. */
int64_t hc_acme_requests_due(const struct hc_acme *acme);
/* Those that waited for the account go on, or fail with err if it is set (err is not NULL). */
void hc_acme_requests_account(struct hc_acme *acme, const struct hc_error *err);

#endif
