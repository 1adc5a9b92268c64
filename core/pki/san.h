/*
 * Subject alternative names (RFC 5280 section 4.2.1.6): from and to lists of names in the form of
 * conf/name.h. Any thread; nothing is left on OpenSSL's error queue.
 */
#ifndef HC_PKI_SAN_H
#define HC_PKI_SAN_H

#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/str.h"

/* The most names of one certificate that are looked at; several hundred are seen. */
#define HC_SAN_MAX 5000

/* DNS and IP names; *out is the caller's to GENERAL_NAMES_free(). */
int hc_san_new(const struct hc_list *names, GENERAL_NAMES **out, struct hc_error *err) HC_MUST_USE;

/*
 * Adds the DNS and IP names of a certificate in lower case; what no host can be called is left
 * out, and so is the subject's common name, which no client of today looks at.
 */
int hc_san_of(X509 *cert, struct hc_list *names, struct hc_error *err) HC_MUST_USE;

#endif
