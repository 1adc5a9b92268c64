/* newOrder, RFC 8555 section 7.4: the key is made, the order placed and stored; see order.h. */
#include <stdio.h>
#include <stdlib.h>

#include "acme/json.h"
#include "acme/network.h"
#include "acme/order.h"
#include "pki/key.h"

static bool has_address(const struct hc_order *order)
{
    for (size_t i = 0; i < order->names.count; i++) {
        if (hc_name_is_ip(order->names.items[i])) {
            return true;
        }
    }
    return false;
}

static bool is_required(const struct hc_order *order)
{
    return order->profile != NULL && order->profile->count > 1;
}

/* Once for each profile and connection to the CA. */
static void tell_without(struct hc_acme *acme, const char *profile, const char *why)
{
    if (hc_list_has(&acme->profiles_told, profile)) {
        return;
    }
    (void)!hc_list_add(&acme->profiles_told, profile, NULL);
    hc_logf(acme->options.log, HC_LOG_WARN,
            "%s does not issue with the profile \"%s\" (%s); "
            "ordering without a profile",
            hc_acme_issuer(acme), profile, why);
}

static const char *describe_offers(const struct hc_acme *acme, char *dst, size_t cap)
{
    char names[160];

    if (acme->directory.profiles.count == 0) {
        (void)snprintf(dst, cap, "it offers none");
    } else {
        (void)snprintf(dst, cap, "it offers %s",
                       hc_list_format(&acme->directory.profiles, names, sizeof(names)));
    }
    return dst;
}

/*
 * The profile to ask for; NULL: the CA's own choice. One that the directory does not list is never
 * sent; -1 if it is required.
 */
static int choose_profile(const struct hc_order *order, const char **profile, struct hc_error *err)
{
    struct hc_acme *acme = order->acme;
    const struct hc_list *offered = &acme->directory.profiles;
    const char *of_addresses = acme->options.issuer->address_profile;
    const char *wanted =
        order->profile != NULL && order->profile->count > 0 ? order->profile->items[0] : NULL;
    char offers[192];

    *profile = NULL;
    if (order->without_profile) {
        return 0;
    }
    if (!is_required(order) && of_addresses != NULL && has_address(order) &&
        hc_list_has(offered, of_addresses)) {
        *profile = of_addresses;
    } else if (wanted != NULL && hc_list_has(offered, wanted)) {
        *profile = wanted;
    } else if (is_required(order)) {
        return hc_error_set(err, HC_P_CA_SAYS_PROFILE, wanted, "%s: %s", hc_acme_issuer(acme),
                            describe_offers(acme, offers, sizeof(offers)));
    } else if (wanted != NULL) {
        tell_without(acme, wanted, describe_offers(acme, offers, sizeof(offers)));
    }
    return 0;
}

/* Made when the directory is known, which says what profiles there are. */
static int make_new_order(void *arg, struct hc_buf *out, struct hc_error *err)
{
    struct hc_order *order = arg;
    const struct hc_acme *acme = order->acme;
    json_t *identifiers = json_array();
    json_t *payload = json_pack("{s:O}", "identifiers", identifiers);
    const char *profile = NULL;
    int bad = payload == NULL;
    int rc = choose_profile(order, &profile, err);

    if (rc != 0) {
        goto out;
    }
    rc = -1;
    order->profile_sent = profile;
    for (size_t i = 0; i < order->names.count && !bad; i++) {
        const char *name = order->names.items[i];

        bad = json_array_append_new(
            identifiers,
            json_pack("{s:s, s:s}", "type", hc_name_is_ip(name) ? "ip" : "dns", "value", name));
    }
    if (profile != NULL) {
        bad = json_object_set_new(payload, "profile", json_string(profile)) != 0 || bad;
    }
    if (order->replaces != NULL && acme->directory.renewal_info != NULL) {
        bad = json_object_set_new(payload, "replaces", json_string(order->replaces)) != 0 || bad;
    }
    if (bad) {
        hc_error_nomem(err);
    } else {
        rc = hc_json_write(payload, out, err);
    }
out:
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

/* True if the order goes out once more, without the profile that the CA does not want after all. */
static bool place_without_profile(struct hc_order *order, const struct hc_error *cause)
{
    struct hc_error_text text;

    if (cause->problem != HC_P_CA_SAYS_PROFILE || is_required(order) ||
        order->profile_sent == NULL) {
        return false;
    }
    hc_error_render(cause, &text);
    tell_without(order->acme, order->profile_sent, text.detail);
    order->without_profile = true;
    hc_order_enter(order, HC_PHASE_PLACE);
    return true;
}

/*
 * True if the order goes out once more, as one that replaces nothing: the CA may know the
 * certificate as replaced already, as another account's, or not at all.
 */
static bool place_without_replaces(struct hc_order *order, const struct hc_error *cause)
{
    struct hc_error_text text;

    if (order->replaces == NULL || order->acme->directory.renewal_info == NULL ||
        cause->problem != HC_P_CA_REFUSED) {
        return false;
    }
    hc_error_render(cause, &text);
    hc_logf(order->acme->options.log, HC_LOG_NOTICE,
            "%s: the CA refuses the order as a renewal of %s (%s); ordering without that",
            hc_acme_issuer(order->acme), order->replaces, text.detail);
    free(order->replaces);
    order->replaces = NULL;
    hc_order_enter(order, HC_PHASE_PLACE);
    return true;
}

static void on_placed(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause != NULL &&
        (place_without_profile(order, cause) || place_without_replaces(order, cause))) {
        return;
    }
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
