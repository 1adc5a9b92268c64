/* Orders and authorizations; see resource.h. */
#include "acme/resource.h"

#include <stdlib.h>
#include <string.h>

#include "acme/challenge.h"
#include "acme/json.h"
#include "acme/network.h"
#include "acme/problem.h"

static const char *const status_names[] = {
    [HC_STATUS_PENDING] = "pending",       [HC_STATUS_READY] = "ready",
    [HC_STATUS_PROCESSING] = "processing", [HC_STATUS_VALID] = "valid",
    [HC_STATUS_INVALID] = "invalid",
};
_Static_assert(HC_COUNT(status_names) == HC_STATUS_INVALID + 1, "a name for each status");

/* RFC 8555 section 7.1.6: ends of an authorization that are as good as invalid for an order. */
static const char *const as_invalid[] = {"deactivated", "expired", "revoked"};

const char *hc_status_name(enum hc_status status)
{
    return status_names[status];
}

static int read_status(const json_t *object, const char *subject, enum hc_status *out,
                       struct hc_error *err)
{
    const char *text = NULL;

    if (hc_json_need_text(object, "status", subject, &text, err) != 0) {
        return -1;
    }
    for (enum hc_status s = HC_STATUS_PENDING; s <= HC_STATUS_INVALID; s++) {
        if (strcmp(text, status_names[s]) == 0) {
            *out = s;
            return 0;
        }
    }
    for (size_t i = 0; i < HC_COUNT(as_invalid); i++) {
        if (strcmp(text, as_invalid[i]) == 0) {
            *out = HC_STATUS_INVALID;
            return 0;
        }
    }
    return hc_error_set(err, HC_P_CA_REPLY, subject,
                        "its status \"%.32s\" is not defined in RFC 8555", text);
}

/* The problem object under "error", if it is one. */
static json_t *read_error(const json_t *object)
{
    json_t *error = json_object_get(object, "error");

    return json_is_object(error) ? json_incref(error) : NULL;
}

static int read_names(const json_t *object, const char *subject, struct hc_list *out,
                      struct hc_error *err)
{
    const json_t *list = hc_json_array(object, "identifiers");

    if (json_array_size(list) == 0 || json_array_size(list) > HC_NAMES_MAX) {
        return hc_error_set(err, HC_P_CA_REPLY, subject, "it has %zu identifiers",
                            json_array_size(list));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char name[HC_NAME_SIZE];

        hc_acme_identifier_name(json_array_get(list, i), false, name);
        if (name[0] == '\0') {
            return hc_error_set(err, HC_P_CA_REPLY, subject,
                                "one of its identifiers is not a name");
        }
        if (hc_list_add(out, name, err) != 0) {
            return -1;
        }
    }
    hc_list_sort_unique(out);
    return 0;
}

/*
 * A CA that has nothing left to prove may leave the member out (or null): a new order for names
 * that were validated lately is "ready" at once, or "valid". Only a pending order needs it.
 */
static int read_authorizations(const json_t *object, const char *directory, const char *subject,
                               enum hc_status status, struct hc_list *out, struct hc_error *err)
{
    const json_t *list = hc_json_array(object, "authorizations");

    if ((list == NULL && status == HC_STATUS_PENDING) || json_array_size(list) > HC_NAMES_MAX) {
        return hc_error_set(err, HC_P_CA_REPLY, subject, "it has %zu authorizations",
                            json_array_size(list));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *url = json_string_value(json_array_get(list, i));

        if (url == NULL) {
            return hc_error_set(err, HC_P_CA_REPLY, subject, "an authorization is not a URL");
        }
        if (hc_acme_check_url(directory, url, err) != 0 || hc_list_add(out, url, err) != 0) {
            return -1;
        }
    }
    hc_list_sort_unique(out);
    return 0;
}

static int read_urls(const json_t *object, const char *directory, const char *subject,
                     struct hc_order_resource *out, struct hc_error *err)
{
    const char *finalize = NULL;
    const char *certificate = hc_json_text(object, "certificate");

    if (hc_json_need_text(object, "finalize", subject, &finalize, err) != 0 ||
        hc_acme_check_url(directory, finalize, err) != 0 ||
        hc_strdup(finalize, &out->finalize, err) != 0) {
        return -1;
    }
    if (certificate == NULL || certificate[0] == '\0') {
        return 0;
    }
    if (hc_acme_check_url(directory, certificate, err) != 0) {
        return -1;
    }
    return hc_strdup(certificate, &out->certificate, err);
}

int hc_order_resource_parse(struct hc_bytes text, const char *directory, const char *subject,
                            struct hc_order_resource *out, struct hc_error *err)
{
    json_t *object = NULL;
    int rc = -1;

