/* How an order gets its certificate, RFC 8555 sections 7.4 and 7.4.2; see order.h. */
#include "acme/order.h"
#include "pki/key.h"

#define CSR_MAX ((size_t)32 << 10)

/* finalize; the reply is the order, or not even that */

static void on_finalized(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause == NULL) {
        if (hc_order_read(order, reply, &err) == 0) {
            hc_order_follow(order, reply->retry_after);
        } else {
            hc_order_poll_later(order, reply->retry_after);
        }
    } else if (cause->problem == HC_P_ORDER_NOT_READY &&
               order->finalized < HC_ORDER_FINALIZE_MOST) {
        hc_order_poll_later(order, reply->retry_after);
    } else if (cause->problem == HC_P_CA_REFUSED && reply != NULL && reply->status == 404) {
        hc_order_lost(order, cause);
    } else {
        hc_order_blame_reply(order, reply);
        hc_order_fail(order, cause, cause->problem == HC_P_CA_REFUSED);
    }
}

static int make_finalize(const struct hc_order *order, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf der = HC_BUF_INIT(CSR_MAX);
    int rc = -1;

    if (hc_csr_new(order->key, &order->names, &der, err) == 0 &&
        hc_buf_puts(out, "{\"csr\":\"", err) == 0 &&
        hc_base64url(der.data, der.len, out, err) == 0 && hc_buf_puts(out, "\"}", err) == 0) {
        rc = 0;
    }
    hc_buf_dispose(&der);
    return rc;
}

void hc_order_finalize(struct hc_order *order)
{
    struct hc_buf payload = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (make_finalize(order, &payload, &err) != 0) {
        hc_order_fail(order, &err, true);
    } else {
        order->finalized++;
        order->polls = 0;
        order->deadline_ms = 0;
        hc_order_ask(order, HC_ENDPOINT_URL, order->resource.finalize, hc_buf_text(&payload),
                     on_finalized);
    }
    hc_buf_dispose(&payload);
}

/* The download */

static int keep_chain(struct hc_order *order, const struct hc_http_reply *reply,
                      struct hc_error *err)
{
    if (hc_chain_check(reply, order->resource.certificate, err) != 0) {
        return -1;
    }
    hc_buf_reset(&order->chain);
    return hc_buf_append(&order->chain, reply->body.data, reply->body.len, err);
}

static void on_downloaded(void *arg, const struct hc_http_reply *reply,
                          const struct hc_error *cause)
{
    struct hc_order *order = arg;

    if (hc_order_answered(order, reply, cause, keep_chain)) {
        hc_order_succeed(order);
    }
}

void hc_order_download(struct hc_order *order)
{
    hc_order_ask(order, HC_ENDPOINT_URL, order->resource.certificate, "", on_downloaded);
}
