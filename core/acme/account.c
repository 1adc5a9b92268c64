/*
 * The account at one issuer, RFC 8555 section 7.3: its key is stored before it is ever used, so
 * that a crash leads to the same account again and not to a second one.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "acme/binding.h"
#include "acme/client.h"
#include "acme/foreign.h"
#include "acme/json.h"
#include "acme/network.h"
#include "acme/problem.h"
#include "acme/request.h"
#include "pki/key.h"

int hc_account_need_key(struct hc_acme *acme, struct hc_error *err)
{
    const struct hc_acme_options *o = &acme->options;

    if (acme->account.key == NULL) {
        if (hc_key_new(HC_KEY_ECDSA_256, &acme->account.key, err) != 0) {
            return -1;
        }
        if (o->store_account(o->self, &acme->account, err) != 0) {
            EVP_PKEY_free(acme->account.key);
            acme->account.key = NULL;
            return hc_error_during(err, "storing the account's key");
        }
    }
    if (acme->thumbprint[0] == '\0') {
        if (hc_jws_thumbprint(acme->account.key, acme->thumbprint, err) != 0) {
            return -1;
        }
        hc_acme_hide(acme, acme->thumbprint);
    }
    return 0;
}

static int check_terms(const struct hc_acme *acme, struct hc_error *err)
{
    const struct hc_directory *d = &acme->directory;

    if (d->external_account && acme->options.issuer->eab_kid == NULL) {
        return hc_error_set(err, HC_P_EAB_REQUIRED, hc_acme_issuer(acme),
                            "its directory says so (externalAccountRequired)");
    }
    if (d->terms != NULL && acme->options.issuer->terms_agreed != 1) {
        return hc_error_set(err, HC_P_CA_SAYS_TERMS, hc_acme_issuer(acme),
                            "the configuration does not agree to its terms of service at %s",
                            d->terms);
    }
    return 0;
}

/* What newAccount says besides, section 7.3. binding: JSON, "" for none. */
static int add_new(const struct hc_acme *acme, const char *binding, json_t *payload)
{
    json_t *object = binding[0] != '\0' ? json_loads(binding, 0, NULL) : NULL;

    if (acme->options.issuer->terms_agreed == 1 &&
        json_object_set_new(payload, "termsOfServiceAgreed", json_true()) != 0) {
        json_decref(object);
        return -1;
    }
    return binding[0] != '\0' ? json_object_set_new(payload, "externalAccountBinding", object) : 0;
}

/* binding: for newAccount, section 7.3; NULL: for the account itself, section 7.3.2. */
static int make_payload(const struct hc_acme *acme, const char *binding, struct hc_buf *out,
                        struct hc_error *err)
{
    const struct hc_list *contacts = acme->options.contacts;
    json_t *payload = json_object();
    json_t *contact = json_array();
    int bad = payload == NULL || contact == NULL;
    int rc = -1;

    for (size_t i = 0; contacts != NULL && i < contacts->count && !bad; i++) {
        bad = json_array_append_new(contact, json_string(contacts->items[i]));
    }
    if (!bad && json_array_size(contact) > 0) {
        bad = json_object_set(payload, "contact", contact);
    }
    if (!bad && binding != NULL) {
        bad = add_new(acme, binding, payload);
    }
    if (bad) {
        hc_error_nomem(err);
    } else {
        rc = hc_json_write(payload, out, err);
    }
    json_decref(contact);
    json_decref(payload);
    return rc;
}

/* The reply's status member: an account that was shut is found by its key all the same. */
static int check_status(const struct hc_http_reply *reply, const char *subject,
                        struct hc_error *err)
{
    json_t *object = NULL;
    const char *status = NULL;
    int rc = 0;

    if (hc_json_object(reply->body, subject, &object, err) != 0) {
        return -1;
    }
    status = hc_json_text(object, "status");
    if (status != NULL && strcmp(status, "valid") != 0) {
        /* RFC 8555 section 7.1.6 knows two more, and no way back from either */
        bool over = strcmp(status, "deactivated") == 0 || strcmp(status, "revoked") == 0;

        rc = hc_error_set(err, over ? HC_P_ACCOUNT_DEACTIVATED : HC_P_ACCOUNT_REFUSED, subject,
                          "its status is \"%.32s\"", status);
    }
    json_decref(object);
    return rc;
}

static int keep_url(struct hc_acme *acme, const struct hc_http_reply *reply, struct hc_error *err)
{
    const struct hc_acme_options *o = &acme->options;
    char *url = NULL;

    if (check_status(reply, acme->directory.new_account, err) != 0) {
        return -1;
    }
    if (hc_acme_check_url(o->issuer->directory_url, reply->location, err) != 0 ||
        hc_strdup(reply->location, &url, err) != 0) {
        return hc_error_during(err, "reading the account's URL");
    }
    free(acme->account.url);
    acme->account.url = url;
    if (o->store_account(o->self, &acme->account, err) != 0) {
        return hc_error_during(err, "storing the account's URL");
    }
    acme->account_ready = true;
    acme->contacts_told = reply->status == 201;
    acme->registrations++;
    hc_logf(o->log, HC_LOG_NOTICE, "%s: account %s at %s%s%s%s%s", hc_acme_issuer(acme),
            reply->status == 201 ? "registered" : "found by its key", url,
            o->issuer->eab_kid != NULL && reply->status == 201 ? ", bound to " : "",
            o->issuer->eab_kid != NULL && reply->status == 201 ? o->issuer->eab_kid : "",
            acme->directory.terms != NULL ? ", terms of service agreed to: " : "",
            acme->directory.terms != NULL ? acme->directory.terms : "");
    return 0;
}

