/* Between the files of the check (check*.c); not for others. */
#ifndef HC_PKI_CHECK_RUN_H
#define HC_PKI_CHECK_RUN_H

#include "pki/cert.h"
#include "pki/check.h"

/* One judgement under way. */
struct hc_check_run {
    X509 *leaf;
    STACK_OF(X509) * chain; /* may be NULL */
    const struct hc_check *how;
    struct hc_findings *findings;
    struct hc_error *err;
    X509 *root; /* that a path was found to; borrowed from the store; NULL: none */
};

#define HC_CHECK_PLACE (HC_CERT_LABEL + 32)

/* "certificate 2 (R11)" as served, "root (ISRG Root X1)" if it is not served. */
char *hc_check_place(const struct hc_check_run *run, X509 *cert, char dst[HC_CHECK_PLACE]);

/* check_leaf.c: names, usage, key, must-staple, SCTs, lifetime. Wants run->root. */
int hc_check_leaf(struct hc_check_run *run) HC_MUST_USE;

/* check_verify.c: the paths now, later and of old clients. Sets run->root. */
int hc_check_paths(struct hc_check_run *run) HC_MUST_USE;

#endif
