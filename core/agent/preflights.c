/* The preflights of identities' names; see preflights.h. */
#include "agent/preflights.h"

#include <stdlib.h>

#include "agent/preflight_run.h"

#define VALID_S 300 /* an older preflight is repeated before an order */
/*
 * While a CA fails, preflights outlive the longest time between two orders that ask for all. Else
 * an order that needs none, since it is placed already, would be faster each time.
 */
#define VALID_FAILING_S 2400

struct latest {
    struct hc_preflight_run *run; /* NULL: none is under way */
    int64_t at;                   /* UTC: the latest that ended; 0: none counts */
    struct hc_ca *ca;
    struct hc_ruled_out ruled_out;
};

struct hc_preflights {
    struct hc_preflights_options o;
    struct latest *items; /* as conf->identities */
    size_t running;
    hc_preflights_done *done;
    void *self;
};

bool hc_preflights_are_possible(const struct hc_preflights *preflights)
{
    return preflights->o.dns != NULL;
}

bool hc_preflights_are_made(const struct hc_preflights *preflights, size_t index)
{
    return preflights->o.dns != NULL &&
           preflights->o.env->conf->identities[index].set->preflight != HC_PREFLIGHT_OFF;
}

bool hc_preflights_are_fresh(const struct hc_preflights *preflights, size_t index,
                             const struct hc_ca *ca)
{
    const struct latest *latest = &preflights->items[index];
    int64_t now = hc_env_now(preflights->o.env);
    int64_t valid = ca != NULL && hc_ca_is_failing(ca) ? VALID_FAILING_S : VALID_S;

    if (!hc_preflights_are_made(preflights, index)) {
        return true;
    }
    return latest->ca == ca && latest->at <= now && now - latest->at <= valid;
}

bool hc_preflights_were_for(const struct hc_preflights *preflights, size_t index,
                            const struct hc_ca *ca)
{
    const struct latest *latest = &preflights->items[index];

    return latest->ca == ca && latest->at > 0 && latest->at <= hc_env_now(preflights->o.env);
}

struct hc_ca *hc_preflights_latest(const struct hc_preflights *preflights, size_t index)
{
    return preflights->items[index].ca;
}

const struct hc_ruled_out *hc_preflights_ruled_out(const struct hc_preflights *preflights,
                                                   size_t index, const struct hc_ca *ca)
{
    const struct latest *latest = &preflights->items[index];

    return latest->ca == ca ? &latest->ruled_out : NULL;
}

bool hc_preflights_is_running(const struct hc_preflights *preflights, size_t index)
{
    return preflights->items[index].run != NULL;
}

size_t hc_preflights_running(const struct hc_preflights *preflights)
{
    return preflights->running;
}

void hc_preflights_forget(struct hc_preflights *preflights, size_t index)
{
    preflights->items[index].at = 0;
}

/* ---- one ---- */

/* It is the caller's to free. NULL: none is under way. */
static struct hc_preflight_run *detach(struct hc_preflights *preflights, size_t index)
{
    struct hc_preflight_run *run = preflights->items[index].run;

    preflights->items[index].run = NULL;
    preflights->running -= run != NULL;
    return run;
}

static void on_done(void *self, size_t index, const struct hc_preflight_result *result)
{
    struct hc_preflights *preflights = self;
    struct latest *latest = &preflights->items[index];
    struct hc_preflight_run *run = detach(preflights, index);

    hc_ruled_out_note(&latest->ruled_out, result);
    latest->at = hc_env_now(preflights->o.env);
    if (preflights->done != NULL) {
        (preflights->done)(preflights->self, index, result);
    }
    hc_preflight_run_free(run); /* whose the result is */
}

int hc_preflights_start(struct hc_preflights *preflights, size_t index, struct hc_ca *ca,
                        struct hc_error *err)
{
    const struct hc_preflights_options *o = &preflights->o;
    struct latest *latest = &preflights->items[index];
    struct hc_preflight_run_options options = {
        .env = o->env,
        .answers = o->answers,
        .responder = o->responder,
        .dns = o->dns,
        .anchors = o->anchors,
        .ranges = o->ranges,
        .web = o->web,
        .tls = o->tls,
        .identity = &o->env->conf->identities[index],
        .ca = ca,
        .index = index,
        .self = preflights,
        .done = on_done,
    };

    if (latest->run != NULL) {
        return 0;
    }
    hc_ca_look_for_account(ca); /* its first order is judged as all others are */
    if (hc_preflight_run_start(&options, &latest->run, err) != 0) {
        return -1;
    }
    latest->ca = ca;
    preflights->running++;
    return 0;
}

/* ---- life ---- */

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_preflights *preflights = self;
    int64_t now = hc_env_now(preflights->o.env);

    if (event->kind != HC_EVENT_STORE_CLOSING && event->kind != HC_EVENT_CLOCK_SET) {
        return;
    }
    for (size_t i = 0; i < preflights->o.env->conf->identity_count; i++) {
        struct latest *latest = &preflights->items[i];

        if (event->kind == HC_EVENT_STORE_CLOSING) {
            hc_preflight_run_free(detach(preflights, i));
        } else if (latest->at > now) {
            latest->at = 0;
        }
    }
}

void hc_preflights_tell(struct hc_preflights *preflights, hc_preflights_done *done, void *self)
{
    preflights->done = done;
    preflights->self = self;
}

int hc_preflights_new(const struct hc_preflights_options *options, struct hc_preflights **out,
                      struct hc_error *err)
{
    struct hc_preflights *preflights = calloc(1, sizeof(*preflights));

    if (preflights == NULL) {
        return hc_error_nomem(err);
    }
    preflights->o = *options;
    preflights->items = calloc(options->env->conf->identity_count + 1, sizeof(*preflights->items));
    if (preflights->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (hc_events_add(options->env->events, on_event, preflights, err) != 0) {
        goto failed;
    }
    *out = preflights;
    return 0;
failed:
    hc_preflights_free(preflights);
    return -1;
}

void hc_preflights_free(struct hc_preflights *preflights)
{
    if (preflights == NULL) {
        return;
    }
    hc_events_remove(preflights->o.env->events, preflights);
    for (size_t i = 0; preflights->items != NULL && i < preflights->o.env->conf->identity_count;
         i++) {
        hc_preflight_run_free(detach(preflights, i));
        hc_ruled_out_dispose(&preflights->items[i].ruled_out);
    }
    free(preflights->items);
    free(preflights);
}
