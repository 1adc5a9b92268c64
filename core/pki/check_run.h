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

/* hc_check_subject() of a certificate of this chain, or of its root. Returns dst. */
const struct hc_subject *hc_check_place(const struct hc_check_run *run, X509 *cert,
                                        struct hc_subject *dst);

/* check_leaf.c: names, usage, key, must-staple, SCTs, lifetime. Wants run->root. */
int hc_check_leaf(struct hc_check_run *run) HC_MUST_USE;

/* check_verify.c: the paths now, later and of old clients. Sets run->root. */
int hc_check_paths(struct hc_check_run *run) HC_MUST_USE;

#endif
