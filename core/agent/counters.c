/* What happened, counted; see counters.h. */
#include "agent/counters.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static struct hc_counted_orders *orders_of(struct hc_counters *counters, const char *issuer)
{
    for (size_t i = 0; i < counters->env->conf->issuer_count; i++) {
        if (strcmp(counters->orders[i].issuer, issuer) == 0) {
            return &counters->orders[i];
        }
    }
    return NULL;
}

/* There are as many as there are issuers and problems, so the list has an end. */
static void count_failure(struct hc_counters *counters, const char *issuer, enum hc_problem problem)
{
    struct hc_counted_failures *items = counters->failures;

    for (size_t i = 0; i < counters->failure_count; i++) {
        if (items[i].issuer == issuer && items[i].problem == problem) {
            items[i].count++;
            return;
        }
    }
    items = hc_vec_room(items, counters->failure_count, NULL, sizeof(*items), NULL);
    if (items != NULL) { /* else one is not counted */
        counters->failures = items;
        items[counters->failure_count++] = (struct hc_counted_failures){issuer, problem, 1};
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_counters *counters = self;
    struct hc_counted_orders *orders =
        event->issuer != NULL ? orders_of(counters, event->issuer) : NULL;

    if (event->kind == HC_EVENT_PUBLISHED) {
        counters->swaps++;
    } else if (event->kind == HC_EVENT_FILES_CHECKED && event->problem != HC_P_NONE) {
        count_failure(counters, NULL, event->problem);
    } else if (event->kind == HC_EVENT_ORDER_OBTAINED && orders != NULL) {
        orders->obtained += !event->renewal;
        orders->renewed += event->renewal;
    } else if (event->kind == HC_EVENT_ORDER_FAILED && orders != NULL) {
        orders->failed++;
        count_failure(counters, orders->issuer, event->problem);
    }
}

int hc_counters_new(const struct hc_env *env, struct hc_counters **out, struct hc_error *err)
{
    struct hc_counters *counters = calloc(1, sizeof(*counters));

    if (counters == NULL) {
        return hc_error_nomem(err);
    }
    counters->env = env;
    counters->since = hc_env_now(env);
    counters->orders = calloc(env->conf->issuer_count + 1, sizeof(*counters->orders));
    if (counters->orders == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (size_t i = 0; i < env->conf->issuer_count; i++) {
        counters->orders[i].issuer = env->conf->issuers[i].name;
    }
    if (hc_events_add(env->events, on_event, counters, err) != 0) {
        goto failed;
    }
    *out = counters;
    return 0;
failed:
    hc_counters_free(counters);
    return -1;
}

void hc_counters_free(struct hc_counters *counters)
{
    if (counters == NULL) {
        return;
    }
    hc_events_remove(counters->env->events, counters);
    free(counters->orders);
    free(counters->failures);
    free(counters);
}
