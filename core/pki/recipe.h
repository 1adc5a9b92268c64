/*
 * Self-signed certificates that are made here: what differs between them. No certificate of a
 * site's is ever made this way.
 */
#ifndef HC_PKI_RECIPE_H
#define HC_PKI_RECIPE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

struct hc_recipe {
    const char *subject; /* common names; 64 characters at most */
    const char *issuer;
    const char *constraints;     /* basicConstraints, as OpenSSL's configuration has it */
    const struct hc_list *names; /* conf/name.h; NULL: none */
    const char *extra;           /* the object identifier of one extension more; NULL: none */
    const char *extra_value;     /* of it, as OpenSSL's configuration has it */
    long life;                   /* seconds, of which the first day is over already */
};

/* A certificate of this key, signed by it; the caller's. NULL: OpenSSL's queue says why. */
X509 *hc_recipe_make(EVP_PKEY *key, const struct hc_recipe *recipe);

/* Makes of it, at a fifth of the time, a certificate of another recipe that differs in issuer and
 * names alone; it gets another serial number. False: it is good for nothing any more. */
bool hc_recipe_change(X509 *cert, EVP_PKEY *key, const struct hc_recipe *recipe);

#endif
