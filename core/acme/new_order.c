/* newOrder, RFC 8555 section 7.4: the key is made, the order placed and stored; see order.h. */
#include "acme/json.h"
#include "acme/network.h"
#include "acme/order.h"
#include "pki/key.h"

/* The profile to ask for; NULL: the CA's own choice. One that is not advertised is never sent. */
static const char *profile_of(const struct hc_order *order)
{
    const struct hc_acme *acme = order->acme;
    const char *profile = acme->options.issuer->address_profile;
    bool has_address = false;

    for (size_t i = 0; i < order->names.count; i++) {
        has_address = has_address || hc_name_is_ip(order->names.items[i]);
    }
    return has_address && profile != NULL && hc_list_has(&acme->directory.profiles, profile)
               ? profile
               : NULL;
}

/* Made when the directory is known, which says what profiles there are. */
static int make_new_order(void *arg, struct hc_buf *out, struct hc_error *err)
{
    const struct hc_order *order = arg;
    json_t *identifiers = json_array();
    json_t *payload = json_pack("{s:O}", "identifiers", identifiers);
    const char *profile = profile_of(order);
    int bad = payload == NULL;
    int rc = -1;

    for (size_t i = 0; i < order->names.count && !bad; i++) {
        const char *name = order->names.items[i];

        bad = json_array_append_new(
            identifiers,
            json_pack("{s:s, s:s}", "type", hc_name_is_ip(name) ? "ip" : "dns", "value", name));
    }
    if (profile != NULL) {
        bad = json_object_set_new(payload, "profile", json_string(profile)) != 0 || bad;
    }
    if (bad) {
        hc_error_nomem(err);
    } else {
        rc = hc_json_write(payload, out, err);
    }
    json_decref(payload);
    json_decref(identifiers);
    return rc;
}

static int keep_placed(struct hc_order *order, const struct hc_http_reply *reply,
                       struct hc_error *err)
{
    struct hc_order_state state = {0};

    if (reply->location[0] == '\0') {
        return hc_error_set(err, HC_P_CA_REPLY, hc_acme_issuer(order->acme),
                            "the reply to newOrder has no Location");
    }
    if (hc_acme_check_url(order->acme->options.issuer->directory_url, reply->location, err) != 0 ||
        hc_strdup(reply->location, &order->url, err) != 0 ||
        hc_order_read(order, reply, err) != 0) {
        return -1;
    }
    state.order_url = order->url;
    state.key = order->key;
    if (order->handler->persist(order->handler->self, &state, err) != 0) {
        return hc_error_during(err, "storing the order");
    }
    return 0;
}

static void on_placed(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause != NULL) {
        err = *cause;
        if (reply != NULL && (reply->status == 401 || reply->status == 403)) {
            hc_acme_problem_of_account(reply, &err);
        }
        hc_order_blame_reply(order, reply);
        hc_order_fail(order, &err, true);
    } else if (keep_placed(order, reply, &err) != 0) {
        hc_order_fail(order, &err, true);
    } else {
        hc_order_follow(order, reply->retry_after);
    }
}

static void on_key(void *self, EVP_PKEY *key, const struct hc_error *err)
{
    struct hc_order *order = self;

    if (key != NULL) {
        order->key = key;
        hc_order_enter(order, HC_PHASE_PLACE);
    } else {
        hc_order_fail(order, err, true);
    }
    hc_acme_pump(order->acme);
}

/* 1: there is a key, 0: it is being made, -1: err. */
static int get_key(struct hc_order *order, struct hc_error *err)
{
    struct hc_loop *loop = order->acme->options.loop;

    if (order->key != NULL) {
        return 1;
    }
    if (loop != NULL && hc_keygen_is_slow(order->key_type)) {
        return hc_keygen_start(loop, &order->keygen, order->key_type, on_key, order, err);
    }
    return hc_key_new(order->key_type, &order->key, err) == 0 ? 1 : -1;
}

void hc_order_place(struct hc_order *order)
{
    const struct hc_acme_request_options options = {
        .endpoint = HC_ENDPOINT_NEW_ORDER,
        .fill = make_new_order,
        .done = on_placed,
        .arg = order,
    };
    struct hc_error err;
    int key = 0;

    hc_error_init(&err);
    key = get_key(order, &err);
    if (key == 0) {
        return; /* on_key() comes back */
    }
    if (key < 0) {
        hc_order_fail(order, &err, true);
    } else if (hc_acme_request_new(order->acme, &options, &order->request, &err) != 0) {
        hc_order_fail(order, &err, false);
    }
}
