/*
 * Completes the chain of a leaf from elsewhere than its own file: as httpd does it with
 * SSLCertificateChainFile, and as OpenSSL does it by itself with the CA certificates of a server,
 * where a certificate stands alone in its file. Any thread.
 */
#ifndef HC_PKI_COMPLETE_H
#define HC_PKI_COMPLETE_H

#include "base/finding.h"
#include "pki/pair.h"

/*
 * Appends to chain (the leaf's issuers so far) those that more has: first of the chain file, then,
 * if there is still no issuer at all, of the store. Never a root. subject is the certificate
 * file's name in findings: what comes from the store is a remark. A chain file that holds a
 * damaged certificate is unusable, as it is for httpd.
 */
int hc_chain_complete(X509 *leaf, STACK_OF(X509) * chain, const struct hc_pair_more *more,
                      const char *subject, struct hc_findings *findings,
                      struct hc_error *err) HC_MUST_USE;

#endif
