/* The outlook of names; see outlooks.h. */
#include "agent/outlooks.h"

#include <stdlib.h>

#include "agent/standing.h"
#include "loop/timer.h"
#include "preflight/refusal.h"

/* What is thought of the names of one identity (under `on`). */
struct outlook {
    struct hc_standing *standing; /* NULL: all names are well, as far as is known */
    bool planned;                 /* .. and are ordered; else that is not decided yet */
};

struct hc_outlooks {
    struct hc_outlooks_options o;
    struct hc_standing_env e;
    struct outlook *items; /* as conf->identities */
    int64_t check_at;      /* UTC: the next check of names left out; 0: to be found */
    struct hc_timer due;
};

static const struct hc_identity *identity_at(const struct hc_outlooks *outlooks, size_t index)
{
    return &outlooks->o.env->conf->identities[index];
}

/* How its names stand, to be changed. NULL: no memory. */
static struct hc_standing *standing_of(struct hc_outlooks *outlooks, size_t index,
                                       struct hc_error *err)
{
    struct outlook *outlook = &outlooks->items[index];

    if (outlook->standing == NULL) {
        outlook->standing = calloc(1, sizeof(*outlook->standing));
        if (outlook->standing == NULL) {
            hc_error_nomem(err);
            return NULL;
        }
        outlook->standing->identity = identity_at(outlooks, index);
        outlook->standing->planned = outlook->planned;
    }
    return outlook->standing;
}

static void forget_standing(struct outlook *outlook)
{
    if (outlook->standing != NULL) {
        hc_standing_dispose(outlook->standing);
        free(outlook->standing);
        outlook->standing = NULL;
    }
}

/* Nearly all hosts are well nearly always: that takes no memory. */
static void forget_if_plain(struct outlook *outlook)
{
    if (outlook->standing != NULL && hc_standing_is_plain(outlook->standing)) {
        forget_standing(outlook);
    }
}

/* Decides what is to be ordered; the next check of names left out may come sooner then. */
static void plan_one(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];
    const struct hc_standing *standing = outlook->standing;

    if (standing == NULL) {
        outlook->planned = true;
        return;
    }
    hc_standing_plan(outlook->standing, &outlooks->e);
    outlook->planned = standing->planned;
    if (standing->planned && standing->plan.check_at > 0 &&
        standing->plan.check_at < outlooks->check_at) {
        outlooks->check_at = standing->plan.check_at;
        hc_timer_within(&outlooks->due, hc_env_until_ms(outlooks->o.env, standing->plan.check_at));
    }
    forget_if_plain(outlook);
}

void hc_outlooks_plan(struct hc_outlooks *outlooks)
{
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        if (outlooks->o.env->conf->identities[i].mode == HC_MODE_ON &&
            (!outlooks->items[i].planned || outlooks->items[i].standing != NULL)) {
            plan_one(outlooks, i);
        }
    }
}

const struct hc_list *hc_outlook_order(const struct hc_outlooks *outlooks, size_t index)
{
    const struct outlook *outlook = &outlooks->items[index];

    return outlook->standing != NULL ? hc_standing_order(outlook->standing)
                                     : &identity_at(outlooks, index)->names;
}

const struct hc_list *hc_outlook_left_out(const struct hc_outlooks *outlooks, size_t index)
{
    static const struct hc_list none;
    const struct hc_standing *standing = outlooks->items[index].standing;

    return standing != NULL ? &standing->plan.left_out : &none;
}

bool hc_outlook_wants(const struct hc_outlooks *outlooks, size_t index, const struct hc_list *have)
{
    const struct outlook *outlook = &outlooks->items[index];

    if (outlook->standing != NULL) {
        return hc_standing_wants(outlook->standing, have);
    }
    return !outlook->planned || !hc_list_has_all(have, &identity_at(outlooks, index)->names);
}

/* ---- preflights ---- */

bool hc_outlook_holds(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca,
                      int64_t *until)
{
    static const struct hc_leaveout_plan none;
    const struct outlook *outlook = &outlooks->items[index];
    const struct hc_leaveout_plan *plan =
        outlook->standing != NULL ? &outlook->standing->plan : &none;
    /* names that are left out are checked by themselves, more seldom the longer they are out */
    bool waits = hc_preflights_were_for(outlooks->o.preflights, index, ca) &&
                 (plan->check_at == 0 || plan->check_at > hc_env_now(outlooks->o.env));

    *until = plan->until;
    return outlook->planned && plan->kind == HC_LEAVEOUT_HOLD &&
           (waits || hc_preflights_are_fresh(outlooks->o.preflights, index, ca));
}

