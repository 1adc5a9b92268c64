/* The states of an order, RFC 8555 section 7.4; see order.h. */
#include "acme/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "acme/network.h"
#include "acme/problem.h"
#include "pki/key.h"

#define AWAIT_STEP_MS   20
#define AWAIT_MOST_MS   2000
#define VALIDATE_MS     300000 /* then the order is left to another day, at the CA's end too */
#define PROCESS_MS      600000
#define POLL_MOST_S     300 /* the longest Retry-After that is waited for in one go */
#define FINALIZE_MOST   5
#define CSR_MAX         ((size_t)32 << 10)
#define CERTIFICATE_MAX ((size_t)256 << 10)

static void place(struct hc_order *order);
static void look(struct hc_order *order);
static void authorize(struct hc_order *order);
static void present(struct hc_order *order);
static void await(struct hc_order *order);
static void validate(struct hc_order *order);
static void finalize(struct hc_order *order);
static void download(struct hc_order *order);

static const struct {
    const char *activity;
    void (*run)(struct hc_order *order);
} phases[] = {
    [HC_PHASE_PLACE] = {"placing the order", place},
    [HC_PHASE_LOOK] = {"waiting for the CA to issue", look},
    [HC_PHASE_AUTHORIZE] = {"fetching the authorizations", authorize},
    [HC_PHASE_PRESENT] = {"presenting the challenges' answers", present},
    [HC_PHASE_AWAIT] = {"waiting for all servers to have the answers", await},
    [HC_PHASE_VALIDATE] = {"waiting for the CA to validate", validate},
    [HC_PHASE_FINALIZE] = {"requesting the certificate", finalize},
    [HC_PHASE_DOWNLOAD] = {"downloading the certificate", download},
    [HC_PHASE_EXPLAIN] = {"asking which name the CA refused", authorize},
    [HC_PHASE_OVER] = {"done", hc_order_deliver},
};
_Static_assert(HC_COUNT(phases) == HC_PHASE_OVER + 1, "a row for each phase");

/* Where an order goes from what the CA says of it, while nothing speaks against it. */
static const enum hc_order_phase by_status[] = {
    [HC_STATUS_PENDING] = HC_PHASE_AUTHORIZE, [HC_STATUS_READY] = HC_PHASE_FINALIZE,
    [HC_STATUS_PROCESSING] = HC_PHASE_LOOK,   [HC_STATUS_VALID] = HC_PHASE_DOWNLOAD,
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

/* Asks for the same again when the CA's time has come, or says that it took too long. */
static void look_again(struct hc_order *order, int64_t retry_after)
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
    hc_order_enter_at(order, HC_PHASE_LOOK, now_ms + delay_ms);
    order->named_wait = retry_after >= 0;
}

/* What the CA says now decides; what it said before may not be gone through twice. */
static void follow(struct hc_order *order, int64_t retry_after)
{
    enum hc_status status = order->resource.status;
    bool behind = (status == HC_STATUS_PENDING && order->authorized) ||
                  (status == HC_STATUS_READY && order->finalized > 0) ||
                  status == HC_STATUS_PROCESSING ||
                  (status == HC_STATUS_VALID && order->resource.certificate == NULL);

    /* a finalize request that got lost is sent again, but only if a look says so too */
    if (status == HC_STATUS_READY && order->finalized > 0 && order->phase == HC_PHASE_LOOK &&
        order->polls >= order->finalized && order->finalized < FINALIZE_MOST) {
        behind = false;
    }
    if (behind) {
        look_again(order, retry_after);
    } else {
        hc_order_enter(order, by_status[status]);
    }
}

/* Reads the order out of a reply. Identifiers are compared as sets. */
static int read_order(struct hc_order *order, const struct hc_http_reply *reply,
                      struct hc_error *err)
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

static void ask(struct hc_order *order, enum hc_endpoint endpoint, const char *url,
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
        options.accept = "application/pem-certificate-chain";
        options.max_body = CERTIFICATE_MAX;
    }
    if (hc_acme_request_new(order->acme, &options, &order->request, &err) != 0) {
        hc_order_fail(order, &err, false);
    }
}

/* newOrder, section 7.4 */

static int make_new_order(const struct hc_order *order, struct hc_buf *out, struct hc_error *err)
{
    json_t *identifiers = json_array();
    json_t *payload = json_pack("{s:O}", "identifiers", identifiers);
    int bad = payload == NULL;
    int rc = -1;

    for (size_t i = 0; i < order->names.count && !bad; i++) {
        const char *name = order->names.items[i];

        bad = json_array_append_new(
            identifiers,
            json_pack("{s:s, s:s}", "type", hc_name_is_ip(name) ? "ip" : "dns", "value", name));
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
        hc_strdup(reply->location, &order->url, err) != 0 || read_order(order, reply, err) != 0) {
        return -1;
    }
    state.order_url = order->url;
    state.key = order->key;
    if (order->handler->persist(order->handler->self, &state, err) != 0) {
        return hc_error_during(err, "storing the order");
    }
    return 0;
}

