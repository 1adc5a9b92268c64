/*
 * The rule of when a candidate replaces the pair that is being served; docs/checks.md tells it in
 * prose. A pure function. Any thread.
 */
#ifndef HC_PKI_SWAP_H
#define HC_PKI_SWAP_H

#include "base/finding.h"
#include "base/str.h"

enum hc_swap {
    HC_SWAP_TAKE,   /* serve the candidate */
    HC_SWAP_HOLD,   /* keep the current pair: the candidate brings a flaw that it does not have */
    HC_SWAP_REFUSE, /* the candidate can never be served */
};

struct hc_swap_case {
    const struct hc_findings *current; /* NULL: none is served, or the bootstrap certificate */
    const struct hc_findings *candidate;
    int64_t current_left;         /* seconds until the current pair expires; may be < 0 */
    int64_t current_life;         /* its notAfter - notBefore, seconds */
    const struct hc_list *accept; /* slugs of hotcert_accept; or NULL */
    bool operator_stated;         /* the server was started with this candidate */
};

/*
 * Never if unusable. Otherwise yes, unless it brings a flaw that the current pair does not have
 * while more than a tenth of the current one's life is left; untrusted-root, scts-few, must-staple,
 * expires-soon and what accept names never hold it back; nor does anything if the operator stated
 * it. A name that is not covered is a flaw for itself. *why is the finding that decided against it
 * (borrowed from candidate), or NULL.
 */
enum hc_swap hc_swap_decide(const struct hc_swap_case *c, const struct hc_finding **why);

#endif