/* Of a plain refusal: with a binding, that is what the CA checks beyond the account's key. */
static void blame(const struct hc_acme *acme, const struct hc_http_reply *reply,
                  struct hc_error *err)
{
    if (acme->options.issuer->eab_kid != NULL && err->problem == HC_P_CA_REFUSED &&
        strcmp(err->foreign.type, HC_FOREIGN_UNTYPED) != 0 && err->foreign.type[0] != '\0') {
        err->problem = HC_P_EAB_REFUSED;
    }
    hc_acme_problem_of_account(reply, err);
}

static void on_registered(void *arg, const struct hc_http_reply *reply,
                          const struct hc_error *cause)
{
    struct hc_acme *acme = arg;
    struct hc_error err;

    hc_error_init(&err);
    acme->registration = NULL;
    if (cause == NULL) {
        (void)keep_url(acme, reply, &err);
    } else {
        err = *cause;
        blame(acme, reply, &err);
    }
    hc_error_during(&err, "registering the account at %s", hc_acme_issuer(acme));
    hc_acme_requests_account(acme, &err);
}

/* key_file: of the external account; without data: none is bound. */
static int send_registration(struct hc_acme *acme, struct hc_bytes key_file, struct hc_error *err)
{
    struct hc_buf binding = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_buf payload = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_acme_request_options options = {0};
    int rc = -1;

    if (key_file.data != NULL &&
        hc_binding_write(acme->options.issuer, key_file, acme->account.key,
                         acme->directory.new_account, &binding, err) != 0) {
        goto out;
    }
    if (make_payload(acme, hc_buf_text(&binding), &payload, err) != 0) {
        goto out;
    }
    options.endpoint = HC_ENDPOINT_NEW_ACCOUNT;
    options.payload = hc_buf_text(&payload);
    options.done = on_registered;
    options.arg = acme;
    rc = hc_acme_request_new(acme, &options, &acme->registration, err);
out:
    hc_buf_dispose(&binding);
    hc_buf_dispose(&payload);
    return rc;
}

static void on_key_read(void *arg, struct hc_bytes content, const struct hc_error *cause)
{
    static const unsigned char nothing = 0;
    struct hc_acme *acme = arg;
    struct hc_error err;

    hc_error_init(&err);
    acme->reading_key = false;
    if (cause != NULL) {
        err = *cause;
    } else {
        content.data = content.data != NULL ? content.data : &nothing;
        (void)!send_registration(acme, content, &err);
    }
    if (hc_error_is_set(&err)) {
        hc_error_during(&err, "registering the account at %s", hc_acme_issuer(acme));
        hc_acme_requests_account(acme, &err);
    }
    hc_acme_pump(acme);
}

int hc_account_register(struct hc_acme *acme, struct hc_error *err)
{
    const struct hc_secret_port *secrets = acme->options.secrets;
    const struct hc_issuer *issuer = acme->options.issuer;

    if (acme->registration != NULL || acme->reading_key) {
        return 0;
    }
    if (check_terms(acme, err) != 0 || hc_account_need_key(acme, err) != 0) {
        return -1;
    }
    if (issuer->eab_kid == NULL) {
        return send_registration(acme, (struct hc_bytes){NULL, 0}, err);
    }
    if (secrets == NULL) {
        return hc_error_set(err, HC_P_INTERNAL, issuer->eab_key, "nobody reads it");
    }
    acme->reading_key = true;
    secrets->read(secrets->self, issuer->eab_key, on_key_read, acme);
    return 0;
}

void hc_account_leave(struct hc_acme *acme)
{
    if (acme->reading_key) {
        acme->options.secrets->forget(acme->options.secrets->self, acme);
    }
}

static void on_told(void *arg, const struct hc_http_reply *reply HC_UNUSED,
                    const struct hc_error *err)
{
    struct hc_acme *acme = arg;

    acme->contact_update = NULL;
    if (err != NULL) {
        hc_log_error(acme->options.log, HC_LOG_WARN, "the CA keeps the old contacts of the account",
                     err);
    }
}

void hc_account_tell_contacts(struct hc_acme *acme)
{
    const struct hc_list *contacts = acme->options.contacts;
    struct hc_buf payload = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_acme_request_options options = {0};
    struct hc_error err;

    hc_error_init(&err);
    if (acme->contacts_told || acme->contact_update != NULL || !acme->account_ready) {
        return;
    }
    acme->contacts_told = true;
    if (contacts == NULL || contacts->count == 0) {
        return; /* nothing is asked for: the CA keeps what it has */
    }
    options.endpoint = HC_ENDPOINT_URL;
    options.url = acme->account.url;
    options.done = on_told;
    options.arg = acme;
    if (make_payload(acme, NULL, &payload, &err) == 0) {
        options.payload = hc_buf_text(&payload);
        if (hc_acme_request_new(acme, &options, &acme->contact_update, &err) != 0) {
            acme->contact_update = NULL;
        }
    }
    if (hc_error_is_set(&err)) {
        hc_log_error(acme->options.log, HC_LOG_WARN, "sending the contacts to the CA", &err);
    }
    hc_buf_dispose(&payload);
}

void hc_account_lost(struct hc_acme *acme)
{
    if (!acme->account_ready) {
        return; /* another request's reply said so already */
    }
    hc_logf(acme->options.log, HC_LOG_WARN,
            "%s: the CA no longer knows account %s; registering it again with the same key",
            hc_acme_issuer(acme), acme->account.url != NULL ? acme->account.url : "");
    acme->account_ready = false;
}
