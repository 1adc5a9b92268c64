/*
 * Sharing of intermediates: thousands of leaves hang below a handful of issuers. A small cache of
 * this process hands out one X509 for equal bytes, which saves parsing and memory in workers.
 * Any thread (a mutex). What it holds is bounded; nothing depends on whether it hits.
 */
#ifndef HC_PKI_INTERN_H
#define HC_PKI_INTERN_H

#include <openssl/x509.h>

#include "base/error.h"

/* The certificate of these bytes, which it must fill; *out is the caller's to X509_free(). */
int hc_intern_cert(const unsigned char *der, size_t len, X509 **out,
                   struct hc_error *err) HC_MUST_USE;

/* Gives the cache's references back; for tests. */
void hc_intern_clear(void);

#endif
