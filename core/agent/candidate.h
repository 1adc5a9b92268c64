/*
 * What watched files hold now, and whether it may take the place of what serves.
 */
#ifndef HC_AGENT_CANDIDATE_H
#define HC_AGENT_CANDIDATE_H

#include "agent/files.h"
#include "agent/judge.h"

/* Zeroed memory is empty. */
struct hc_candidate {
    struct hc_files files;
    struct hc_pair *pair;
    struct hc_findings findings;
    bool held;   /* it could be served, but the one that serves is better */
    bool judged; /* nothing makes it unusable */
};

/* What it is weighed by; all borrowed. */
struct hc_candidate_case {
    const struct hc_conf *conf;
    struct hc_judge *judge;
    const struct hc_identity *identity;
    const struct hc_watched *watched;
    struct hc_pair *serving; /* NULL: nothing */
    int64_t now;
};

/* By the rule of pki/swap.h. 0: it may, -1: err is what speaks against it. */
int hc_candidate_weigh(struct hc_candidate *candidate, const struct hc_candidate_case *c,
                       struct hc_error *err) HC_MUST_USE;

void hc_candidate_dispose(struct hc_candidate *candidate);

#endif
