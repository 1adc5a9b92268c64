/* When a candidate replaces the pair that is being served; see swap.h. */
#include "pki/swap.h"

#include <string.h>

/* One n-th of its life left, and whatever comes is better than waiting. */
#define LAST_PART 10

/* Flaws that the next attempt brings as well, or that waiting makes worse. */
static bool never_holds_back(enum hc_problem p)
{
    return p == HC_P_UNTRUSTED_ROOT || p == HC_P_SCTS_FEW || p == HC_P_MUST_STAPLE ||
           p == HC_P_EXPIRES_SOON;
}

static bool is_accepted(const struct hc_finding *f, const struct hc_list *accept)
{
    return accept != NULL && hc_list_has(accept, hc_problem_row(f->problem)->slug);
}

/* Places and files differ between two pairs; a name is the same one. */
static bool has_flaw(const struct hc_findings *list, const struct hc_finding *f)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hc_finding *other = &list->items[i];

        if (other->problem == f->problem && other->rank == HC_CLASS_FLAWED &&
            (f->problem != HC_P_NAME_NOT_COVERED || strcmp(other->subject, f->subject) == 0)) {
            return true;
        }
    }
    return false;
}

static const struct hc_finding *find_unusable(const struct hc_findings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].rank == HC_CLASS_UNUSABLE) {
            return &list->items[i];
        }
    }
    return NULL;
}

static const struct hc_finding *find_new_flaw(const struct hc_swap_case *c)
{
    for (size_t i = 0; i < c->candidate->count; i++) {
        const struct hc_finding *f = &c->candidate->items[i];

        if (f->rank == HC_CLASS_FLAWED && !never_holds_back(f->problem) &&
            !is_accepted(f, c->accept) && !has_flaw(c->current, f)) {
            return f;
        }
    }
    return NULL;
}

enum hc_swap hc_swap_decide(const struct hc_swap_case *c, const struct hc_finding **why)
{
    *why = find_unusable(c->candidate);
    if (*why != NULL) {
        return HC_SWAP_REFUSE;
    }
    if (c->current == NULL || c->operator_stated || find_unusable(c->current) != NULL ||
        c->current_left <= c->current_life / LAST_PART) {
        return HC_SWAP_TAKE;
    }
    *why = find_new_flaw(c);
    return *why != NULL ? HC_SWAP_HOLD : HC_SWAP_TAKE;
}
