/*
 * The preflight: a check of every name of an order before the CA is asked. Does the name exist,
 * where do its addresses lead, does CAA (RFC 8659, RFC 8657) let this issuer in, and does a
 * request for http-01 come back with our own answer. None of it spends an attempt at the CA.
 *
 * Asynchronous, a guest of the loop, never blocking. done() is called from there, once, and only
 * after every name has its verdict; it is bounded (HC_PREFLIGHT_DNS_MS for the lookups,
 * HC_PREFLIGHT_FETCH_MS for the requests after them, and HC_REQUEST_FETCH_MS for the last of
 * those).
 *
 *     hc_resolver_new(&ropt, &resolver, &err);               (one a process; dns/resolver.h)
 *     hc_preflight_start(&options, &preflight, &err);
 *     hc_loop_run(loop, &ended, &err);
 *     done(self, result): result->names[i].leave_out, .verdict, .findings;
 *           hc_preflight_free(preflight) may be called from within
 */
#ifndef HC_PREFLIGHT_PREFLIGHT_H
#define HC_PREFLIGHT_PREFLIGHT_H

#include "base/finding.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "conf/conf.h"
#include "dns/anchors.h"
#include "dns/dnssec.h"
#include "dns/domain.h"
#include "dns/resolver.h"
#include "loop/loop.h"
#include "net/handshake.h"
#include "net/web.h"
#include "preflight/ranges.h"

#define HC_PREFLIGHT_DNS_MS   9500  /* all lookups of a name, and of all names: side by side */
#define HC_PREFLIGHT_FETCH_MS 10000 /* all requests have begun by then, after the lookups */

enum hc_preflight_verdict {
    HC_PREFLIGHT_READY,      /* nothing stands against it; remarks are possible */
    HC_PREFLIGHT_WOULD_FAIL, /* a CA that sees what we see refuses */
    HC_PREFLIGHT_UNKNOWN,    /* a lookup failed (time-out, SERVFAIL): neither can be said */
};

/* "ready", "would-fail", "unknown"; never NULL. Any thread. */
const char *hc_preflight_verdict_name(enum hc_preflight_verdict verdict);

/* What was found about one name. Valid during done(). */
struct hc_preflight_name {
    const char *name;
    enum hc_preflight_verdict verdict;
    /*
     * True only if the name consistently does not exist, or a CAA set forbids this issuer: what
     * leaves a name out of an order (hotcert_bad_names leave-out). All else is a warning beside it.
     */
    bool leave_out;
    enum hc_problem cause;       /* the finding that decided, HC_P_NONE when ready */
    struct hc_findings findings; /* subject: the name; owned by the preflight, may be taken */
    struct hc_list ruled_out;    /* methods that would fail as things are */
    enum hc_dnssec dnssec;       /* the worst of all answers; PENDING: none was looked at */
    struct hc_list seen;         /* what was seen, in presentation form, for the tree report */
};

struct hc_preflight_result {
    struct hc_preflight_name *names; /* in the order of options.names */
    size_t count;
};

typedef void hc_preflight_done(void *self, const struct hc_preflight_result *result);

/* All pointers are borrowed until hc_preflight_start() returns, but for the ports. */
struct hc_preflight_options {
    const struct hc_list *names; /* normalised; wildcards with their "*." */
    const struct hc_list
        *caa_domains; /* the issuer's caaIdentities; empty or NULL: CAA is not judged */
    const struct hc_list *methods; /* words of conf/method.h: what may be used */
    const char *account_uri;       /* or NULL: not known yet */
    const struct hc_list *targets; /* host, where its challenge record must lead by CNAME, host ..;
                                      or NULL: not known */
    /*
     * For who asks without knowing who will order (`hotcert diagnose`): URL, store, URL, store ..
     * of the accounts that are at hand, maybe none. A set that names an account is compared with
     * them then, and decides nothing when there are none. NULL: it is a remark.
     */
    const struct hc_list *accounts;
    enum hc_network network;   /* the issuer's; AUTO: by where its directory is */
    const char *directory_url; /* for AUTO; may be NULL: public */
    int64_t http_port;         /* where a private CA asks; 0: 80 */
    int64_t tls_port;          /* and where it follows redirects to, beside 443; 0: 443 */
    /*
     * http-01: a token of our own and its answer, which this machine's servers give now (the
     * caller publishes it before and withdraws it after). Both NULL: nothing of ours answers yet
     * (`hotcert diagnose`); then any HTTP reply will do.
     */
    const char *token;
    const char *answer;
    /* What our own DNS server answers for, if DNS proves the names by it; or NULL. A port, too. */
    const struct hc_dns_domain *responder;
    const struct hc_web_port *web; /* NULL: no request is made */
    /*
     * tls-alpn-01: whether this machine's servers show a proof of each name now; if not, a server
     * that refuses the handshake as they do will do.
     */
    bool proofs;
    const struct hc_handshake_port *tls; /* NULL: no handshake is made */
    const struct hc_dns_port *dns;       /* hc_resolver_port() */
    /* What DNSSEC is validated by; NULL: it is not. For a CA inside the network only if the
     * operator named the file: a network may have a root of its own. A port, too. */
    struct hc_anchors *anchors;
    const struct hc_ranges *ranges; /* of CDNs; NULL: not known. As a port */
    struct hc_loop *loop;           /* outlives it; its clock is used */
    const struct hc_log *log;       /* or NULL */
    const struct hc_list *own; /* this machine's addresses as text; NULL: getifaddrs(). Where that
                                * is forbidden, it is not told which names lead here. */
    void *self;
    hc_preflight_done *done;
};

struct hc_preflight;

/* The one account of such a list, which several stores may have; NULL: none, or several. */
const char *hc_preflight_sole_account(const struct hc_list *accounts);

/* Starts; done() is never called from within. */
int hc_preflight_start(const struct hc_preflight_options *options, struct hc_preflight **out,
                       struct hc_error *err) HC_MUST_USE;

/* Ends it without done(); NULL is fine. */
void hc_preflight_free(struct hc_preflight *preflight);

#endif