static void on_checked(void *self, size_t index, const struct hc_preflight_result *result)
{
    struct hc_outlooks *outlooks = self;
    struct outlook *outlook = &outlooks->items[index];
    struct hc_list recovered = {NULL, 0, 0};
    struct hc_event ended = {.kind = HC_EVENT_PREFLIGHT_ENDED, .index = index, .names = &recovered};
    struct hc_error err;

    hc_error_init(&err);
    if (standing_of(outlooks, index, &err) == NULL ||
        hc_standing_see(outlook->standing, &outlooks->e, result, &recovered, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_ERROR, "storing the preflight results", &err);
    }
    hc_timer_within(&outlooks->due, 0); /* there is room for another */
    if (outlook->standing != NULL) {
        hc_standing_store(outlook->standing, &outlooks->e);
    }
    /* all well, as before: its jobs are in the queue, and nothing else depends on this preflight */
    ended.changed = recovered.count > 0 ||
                    (outlook->standing != NULL && !hc_leaveout_is_plain(&outlook->standing->state));
    plan_one(outlooks, index);
    hc_events_raise(outlooks->o.env->events, &ended);
    hc_list_dispose(&recovered);
}

/* Checks names that are left out when their time has come. */
static void check_again(struct hc_outlooks *outlooks, size_t index)
{
    struct hc_ca *ca = hc_preflights_latest(outlooks->o.preflights, index);
    struct hc_error err;

    hc_error_init(&err);
    if (ca == NULL) {
        ca = hc_cas_named(outlooks->o.cas, identity_at(outlooks, index)->set->use.items[0]);
    }
    if (ca != NULL && hc_preflights_start(outlooks->o.preflights, index, ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        outlooks->items[index].standing->plan.check_at =
            hc_env_now(outlooks->o.env) + outlooks->o.env->conf->check_interval;
    }
}

/* Checks all names that are left out and whose time has come; finds out when the next has. */
static void check_all_left_out(struct hc_outlooks *outlooks, int64_t now)
{
    struct hc_preflights *preflights = outlooks->o.preflights;

    outlooks->check_at = INT64_MAX;
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];
        int64_t at = 0;

        if (hc_preflights_is_running(preflights, i) || outlook->standing == NULL ||
            !outlook->planned) {
            continue; /* at the end of a preflight the next one is planned */
        }
        at = outlook->standing->plan.check_at;
        if (at > 0 && at <= now && hc_storage_ready(outlooks->o.storage) &&
            hc_preflights_running(preflights) < HC_PREFLIGHTS_MOST) {
            check_again(outlooks, i);
            at = !hc_preflights_is_running(preflights, i) ? outlook->standing->plan.check_at : 0;
        }
        if (at > 0 && at < outlooks->check_at) {
            outlooks->check_at = at > now ? at : now + 1;
        }
    }
}

int64_t hc_outlooks_run(struct hc_outlooks *outlooks)
{
    int64_t now = hc_env_now(outlooks->o.env);

    if (!outlooks->e.preflights) {
        return -1;
    }
    if (now >= outlooks->check_at) {
        check_all_left_out(outlooks, now);
    }
    return hc_env_until_ms(outlooks->o.env, outlooks->check_at);
}

static void on_due(void *self)
{
    struct hc_outlooks *outlooks = self;
    int64_t unsettled = hc_env_unsettled(outlooks->o.env);

    hc_timer_in(&outlooks->due, unsettled > 0 ? unsettled : hc_outlooks_run(outlooks));
}

void hc_outlook_vouch(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];

    if (outlook->standing != NULL) {
        hc_leaveout_vouch(&outlook->standing->state);
    }
    hc_preflights_forget(outlooks->o.preflights, index);
}

/* ---- what became of orders ---- */

void hc_outlook_ordered(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];

    hc_preflights_forget(outlooks->o.preflights, index); /* every order has one of its own */
    if (outlook->standing != NULL && outlook->planned) {
        hc_leaveout_ordered(&outlook->standing->state, &outlook->standing->plan,
                            hc_env_now(outlooks->o.env));
        hc_standing_store(outlook->standing, &outlooks->e);
    }
}

