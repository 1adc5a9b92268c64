/* The authorizations of an order, side by side; see order.h. RFC 8555 section 7.5. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "acme/challenge.h"
#include "acme/order.h"

#define FIRST_POLL_MS 100
#define LAGGARDS_MS                                                                                \
    20000 /* after the first name failed: so long for the verdicts on the others                   \
           */

int hc_authz_prepare(struct hc_order *order, struct hc_error *err)
{
    const struct hc_list *urls = &order->resource.authorizations;

    if (order->authz != NULL) {
        return 0;
    }
    order->authz = calloc(urls->count > 0 ? urls->count : 1, sizeof(*order->authz));
    if (order->authz == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < urls->count; i++) {
        struct hc_order_authz *a = &order->authz[order->authz_count++];

        a->order = order;
        a->due_ms = -1;
        if (hc_strdup(urls->items[i], &a->url, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_authz_ask_all(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        order->authz[i].asked = false;
        order->authz[i].due_ms = 0;
    }
}

void hc_authz_secrets(const struct hc_order *order, struct hc_list *out)
{
    int rc = 0;

    for (size_t i = 0; i < order->authz_count; i++) {
        const struct hc_order_authz *a = &order->authz[i];

        rc |= hc_list_copy(out, &a->doc.tokens, NULL);
        rc |= a->token[0] != '\0' ? hc_list_add(out, a->token, NULL) : 0;
    }
    if (order->acme->thumbprint[0] != '\0') {
        rc |= hc_list_add(out, order->acme->thumbprint, NULL);
    }
    /* without memory the general rule still leaves out what looks like a token */
    (void)rc;
}

/* The CA's reason, or ours, why this name fails. */
static void blame(struct hc_order_authz *a)
{
    struct hc_list secrets = {0};
    struct hc_error err;

    hc_error_init(&err);
    hc_authz_secrets(a->order, &secrets);
    if (a->doc.error != NULL) {
        hc_acme_problem_set(a->doc.error, HC_ABOUT_CHALLENGE, a->doc.name, &secrets, &err);
        hc_order_blame_subproblems(a->order, a->doc.error);
    } else {
        hc_error_set(&err, HC_P_VALIDATION, a->doc.name,
                     "the CA made its authorization invalid and gives no reason");
    }
    hc_order_blame(a->order, a->doc.name, &err);
    hc_list_dispose(&secrets);
}

static void blame_no_challenge(struct hc_order_authz *a)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_NO_CHALLENGE, a->doc.name, "http-01 is not among those offered");
    hc_order_blame(a->order, a->doc.name, &err);
}

/* All were asked: what is left to be done? */
static void authorized(struct hc_order *order)
{
    bool pending = false;
    bool bad = false;

    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->doc.status == HC_STATUS_INVALID) {
            blame(a);
            bad = true;
        } else if (a->doc.status != HC_STATUS_VALID && !a->doc.has_challenge) {
            blame_no_challenge(a);
            bad = true;
        } else if (a->doc.status != HC_STATUS_VALID) {
            pending = true;
        }
    }
    if (bad) {
        hc_order_fail_names(order);
    } else if (pending) {
        hc_order_enter(order, HC_PHASE_PRESENT);
    } else {
        order->authorized = true;
        hc_order_enter(order, HC_PHASE_LOOK);
    }
}

/* Invalid, and all were asked: the names are what is wrong, or else the order itself. */
static void explained(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        if (order->authz[i].doc.status == HC_STATUS_INVALID) {
            blame(&order->authz[i]);
        }
    }
    hc_order_fail_names(order);
}

