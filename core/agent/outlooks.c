/* The outlook of names; see outlooks.h. */
#include "agent/outlooks.h"

#include <stdlib.h>

#include "agent/preflight_run.h"
#include "agent/standing.h"
#include "loop/timer.h"
#include "preflight/refusal.h"

#define VALID_S 300 /* an older preflight is repeated before an order */
/*
 * While a CA fails, preflights outlive the longest time between two orders that ask for all. Else
 * an order that needs none, since it is placed already, would be faster each time.
 */
#define VALID_FAILING_S 2400

/* What is thought of the names of one identity (under `on`). */
struct outlook {
    struct hc_outlooks *all;
    struct hc_preflight_run *run; /* NULL: none is under way */
    struct hc_standing *standing; /* NULL: all names are well, as far as is known */
    bool planned;                 /* .. and are ordered; else that is not decided yet */
    int64_t checked_at;           /* UTC: the latest preflight that ended */
    struct hc_ca *checked_for;
    struct hc_ruled_out ruled_out; /* by the latest preflight */
};

struct hc_outlooks {
    struct hc_outlooks_options o;
    struct hc_standing_env e;
    struct outlook *items; /* as conf->identities */
    size_t checking;       /* preflights under way */
    int64_t check_at;      /* UTC: the next check of names left out; 0: to be found */
    struct hc_timer due;
};

static size_t index_of(const struct outlook *outlook)
{
    return (size_t)(outlook - outlook->all->items);
}

static const struct hc_identity *identity_of(const struct outlook *outlook)
{
    return &outlook->all->o.env->conf->identities[index_of(outlook)];
}

static void end_run(struct outlook *outlook)
{
    struct hc_preflight_run *run = outlook->run;

    if (run != NULL) {
        outlook->run = NULL;
        outlook->all->checking--;
        hc_preflight_run_free(run);
        hc_timer_within(&outlook->all->due, 0); /* there is room for another */
    }
}

