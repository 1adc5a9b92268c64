/* The states of an order, RFC 8555 section 7.4; see order.h. */
#include "acme/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/network.h"
#include "acme/problem.h"
#include "pki/key.h"

#define PROCESS_MS  600000
#define POLL_MOST_S 300 /* the longest Retry-After that is waited for in one go */

static void poll_order(struct hc_order *order);

static const struct {
    const char *activity;
    void (*run)(struct hc_order *order);
} phases[] = {
    [HC_PHASE_PLACE] = {"placing the order", hc_order_place},
    [HC_PHASE_POLL] = {"waiting for the CA to issue", poll_order},
    [HC_PHASE_AUTHORIZE] = {"fetching the authorizations", hc_validation_begin},
    [HC_PHASE_PRESENT] = {"presenting the challenges' answers", hc_validation_present},
    [HC_PHASE_AWAIT] = {"waiting for all servers to have the answers", hc_validation_await},
    [HC_PHASE_VALIDATE] = {"waiting for the CA to validate", hc_validation_run},
    [HC_PHASE_FINALIZE] = {"requesting the certificate", hc_order_finalize},
    [HC_PHASE_DOWNLOAD] = {"downloading the certificate", hc_order_download},
    [HC_PHASE_EXPLAIN] = {"asking which name the CA refused", hc_validation_begin},
    [HC_PHASE_OVER] = {"done", hc_order_deliver},
};
_Static_assert(HC_COUNT(phases) == HC_PHASE_OVER + 1, "a row for each phase");

/* Where an order goes from what the CA says of it, while nothing speaks against it. */
static const enum hc_order_phase by_status[] = {
    [HC_STATUS_PENDING] = HC_PHASE_AUTHORIZE, [HC_STATUS_READY] = HC_PHASE_FINALIZE,
    [HC_STATUS_PROCESSING] = HC_PHASE_POLL,   [HC_STATUS_VALID] = HC_PHASE_DOWNLOAD,
    [HC_STATUS_INVALID] = HC_PHASE_EXPLAIN,
};
_Static_assert(HC_COUNT(by_status) == HC_STATUS_INVALID + 1, "a phase for each status");

void hc_order_enter_at(struct hc_order *order, enum hc_order_phase phase, int64_t due_ms)
{
    order->phase = phase;
    order->due_ms = due_ms;
    order->named_wait = false;
}

void hc_order_enter(struct hc_order *order, enum hc_order_phase phase)
{
    hc_order_enter_at(order, phase, 0);
}

int64_t hc_order_poll_delay_ms(unsigned polls, int64_t retry_after)
{
    static const int64_t steps[] = {100, 400, 1000, 2000, 4000, 8000, 10000};

    if (retry_after >= 0) {
        return (retry_after < 1 ? 1 : retry_after > POLL_MOST_S ? POLL_MOST_S : retry_after) * 1000;
    }
    return steps[polls < HC_COUNT(steps) ? polls : HC_COUNT(steps) - 1];
}

bool hc_order_is_unknown(const struct hc_http_reply *reply, const struct hc_error *err)
{
    return reply != NULL && err->problem == HC_P_CA_REFUSED &&
           (reply->status == 400 || reply->status == 401 || reply->status == 403 ||
            reply->status == 404 || reply->status == 410);
}

void hc_order_lost(struct hc_order *order, const struct hc_error *err)
{
    struct hc_error_text text;
    struct hc_error last;
    char names[160];

    if (order->placed_again) {
        hc_error_init(&last);
        hc_error_set(&last, HC_P_ORDER_LOST, hc_list_format(&order->names, names, sizeof(names)),
                     "%s", err->detail);
        hc_order_fail(order, &last, true);
        return;
    }
    hc_error_render(err, &text);
    hc_logf(order->acme->options.log, HC_LOG_NOTICE,
            "%s: the CA no longer knows the order for %s (%s); placing a new one",
            hc_acme_issuer(order->acme), hc_list_format(&order->names, names, sizeof(names)),
            text.detail);
    hc_authz_dispose(order);
    hc_order_resource_dispose(&order->resource);
    free(order->url);
    order->url = NULL;
    order->placed_again = true;
    order->answered = order->authorized = false;
    order->finalized = 0;
    order->polls = 0;
    order->deadline_ms = 0;
    hc_order_enter(order, HC_PHASE_PLACE);
}

