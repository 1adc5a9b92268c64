/* tls-alpn-01; see tls_alpn01.h. */
#include "solve/tls_alpn01.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acme/challenge.h"
#include "base/address.h"
#include "base/kept_error.h"
#include "conf/method.h"
#include "conf/name.h"
#include "loop/timer.h"
#include "pki/proof.h"

#define TYPE        "tls-alpn-01"
#define TURN_MS     (HC_ANSWER_TURN_S * 1000) /* the agent before may have died */
#define PATIENCE_MS (TURN_MS + 10000)         /* and the other servers on the store */
#define LOOK_MS     250

/* What waits for its turn. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct hc_answer answer; /* a copy */
    hc_solver_done *done;    /* NULL: cancelled, or taken back */
    void *arg;
    int64_t until_ms;
    bool taken_back;             /* ready() asks for it */
    struct hc_kept_error failed; /* it could not be given again */
};

struct solver {
    struct hc_solver_env env;
    TAILQ_HEAD(, waiter) waiters; /* the first comes first */
    struct hc_timer timer;
};

static bool supports(void *self HC_UNUSED, const char *name)
{
    return hc_method_takes(hc_method_find(TYPE), name);
}

static int make_answer(void *self, const struct hc_challenge_case *c, struct hc_answer *answer,
                       struct hc_error *err)
{
    const struct solver *solver = self;
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_ANSWER_VALUE_MAX - 1);
    struct hc_answer made = {.kind = HC_ANSWER_TLS, .name = c->name};
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char reverse[HC_ADDRESS_REVERSE];
    char keyauth[HC_KEYAUTH_SIZE];
    int rc = -1;

    if (hc_challenge_check_token(c, TYPE, err) != 0) {
        return -1;
    }
    hc_challenge_keyauth(c->token, c->thumbprint, keyauth);
    SHA256((const unsigned char *)keyauth, strlen(keyauth), digest);
    made.key = hc_address_server_name(c->name, reverse);
    made.expires = hc_now(solver->env.clock) + HC_ANSWER_LIFE_S;
    if (hc_proof_make(c->name, digest, &pem, err) == 0) {
        made.value = hc_buf_text(&pem);
        rc = hc_answer_check(&made, err) == 0 ? hc_answer_copy(answer, &made, err) : -1;
    }
    hc_buf_dispose(&pem);
    return rc;
}

/* ---- turns ---- */

static bool is_taken(const struct solver *solver, const struct hc_answer *answer)
{
    const struct hc_answer_port *port = solver->env.answers;
    const struct hc_answer *other = port->other(port->self, answer);

    /* the agent that went on with the order before this one proved the same */
    return other != NULL && !hc_proof_same(other->value, answer->value);
}

static void waiter_free(struct solver *solver, struct waiter *waiter)
{
    TAILQ_REMOVE(&solver->waiters, waiter, link);
    hc_answer_dispose(&waiter->answer);
    hc_kept_error_dispose(&waiter->failed);
    free(waiter);
}

static void give(const struct solver *solver, const struct hc_answer *answer, hc_solver_done *done,
                 void *arg)
{
    const struct hc_answer_port *port = solver->env.answers;
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = port->give(port->self, answer, &err);
    if (done != NULL) {
        done(arg, rc == 0 ? NULL : &err);
    }
}

/* One that was taken back. Where that fails it stays, for ready() to say so. */
static void give_again(struct solver *solver, struct waiter *waiter)
{
    const struct hc_answer_port *port = solver->env.answers;
    struct hc_error err;

    hc_error_init(&err);
    if (port->give(port->self, &waiter->answer, &err) != 0) {
        hc_kept_error_set(&waiter->failed, &err);
    } else {
        waiter_free(solver, waiter);
    }
}

/* Whose turn has come, or NULL. */
static struct waiter *next_one(struct solver *solver)
{
    int64_t now_ms = hc_now_ms(solver->env.clock);
    struct waiter *waiter = NULL;

    TAILQ_FOREACH(waiter, &solver->waiters, link)
    {
        if (!hc_kept_error_is_set(&waiter->failed) &&
            (!is_taken(solver, &waiter->answer) || now_ms >= waiter->until_ms)) {
            return waiter;
        }
    }
    return NULL;
}

static void on_timer(void *self)
{
    struct solver *solver = self;

    for (struct waiter *waiter = next_one(solver); waiter != NULL; waiter = next_one(solver)) {
        struct waiter ready = *waiter;

        if (waiter->taken_back) {
            give_again(solver, waiter);
            continue;
        }
        waiter->answer.memory = NULL; /* taken */
        waiter_free(solver, waiter);
        give(solver, &ready.answer, ready.done, ready.arg); /* which may bring in others */
        hc_answer_dispose(&ready.answer);
    }
    hc_timer_in(&solver->timer, TAILQ_EMPTY(&solver->waiters) ? -1 : LOOK_MS);
}