static void validated(struct hc_order *order, int64_t now_ms)
{
    bool pending = false;
    bool bad = false;

    for (size_t i = 0; i < order->authz_count; i++) {
        pending |= order->authz[i].doc.status != HC_STATUS_VALID &&
                   order->authz[i].doc.status != HC_STATUS_INVALID;
        bad |= order->authz[i].doc.status == HC_STATUS_INVALID;
    }
    if (bad && pending) {
        /* each bad name is to be named, not only the first */
        if (order->deadline_ms > now_ms + LAGGARDS_MS) {
            order->deadline_ms = now_ms + LAGGARDS_MS;
            order->due_ms = order->deadline_ms;
        }
    } else if (bad) {
        explained(order);
    } else if (!pending) {
        hc_authz_withdraw(order);
        order->authorized = true;
        hc_order_enter(order, HC_PHASE_FINALIZE);
    }
}

void hc_authz_give_up(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        if (order->authz[i].doc.status == HC_STATUS_INVALID) {
            explained(order);
            return;
        }
    }
    hc_order_fail_slow(order, "the CA has not finished validating", 0);
}

static bool all_asked(const struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        if (!order->authz[i].asked) {
            return false;
        }
    }
    return true;
}

/* A phase that asks for authorizations goes on with each reply. */
static void progress(struct hc_order *order)
{
    switch (order->phase) {
    case HC_PHASE_AUTHORIZE:
        if (all_asked(order)) {
            authorized(order);
        }
        break;
    case HC_PHASE_EXPLAIN:
        if (all_asked(order)) {
            explained(order);
        }
        break;
    case HC_PHASE_VALIDATE:
        validated(order, hc_now_ms(order->acme->options.clock));
        break;
    case HC_PHASE_PLACE:
    case HC_PHASE_LOOK:
    case HC_PHASE_PRESENT:
    case HC_PHASE_AWAIT:
    case HC_PHASE_FINALIZE:
    case HC_PHASE_DOWNLOAD:
    case HC_PHASE_OVER:
        break;
    }
}

static void refused(struct hc_order_authz *a, const struct hc_http_reply *reply,
                    const struct hc_error *err)
{
    struct hc_order *order = a->order;

    if (order->phase == HC_PHASE_EXPLAIN) {
        /* the order is lost anyhow: say what is known of the others */
        a->asked = true;
        progress(order);
    } else if (hc_order_is_unknown(reply, err)) {
        hc_order_lost(order, err);
    } else {
        hc_order_fail(order, err, false);
    }
}

static int read_authorization(struct hc_order_authz *a, const struct hc_http_reply *reply,
                              struct hc_error *err)
{
    struct hc_order *order = a->order;
    const char *directory = order->acme->options.issuer->directory_url;
    struct hc_authorization doc = {0};

    if (hc_authorization_parse(reply->body, directory, a->url, &doc, err) != 0) {
        return -1;
    }
    if (!hc_list_has(&order->names, doc.name)) {
        hc_error_set(err, HC_P_CA_REPLY, a->url, "an authorization for %s, which was not ordered",
                     doc.name);
        hc_authorization_dispose(&doc);
        return -1;
    }
    hc_authorization_dispose(&a->doc);
    a->doc = doc;
    a->asked = true;
    return 0;
}

static void on_asked(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order_authz *a = arg;
    struct hc_order *order = a->order;
    int64_t delay_ms = 0;
    struct hc_error err;

    hc_error_init(&err);
    a->request = NULL;
    if (cause != NULL) {
        refused(a, reply, cause);
        return;
    }
    if (read_authorization(a, reply, &err) != 0) {
        refused(a, reply, &err);
        return;
    }
    if (order->phase == HC_PHASE_VALIDATE && a->doc.status != HC_STATUS_VALID &&
        a->doc.status != HC_STATUS_INVALID) {
        delay_ms = hc_order_poll_delay_ms(++a->polls, reply->retry_after);
        a->named_wait = reply->retry_after >= 0;
        a->due_ms = hc_now_ms(order->acme->options.clock) + delay_ms;
    }
    progress(order);
}

/* The reply itself says nothing that the authorization does not say. */
static void on_answered(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order_authz *a = arg;

    a->request = NULL;
    if (cause != NULL && hc_order_is_unknown(reply, cause) && reply->status == 404) {
        hc_order_lost(a->order, cause);
        return;
    }
    /* a challenge that is answered already is refused: the authorization tells how it went */
    if (cause != NULL && cause->problem != HC_P_CA_REFUSED) {
        hc_order_fail(a->order, cause, false);
        return;
    }
    a->due_ms = hc_now_ms(a->order->acme->options.clock) + FIRST_POLL_MS;
}

