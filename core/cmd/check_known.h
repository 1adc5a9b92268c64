/* Evidence of `hotcert check` that an issuer is missing and no root: the stores of this machine. */
#ifndef HC_CMD_CHECK_KNOWN_H
#define HC_CMD_CHECK_KNOWN_H

#include <openssl/x509.h>

#include "base/error.h"

/* Zeroed memory has read no store yet. */
struct hc_check_known {
    const char *secret; /* its file; NULL: the one beside each store */
    bool read;
    STACK_OF(X509) * issuers; /* below which stored certificates are; none is a root */
};

/* Reads this store, and no other. */
int hc_check_known_load(struct hc_check_known *known, const char *folder,
                        struct hc_error *err) HC_MUST_USE;

/*
 * Whether one of them has signed this certificate. Where no store was named it looks, when it is
 * first asked, into those at hand (stores.h).
 */
bool hc_check_known_issued(void *self, X509 *cert);
void hc_check_known_dispose(struct hc_check_known *known);

#endif
