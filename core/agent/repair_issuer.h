/*
 * One issuer that a chain lacks, by its URL: at hand, or being fetched. See repair.h for the rules
 * of a fetch.
 */
#ifndef HC_AGENT_REPAIR_ISSUER_H
#define HC_AGENT_REPAIR_ISSUER_H

#include "base/address.h"
#include "base/kept_error.h"
#include "base/log.h"
#include "base/time.h"
#include "dns/resolver.h"
#include "net/fetch.h"
#include "net/web.h"
#include "pki/repair.h"

#define HC_REPAIR_ADDRESSES 4     /* of a host that are tried */
#define HC_REPAIR_MS        10000 /* for one issuer, redirects and look-ups included */
#define HC_REPAIR_HOPS      3
#define HC_REPAIR_ISSUERS   64 /* URLs that are remembered; then no new ones are fetched */

/* What all of them are given. */
struct hc_repairs_options {
    const struct hc_dns_port *dns; /* borrowed, as all below */
    const struct hc_web_port *web;
    const struct hc_clock *clock;
    const struct hc_log *log;
    void *self;
    /* What was kept for this URL; false if there is nothing. */
    bool (*load)(void *self, const char *url, struct hc_buf *out);
    /* Keeps what came; it may be lost again. */
    void (*keep)(void *self, const char *url, struct hc_bytes bytes);
    /* An issuer came. Called from hc_repairs_run(). */
    void (*arrived)(void *self);
    /* hc_repairs_run() has something to do. NULL: it is called often enough. */
    void (*stirred)(void *self);
};

enum hc_repair_state {
    HC_REPAIR_KEPT,    /* its bytes are at hand */
    HC_REPAIR_BEGIN,   /* the host of url is to be looked up */
    HC_REPAIR_LOOKUP,  /* A and AAAA are asked */
    HC_REPAIR_CONNECT, /* the next address is to be tried */
    HC_REPAIR_FETCH,   /* a request is in flight */
    HC_REPAIR_CAME,    /* arrived() is to be called */
    HC_REPAIR_FAILED,  /* not before again_ms */
};

struct hc_repair_issuer {
    struct hc_repair_issuer *next;
    const struct hc_repairs_options *o;
    char url[HC_AIA_URL_MAX];
    struct hc_pair *pair; /* that misses it: what comes must have signed its last certificate */
    struct hc_buf bytes;
    enum hc_repair_state state;
    int64_t deadline_ms;
    int64_t again_ms;
    int64_t pause_ms;
    /* where it is now */
    char hop[HC_HTTP_URL_MAX + 1];
    unsigned hops;
    struct hc_fetch_target target;
    uint64_t ask[2]; /* A, AAAA; 0: not in flight */
    struct hc_address addresses[HC_REPAIR_ADDRESSES];
    size_t address_count;
    size_t next_address;
    uint64_t request;
    struct hc_kept_error err; /* the last thing that went wrong */
};

/* Fetches it, if it is not at hand and the pause after a failure is over. pair: that lacks it. */
void hc_repair_issuer_want(struct hc_repair_issuer *i, struct hc_pair *pair, int64_t now_ms);
/* Goes on with the fetch. True if anything changed. */
bool hc_repair_issuer_step(struct hc_repair_issuer *i, int64_t now_ms);
void hc_repair_issuer_free(struct hc_repair_issuer *i); /* a fetch ends */

#endif