static int start(struct hc_order_authz *a, struct hc_error *err)
{
    struct hc_acme_request_options options = {0};

    options.endpoint = HC_ENDPOINT_URL;
    options.arg = a;
    if (a->answer_due) {
        options.url = a->doc.challenge_url;
        options.payload = "{}";
        options.done = on_answered;
    } else {
        options.url = a->url;
        options.payload = "";
        options.done = on_asked;
    }
    a->answer_due = false;
    a->due_ms = -1;
    a->named_wait = false;
    return hc_acme_request_new(a->order->acme, &options, &a->request, err);
}

bool hc_authz_run(struct hc_order *order, int64_t now_ms)
{
    size_t in_flight = 0;
    bool started = false;
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < order->authz_count; i++) {
        in_flight += order->authz[i].request != NULL;
    }
    for (size_t i = 0; i < order->authz_count && in_flight < HC_AUTHZ_PARALLEL; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->request != NULL || a->due_ms < 0 || a->due_ms > now_ms) {
            continue;
        }
        if (start(a, &err) != 0) {
            hc_order_fail(order, &err, false);
            return true;
        }
        in_flight++;
        started = true;
    }
    return started;
}

int64_t hc_authz_due(const struct hc_order *order)
{
    int64_t due = -1;
    size_t in_flight = 0;

    for (size_t i = 0; i < order->authz_count; i++) {
        const struct hc_order_authz *a = &order->authz[i];

        in_flight += a->request != NULL;
        if (a->request == NULL && a->due_ms >= 0 && (due < 0 || a->due_ms < due)) {
            due = a->due_ms;
        }
    }
    /* the next one starts with a reply, not with a time */
    return in_flight < HC_AUTHZ_PARALLEL ? due : -1;
}

bool hc_authz_waiting(const struct hc_order *order)
{
    bool waits = false;

    for (size_t i = 0; i < order->authz_count; i++) {
        const struct hc_order_authz *a = &order->authz[i];

        if (a->request != NULL || (a->due_ms >= 0 && !a->named_wait)) {
            return false;
        }
        waits |= a->due_ms >= 0;
    }
    return waits;
}

int hc_authz_present(struct hc_order *order, struct hc_error *err)
{
    const struct hc_order_handler *h = order->handler;
    char keyauth[HC_KEYAUTH_SIZE];
    int rc = 0;

    if (hc_account_need_key(order->acme, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < order->authz_count && rc == 0; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->doc.status == HC_STATUS_VALID || a->token[0] != '\0') {
            continue;
        }
        hc_challenge_keyauth(a->doc.token, order->acme->thumbprint, keyauth);
        (void)hc_copy(a->token, sizeof(a->token), a->doc.token);
        rc = h->present(h->self, a->doc.name, a->token, keyauth, err);
    }
    OPENSSL_cleanse(keyauth, sizeof(keyauth));
    return rc == 0 ? 0 : hc_error_during(err, "presenting the challenges' answers");
}

void hc_authz_answer(struct hc_order *order, int64_t now_ms)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->doc.status == HC_STATUS_VALID) {
            continue;
        }
        a->polls = 0;
        a->answer_due = a->doc.challenge_status == HC_STATUS_PENDING;
        a->due_ms = now_ms;
    }
}

void hc_authz_withdraw(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->token[0] != '\0') {
            order->handler->withdraw(order->handler->self, a->token);
            OPENSSL_cleanse(a->token, sizeof(a->token));
        }
    }
}

void hc_authz_dispose(struct hc_order *order)
{
    hc_authz_withdraw(order);
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        hc_acme_request_cancel(a->request);
        hc_authorization_dispose(&a->doc);
        free(a->url);
    }
    free(order->authz);
    order->authz = NULL;
    order->authz_count = 0;
}