/* NULL: err. */
static struct waiter *wait_for_turn(struct solver *solver, const struct hc_answer *answer,
                                    hc_solver_done *done, void *arg, struct hc_error *err)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));

    if (waiter == NULL) {
        (void)hc_error_nomem(err);
        return NULL;
    }
    if (hc_answer_copy(&waiter->answer, answer, err) != 0) {
        free(waiter);
        return NULL;
    }
    waiter->done = done;
    waiter->arg = arg;
    waiter->until_ms = hc_now_ms(solver->env.clock) + TURN_MS;
    TAILQ_INSERT_TAIL(&solver->waiters, waiter, link);
    hc_timer_within(&solver->timer, LOOK_MS);
    return waiter;
}

static struct waiter *find_waiter(const struct solver *solver, const struct hc_answer *answer)
{
    struct waiter *waiter = NULL;

    TAILQ_FOREACH(waiter, &solver->waiters, link)
    {
        if (hc_answer_equal(&waiter->answer, answer)) {
            return waiter;
        }
    }
    return NULL;
}

/* True if the answer still waited, which is over then. */
static bool forget(struct solver *solver, const struct hc_answer *answer)
{
    struct waiter *waiter = find_waiter(solver, answer);

    if (waiter != NULL) {
        waiter_free(solver, waiter);
    }
    return waiter != NULL;
}

/* ---- the solver ---- */

static void present(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    struct solver *solver = self;
    struct hc_error err;

    hc_error_init(&err);
    if (!is_taken(solver, answer)) {
        give(solver, answer, done, arg);
    } else if (wait_for_turn(solver, answer, done, arg, &err) == NULL) {
        done(arg, &err);
    }
}

/* As ready(), for one that waits. */
static int tell_why(const struct waiter *waiter, struct hc_error *err)
{
    if (hc_kept_error_is_set(&waiter->failed)) {
        hc_kept_error_get(&waiter->failed, err);
        return -1;
    }
    (void)hc_error_set(err, HC_P_TIMED_OUT, waiter->answer.name,
                       "another order is still proving this name over TLS");
    return 0;
}

/*
 * Two agents may give a proof of one name before either knows of the other's. One of them is shown
 * then, the same everywhere; the other is taken back, and waits for its turn.
 */
static int ready(void *self, const struct hc_answer *answer, struct hc_error *err)
{
    struct solver *solver = self;
    const struct hc_answer_port *port = solver->env.answers;
    struct waiter *waiter = find_waiter(solver, answer);

    if (waiter == NULL && is_taken(solver, answer)) {
        waiter = wait_for_turn(solver, answer, NULL, NULL, err);
        if (waiter == NULL) {
            return -1;
        }
        waiter->taken_back = true;
        port->take_back(port->self, answer);
    }
    return waiter != NULL ? tell_why(waiter, err) : port->given(port->self, answer);
}

static void withdraw(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    struct solver *solver = self;
    const struct hc_answer_port *port = solver->env.answers;

    if (!forget(solver, answer)) {
        port->take_back(port->self, answer);
    }
    if (!TAILQ_EMPTY(&solver->waiters)) {
        hc_timer_in(&solver->timer, 0);
    }
    if (done != NULL) {
        done(arg, NULL);
    }
}

static void leave(void *self, const struct hc_answer *answer)
{
    struct solver *solver = self;
    const struct hc_answer_port *port = solver->env.answers;

    if (!forget(solver, answer)) {
        port->leave(port->self, answer);
    }
}

static void cancel(void *self, void *arg)
{
    struct solver *solver = self;
    struct waiter *waiter = NULL;

    TAILQ_FOREACH(waiter, &solver->waiters, link)
    {
        if (waiter->arg == arg) {
            waiter->done = NULL;
        }
    }
}

static void close_solver(void *self)
{
    struct solver *solver = self;

    hc_timer_stop(&solver->timer);
    while (!TAILQ_EMPTY(&solver->waiters)) {
        waiter_free(solver, TAILQ_FIRST(&solver->waiters));
    }
    free(solver);
}

int hc_tls_alpn01_open(const struct hc_solver_env *env, struct hc_solver *out, struct hc_error *err)
{
    struct solver *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        return hc_error_nomem(err);
    }
    self->env = *env;
    TAILQ_INIT(&self->waiters);
    hc_timer_init(&self->timer, env->loop, "turns of challenges over TLS", on_timer, self);
    *out = (struct hc_solver){
        .type = TYPE,
        .self = self,
        .supports = supports,
        .answer = make_answer,
        .present = present,
        .ready = ready,
        .withdraw = withdraw,
        .leave = leave,
        .cancel = cancel,
        .close = close_solver,
        .patience_ms = PATIENCE_MS,
    };
    return 0;
}
