/*
 * Mending an incomplete chain from the URL that the certificates name (authority information
 * access, caIssuers; RFC 5280 section 4.2.2.1): everything but the fetch. The agent fetches, step
 * by step:
 *
 *   while the check finds no way to a trusted root, at most HC_REPAIR_STEPS times:
 *       hc_repair_url(pair, url) -> fetch -> hc_repair_take(pair, bytes, &better) -> check better
 *
 * What was fetched is hostile until it is shown to have signed what we hold. Any thread.
 */
#ifndef HC_PKI_REPAIR_H
#define HC_PKI_REPAIR_H

#include "pki/pair.h"

#define HC_AIA_URL_MAX  512
#define HC_REPAIR_STEPS (HC_CHAIN_MAX - 1) /* up the whole chain */
#define HC_REPAIR_BYTES ((size_t)64 << 10) /* of one reply */

/* The first http URL of caIssuers, printable and without user or fragment; false if there is none.
 */
bool hc_aia_url(X509 *cert, char url[HC_AIA_URL_MAX]);

/* Where the issuer of the last certificate of the pair's chain is to be had. */
bool hc_repair_url(const struct hc_pair *pair, char url[HC_AIA_URL_MAX]);

/*
 * A new pair with the missing issuer at the end of its chain, out of a reply: DER, PEM or PKCS#7.
 * The issuer must be a CA, must not be self-signed, and its key must verify the last certificate's
 * signature. subject: the URL, for errors. HC_P_UNTRUSTED_ROOT if the issuer there is a root: then
 * nothing is missing. HC_P_REPAIR_USELESS if nothing in there helps.
 */
int hc_repair_take(const struct hc_pair *pair, struct hc_bytes reply, const char *subject,
                   struct hc_pair **out, struct hc_error *err) HC_MUST_USE;

#endif
