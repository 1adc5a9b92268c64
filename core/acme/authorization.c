/* The authorizations of an order, side by side; see order.h. RFC 8555 section 7.5. */
#include <stdlib.h>
#include <string.h>

#include "acme/challenge.h"
#include "acme/order.h"

#define FIRST_POLL_MS 100
#define LAGGARDS_MS                                                                                \
    20000 /* after the first name failed: so long for the verdicts on the others                   \
           */

static int ask(struct hc_order_authz *a, struct hc_error *err);
static int tell(struct hc_order_authz *a, struct hc_error *err);
static int idle(struct hc_order_authz *a, struct hc_error *err);

/* What a state does when its time has come. */
static int (*const states[])(struct hc_order_authz *a, struct hc_error *err) = {
    [HC_AUTHZ_ASK] = ask,   [HC_AUTHZ_PRESENT] = idle, [HC_AUTHZ_READY] = idle,
    [HC_AUTHZ_TELL] = tell, [HC_AUTHZ_POLL] = ask,
};
_Static_assert(HC_COUNT(states) == HC_AUTHZ_POLL + 1, "a row for each state");

void hc_authz_enter(struct hc_order_authz *a, enum hc_authz_state state, int64_t due_ms)
{
    a->state = state;
    a->due_ms = due_ms;
    a->named_wait = false;
}

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
        hc_authz_enter(&order->authz[i], HC_AUTHZ_ASK, 0);
    }
}

/* *doc takes the place of what the CA said before; zeroed: of nothing. */
static void replace_document(struct hc_order_authz *a, const struct hc_authorization *doc)
{
    struct hc_acme *acme = a->order->acme;

    for (size_t i = 0; i < doc->tokens.count; i++) {
        hc_acme_hide(acme, doc->tokens.items[i]);
    }
    for (size_t i = 0; i < a->doc.tokens.count; i++) {
        hc_redaction_remove(acme->options.redaction, a->doc.tokens.items[i]);
    }
    hc_authorization_dispose(&a->doc);
    a->doc = *doc;
}

const struct hc_list *hc_authz_methods(const struct hc_order_authz *a)
{
    const struct hc_order_handler *handler = a->order->handler;

    return handler->methods(handler->self, a->doc.name);
}

/* The method that was chosen; else the one that the CA shows with this status, or NULL. */
static const char *method_of(const struct hc_order_authz *a, enum hc_status status)
{
    const char *type = a->solver != NULL ? a->solver->type : NULL;

    for (size_t i = 0; i < a->doc.challenge_count && type == NULL; i++) {
        type = a->doc.challenges[i].status == status ? a->doc.challenges[i].type : NULL;
    }
    return type;
}

/* Says how the method did. */
static void tried(const struct hc_order_authz *a, enum hc_status status, const struct hc_error *err)
{
    const struct hc_order_handler *handler = a->order->handler;
    const char *type = method_of(a, status);

    if (handler->tried != NULL && type != NULL) {
        handler->tried(handler->self, a->doc.name, type, err);
    }
}

/* The CA's reason, or ours, why this name fails. */
static void blame(struct hc_order_authz *a)
{
    struct hc_error err;

    hc_error_init(&err);
    if (a->doc.error != NULL) {
        hc_acme_problem_set(a->doc.error, HC_ABOUT_CHALLENGE, a->doc.name,
                            a->order->acme->options.redaction, &err);
        if (err.foreign.means == HC_P_NONE) {
            err.foreign.means = hc_challenge_meaning(method_of(a, HC_STATUS_INVALID), err.problem);
        }
        hc_order_blame_subproblems(a->order, a->doc.error);
    } else {
        hc_error_set(&err, HC_P_VALIDATION, a->doc.name,
                     "the CA made its authorization invalid and gave no reason");
    }
    tried(a, HC_STATUS_INVALID, &err);
    hc_order_blame(a->order, a->doc.name, &err);
}

/* True if one of what is offered can be answered here. */
static bool can_answer(const struct hc_order_authz *a)
{
    const struct hc_solver *solver = NULL;

    return hc_challenge_choose(&a->doc, hc_authz_methods(a), a->order->solvers, &solver) != NULL;
}

static void blame_no_challenge(struct hc_order_authz *a)
{
    struct hc_error err;
    char offered[256];
    char methods[256];

    hc_error_init(&err);
    hc_error_set(&err, HC_P_NO_CHALLENGE, a->doc.name, "it offers %s, and this host uses %s",
                 hc_challenge_offered(&a->doc, offered, sizeof(offered)),
                 hc_list_format(hc_authz_methods(a), methods, sizeof(methods)));
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
        } else if (a->doc.status != HC_STATUS_VALID && !can_answer(a)) {
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
        hc_order_enter(order, HC_PHASE_POLL);
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
        for (size_t i = 0; i < order->authz_count; i++) {
            tried(&order->authz[i], HC_STATUS_VALID, NULL);
        }
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
    case HC_PHASE_POLL:
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
    struct hc_authorization doc = {0};

    if (hc_authorization_parse(reply->body, a->url, &doc, err) != 0) {
        return -1;
    }
    if (!hc_list_has(&order->names, doc.name)) {
        hc_error_set(err, HC_P_CA_REPLY, a->url, "an authorization for %s, which was not ordered",
                     doc.name);
        hc_authorization_dispose(&doc);
        return -1;
    }
    replace_document(a, &doc);
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
        hc_authz_enter(a, HC_AUTHZ_POLL, hc_now_ms(order->acme->options.clock) + delay_ms);
        a->named_wait = reply->retry_after >= 0;
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
    hc_authz_enter(a, HC_AUTHZ_POLL, hc_now_ms(a->order->acme->options.clock) + FIRST_POLL_MS);
}

static int request(struct hc_order_authz *a, const char *url, const char *payload,
                   hc_acme_request_done *done, struct hc_error *err)
{
    struct hc_acme_request_options options = {
        .endpoint = HC_ENDPOINT_URL, .url = url, .payload = payload, .done = done, .arg = a};

    a->due_ms = -1;
    a->named_wait = false;
    return hc_acme_request_new(a->order->acme, &options, &a->request, err);
}

static int ask(struct hc_order_authz *a, struct hc_error *err)
{
    return request(a, a->url, "", on_asked, err);
}

static int tell(struct hc_order_authz *a, struct hc_error *err)
{
    return request(a, a->challenge_url, "{}", on_answered, err);
}

/* A solver, or the order, says how it goes on. */
static int idle(struct hc_order_authz *a, struct hc_error *err HC_UNUSED)
{
    a->due_ms = -1;
    return 0;
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
        if (states[a->state](a, &err) != 0) {
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

void hc_authz_answer(struct hc_order *order, int64_t now_ms)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->doc.status == HC_STATUS_VALID) {
            continue;
        }
        a->polls = 0;
        hc_authz_enter(a, a->challenge_status == HC_STATUS_PENDING ? HC_AUTHZ_TELL : HC_AUTHZ_POLL,
                       now_ms);
    }
}

void hc_authz_dispose(struct hc_order *order)
{
    static const struct hc_authorization none;

    hc_authz_withdraw(order);
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        hc_acme_request_cancel(a->request);
        replace_document(a, &none);
        hc_kept_error_dispose(&a->failed);
        free(a->challenge_url);
        free(a->url);
    }
    free(order->authz);
    order->authz = NULL;
    order->authz_count = 0;
}