/* How its names stand, to be changed. NULL: no memory. */
static struct hc_standing *standing_of(struct outlook *outlook, struct hc_error *err)
{
    if (outlook->standing == NULL) {
        outlook->standing = calloc(1, sizeof(*outlook->standing));
        if (outlook->standing == NULL) {
            hc_error_nomem(err);
            return NULL;
        }
        outlook->standing->identity = identity_of(outlook);
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
static void plan_one(struct outlook *outlook)
{
    const struct hc_standing *standing = outlook->standing;

    if (standing == NULL) {
        outlook->planned = true;
        return;
    }
    hc_standing_plan(outlook->standing, &outlook->all->e);
    outlook->planned = standing->planned;
    if (standing->planned && standing->plan.check_at > 0 &&
        standing->plan.check_at < outlook->all->check_at) {
        outlook->all->check_at = standing->plan.check_at;
        hc_timer_within(&outlook->all->due,
                        hc_env_until_ms(outlook->all->o.env, standing->plan.check_at));
    }
    forget_if_plain(outlook);
}

void hc_outlooks_plan(struct hc_outlooks *outlooks)
{
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        if (outlooks->o.env->conf->identities[i].mode == HC_MODE_ON &&
            (!outlooks->items[i].planned || outlooks->items[i].standing != NULL)) {
            plan_one(&outlooks->items[i]);
        }
    }
}

const struct hc_list *hc_outlook_order(const struct hc_outlooks *outlooks, size_t index)
{
    const struct outlook *outlook = &outlooks->items[index];

    return outlook->standing != NULL ? hc_standing_order(outlook->standing)
                                     : &identity_of(outlook)->names;
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
    return !outlook->planned || !hc_list_has_all(have, &identity_of(outlook)->names);
}

/* ---- preflights ---- */

bool hc_outlook_is_fresh(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca)
{
    const struct outlook *outlook = &outlooks->items[index];
    int64_t now = hc_env_now(outlooks->o.env);
    int64_t valid = ca != NULL && hc_ca_is_failing(ca) ? VALID_FAILING_S : VALID_S;

    if (outlooks->o.dns == NULL || identity_of(outlook)->set->preflight == HC_PREFLIGHT_OFF) {
        return true;
    }
    return outlook->checked_for == ca && outlook->checked_at <= now &&
           now - outlook->checked_at <= valid;
}

bool hc_outlook_holds(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca,
                      int64_t *until)
{
    static const struct hc_leaveout_plan none;
    const struct outlook *outlook = &outlooks->items[index];
    const struct hc_leaveout_plan *plan =
        outlook->standing != NULL ? &outlook->standing->plan : &none;
    int64_t now = hc_env_now(outlooks->o.env);
    /* names that are left out are checked by themselves, more seldom the longer they are out */
    bool waits = outlook->checked_for == ca && outlook->checked_at > 0 &&
                 outlook->checked_at <= now && (plan->check_at == 0 || plan->check_at > now);

    *until = plan->until;
    return outlook->planned && plan->kind == HC_LEAVEOUT_HOLD &&
           (waits || hc_outlook_is_fresh(outlooks, index, ca));
}

bool hc_outlook_is_checking(const struct hc_outlooks *outlooks, size_t index)
{
    return outlooks->items[index].run != NULL;
}

const struct hc_ca *hc_outlook_checked_for(const struct hc_outlooks *outlooks, size_t index)
{
    return outlooks->items[index].checked_for;
}

size_t hc_outlooks_checking(const struct hc_outlooks *outlooks)
{
    return outlooks->checking;
}

void hc_outlook_forget(struct hc_outlooks *outlooks, size_t index)
{
    outlooks->items[index].checked_at = 0;
}

const struct hc_ruled_out *hc_outlook_ruled_out(const struct hc_outlooks *outlooks, size_t index,
                                                const struct hc_ca *ca)
{
    const struct outlook *outlook = &outlooks->items[index];

    return outlook->checked_for == ca ? &outlook->ruled_out : NULL;
}

static void on_checked(void *self, const struct hc_preflight_result *result)
{
    struct outlook *outlook = self;
    const struct hc_outlooks_options *o = &outlook->all->o;
    struct hc_list recovered = {NULL, 0, 0};
    struct hc_event ended = {.kind = HC_EVENT_PREFLIGHT_ENDED, .names = &recovered};
    struct hc_error err;

    hc_error_init(&err);
    if (standing_of(outlook, &err) == NULL ||
        hc_standing_see(outlook->standing, &outlook->all->e, result, &recovered, &err) != 0) {
        hc_log_error(o->env->log, HC_LOG_ERROR, "storing the preflight results", &err);
    }
    hc_ruled_out_note(&outlook->ruled_out, result);
    outlook->checked_at = hc_env_now(o->env);
    end_run(outlook);
    if (outlook->standing != NULL) {
        hc_standing_store(outlook->standing, &outlook->all->e);
    }
    ended.index = index_of(outlook);
    /* all well, as before: its jobs are in the queue, and nothing else depends on this preflight */
    ended.changed = recovered.count > 0 ||
                    (outlook->standing != NULL && !hc_leaveout_is_plain(&outlook->standing->state));
    plan_one(outlook);
    hc_events_raise(o->env->events, &ended);
    hc_list_dispose(&recovered);
}

int hc_outlook_start(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca,
                     struct hc_error *err)
{
    const struct hc_outlooks_options *o = &outlooks->o;
    struct outlook *outlook = &outlooks->items[index];
    struct hc_preflight_run_options options = {
        .env = o->env,
        .answers = o->answers,
        .responder = o->responder,
        .dns = o->dns,
        .web = o->web,
        .tls = o->tls,
        .identity = identity_of(outlook),
        .ca = ca,
        .self = outlook,
        .done = on_checked,
    };

    if (outlook->run != NULL) {
        return 0;
    }
    if (hc_preflight_run_start(&options, &outlook->run, err) != 0) {
        return -1;
    }
    outlook->checked_for = ca;
    outlooks->checking++;
    return 0;
}

/* Checks names that are left out when their time has come. */
static void check_again(struct hc_outlooks *outlooks, struct outlook *outlook)
{
    struct hc_ca *ca = outlook->checked_for != NULL
                           ? outlook->checked_for
                           : hc_cas_named(outlooks->o.cas, identity_of(outlook)->set->use.items[0]);
    struct hc_error err;

    hc_error_init(&err);
    if (ca != NULL && hc_outlook_start(outlooks, index_of(outlook), ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        outlook->standing->plan.check_at =
            hc_env_now(outlooks->o.env) + outlooks->o.env->conf->check_interval;
    }
}

/* Checks all names that are left out and whose time has come; finds out when the next has. */
static void check_all_left_out(struct hc_outlooks *outlooks, int64_t now)
{
    outlooks->check_at = INT64_MAX;
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];
        int64_t at = 0;

        if (outlook->run != NULL || outlook->standing == NULL || !outlook->planned) {
            continue; /* at the end of a preflight the next one is planned */
        }
        at = outlook->standing->plan.check_at;
        if (at > 0 && at <= now && hc_storage_ready(outlooks->o.storage) &&
            outlooks->checking < HC_CHECKING_MOST) {
            check_again(outlooks, outlook);
            at = outlook->run == NULL ? outlook->standing->plan.check_at : 0;
        }
        if (at > 0 && at < outlooks->check_at) {
            outlooks->check_at = at > now ? at : now + 1;
        }
    }
}