static void blame_refusal(struct hc_order *order, const struct hc_http_reply *reply)
{
    json_t *problem = NULL;

    if (reply != NULL && hc_json_object(reply->body, NULL, &problem, NULL) == 0) {
        hc_order_blame_subproblems(order, problem);
    }
    json_decref(problem);
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
        blame_refusal(order, reply);
        hc_order_fail(order, &err, true);
    } else if (keep_placed(order, reply, &err) != 0) {
        hc_order_fail(order, &err, true);
    } else {
        follow(order, reply->retry_after);
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

static void place(struct hc_order *order)
{
    int key = 0;
    struct hc_buf payload = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_error err;

    hc_error_init(&err);
    key = get_key(order, &err);
    if (key == 0) {
        return; /* on_key() comes back */
    }
    if (key < 0 || make_new_order(order, &payload, &err) != 0) {
        hc_order_fail(order, &err, true);
    } else {
        ask(order, HC_ENDPOINT_NEW_ORDER, NULL, hc_buf_text(&payload), on_placed);
    }
    hc_buf_dispose(&payload);
}

/* What the CA says of the order: at a resume, and until the certificate is there */

static void on_looked(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause != NULL && hc_order_is_unknown(reply, cause)) {
        hc_order_lost(order, cause);
    } else if (cause != NULL) {
        hc_order_fail(order, cause, false);
    } else if (read_order(order, reply, &err) != 0) {
        hc_order_fail(order, &err, false);
    } else {
        follow(order, reply->retry_after);
    }
}

static void look(struct hc_order *order)
{
    ask(order, HC_ENDPOINT_URL, order->url, "", on_looked);
}

/* Authorizations */

static void authorize(struct hc_order *order)
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
        look_again(order, -1);
    } else {
        hc_authz_ask_all(order);
    }
}

static void present(struct hc_order *order)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_authz_present(order, &err) != 0) {
        hc_order_fail(order, &err, false);
        return;
    }
    order->ready_ms = 0;
    hc_order_enter(order, HC_PHASE_AWAIT);
}

static void await(struct hc_order *order)
{
    int64_t now_ms = hc_now_ms(order->acme->options.clock);
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_authz_ready(order, now_ms, &err);
    if (rc < 0) {
        hc_order_fail(order, &err, false);
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

/* Runs twice: to begin, and when the time is over. */
static void validate(struct hc_order *order)
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

/* finalize, section 7.4; the reply is the order, or not even that */

static void on_finalized(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_order *order = arg;
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause == NULL) {
        if (read_order(order, reply, &err) == 0) {
            follow(order, reply->retry_after);
        } else {
            look_again(order, reply->retry_after);
        }
    } else if (cause->problem == HC_P_ORDER_NOT_READY && order->finalized < FINALIZE_MOST) {
        look_again(order, reply->retry_after);
    } else if (cause->problem == HC_P_CA_REFUSED && reply != NULL && reply->status == 404) {
        hc_order_lost(order, cause);
    } else {
        blame_refusal(order, reply);
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

static void finalize(struct hc_order *order)
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
        ask(order, HC_ENDPOINT_URL, order->resource.finalize, hc_buf_text(&payload), on_finalized);
    }
    hc_buf_dispose(&payload);
}

/* The certificate, section 7.4.2 */

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
    struct hc_error err;

    hc_error_init(&err);
    order->request = NULL;
    if (cause != NULL && hc_order_is_unknown(reply, cause)) {
        hc_order_lost(order, cause);
    } else if (cause != NULL) {
        hc_order_fail(order, cause, false);
    } else if (keep_chain(order, reply, &err) != 0) {
        hc_order_fail(order, &err, false);
    } else {
        hc_order_succeed(order);
    }
}

static void download(struct hc_order *order)
{
    ask(order, HC_ENDPOINT_URL, order->resource.certificate, "", on_downloaded);
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
    return order->phase == HC_PHASE_LOOK && order->request == NULL && order->named_wait;
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
    order->phase = HC_PHASE_LOOK;
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
    order->phase = HC_PHASE_PLACE;
    order->chain.max = CERTIFICATE_MAX;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = order;
    order->solvers = options->solvers;
    if (hc_list_copy(&order->names, options->names, err) != 0 ||
        take_resume(order, options->resume, err) != 0) {
        hc_order_free(order);
        return -1;
    }
    hc_list_sort_unique(&order->names);
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
    free(order->bad);
    hc_buf_dispose(&order->chain);
    EVP_PKEY_free(order->key);
    free(order->url);
    free(order);
}
