/* The first certificate; see first.h. */
#include "agent/first.h"

#include "conf/name.h"
#include "pki/swap.h"

static bool has(const struct hc_findings *findings, enum hc_problem problem)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].problem == problem) {
            return true;
        }
    }
    return false;
}

static bool is_trusted(const struct hc_findings *findings)
{
    return !has(findings, HC_P_SELF_SIGNED) && !has(findings, HC_P_UNTRUSTED_ROOT);
}

enum hc_first hc_first_decide(const struct hc_first_side *lines,
                              const struct hc_first_side *obtained, bool own,
                              const struct hc_list *accept)
{
    struct hc_swap_case c = {.current = &lines->findings,
                             .candidate = &obtained->findings,
                             .current_left = lines->left,
                             .current_life = lines->life,
                             .accept = accept};
    const struct hc_finding *why = NULL;

    if (!lines->there) {
        return HC_FIRST_OBTAINED;
    }
    if (!obtained->there) {
        return HC_FIRST_ALONE;
    }
    if (lines->left <= 0 || hc_findings_worst(&lines->findings) == HC_CLASS_UNUSABLE) {
        return HC_FIRST_OBTAINED;
    }
    if (obtained->left <= 0) {
        return HC_FIRST_OUTLASTED;
    }
    if (!is_trusted(&lines->findings)) {
        return HC_FIRST_OBTAINED;
    }
    if (!is_trusted(&obtained->findings)) {
        return HC_FIRST_TRUSTED;
    }
    if (!own) {
        return HC_FIRST_ALONE;
    }
    return hc_swap_decide(&c, &why) == HC_SWAP_TAKE ? HC_FIRST_OBTAINED : HC_FIRST_BETTER;
}

int64_t hc_first_until(const struct hc_bundle *bundle)
{
    int64_t until = 0;

    for (size_t i = 0; bundle != NULL && i < hc_bundle_count(bundle); i++) {
        int64_t ends = hc_pair_not_after(hc_bundle_pair(bundle, i));

        until = until == 0 || ends < until ? ends : until;
    }
    return until;
}

/* What an own pair does not cover was left out on purpose, which is no flaw of it. */
static int left_out_of(const struct hc_identity *identity, const struct hc_pair *pair,
                       struct hc_list *out, struct hc_error *err)
{
    for (size_t i = 0; i < identity->names.count; i++) {
        if (!hc_name_among(hc_pair_names(pair), identity->names.items[i]) &&
            hc_list_add(out, identity->names.items[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int judge_side(struct hc_judge *judge, const struct hc_judge_case *how,
                      const struct hc_bundle *bundle, bool own, struct hc_first_side *side,
                      struct hc_error *err)
{
    int rc = 0;

    side->left = hc_first_until(bundle) - how->now;
    for (size_t i = 0; rc == 0 && i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);
        struct hc_list left_out = {NULL, 0, 0};
        struct hc_judge_case c = *how;

        c.left_out = own ? &left_out : NULL;
        if (hc_pair_not_after(pair) - how->now == side->left) {
            side->life = hc_pair_not_after(pair) - hc_pair_not_before(pair);
        }
        if (own) {
            rc = left_out_of(how->identity, pair, &left_out, err);
        }
        if (rc == 0 && judge != NULL) {
            rc = hc_judge_pair(judge, &c, pair, &side->findings, err);
        }
        hc_list_dispose(&left_out);
    }
    return rc;
}

int hc_first_choose(struct hc_judge *judge, const struct hc_first_case *c, enum hc_first *choice,
                    struct hc_error *err)
{
    struct hc_judge_case how = {.identity = c->identity, .now = c->now};
    struct hc_first_side lines = {.there = c->lines != NULL};
    struct hc_first_side obtained = {.there = c->obtained != NULL};
    int rc = -1;

    *choice = HC_FIRST_OBTAINED;
    if ((!lines.there || judge_side(judge, &how, c->lines, false, &lines, err) == 0) &&
        (!obtained.there || judge_side(judge, &how, c->obtained, c->own, &obtained, err) == 0)) {
        *choice = hc_first_decide(&lines, &obtained, c->own, &c->identity->set->accept);
        rc = 0;
    }
    hc_findings_dispose(&lines.findings);
    hc_findings_dispose(&obtained.findings);
    return rc;
}
