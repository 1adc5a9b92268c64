/* The rule of when a candidate replaces the current pair, as a table. */
#include "pki/swap.h"
#include "tap.h"

#define LIFE 9000 /* seconds; a tenth is 900 */

struct flaw {
    enum hc_problem problem;
    const char *subject;
};

/* HC_P_NONE ends a list; current[0] of HC_P_COUNT: nothing is served. */
static const struct {
    const char *name;
    struct flaw current[3];
    struct flaw candidate[3];
    int64_t left;
    const char *accept;
    bool stated;
    enum hc_swap want;
    enum hc_problem why;
} cases[] = {
    {"fit for fit", {{0}}, {{0}}, 8000, NULL, false, HC_SWAP_TAKE, HC_P_NONE},
    {"remarks do not count",
     {{0}},
     {{HC_P_CHAIN_ORDER, "a"}, {HC_P_PEM_NOISE, "b"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"a new flaw is held back",
     {{0}},
     {{HC_P_CHAIN_INCOMPLETE, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_CHAIN_INCOMPLETE},
    {"an expired candidate is held back",
     {{0}},
     {{HC_P_EXPIRED, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_EXPIRED},
    {"the same flaw at another place is no new one",
     {{HC_P_CHAIN_INCOMPLETE, "x"}},
     {{HC_P_CHAIN_INCOMPLETE, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"one flaw mended, another brought",
     {{HC_P_CHAIN_INCOMPLETE, "x"}},
     {{HC_P_KEY_WEAK, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_KEY_WEAK},
    {"flawed for nothing",
     {{HC_P_COUNT, ""}},
     {{HC_P_EXPIRED, "a"}},
     0,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"fit for flawed", {{HC_P_EXPIRED, "x"}}, {{0}}, -100, NULL, false, HC_SWAP_TAKE, HC_P_NONE},
    {"just above the last tenth it is held back",
     {{0}},
     {{HC_P_CHAIN_INCOMPLETE, "a"}},
     901,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_CHAIN_INCOMPLETE},
    {"in the last tenth it is taken",
     {{0}},
     {{HC_P_CHAIN_INCOMPLETE, "a"}},
     900,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"when the current one has expired, too",
     {{HC_P_EXPIRED, "x"}},
     {{HC_P_CHAIN_INCOMPLETE, "a"}},
     -5,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"untrusted-root never holds back",
     {{0}},
     {{HC_P_UNTRUSTED_ROOT, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"nor does must-staple",
     {{0}},
     {{HC_P_MUST_STAPLE, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"nor scts-few, nor expires-soon",
     {{0}},
     {{HC_P_SCTS_FEW, "a"}, {HC_P_EXPIRES_SOON, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"but what stands beside them does",
     {{0}},
     {{HC_P_UNTRUSTED_ROOT, "a"}, {HC_P_KEY_WEAK, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_KEY_WEAK},
    {"what the operator accepts is taken",
     {{0}},
     {{HC_P_KEY_WEAK, "a"}},
     8000,
     "key-weak",
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"what he did not accept is not",
     {{0}},
     {{HC_P_KEY_WEAK, "a"}, {HC_P_EXPIRED, "a"}},
     8000,
     "key-weak",
     false,
     HC_SWAP_HOLD,
     HC_P_EXPIRED},
    {"what he started with is taken",
     {{0}},
     {{HC_P_KEY_WEAK, "a"}},
     8000,
     NULL,
     true,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"unusable is refused",
     {{0}},
     {{HC_P_KEY_MISMATCH, "a"}},
     8000,
     NULL,
     false,
     HC_SWAP_REFUSE,
     HC_P_KEY_MISMATCH},
    {"even if nothing is served",
     {{HC_P_COUNT, ""}},
     {{HC_P_TLS_REFUSED, "a"}},
     0,
     NULL,
     false,
     HC_SWAP_REFUSE,
     HC_P_TLS_REFUSED},
    {"even if the operator stated it",
     {{0}},
     {{HC_P_KEY_MISMATCH, "a"}},
     8000,
     NULL,
     true,
     HC_SWAP_REFUSE,
     HC_P_KEY_MISMATCH},
    {"even if he accepts it",
     {{0}},
     {{HC_P_KEY_MISMATCH, "a"}},
     8000,
     "key-mismatch",
     false,
     HC_SWAP_REFUSE,
     HC_P_KEY_MISMATCH},
    {"even if the current one has expired",
     {{HC_P_EXPIRED, "x"}},
     {{HC_P_KEY_MISMATCH, "a"}},
     -1,
     NULL,
     false,
     HC_SWAP_REFUSE,
     HC_P_KEY_MISMATCH},
    {"the same name uncovered is no new flaw",
     {{HC_P_NAME_NOT_COVERED, "a.example"}},
     {{HC_P_NAME_NOT_COVERED, "a.example"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
    {"another name uncovered is one",
     {{HC_P_NAME_NOT_COVERED, "a.example"}},
     {{HC_P_NAME_NOT_COVERED, "b.example"}},
     8000,
     NULL,
     false,
     HC_SWAP_HOLD,
     HC_P_NAME_NOT_COVERED},
    {"a name left out on purpose is a remark",
     {{0}},
     {{HC_P_LEFT_OUT, "b.example"}},
     8000,
     NULL,
     false,
     HC_SWAP_TAKE,
     HC_P_NONE},
};

static void fill(struct hc_findings *list, const struct flaw *flaws)
{
    for (size_t i = 0; i < 3 && flaws[i].problem != HC_P_NONE; i++) {
        if (hc_findings_add(list, flaws[i].problem, flaws[i].subject, NULL, "test") != 0) {
            ok(false, "memory");
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_findings current = {0};
        struct hc_findings candidate = {0};
        struct hc_list accept = {0};
        const struct hc_finding *why = NULL;
        bool none = cases[i].current[0].problem == HC_P_COUNT;
        struct hc_swap_case c = {.current = none ? NULL : &current,
                                 .candidate = &candidate,
                                 .current_left = cases[i].left,
                                 .current_life = LIFE,
                                 .accept = &accept,
                                 .operator_stated = cases[i].stated};

        if (!none) {
            fill(&current, cases[i].current);
        }
        fill(&candidate, cases[i].candidate);
        if (cases[i].accept != NULL && hc_list_add(&accept, cases[i].accept, NULL) != 0) {
            ok(false, "memory");
        }
        is_int(hc_swap_decide(&c, &why), cases[i].want, cases[i].name);
        is_str(hc_problem_row(why != NULL ? why->problem : HC_P_NONE)->slug,
               hc_problem_row(cases[i].why)->slug, "for the right reason");
        hc_findings_dispose(&current);
        hc_findings_dispose(&candidate);
        hc_list_dispose(&accept);
    }
    return done();
}
