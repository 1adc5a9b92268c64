/* The phases in which an order's names are proved, RFC 8555 section 7.5; see order.h. */
#include "acme/order.h"

#define AWAIT_STEP_MS 20
#define AWAIT_MOST_MS 2000
#define VALIDATE_MS   300000 /* then the order is left to another day, at the CA's end too */

void hc_validation_begin(struct hc_order *order)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_authz_prepare(order, &err) != 0) {
        hc_order_fail(order, &err, false);
        return;
    }
    if (order->authz_count == 0 && order->phase == HC_PHASE_EXPLAIN) {
        hc_order_fail_names(order);
    } else if (order->authz_count == 0) {
        order->authorized = true;
        hc_order_poll_later(order, -1);
    } else {
        hc_authz_ask_all(order);
    }
}

/* What a solver could not do on its way to the CA says nothing of the CA. */
static void fail(struct hc_order *order, const struct hc_error *err)
{
    bool ours = hc_authz_has_failed(order);

    hc_order_fail(order, err, false);
    order->ca_wide = order->ca_wide && !ours;
}

void hc_validation_present(struct hc_order *order)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_authz_present(order, &err) != 0) {
        fail(order, &err);
        return;
    }
    order->ready_ms = 0;
    hc_order_enter(order, HC_PHASE_AWAIT);
}

void hc_validation_await(struct hc_order *order)
{
    int64_t now_ms = hc_now_ms(order->acme->options.clock);
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_authz_ready(order, now_ms, &err);
    if (rc < 0) {
        fail(order, &err);
    } else if (rc > 0) {
        hc_order_enter(order, HC_PHASE_VALIDATE);
    } else if (order->ready_ms > 0 && now_ms >= order->ready_ms) {
        char names[160];

        hc_logf(order->acme->options.log, HC_LOG_WARN,
                "%s: not every server has confirmed that it can answer the challenges of %s; "
                "continuing anyway",
                hc_acme_issuer(order->acme), hc_list_format(&order->names, names, sizeof(names)));
        hc_order_enter(order, HC_PHASE_VALIDATE);
    } else {
        int64_t waited_ms = now_ms - order->presented_ms;
        int64_t step_ms = waited_ms / 16 > AWAIT_STEP_MS ? waited_ms / 16 : AWAIT_STEP_MS;

        /* until all are laid out, the last to say so wakes it */
        hc_order_enter_at(order, HC_PHASE_AWAIT,
                          order->ready_ms == 0
                              ? -1
                              : now_ms + (step_ms < AWAIT_MOST_MS ? step_ms : AWAIT_MOST_MS));
    }
}

void hc_validation_run(struct hc_order *order)
{
    int64_t now_ms = hc_now_ms(order->acme->options.clock);

    if (order->answered) {
        hc_authz_give_up(order);
        return;
    }
    order->answered = true;
    order->deadline_ms = now_ms + VALIDATE_MS;
    order->due_ms = order->deadline_ms;
    hc_authz_answer(order, now_ms);
}
