/* How an order ends: whose fault it is, and what the caller is told; see order.h. */
#include <stdlib.h>
#include <string.h>

#include "acme/foreign.h"
#include "acme/json.h"
#include "acme/order.h"

/* Problems that say something of the order's names, and nothing of the CA. */
static bool is_of_names(enum hc_problem p)
{
    static const enum hc_problem list[] = {
        HC_P_VALIDATION,         HC_P_NO_CHALLENGE, HC_P_ORDER_INVALID,   HC_P_CA_REFUSED,
        HC_P_CA_SAYS_CAA,        HC_P_CA_SAYS_DNS,  HC_P_CA_SAYS_NAME,    HC_P_CA_SAYS_ANSWER,
        HC_P_CA_SAYS_CONNECTION, HC_P_CA_PAUSED,    HC_P_CA_SAYS_PROFILE,
    };

    for (size_t i = 0; i < HC_COUNT(list); i++) {
        if (list[i] == p) {
            return true;
        }
    }
    return false;
}

/* Limits on names and on the account share one type; the former speak of the names. */
static bool limits_names(const struct hc_order *order, const struct hc_error *err)
{
    if (err->problem != HC_P_RATE_LIMITED) {
        return false;
    }
    for (size_t i = 0; i < order->names.count; i++) {
        if (hc_foreign_names(&err->foreign, order->names.items[i])) {
            return true;
        }
    }
    return false;
}

static void end(struct hc_order *order)
{
    hc_acme_request_cancel(order->request);
    order->request = NULL;
    for (size_t i = 0; i < order->authz_count; i++) {
        hc_acme_request_cancel(order->authz[i].request);
        order->authz[i].request = NULL;
        order->authz[i].due_ms = -1;
    }
    hc_order_enter(order, HC_PHASE_OVER);
}

void hc_order_succeed(struct hc_order *order)
{
    if (order->phase != HC_PHASE_OVER) {
        end(order);
    }
}

void hc_order_fail(struct hc_order *order, const struct hc_error *err, bool dead)
{
    struct hc_error cause;

    if (order->phase == HC_PHASE_OVER) {
        return;
    }
    cause = *err;
    hc_error_during(&cause, "%s", hc_order_activity(order));
    hc_kept_error_set(&order->error, &cause);
    order->dead = dead || order->url == NULL;
    order->ca_wide = !is_of_names(err->problem) && !limits_names(order, err);
    end(order);
}

void hc_order_fail_slow(struct hc_order *order, const char *what, int64_t retry_after)
{
    struct hc_error err;
    char names[160];

    if (order->phase == HC_PHASE_OVER) {
        return;
    }
    hc_error_init(&err);
    hc_error_set(&err, HC_P_CA_TIMEOUT, hc_list_format(&order->names, names, sizeof(names)), "%s",
                 what);
    err.foreign.retry_after = retry_after > 0 ? retry_after : 0;
    hc_order_fail(order, &err, false);
    order->ca_wide = false;
}

/* One error for all of the names. */
static void sum_up(const struct hc_order *order, struct hc_error *err)
{
    size_t count = order->bad_names.count;
    char names[HC_ERROR_SUBJECT];
    struct hc_error first;

    hc_kept_error_get(&order->bad[0].error, &first);
    if (count == 1) {
        hc_error_chain(err, &first);
        return;
    }
    hc_error_set(err, HC_P_VALIDATION, hc_list_format(&order->bad_names, names, sizeof(names)),
                 "%zu of %zu names; of %s %s", count, order->names.count, order->bad[0].name,
                 first.detail);
}

void hc_order_fail_names(struct hc_order *order)
{
    struct hc_error err;
    char names[HC_ERROR_SUBJECT];

    if (order->phase == HC_PHASE_OVER) {
        return;
    }
    hc_error_init(&err);
    hc_list_format(&order->names, names, sizeof(names));
    hc_order_blame_subproblems(order, order->resource.error);
    if (order->bad_names.count > 0) {
        sum_up(order, &err);
    } else if (order->resource.error != NULL) {
        hc_acme_problem_set(order->resource.error, HC_ABOUT_CHALLENGE, names,
                            order->acme->options.redaction, &err);
        err.problem = err.problem == HC_P_VALIDATION ? HC_P_ORDER_INVALID : err.problem;
    } else {
        hc_error_set(&err, HC_P_ORDER_INVALID, names, "it gives no reason");
    }
    hc_order_fail(order, &err, true);
    order->ca_wide = false;
}

void hc_order_blame(struct hc_order *order, const char *name, const struct hc_error *err)
{
    struct hc_order_name *longer = NULL;
    size_t count = order->bad_names.count;

    if (hc_list_has(&order->bad_names, name) || !hc_list_has(&order->names, name)) {
        return;
    }
    longer = realloc(order->bad, (count + 1) * sizeof(*longer));
    if (longer == NULL) {
        return;
    }
    order->bad = longer;
    if (hc_list_add(&order->bad_names, name, NULL) != 0) {
        return;
    }
    order->bad[count] = (struct hc_order_name){.name = order->bad_names.items[count]};
    hc_kept_error_set(&order->bad[count].error, err);
}

void hc_order_blame_subproblems(struct hc_order *order, const json_t *problem)
{
    char name[HC_NAME_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; hc_acme_subproblem(problem, i, order->acme->options.redaction, name, &err);
         i++) {
        if (name[0] != '\0') {
            hc_order_blame(order, name, &err);
        }
        hc_error_init(&err);
    }
}

void hc_order_blame_reply(struct hc_order *order, const struct hc_http_reply *reply)
{
    json_t *problem = NULL;

    if (reply != NULL && hc_json_object(reply->body, NULL, &problem, NULL) == 0) {
        hc_order_blame_subproblems(order, problem);
    }
    json_decref(problem);
}

/*
 * True while the CA may be asking for the answers: it was told to validate, now or by who had the
 * order before, and the order goes on although we stop here.
 */
static bool is_validated_still(const struct hc_order *order)
{
    bool told = order->answered;

    if (order->dead || !hc_kept_error_is_set(&order->error)) {
        return false;
    }
    for (size_t i = 0; i < order->authz_count; i++) {
        told |= order->authz[i].challenge_status == HC_STATUS_PROCESSING;
    }
    return told;
}

void hc_order_deliver(struct hc_order *order)
{
    struct hc_order_result result = {0};

    if (order->delivered) {
        return;
    }
    order->delivered = true;
    if (!is_validated_still(order)) {
        hc_authz_withdraw(order);
    }
    hc_kept_error_get(&order->error, &result.error);
    result.key = order->key;
    result.names = order->bad;
    result.name_count = order->bad_names.count;
    result.ca_wide = order->ca_wide;
    result.order_dead = order->dead;
    if (!hc_kept_error_is_set(&order->error)) {
        result.chain_pem = hc_bytes_of(&order->chain);
        result.preferred_pem = hc_bytes_of(&order->preferred);
    }
    order->handler->done(order->handler->self, &result);
}
