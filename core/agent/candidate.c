/* What watched files hold now; see candidate.h. */
#include "agent/candidate.h"

#include "pki/swap.h"

int hc_candidate_weigh(struct hc_candidate *candidate, const struct hc_candidate_case *c,
                       struct hc_error *err)
{
    const struct hc_identity *identity = c->identity;
    struct hc_findings current = {NULL, 0, 0};
    struct hc_judge_case of_serving = {.identity = identity, .now = c->now};
    struct hc_judge_case how = {.identity = identity,
                                .key_path = c->conf->files.items[c->watched->key],
                                .key_stamp = &candidate->files.stamps[HC_FILES_KEY],
                                .now = c->now};
    /* what the operator starts with counts; a reload or a new agent is no such word */
    struct hc_swap_case swap = {.candidate = &candidate->findings,
                                .accept = &identity->set->accept,
                                .operator_stated = c->serving != NULL &&
                                                   hc_pair_equal(c->serving, candidate->pair)};
    const struct hc_finding *why = NULL;
    int rc = -1;

    if (hc_judge_pair(c->judge, &how, candidate->pair, &candidate->findings, err) != 0) {
        goto out;
    }
    candidate->judged = hc_findings_worst(&candidate->findings) != HC_CLASS_UNUSABLE;
    if (c->serving != NULL) {
        if (hc_judge_pair(c->judge, &of_serving, c->serving, &current, err) != 0) {
            goto out;
        }
        swap.current = &current;
        swap.current_left = hc_pair_not_after(c->serving) - c->now;
        swap.current_life = hc_pair_not_after(c->serving) - hc_pair_not_before(c->serving);
    }
    if (hc_swap_decide(&swap, &why) == HC_SWAP_TAKE) {
        rc = 0;
        goto out;
    }
    candidate->held = why != NULL && why->rank != HC_CLASS_UNUSABLE;
    if (why != NULL) {
        hc_files_fault(c->conf, c->watched, why, err);
    }
    hc_error_set(err, HC_P_INTERNAL, how.key_path, "the rule gave no reason");
out:
    hc_findings_dispose(&current);
    return rc;
}

void hc_candidate_dispose(struct hc_candidate *candidate)
{
    hc_pair_free(candidate->pair);
    candidate->pair = NULL;
    hc_findings_dispose(&candidate->findings);
    hc_files_dispose(&candidate->files);
}