void hc_order_poll_later(struct hc_order *order, int64_t retry_after)
{
    int64_t now_ms = hc_now_ms(order->acme->options.clock);
    int64_t delay_ms = hc_order_poll_delay_ms(order->polls++, retry_after);
    char what[64];

    if (order->deadline_ms == 0) {
        order->deadline_ms = now_ms + PROCESS_MS;
    }
    if (now_ms + delay_ms > order->deadline_ms) {
        (void)snprintf(what, sizeof(what), "the order is still \"%s\"",
                       hc_status_name(order->resource.status));
        hc_order_fail_slow(order, what, retry_after);
        return;
    }
    hc_order_enter_at(order, HC_PHASE_POLL, now_ms + delay_ms);
    order->named_wait = retry_after >= 0;
}

void hc_order_follow(struct hc_order *order, int64_t retry_after)
{
    enum hc_status status = order->resource.status;
    bool behind = (status == HC_STATUS_PENDING && order->authorized) ||
                  (status == HC_STATUS_READY && order->finalized > 0) ||
                  status == HC_STATUS_PROCESSING ||
                  (status == HC_STATUS_VALID && order->resource.certificate == NULL);

    /* a finalize request that got lost is sent again, but only if a poll says so too */
    if (status == HC_STATUS_READY && order->finalized > 0 && order->phase == HC_PHASE_POLL &&
        order->polls >= order->finalized && order->finalized < HC_ORDER_FINALIZE_MOST) {
        behind = false;
    }
    if (behind) {
        hc_order_poll_later(order, retry_after);
    } else {
        hc_order_enter(order, by_status[status]);
    }
}

int hc_order_read(struct hc_order *order, const struct hc_http_reply *reply, struct hc_error *err)
{
    const char *directory = order->acme->options.issuer->directory_url;
    struct hc_order_resource resource = {0};

    if (hc_order_resource_parse(reply->body, directory, order->url, &resource, err) != 0) {
        return -1;
    }
    if (!hc_list_equal(&resource.names, &order->names)) {
        hc_order_resource_dispose(&resource);
        return hc_error_set(err, HC_P_CA_REPLY, order->url,
                            "the CA's order lists other names than hotcert ordered");
    }
    hc_order_resource_dispose(&order->resource);
    order->resource = resource;
    return 0;
}

void hc_order_ask(struct hc_order *order, enum hc_endpoint endpoint, const char *url,
                  const char *payload, hc_acme_request_done *done)
{
    struct hc_acme_request_options options = {0};
    struct hc_error err;

    hc_error_init(&err);
    options.endpoint = endpoint;
    options.url = url;
    options.payload = payload;
    options.done = done;
    options.arg = order;
    if (endpoint == HC_ENDPOINT_URL && url == order->resource.certificate) {
        options.accept = HC_ORDER_CHAIN_TYPE;
        options.max_body = HC_ORDER_CHAIN_MAX;
    }
    if (hc_acme_request_new(order->acme, &options, &order->request, &err) != 0) {
        hc_order_fail(order, &err, false);
    }
}

/* What the CA says of the order: at a resume, and until the certificate is there */

bool hc_order_answered(struct hc_order *order, const struct hc_http_reply *reply,
                       const struct hc_error *cause, hc_order_take *take)
{
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause != NULL && hc_order_is_unknown(reply, cause)) {
        hc_order_lost(order, cause);
    } else if (cause != NULL) {
        hc_order_fail(order, cause, false);
    } else if (take(order, reply, &err) != 0) {
        hc_order_fail(order, &err, false);
    } else {
        return true;
    }
    return false;
}

static void on_polled(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;

    if (hc_order_answered(order, reply, cause, hc_order_read)) {
        hc_order_follow(order, reply->retry_after);
    }
}

