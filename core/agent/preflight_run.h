/*
 * One preflight of an identity's names before an order (preflight/preflight.h), with a token, and
 * proofs of the names, of our own that all servers on this store show: what a CA would find over
 * HTTP and TLS.
 */
#ifndef HC_AGENT_PREFLIGHT_RUN_H
#define HC_AGENT_PREFLIGHT_RUN_H

#include "agent/answers.h"
#include "agent/cas.h"
#include "agent/responder.h"
#include "net/web.h"
#include "preflight/preflight.h"

struct hc_preflight_run;

struct hc_preflight_run_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_answers *answers;
    const struct hc_responder *responder;
    const struct hc_dns_port *dns;
    struct hc_anchors *anchors;          /* of DNSSEC; NULL: it is not validated */
    const struct hc_ranges *ranges;      /* of CDNs; NULL: not known */
    const struct hc_web_port *web;       /* NULL: no request is made */
    const struct hc_handshake_port *tls; /* NULL: no handshake is made */
    const struct hc_identity *identity;
    const struct hc_ca *ca; /* the one that would be asked */
    size_t index;           /* of the identity, for done */
    void *self;
    /* once; may free the run */
    void (*done)(void *self, size_t index, const struct hc_preflight_result *result);
};

int hc_preflight_run_start(const struct hc_preflight_run_options *options,
                           struct hc_preflight_run **out, struct hc_error *err) HC_MUST_USE;
/* Also while it is under way; then nobody is told. NULL is fine. */
void hc_preflight_run_free(struct hc_preflight_run *run);

#endif
