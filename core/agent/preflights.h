/*
 * The preflights of identities' names: which are under way, for which issuer the latest one was,
 * whether it still counts, and what it ruled out. preflight_run.h runs one; outlooks.h hears how it
 * ended, and says when the next is due.
 *
 * Hears STORE_CLOSING and CLOCK_SET.
 */
#ifndef HC_AGENT_PREFLIGHTS_H
#define HC_AGENT_PREFLIGHTS_H

#include "agent/answers.h"
#include "agent/cas.h"
#include "agent/ruled_out.h"
#include "net/web.h"

#define HC_PREFLIGHTS_MOST 32 /* side by side */

struct hc_responder;
struct hc_preflights;

struct hc_preflights_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_answers *answers;
    const struct hc_responder *responder;
    const struct hc_dns_port *dns;       /* NULL: names are not checked */
    struct hc_anchors *anchors;          /* of DNSSEC; NULL: it is not validated */
    const struct hc_ranges *ranges;      /* of CDNs; NULL: not known */
    const struct hc_web_port *web;       /* NULL: no request is made by a preflight */
    const struct hc_handshake_port *tls; /* NULL: nor is a handshake */
};

/* index: of an identity under `on`, here and below. */
typedef void hc_preflights_done(void *self, size_t index, const struct hc_preflight_result *result);

int hc_preflights_new(const struct hc_preflights_options *options, struct hc_preflights **out,
                      struct hc_error *err) HC_MUST_USE;
void hc_preflights_free(struct hc_preflights *preflights); /* NULL is fine */
/* Who is told of each preflight that ends; one alone. NULL: nobody. */
void hc_preflights_tell(struct hc_preflights *preflights, hc_preflights_done *done, void *self);

/* False: nothing to ask the DNS with. */
bool hc_preflights_are_possible(const struct hc_preflights *preflights);
/* True if this identity's names are checked before an order. */
bool hc_preflights_are_made(const struct hc_preflights *preflights, size_t index);
/* True if its names were checked lately, for this issuer (NULL: none yet); or need not be. */
bool hc_preflights_are_fresh(const struct hc_preflights *preflights, size_t index,
                             const struct hc_ca *ca);
/* True if the latest one was for this issuer, however long ago. */
bool hc_preflights_were_for(const struct hc_preflights *preflights, size_t index,
                            const struct hc_ca *ca);
/* For whom its names were checked last, or NULL. */
struct hc_ca *hc_preflights_latest(const struct hc_preflights *preflights, size_t index);
/* What the latest one rules out; NULL: it was for another issuer. Valid until the next. */
const struct hc_ruled_out *hc_preflights_ruled_out(const struct hc_preflights *preflights,
                                                   size_t index, const struct hc_ca *ca);

bool hc_preflights_is_running(const struct hc_preflights *preflights, size_t index);
/* How many are under way. */
size_t hc_preflights_running(const struct hc_preflights *preflights);
/* Starts one. One that is under way is fine. */
int hc_preflights_start(struct hc_preflights *preflights, size_t index, struct hc_ca *ca,
                        struct hc_error *err) HC_MUST_USE;
/* The names are checked anew before the next order. */
void hc_preflights_forget(struct hc_preflights *preflights, size_t index);

#endif