int64_t hc_outlooks_run(struct hc_outlooks *outlooks)
{
    int64_t now = hc_env_now(outlooks->o.env);

    if (outlooks->o.dns == NULL) {
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

/* ---- what became of orders ---- */

void hc_outlook_ordered(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];

    outlook->checked_at = 0; /* every order has a preflight of its own */
    if (outlook->standing != NULL && outlook->planned) {
        hc_leaveout_ordered(&outlook->standing->state, &outlook->standing->plan,
                            hc_env_now(outlooks->o.env));
        hc_standing_store(outlook->standing, &outlook->all->e);
    }
}

void hc_outlook_obtained(struct hc_outlooks *outlooks, size_t index, const struct hc_list *names)
{
    struct outlook *outlook = &outlooks->items[index];

    if (outlook->standing != NULL) {
        hc_leaveout_obtained(&outlook->standing->state, names);
        hc_standing_store(outlook->standing, &outlook->all->e);
    }
    plan_one(outlook);
}

void hc_outlook_refused(struct hc_outlooks *outlooks, size_t index, const char *name,
                        const struct hc_error *said)
{
    struct outlook *outlook = &outlooks->items[index];
    struct hc_standing *standing = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (outlooks->o.dns == NULL || identity_of(outlook)->set->preflight == HC_PREFLIGHT_OFF) {
        return;
    }
    outlook->checked_at = 0;
    standing = standing_of(outlook, &err);
    if (standing == NULL ||
        hc_leaveout_refused(&standing->state, name, hc_refusal_problem(said),
                            hc_env_now(outlooks->o.env), &err) != 0 ||
        hc_refusals_add(&standing->refused, name, said, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_ERROR, "storing the CA's answer about a name",
                     &err);
    }
    if (standing != NULL) {
        hc_standing_store(standing, &outlook->all->e);
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
    if (hc_outlook_start(outlooks, index, ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        hc_refusals_dispose(&standing->refused);
        return false;
    }
    return true;
}

/* ---- life ---- */

/* The clock was set back. */
static void begin_waits_anew(struct outlook *outlook)
{
    int64_t now = hc_env_now(outlook->all->o.env);

    if (outlook->standing != NULL) {
        hc_leaveout_pull_back(&outlook->standing->state, now);
    }
    if (outlook->checked_at > now) {
        outlook->checked_at = 0;
    }
}

static void load_one(struct outlook *outlook)
{
    struct hc_error err;

    hc_error_init(&err);
    if (standing_of(outlook, &err) == NULL) {
        hc_log_error(outlook->all->o.env->log, HC_LOG_ERROR, "reading the preflight results", &err);
        return;
    }
    hc_standing_load(outlook->standing, &outlook->all->e);
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
    if (event->kind != HC_EVENT_STORE_OPENED && event->kind != HC_EVENT_STORE_CLOSING &&
        event->kind != HC_EVENT_CLOCK_SET) {
        return;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];

        if (event->kind == HC_EVENT_STORE_OPENED && conf->identities[i].mode == HC_MODE_ON) {
            load_one(outlook);
        } else if (event->kind == HC_EVENT_STORE_CLOSING) {
            end_run(outlook);
            outlooks->check_at = 0;
        } else if (event->kind == HC_EVENT_CLOCK_SET) {
            begin_waits_anew(outlook);
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
                                           options->dns != NULL};
    outlooks->items = calloc(count + 1, sizeof(*outlooks->items));
    if (outlooks->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (size_t i = 0; i < count; i++) {
        outlooks->items[i].all = outlooks;
    }
    if (hc_events_add(options->env->events, on_event, outlooks, err) != 0) {
        goto failed;
    }
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
    for (size_t i = 0; outlooks->items != NULL && i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];

        end_run(outlook);
        /* the agent ends before the preflight that would have stood beside the CA's words */
        if (outlook->standing != NULL) {
            hc_refusals_tell(&outlook->standing->refused, outlooks->o.env->log);
        }
        forget_standing(outlook);
        hc_ruled_out_dispose(&outlook->ruled_out);
    }
    hc_timer_stop(&outlooks->due);
    free(outlooks->items);
    free(outlooks);
}