void hc_outlook_obtained(struct hc_outlooks *outlooks, size_t index, const struct hc_list *names)
{
    struct outlook *outlook = &outlooks->items[index];

    if (outlook->standing != NULL) {
        hc_leaveout_obtained(&outlook->standing->state, names);
        hc_standing_store(outlook->standing, &outlooks->e);
    }
    plan_one(outlooks, index);
}

void hc_outlook_refused(struct hc_outlooks *outlooks, size_t index, const char *name,
                        const struct hc_error *said)
{
    struct hc_standing *standing = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (!hc_preflights_are_made(outlooks->o.preflights, index)) {
        return;
    }
    hc_preflights_forget(outlooks->o.preflights, index);
    standing = standing_of(outlooks, index, &err);
    if (standing == NULL ||
        hc_leaveout_refused(&standing->state, name, hc_refusal_problem(said),
                            hc_env_now(outlooks->o.env), &err) != 0 ||
        hc_refusals_add(&standing->refused, name, said, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_ERROR, "storing the CA's answer about a name",
                     &err);
    }
    if (standing != NULL) {
        hc_standing_store(standing, &outlooks->e);
    }
}

bool hc_outlook_compare(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca)
{
    struct hc_standing *standing = outlooks->items[index].standing;
    struct hc_error err;

    hc_error_init(&err);
    if (standing == NULL || standing->refused.count == 0) {
        return false;
    }
    if (hc_preflights_start(outlooks->o.preflights, index, ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        hc_refusals_dispose(&standing->refused);
        return false;
    }
    return true;
}

/* ---- life ---- */

static void load_one(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];
    struct hc_error err;

    hc_error_init(&err);
    if (standing_of(outlooks, index, &err) == NULL) {
        hc_log_error(outlooks->o.env->log, HC_LOG_ERROR, "reading the preflight results", &err);
        return;
    }
    hc_standing_load(outlook->standing, &outlooks->e);
    forget_if_plain(outlook);
    if (outlook->standing != NULL) {
        outlook->standing->planned = outlook->planned = false;
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_outlooks *outlooks = self;
    const struct hc_conf *conf = outlooks->o.env->conf;

    if (event->kind == HC_EVENT_STORE_READY) {
        hc_timer_within(&outlooks->due, 0);
    }
    if (event->kind == HC_EVENT_STORE_CLOSING) {
        outlooks->check_at = 0;
    }
    if (event->kind == HC_EVENT_STORE_IDENTITY &&
        conf->identities[event->index].mode == HC_MODE_ON) {
        load_one(outlooks, event->index);
    }
    for (size_t i = 0; event->kind == HC_EVENT_CLOCK_SET && i < conf->identity_count; i++) {
        struct hc_standing *standing = outlooks->items[i].standing;

        if (standing != NULL) {
            hc_leaveout_pull_back(&standing->state, hc_env_now(outlooks->o.env));
        }
    }
}

int hc_outlooks_new(const struct hc_outlooks_options *options, struct hc_outlooks **out,
                    struct hc_error *err)
{
    size_t count = options->env->conf->identity_count;
    struct hc_outlooks *outlooks = calloc(1, sizeof(*outlooks));

    if (outlooks == NULL) {
        return hc_error_nomem(err);
    }
    outlooks->o = *options;
    hc_timer_init(&outlooks->due, options->env->loop, "names", on_due, outlooks);
    outlooks->e = (struct hc_standing_env){options->env, options->storage, options->publisher,
                                           hc_preflights_are_possible(options->preflights)};
    outlooks->items = calloc(count + 1, sizeof(*outlooks->items));
    if (outlooks->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (hc_events_add(options->env->events, on_event, outlooks, err) != 0) {
        goto failed;
    }
    hc_preflights_tell(options->preflights, on_checked, outlooks);
    *out = outlooks;
    return 0;
failed:
    hc_outlooks_free(outlooks);
    return -1;
}

void hc_outlooks_free(struct hc_outlooks *outlooks)
{
    if (outlooks == NULL) {
        return;
    }
    hc_events_remove(outlooks->o.env->events, outlooks);
    hc_preflights_tell(outlooks->o.preflights, NULL, NULL);
    for (size_t i = 0; outlooks->items != NULL && i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];

        /* the agent ends before the preflight that would have stood beside the CA's words */
        if (outlook->standing != NULL) {
            hc_refusals_tell(&outlook->standing->refused, outlooks->o.env->log);
        }
        forget_standing(outlook);
    }
    hc_timer_stop(&outlooks->due);
    free(outlooks->items);
    free(outlooks);
}
