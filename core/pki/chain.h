/*
 * From the certificates of a file to the chain that is served: leaf first, then exactly the issuers
 * it needs, in order; no root, no strangers, no duplicates. Each thing that the file had
 * differently is a remark. Any thread.
 */
#ifndef HC_PKI_CHAIN_H
#define HC_PKI_CHAIN_H

#include "base/finding.h"
#include "pki/pem.h"

/*
 * The leaf: the certificate that key belongs to; the first one that is no CA, if several do. A CA
 * certificate is it only if it is the file's first. -1 if there is none.
 */
int hc_chain_leaf(const struct hc_pem_cert *certs, size_t count, EVP_PKEY *key);

/* Certificates as a file or a server has them. */
struct hc_chain_source {
    const struct hc_pem_cert *certs;
    size_t count;
    size_t leaf;         /* which of them */
    const char *subject; /* the file's name in findings; NULL: what came over the wire, positions
                          * are given instead of lines */
};

/*
 * Appends the leaf's issuers to chain (references are taken). Where one issuer is there twice (the
 * same name and key, other dates), the one that ends last is taken.
 */
int hc_chain_build(const struct hc_chain_source *source, STACK_OF(X509) * chain,
                   struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/*
 * True if the chain that was built ends below a gap: its last certificate is no root, its issuer is
 * not in the file, and the file holds CA certificates that are none of what is served.
 */
bool hc_chain_goes_on(const struct hc_pem_cert *certs, size_t count, X509 *leaf,
                      STACK_OF(X509) * chain);

#endif
