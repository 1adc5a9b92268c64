/*
 * HTTP client on libcurl's multi interface: many requests side by side on one thread, as a
 * guest of the loop. TLS is verified always; https only, but for http:// on loopback (development
 * CAs); redirects are never followed (ACME has none); replies are bounded in size and time.
 *
 * Connections are kept and shared (HTTP/2 where the server has it). Proxies are taken from the
 * environment, as curl does: https_proxy, http_proxy, no_proxy. No cookies, no .netrc, no
 * compression, no other state between requests than connections and parsed roots.
 */
#ifndef HC_NET_HTTP_H
#define HC_NET_HTTP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "loop/loop.h"

#define HC_HTTP_BODY_MAX    ((size_t)1 << 20)
#define HC_HTTP_HEADERS_MAX ((size_t)64 << 10)
#define HC_HTTP_URL_MAX     2048
#define HC_HTTP_TIMEOUT_MS  30000
#define HC_HTTP_CONNECT_MS  10000

enum hc_http_method { HC_HTTP_GET, HC_HTTP_HEAD, HC_HTTP_POST, HC_HTTP_PUT };

/* Who asks, for servers that want to know. */
struct hc_http_login {
    const char *user; /* a key's id, for a signature */
    const char *password;
    /* NULL: Basic (RFC 7617). Else the request is signed, by AWS's version 4, for this scope:
     * "aws:amz:REGION:SERVICE". The query of the URL must be sorted and escaped already. */
    const char *scope;
};

struct hc_http_request {
    enum hc_http_method method;
    const char *url;                   /* copied, as all below */
    const char *content_type;          /* of the body, or NULL */
    const char *accept;                /* or NULL */
    const char *const *headers;        /* more of them, "Name: value"; ends with NULL; or NULL */
    const struct hc_http_login *login; /* or NULL */
    bool metadata; /* of a cloud's machine: http:// on its link-local addresses too; no proxy */
    struct hc_bytes body;
    const char *ca_bundle; /* PEM of roots, or NULL: the system's */
    size_t max_body;       /* 0: HC_HTTP_BODY_MAX */
    long timeout_ms;       /* 0: HC_HTTP_TIMEOUT_MS */
};

/* Valid during the callback only. Header values are as received, "" when absent. */
struct hc_http_reply {
    long status;
    const char *content_type;
    const char *location;
    const char *replay_nonce;
    const char *server;
    const char *www_authenticate;
    int64_t date;                /* the server's own time (Date), UTC; 0: none or unreadable */
    int64_t retry_after;         /* seconds from now, from either form; -1: none or unreadable */
    const struct hc_list *links; /* Link headers, one entry each, unparsed */
    struct hc_bytes body;
};

/*
 * Called once for each request, from the loop, never from hc_http_send(). Either reply is
 * set (any status) or err is, with a problem of the network: HC_P_FETCH_FAILED (no connection, or
 * no HTTP on it), HC_P_FETCH_TIMEOUT, HC_P_FETCH_UNTRUSTED, HC_P_FETCH_URL, HC_P_TOO_LARGE. Whose
 * problem that is, the caller says. HC_P_FILE_UNREADABLE: ca_bundle.
 */
typedef void hc_http_done(void *arg, const struct hc_http_reply *reply, const struct hc_error *err);

/* Port: what acme uses, so that tests can put a fake there. One thread. */
struct hc_http_port {
    void *self;
    /* Starts a request; *id (never 0) can cancel it. 0, or -1 with err and no callback. */
    int (*send)(void *self, const struct hc_http_request *request, hc_http_done *done, void *arg,
                uint64_t *id, struct hc_error *err);
    /* Ends a request without its callback. Unknown ids are ignored. */
    void (*cancel)(void *self, uint64_t id);
};

struct hc_http;
/*
 * *out is the caller's to hc_http_free(), before the loop, and not from a callback. Callbacks may
 * send and cancel.
 */
int hc_http_new(struct hc_loop *loop, const char *user_agent, struct hc_http **out,
                struct hc_error *err) HC_MUST_USE;
void hc_http_free(struct hc_http *http); /* requests in flight end without callbacks */
/* Its port, valid as long as the client. */
const struct hc_http_port *hc_http_port(struct hc_http *http);

/*
 * https:, or http: whose host is loopback (127/8, ::1, localhost); without user name, blanks and
 * control characters; at most HC_HTTP_URL_MAX bytes. HC_P_FETCH_URL. Any thread.
 */
int hc_http_check_url(const char *url, struct hc_error *err) HC_MUST_USE;

/*
 * The same, but http: is also fine for an address where clouds tell their machines who they are:
 * 169.254.0.0/16 and fd00:ec2::/32. HC_P_FETCH_URL. Any thread.
 */
int hc_http_check_metadata_url(const char *url, struct hc_error *err) HC_MUST_USE;

/* Of libcurl, as it runs. */
const char *hc_http_library_version(void);

#endif
