/*
 * What people and programs want to know of one certificate (RFC 5280). Any thread; nothing is left
 * on OpenSSL's error queue.
 */
#ifndef HC_PKI_CERT_H
#define HC_PKI_CERT_H

#include <openssl/x509.h>

#include "base/compiler.h"
#include "base/error.h"

#define HC_CERT_LABEL  128
#define HC_CERT_SERIAL 129 /* 64 bytes in hex; RFC 5280 allows 20 */

/* The common name, else the organisation, else the first subject name, else "(no name)". Raw. */
char *hc_cert_label(X509 *cert, char dst[HC_CERT_LABEL]);
/* The same of its issuer. */
char *hc_cert_issuer_label(X509 *cert, char dst[HC_CERT_LABEL]);

/* Lower-case hex, cut at 64 bytes. */
char *hc_cert_serial(X509 *cert, char dst[HC_CERT_SERIAL]);

/* notBefore and notAfter. */
int hc_cert_dates(X509 *cert, int64_t *not_before, int64_t *not_after,
                  struct hc_error *err) HC_MUST_USE;

/* Signed with its own key: never judged by name alone. */
bool hc_cert_self_signed(X509 *cert);

/* True if issuer's name, identifiers and key usage fit, and its key verifies cert's signature. */
bool hc_cert_issued(X509 *issuer, X509 *cert);

/* Signed with SHA-1, MD5 or something as old; an algorithm that is not known is not weak. */
bool hc_cert_signature_is_weak(X509 *cert);

/* "RSA 2048", "ECDSA P-256", "Ed25519"; for sentences. */
#define HC_KEY_LABEL 64
char *hc_key_label(EVP_PKEY *key, char dst[HC_KEY_LABEL]);

#endif
