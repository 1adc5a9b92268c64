/* What OpenSSL says of a failure, as an error of ours. */
#ifndef HC_PKI_OPENSSL_H
#define HC_PKI_OPENSSL_H

#include "base/error.h"

/*
 * As hc_error_set(); takes the oldest entry of OpenSSL's queue into the detail, empties the queue.
 * HC_P_TLS_LIBRARY if p is HC_P_NONE. Any thread.
 */
int hc_error_set_openssl(struct hc_error *err, enum hc_problem p, const char *subject,
                         const char *fmt, ...) HC_FORMAT(4, 5);

#endif