    if (hc_json_object(text, subject, &object, err) != 0) {
        return -1;
    }
    if (read_status(object, subject, &out->status, err) == 0 &&
        read_names(object, subject, &out->names, err) == 0 &&
        read_authorizations(object, directory, subject, out->status, &out->authorizations, err) ==
            0 &&
        read_urls(object, directory, subject, out, err) == 0) {
        out->error = read_error(object);
        rc = 0;
    } else {
        hc_order_resource_dispose(out);
    }
    json_decref(object);
    return rc;
}

void hc_order_resource_dispose(struct hc_order_resource *order)
{
    hc_list_dispose(&order->names);
    hc_list_dispose(&order->authorizations);
    free(order->finalize);
    free(order->certificate);
    json_decref(order->error);
    *order = (struct hc_order_resource){0};
}

/* Borrows from the object, of which it takes a reference. */
static void read_challenge(json_t *object, struct hc_challenge *out)
{
    const char *status = hc_json_text(object, "status");

    out->status = HC_STATUS_PENDING;
    for (enum hc_status s = HC_STATUS_PENDING; s <= HC_STATUS_INVALID; s++) {
        if (status != NULL && strcmp(status, hc_status_name(s)) == 0) {
            out->status = s;
        }
    }
    out->type = hc_json_text(object, "type");
    out->url = hc_json_text(object, "url");
    out->token = hc_json_text(object, "token");
    out->object = json_incref(object);
}

/* All that is offered; what went wrong with it, and what must stay unsaid. */
static int read_challenges(const json_t *list, struct hc_authorization *out, struct hc_error *err)
{
    size_t count = json_array_size(list);

    count = count < HC_CHALLENGES_MAX ? count : HC_CHALLENGES_MAX;
    out->challenges = calloc(count + 1, sizeof(*out->challenges));
    if (out->challenges == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_array_get(list, i);
        const char *token = hc_json_text(object, "token");

        if (out->error == NULL) {
            out->error = read_error(object);
        }
        if (token != NULL && token[0] != '\0' && hc_list_add(&out->tokens, token, err) != 0) {
            return -1;
        }
        if (hc_json_text(object, "type") != NULL) {
            read_challenge(object, &out->challenges[out->challenge_count++]);
        }
    }
    return 0;
}

int hc_authorization_parse(struct hc_bytes text, const char *subject, struct hc_authorization *out,
                           struct hc_error *err)
{
    json_t *object = NULL;
    const json_t *challenges = NULL;
    bool wildcard = false;
    int rc = -1;

    if (hc_json_object(text, subject, &object, err) != 0) {
        return -1;
    }
    wildcard = json_is_true(json_object_get(object, "wildcard"));
    hc_acme_identifier_name(json_object_get(object, "identifier"), wildcard, out->name);
    challenges = hc_json_array(object, "challenges");
    if (out->name[0] == '\0') {
        hc_error_set(err, HC_P_CA_REPLY, subject, "its identifier is not a name");
        goto out;
    }
    if (read_status(object, subject, &out->status, err) != 0 ||
        read_challenges(challenges, out, err) != 0) {
        goto out;
    }
    rc = 0;
out:
    if (rc != 0) {
        hc_authorization_dispose(out);
    }
    json_decref(object);
    return rc;
}

void hc_authorization_dispose(struct hc_authorization *authorization)
{
    for (size_t i = 0; i < authorization->challenge_count; i++) {
        json_decref(authorization->challenges[i].object);
    }
    free(authorization->challenges);
    json_decref(authorization->error);
    hc_list_dispose(&authorization->tokens);
    *authorization = (struct hc_authorization){0};
}

/* Nothing but certificates: RFC 8555 section 11.4 warns of what else could be in there. */
static int check_pem(struct hc_bytes body, const char *url, struct hc_error *err)
{
    static const char begin[] = "-----BEGIN ";
    static const char kind[] = "CERTIFICATE-----";
    const char *at = (const char *)body.data;
    const char *end = NULL;
    bool any = false;

    if (body.len == 0) {
        return hc_error_set(err, HC_P_CA_REPLY, url, "the certificate chain is empty");
    }
    if (memchr(at, '\0', body.len) != NULL) {
        return hc_error_set(err, HC_P_CA_REPLY, url, "it is not a certificate chain in PEM");
    }
    end = at + body.len;
    while ((at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL) {
        at += strlen(begin);
        if ((size_t)(end - at) < strlen(kind) || memcmp(at, kind, strlen(kind)) != 0) {
            return hc_error_set(err, HC_P_CA_REPLY, url,
                                "the chain holds something other than certificates");
        }
        any = true;
    }
    return any ? 0 : hc_error_set(err, HC_P_CA_REPLY, url, "the chain holds no certificate");
}

int hc_chain_check(const struct hc_http_reply *reply, const char *subject, struct hc_error *err)
{
    if (check_pem(reply->body, subject, err) != 0) {
        return hc_error_during(err, "reading a certificate chain that came as \"%.64s\"",
                               reply->content_type);
    }
    return 0;
}
