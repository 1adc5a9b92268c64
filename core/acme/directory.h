/* The ACME directory, RFC 8555 section 7.1.1: fetched, read and checked. */
#ifndef HC_ACME_DIRECTORY_H
#define HC_ACME_DIRECTORY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "net/http.h"

/* Zeroed memory is an empty one. */
struct hc_directory {
    char *new_nonce;
    char *new_account;
    char *new_order;
    char *renewal_info;      /* RFC 9773; NULL: the CA has none */
    char *terms;             /* meta.termsOfService, escaped, or NULL */
    bool external_account;   /* meta.externalAccountRequired */
    struct hc_list caa;      /* meta.caaIdentities */
    struct hc_list profiles; /* meta.profiles: their names (draft-ietf-acme-profiles) */
};

/*
 * Reads a directory that came from url. Every URL in it is checked as handed out. HC_P_CA_REPLY,
 * HC_P_CA_URL; *out is then empty.
 */
int hc_directory_parse(struct hc_bytes text, const char *url, struct hc_directory *out,
                       struct hc_error *err) HC_MUST_USE;

void hc_directory_dispose(struct hc_directory *directory);

/* Told once: either directory is set, and its content the callee's to take, or err is. */
typedef void hc_directory_done(void *arg, struct hc_directory *directory,
                               const struct hc_error *err);

/*
 * A directory on its way. Redirects are followed while they stay at the server that directory_url
 * names (scheme, host and port); another server is an error that names it (HC_P_CA_MOVED): whom a
 * machine trusts with its certificates is the operator's to say. Zeroed memory: none under way.
 */
struct hc_directory_fetch {
    const struct hc_http_port *http; /* borrowed until it is done, as all that is not copied */
    const struct hc_log *log;        /* or NULL */
    const char *url;                 /* the directory_url */
    const char *ca_bundle;           /* or NULL */
    long timeout_ms;                 /* of each request; 0: the usual one */
    hc_directory_done *done;
    void *arg;
    uint64_t id; /* of the request under way; 0: none */
    unsigned hops;
    char asked[HC_HTTP_URL_MAX + 1];
};

/* Starts it: http .. arg are filled in. 0, or -1 with err and no callback. */
int hc_directory_fetch_start(struct hc_directory_fetch *fetch, struct hc_error *err) HC_MUST_USE;
/* Ends it without its callback; does nothing if none is under way. */
void hc_directory_fetch_cancel(struct hc_directory_fetch *fetch);

#endif