static void poll_order(struct hc_order *order)
{
    hc_order_ask(order, HC_ENDPOINT_URL, order->url, "", on_polled);
}

/* For the pump and the owner */

bool hc_order_run(struct hc_order *order, int64_t now_ms)
{
    if (order->due_ms >= 0 && order->due_ms <= now_ms) {
        order->due_ms = -1;
        phases[order->phase].run(order);
        return true;
    }
    return hc_authz_run(order, now_ms);
}

int64_t hc_order_due(const struct hc_order *order)
{
    int64_t authz = hc_authz_due(order);

    if (order->due_ms < 0 || (authz >= 0 && authz < order->due_ms)) {
        return authz;
    }
    return order->due_ms;
}

struct hc_order *hc_order_next(const struct hc_order *order)
{
    return order->next;
}

const char *hc_order_activity(const struct hc_order *order)
{
    return phases[order->phase].activity;
}

bool hc_order_waiting(const struct hc_order *order)
{
    if (order->phase == HC_PHASE_VALIDATE) {
        return hc_authz_waiting(order);
    }
    return order->phase == HC_PHASE_POLL && order->request == NULL && order->named_wait;
}

static int take_resume(struct hc_order *order, const struct hc_order_state *resume,
                       struct hc_error *err)
{
    const char *directory = order->acme->options.issuer->directory_url;
    struct hc_error ignored;

    if (resume == NULL) {
        return 0;
    }
    if (resume->key != NULL) {
        EVP_PKEY_up_ref(resume->key);
        order->key = resume->key;
    }
    /* without its key, or of an issuer that moved: the order is placed anew */
    hc_error_init(&ignored);
    if (resume->key == NULL || resume->order_url == NULL ||
        hc_acme_check_url(directory, resume->order_url, &ignored) != 0) {
        return 0;
    }
    order->phase = HC_PHASE_POLL;
    return hc_strdup(resume->order_url, &order->url, err);
}

int hc_order_start(struct hc_acme *acme, const struct hc_order_options *options,
                   struct hc_order **out, struct hc_error *err)
{
    struct hc_order **last = &acme->orders;
    struct hc_order *order = calloc(1, sizeof(*order));

    if (order == NULL) {
        return hc_error_nomem(err);
    }
    order->acme = acme;
    order->handler = options->handler;
    order->key_type = options->key_type;
    order->profile = options->profile;
    order->phase = HC_PHASE_PLACE;
    order->chain.max = order->preferred.max = HC_ORDER_CHAIN_MAX;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = order;
    order->solvers = options->solvers;
    if (hc_list_copy(&order->names, options->names, err) != 0 ||
        (options->replaces != NULL && hc_strdup(options->replaces, &order->replaces, err) != 0) ||
        take_resume(order, options->resume, err) != 0) {
        hc_order_free(order);
        return -1;
    }
    hc_list_sort_unique(&order->names);
    hc_acme_soon(acme);
    *out = order;
    return 0;
}

void hc_order_leave(struct hc_order *order)
{
    hc_authz_leave(order);
    hc_order_free(order);
}

void hc_order_free(struct hc_order *order)
{
    if (order == NULL) {
        return;
    }
    for (struct hc_order **p = &order->acme->orders; *p != NULL; p = &(*p)->next) {
        if (*p == order) {
            *p = order->next;
            break;
        }
    }
    hc_acme_request_cancel(order->request);
    hc_keygen_stop(&order->keygen);
    hc_authz_dispose(order);
    hc_order_resource_dispose(&order->resource);
    hc_list_dispose(&order->names);
    for (size_t i = 0; i < order->bad_names.count; i++) {
        hc_kept_error_dispose(&order->bad[i].error);
    }
    hc_list_dispose(&order->bad_names);
    hc_kept_error_dispose(&order->error);
    free(order->bad);
    hc_buf_dispose(&order->chain);
    hc_buf_dispose(&order->preferred);
    hc_list_dispose(&order->alternates);
    EVP_PKEY_free(order->key);
    free(order->url);
    free(order->replaces);
    free(order);
}
