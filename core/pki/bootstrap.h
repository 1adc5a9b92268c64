/*
 * Bootstrap certificates of many hosts, for a server that looks at what it starts with: httpd warns
 * of a certificate without the host's own name, and its stapling of one without an issuer. One key
 * signs all of them, and is theirs too, since nobody trusts them: a key for each host was a quarter
 * of what a start with a thousand hosts cost. One thread.
 */
#ifndef HC_PKI_BOOTSTRAP_H
#define HC_PKI_BOOTSTRAP_H

#include <stdbool.h>

#include "base/buf.h"

struct hc_bootstraps;

int hc_bootstraps_new(struct hc_bootstraps **out, struct hc_error *err) HC_MUST_USE;

/*
 * Appends to out, which should be a secret one, a pair as hc_pair_bootstrap() makes it, in PEM:
 * leaf, chain, key. name is the leaf's one name (NULL, an address or no host name at all: none);
 * with issuer, a throw-away one stands in the chain.
 */
int hc_bootstraps_pem(struct hc_bootstraps *b, const char *name, bool issuer, struct hc_buf *out,
                      struct hc_error *err) HC_MUST_USE;

void hc_bootstraps_free(struct hc_bootstraps *b);

#endif
