/* What is to be ordered now, by the state of the left-out names; see leaveout.h. */
#include <stdio.h>
#include <string.h>

#include "conf/name.h"
#include "preflight/leaveout_state.h"

void hc_leaveout_plan_dispose(struct hc_leaveout_plan *plan)
{
    hc_list_dispose(&plan->order);
    hc_list_dispose(&plan->left_out);
    memset(plan, 0, sizeof(*plan));
}

/* When the last tenth of the certificate's life begins; it has begun if there is none. */
static int64_t tenth_begins(const struct hc_leaveout_case *c)
{
    return c->served == NULL ? c->now : c->not_after - (c->not_after - c->not_before) / 10;
}

/* True if the certificate in use covers this name. */
static bool is_served(const struct hc_leaveout_case *c, const char *name)
{
    for (size_t i = 0; c->served != NULL && i < c->served->count; i++) {
        if (strcmp(c->served->items[i], name) == 0 || hc_name_matches(c->served->items[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_refused(const struct hc_leaveout_name *n)
{
    return n->refusals >= HC_LEAVEOUT_REFUSALS;
}

/* True if a name is left that the CA has not refused. */
static bool any_left(const struct hc_leaveout *state, const struct hc_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct hc_leaveout_name *n = hc_leaveout_find(state, names->items[i]);

        if (n == NULL || (!n->out && !is_refused(n))) {
            return true;
        }
    }
    return false;
}

/* Visitors of the other names have no certificate at all while the CA refuses this one. */
static void leave_refused_out(struct hc_leaveout *state, const struct hc_leaveout_case *c)
{
    if (c->policy == HC_BAD_NAMES_HOLD || !any_left(state, c->names)) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        struct hc_leaveout_name *n = &state->names[i];

        if (!n->out && is_refused(n) && (c->served == NULL || n->dropped) &&
            !is_served(c, n->name)) {
            n->well = 0;
            n->dropped = true;
            hc_leaveout_drop(state, n, c->now);
        }
    }
}

/* In the last tenth what fails goes too: better most names with a certificate than none. */
static void leave_failing_out(struct hc_leaveout *state, const struct hc_leaveout_case *c)
{
    /* without a certificate there is nothing that runs out: it is waited for */
    if (c->served == NULL || c->now < tenth_begins(c)) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        struct hc_leaveout_name *n = &state->names[i];

        if (!n->out && (n->seen == HC_LEAVEOUT_SEEN_FAILING ||
                        (n->seen == HC_LEAVEOUT_SEEN_SUSPECT && n->refused))) {
            n->well = 0;
            hc_leaveout_drop(state, n, c->now);
        }
    }
}

/* When the full set may be ordered again because names are back. */
static int64_t again_allowed(const struct hc_leaveout *state)
{
    int64_t hour = state->again[0] + HC_LEAVEOUT_HOUR_S;
    int64_t week = state->again[HC_LEAVEOUT_AGAIN - 1] + HC_LEAVEOUT_WEEK_S;

    if (state->again[0] == 0) {
        return 0;
    }
    return state->again[HC_LEAVEOUT_AGAIN - 1] != 0 && week > hour ? week : hour;
}

static void sooner(int64_t *at, int64_t when)
{
    if (*at == 0 || when < *at) {
        *at = when;
    }
}

/* Divides the names into those to order and those left out. */
static int divide(const struct hc_leaveout *state, const struct hc_leaveout_case *c,
                  struct hc_leaveout_plan *plan, struct hc_error *err)
{
    bool may_return = c->now >= again_allowed(state);

    for (size_t i = 0; i < c->names->count; i++) {
        const char *name = c->names->items[i];
        const struct hc_leaveout_name *n = hc_leaveout_find(state, name);
        /* a name that is back stays out of the order until the full set may be ordered again */
        bool waits = n != NULL && n->back && !may_return && !is_served(c, name);
        bool out = (n != NULL && n->out) || waits;

        if (hc_list_add(out ? &plan->left_out : &plan->order, name, err) != 0) {
            return -1;
        }
        plan->again = plan->again || (n != NULL && n->back && !out);
        if (waits) {
            sooner(&plan->until, again_allowed(state));
        }
    }
    return 0;
}

/* True if the order without the left-out names would drop one that visitors get now. */
static bool drops_served(const struct hc_leaveout_case *c, const struct hc_leaveout_plan *plan)
{
    for (size_t i = 0; i < plan->left_out.count; i++) {
        if (is_served(c, plan->left_out.items[i])) {
            return c->now < c->not_after;
        }
    }
    return false;
}

/* The left-out name whose last trial is longest ago. */
static struct hc_leaveout_name *next_to_try(const struct hc_leaveout *state,
                                            const struct hc_leaveout_plan *plan)
{
    struct hc_leaveout_name *found = NULL;

    for (size_t i = 0; i < plan->left_out.count; i++) {
        struct hc_leaveout_name *n = hc_leaveout_find(state, plan->left_out.items[i]);

        if (n != NULL && n->out && (found == NULL || n->tried < found->tried)) {
            found = n;
        }
    }
    return found;
}

static int take_all(const struct hc_leaveout_case *c, struct hc_leaveout_plan *plan,
                    struct hc_error *err)
{
    hc_list_dispose(&plan->order);
    hc_list_dispose(&plan->left_out);
    return hc_list_copy(&plan->order, c->names, err);
}

/* The daily trial: one name put back, or all where the order would be empty or is held. */
static int make_trial(const struct hc_leaveout *state, const struct hc_leaveout_case *c,
                      struct hc_leaveout_plan *plan, struct hc_error *err)
{
    const struct hc_leaveout_name *n = next_to_try(state, plan);
    struct hc_list rest = {0};
    int rc = -1;

    plan->kind = HC_LEAVEOUT_TRIAL;
    plan->until = c->now + HC_LEAVEOUT_TRIAL_S;
    if (plan->order.count == 0 || c->policy == HC_BAD_NAMES_HOLD || n == NULL) {
        return take_all(c, plan, err);
    }
    if (hc_list_add(&plan->order, n->name, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < plan->left_out.count; i++) {
        if (strcmp(plan->left_out.items[i], n->name) != 0 &&
            hc_list_add(&rest, plan->left_out.items[i], err) != 0) {
            goto out;
        }
    }
    hc_list_sort_unique(&plan->order);
    hc_list_dispose(&plan->left_out);
    plan->left_out = rest;
    return 0;

out:
    hc_list_dispose(&rest);
    return rc;
}

/* The reason to place no order before the trial, if there is one. */
static enum hc_leaveout_hold reason_to_hold(const struct hc_leaveout_case *c,
                                            const struct hc_leaveout_plan *plan)
{
    if (plan->order.count == 0) {
        return HC_LEAVEOUT_HOLD_EMPTY;
    }
    if (c->policy == HC_BAD_NAMES_HOLD) {
        return HC_LEAVEOUT_HOLD_POLICY;
    }
    if (drops_served(c, plan) && c->now < tenth_begins(c)) {
        return HC_LEAVEOUT_HOLD_SERVED;
    }
    return HC_LEAVEOUT_HOLD_NONE;
}

/* Left-out names are checked more seldom the longer they are out. */
static int64_t next_check(const struct hc_leaveout *state, const struct hc_leaveout_case *c)
{
    int64_t next = 0;

    for (size_t i = 0; i < state->count; i++) {
        const struct hc_leaveout_name *n = &state->names[i];
        int64_t every = (n->checked - n->since) / 10;

        if (!n->out) {
            continue;
        }
        /* the second of two good checks is not put off */
        every = every < c->check_every || n->well > 0 ? c->check_every : every;
        every = every > HC_LEAVEOUT_CHECK_S ? HC_LEAVEOUT_CHECK_S : every;
        sooner(&next, n->checked + every);
    }
    return next;
}

int hc_leaveout_plan(struct hc_leaveout *state, const struct hc_leaveout_case *c,
                     struct hc_leaveout_plan *plan, struct hc_error *err)
{
    memset(plan, 0, sizeof(*plan));
    if (c->mode == HC_PREFLIGHT_ADVISE || c->mode == HC_PREFLIGHT_OFF) {
        return take_all(c, plan, err);
    }
    leave_failing_out(state, c);
    leave_refused_out(state, c);
    if (divide(state, c, plan, err) != 0) {
        return -1;
    }
    if (plan->left_out.count == 0) {
        return 0;
    }
    plan->kind = HC_LEAVEOUT_PART;
    plan->check_at = next_check(state, c);
    if (hc_leaveout_any_out(state)) {
        sooner(&plan->until, state->trial + HC_LEAVEOUT_TRIAL_S);
        if (c->now >= state->trial + HC_LEAVEOUT_TRIAL_S) {
            return make_trial(state, c, plan, err);
        }
    }
    plan->hold = reason_to_hold(c, plan);
    if (plan->hold != HC_LEAVEOUT_HOLD_NONE) {
        plan->kind = HC_LEAVEOUT_HOLD;
        hc_list_dispose(&plan->order);
    }
    if (plan->hold == HC_LEAVEOUT_HOLD_SERVED) {
        sooner(&plan->until, tenth_begins(c));
    }
    return 0;
}

void hc_leaveout_ordered(struct hc_leaveout *state, const struct hc_leaveout_plan *plan,
                         int64_t now)
{
    if (plan->kind == HC_LEAVEOUT_TRIAL) {
        state->trial = now;
        for (size_t i = 0; i < state->count; i++) {
            if (state->names[i].out && hc_list_has(&plan->order, state->names[i].name)) {
                state->names[i].tried = now;
            }
        }
    }
    if (plan->again) {
        memmove(state->again + 1, state->again, sizeof(state->again) - sizeof(state->again[0]));
        state->again[0] = now;
    }
}

char *hc_leaveout_describe(const struct hc_leaveout *state, const struct hc_leaveout_plan *plan,
                           char *dst, size_t cap)
{
    static const char *const reasons[] = {
        [HC_LEAVEOUT_HOLD_NONE] = "",
        [HC_LEAVEOUT_HOLD_EMPTY] = "; no name would remain, so hotcert places no order",
        [HC_LEAVEOUT_HOLD_POLICY] = "; hotcert_bad_names is hold, so hotcert places no order",
        [HC_LEAVEOUT_HOLD_SERVED] = "; the certificate in use covers it, so it stays in use",
    };
    char when[HC_TIME_TEXT];
    size_t used = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < plan->left_out.count && used < cap; i++) {
        const struct hc_leaveout_name *n = hc_leaveout_find(state, plan->left_out.items[i]);
        int w = snprintf(dst + used, cap - used, "%s%s (%s)", i > 0 ? ", " : "",
                         plan->left_out.items[i],
                         n == NULL || n->back ? "is well again" : hc_problem_row(n->why)->slug);

        used += w > 0 ? (size_t)w : 0;
    }
    if (used < cap && plan->left_out.count > 0) {
        snprintf(dst + used, cap - used, " left out%s; next try at %s at the latest",
                 reasons[plan->hold], hc_time_format(plan->until, when));
    }
    return dst;
}
