/* The table of problems; see problem.h. */
#include "base/problem.h"

#include <string.h>

static const struct hc_problem_row rows[] = {
    [HC_P_NONE] = {"none", HC_CLASS_INTERNAL, "nothing is wrong", "nothing to do"},
#define HC_PROBLEM(id, slug, cls, sentence, hint) [id] = {slug, HC_CLASS_##cls, sentence, hint},
#include "base/problem_acme.def"
#include "base/problem_base.def"
#include "base/problem_conf.def"
#include "base/problem_dns.def"
#include "base/problem_pki.def"
#include "base/problem_store.def"
#undef HC_PROBLEM
};
_Static_assert(HC_COUNT(rows) == HC_P_COUNT, "every problem has a row");

static const char *const class_names[] = {
    [HC_CLASS_RETRYABLE] = "retryable", [HC_CLASS_PERMANENT] = "permanent",
    [HC_CLASS_USAGE] = "usage",         [HC_CLASS_INTERNAL] = "internal",
    [HC_CLASS_UNUSABLE] = "unusable",   [HC_CLASS_FLAWED] = "flawed",
    [HC_CLASS_REMARK] = "remark",
};

const struct hc_problem_row *hc_problem_row(enum hc_problem p)
{
    size_t i = (size_t)p;

    return &rows[i < HC_P_COUNT ? i : HC_P_NONE];
}

enum hc_problem hc_problem_by_slug(const char *slug)
{
    for (size_t i = 1; i < HC_P_COUNT; i++) {
        if (strcmp(rows[i].slug, slug) == 0) {
            return (enum hc_problem)i;
        }
    }
    return HC_P_NONE;
}

const char *hc_class_name(enum hc_class cls)
{
    return class_names[cls];
}
