/*
 * The answers of an order's authorizations: chosen, laid out by their solvers, waited for, and
 * taken back; see order.h and solver.h.
 */
#include "acme/challenge.h"
#include "acme/order.h"

/* The method that was chosen for this name cannot prove it now: the next try may use another. */
static void fail(struct hc_order_authz *a, const struct hc_error *err)
{
    const struct hc_order_handler *handler = a->order->handler;

    hc_kept_error_set(&a->failed, err);
    if (handler->tried != NULL) {
        handler->tried(handler->self, a->doc.name, a->solver->type, err);
    }
}

/*
 * From within present(), or minutes later. The order may have ended meanwhile, but then it withdrew
 * the answer, and this never comes. It may end by this.
 */
static void on_presented(void *arg, const struct hc_error *err)
{
    struct hc_order_authz *a = arg;
    struct hc_order *order = a->order;

    if (err != NULL) {
        hc_answer_dispose(&a->answer);
        fail(a, err);
    }
    hc_authz_enter(a, HC_AUTHZ_READY, -1);
    if (order->phase == HC_PHASE_AWAIT) {
        hc_order_enter(order, HC_PHASE_AWAIT);
        hc_acme_pump(order->acme);
    }
}

/* Notes what was chosen: the next reply takes the place of the document. */
static int choose(struct hc_order_authz *a, struct hc_challenge_case *c, struct hc_error *err)
{
    const char *directory = a->order->acme->options.issuer->directory_url;
    const struct hc_challenge *challenge =
        hc_challenge_choose(&a->doc, hc_authz_methods(a), a->order->solvers, &a->solver);

    if (challenge == NULL) {
        return hc_error_set(err, HC_P_NO_CHALLENGE, a->doc.name, NULL);
    }
    if (hc_challenge_check(challenge, directory, a->url, err) != 0 ||
        hc_strdup(challenge->url, &a->challenge_url, err) != 0) {
        return -1;
    }
    a->challenge_status = challenge->status;
    *c = (struct hc_challenge_case){a->doc.name, challenge->token, a->order->acme->thumbprint,
                                    a->order->acme->account.url, challenge->object};
    return 0;
}

static int present(struct hc_order_authz *a, struct hc_error *err)
{
    struct hc_challenge_case c;

    if (choose(a, &c, err) != 0 || a->solver->answer(a->solver->self, &c, &a->answer, err) != 0) {
        return -1;
    }
    hc_authz_enter(a, HC_AUTHZ_PRESENT, -1);
    a->solver->present(a->solver->self, &a->answer, on_presented, a);
    return 0;
}

bool hc_authz_has_failed(const struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        if (hc_kept_error_is_set(&order->authz[i].failed)) {
            return true;
        }
    }
    return false;
}

static bool has_answer(const struct hc_order_authz *a)
{
    return a->answer.memory != NULL;
}

int hc_authz_present(struct hc_order *order, struct hc_error *err)
{
    int rc = hc_account_need_key(order->acme, err);

    for (size_t i = 0; i < order->authz_count && rc == 0; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (a->doc.status != HC_STATUS_VALID && !has_answer(a)) {
            rc = present(a, err);
        }
        if (rc == 0 && hc_kept_error_is_set(&a->failed)) {
            hc_kept_error_get(&a->failed, err); /* the others are not even begun */
            rc = -1;
        }
    }
    return rc == 0 ? 0 : hc_error_during(err, "presenting the challenges' answers");
}

/* True if the answers of all are laid out; *patience_ms: of the most patient solver. */
static bool all_presented(const struct hc_order *order, int64_t *patience_ms)
{
    *patience_ms = 0;
    for (size_t i = 0; i < order->authz_count; i++) {
        const struct hc_order_authz *a = &order->authz[i];

        if (a->state == HC_AUTHZ_PRESENT) {
            return false;
        }
        if (has_answer(a) && a->solver->patience_ms > *patience_ms) {
            *patience_ms = a->solver->patience_ms;
        }
    }
    return true;
}

/* Its own word, or what its time being over means. */
static int ask_whether_ready(struct hc_order_authz *a, bool late, struct hc_error *err)
{
    struct hc_error why;
    int rc = 1;

    if (hc_kept_error_is_set(&a->failed)) {
        hc_kept_error_get(&a->failed, err);
        return -1;
    }
    hc_error_init(&why);
    if (has_answer(a)) {
        rc = a->solver->ready(a->solver->self, &a->answer, &why);
    }
    if (rc == 0 && late && a->solver->strict) {
        rc = hc_error_set(&why, HC_P_TIMED_OUT, a->doc.name,
                          "not every server has the answer to its %s challenge", a->solver->type);
    }
    if (rc < 0 || (rc == 0 && late && hc_error_is_set(&why))) {
        fail(a, &why);
        return hc_error_chain(err, &why);
    }
    return rc;
}

int hc_authz_ready(struct hc_order *order, int64_t now_ms, struct hc_error *err)
{
    int64_t patience_ms = 0;
    bool all = true;
    bool late = false;

    if (all_presented(order, &patience_ms) && order->ready_ms == 0) {
        order->presented_ms = now_ms;
        order->ready_ms = now_ms + patience_ms;
    }
    late = order->ready_ms > 0 && now_ms >= order->ready_ms;
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];
        int rc = a->state == HC_AUTHZ_PRESENT ? 0 : ask_whether_ready(a, late, err);

        if (rc < 0) {
            return hc_error_during(err, "presenting the challenges' answers");
        }
        all &= rc > 0;
    }
    return all ? 1 : 0;
}

void hc_authz_withdraw(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (has_answer(a)) {
            a->solver->withdraw(a->solver->self, &a->answer, NULL, NULL);
            a->solver->cancel(a->solver->self, a); /* another order may hold the same answer */
            hc_answer_dispose(&a->answer);
        }
    }
}

void hc_authz_leave(struct hc_order *order)
{
    for (size_t i = 0; i < order->authz_count; i++) {
        struct hc_order_authz *a = &order->authz[i];

        if (has_answer(a)) {
            a->solver->leave(a->solver->self, &a->answer);
            a->solver->cancel(a->solver->self, a); /* it may be laid out only later */
            hc_answer_dispose(&a->answer);
        }
    }
}
