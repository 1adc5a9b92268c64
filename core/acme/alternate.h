/*
 * Alternate chains of one certificate (RFC 8555 section 7.4.2): which URLs lead to them, and where
 * a chain ends. Pure functions.
 */
#ifndef HC_ACME_ALTERNATE_H
#define HC_ACME_ALTERNATE_H

#include "net/http.h"

#define HC_ALTERNATES_MAX 8
#define HC_CHAIN_END      200 /* of a name as it is shown, with NUL */

/*
 * Appends the URLs of a reply's Link headers with rel="alternate", each once, at most
 * HC_ALTERNATES_MAX. Those that may not be asked at an issuer of this directory are left out.
 */
int hc_alternates_read(const struct hc_http_reply *reply, const char *directory_url,
                       const char *certificate_url, struct hc_list *urls,
                       struct hc_error *err) HC_MUST_USE;

/*
 * The common name of the issuer of the chain's topmost certificate, UTF-8, into cn; without one
 * "". False if that is no chain.
 */
bool hc_chain_end(struct hc_bytes pem, char cn[HC_CHAIN_END]);

#endif
