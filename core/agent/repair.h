/*
 * hc_repairs: the issuers that chains lack, at hand or being fetched (hotcert_repair aia). Whoever
 * has an incomplete chain asks hc_repairs_complete(): what is at hand is put to it at once; what
 * is not is fetched in the background, and arrived() tells when it is worth while to ask again.
 *
 * A fetch is a plain GET of an http URL on port 80 from a certificate of ours (RFC 5280 section
 * 4.2.2.1), of at most HC_REPAIR_BYTES, within HC_REPAIR_MS, over at most HC_REPAIR_HOPS redirects.
 * Each hop's host is looked up by us, its addresses are vetted as public (RFC 6890), and the
 * connection goes to just that address. What comes is kept only if it signed what we hold.
 *
 * One thread, never blocks.
 */
#ifndef HC_AGENT_REPAIR_H
#define HC_AGENT_REPAIR_H

#include "agent/repair_issuer.h"

struct hc_repairs;

int hc_repairs_new(const struct hc_repairs_options *options, struct hc_repairs **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_repairs_free(struct hc_repairs *repairs); /* fetches end; NULL is fine */

/*
 * While incomplete(arg, pair) holds, puts the next issuer to the pair, HC_REPAIR_STEPS at most.
 * The result is a new reference: to a better pair, or to pair itself. NULL only without memory.
 */
struct hc_pair *hc_repairs_complete(struct hc_repairs *repairs, struct hc_pair *pair,
                                    bool (*incomplete)(void *arg, const struct hc_pair *pair),
                                    void *arg);

/* Goes on with what is fetched; the milliseconds until the next time, -1: nothing is due. */
int64_t hc_repairs_run(struct hc_repairs *repairs);

#endif
