/* How an order gets its certificate, RFC 8555 sections 7.4 and 7.4.2; see order.h. */
#include <string.h>

#include "acme/alternate.h"
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

/* ---- the preferred chain, which never costs the certificate that is there ---- */

static void fetch_alternate(struct hc_order *order);

static void tell_no_such_chain(const struct hc_order *order)
{
    struct hc_acme *acme = order->acme;
    const char *wanted = acme->options.issuer->preferred_chain;
    char end[HC_CHAIN_END];

    if (acme->chain_told) {
        return;
    }
    acme->chain_told = true;
    (void)hc_chain_end(hc_bytes_of(&order->chain), end);
    hc_logf(acme->options.log, HC_LOG_NOTICE,
            "%s: the CA offers no chain that ends at \"%s\", of %zu; using its default, which ends "
            "at \"%s\"",
            hc_acme_issuer(acme), wanted, order->alternates.count + 1, end);
}

static void on_alternate(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    char end[HC_CHAIN_END];

    order->request = NULL;
    if (cause == NULL && hc_chain_check(reply, order->resource.certificate, NULL) == 0 &&
        hc_chain_end(reply->body, end) &&
        strcmp(end, order->acme->options.issuer->preferred_chain) == 0 &&
        hc_buf_append(&order->preferred, reply->body.data, reply->body.len, NULL) == 0) {
        hc_order_succeed(order);
    } else {
        fetch_alternate(order);
    }
}

/* The next one, or the end. */
static void fetch_alternate(struct hc_order *order)
{
    struct hc_acme_request_options options = {
        .endpoint = HC_ENDPOINT_URL,
        .payload = "",
        .accept = HC_ORDER_CHAIN_TYPE,
        .max_body = HC_ORDER_CHAIN_MAX,
        .done = on_alternate,
        .arg = order,
    };

    if (order->alternate < order->alternates.count) {
        options.url = order->alternates.items[order->alternate++];
        if (hc_acme_request_new(order->acme, &options, &order->request, NULL) == 0) {
            return;
        }
    }
    tell_no_such_chain(order);
    hc_order_succeed(order);
}

static bool wants_another_chain(struct hc_order *order, const struct hc_http_reply *reply)
{
    const struct hc_issuer *issuer = order->acme->options.issuer;
    char end[HC_CHAIN_END];

    return issuer->preferred_chain != NULL &&
           (!hc_chain_end(hc_bytes_of(&order->chain), end) ||
            strcmp(end, issuer->preferred_chain) != 0) &&
           hc_alternates_read(reply, issuer->directory_url, order->resource.certificate,
                              &order->alternates, NULL) == 0;
}

static void on_downloaded(void *arg, const struct hc_http_reply *reply,
                          const struct hc_error *cause)
{
    struct hc_order *order = arg;

    if (!hc_order_answered(order, reply, cause, keep_chain)) {
        return;
    }
    if (wants_another_chain(order, reply)) {
        fetch_alternate(order);
    } else {
        hc_order_succeed(order);
    }
}

void hc_order_download(struct hc_order *order)
{
    hc_order_ask(order, HC_ENDPOINT_URL, order->resource.certificate, "", on_downloaded);
}
