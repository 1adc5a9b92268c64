/* http-01; see http01.h. The answers' port does all of it at once, so done() comes from within. */
#include "solve/http01.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme/challenge.h"
#include "conf/method.h"

#define TYPE        "http-01"
#define PATIENCE_MS 10000 /* for the other servers on the store */

static bool supports(void *self HC_UNUSED, const char *name)
{
    return hc_method_takes(hc_method_find(TYPE), name);
}

static int make_answer(void *self, const struct hc_challenge_case *c, struct hc_answer *answer,
                       struct hc_error *err)
{
    const struct hc_solver_env *env = self;
    char value[HC_KEYAUTH_SIZE];
    struct hc_answer made = {.kind = HC_ANSWER_HTTP, .name = c->name, .value = value};
    int rc = -1;

    if (hc_challenge_check_token(c, TYPE, err) != 0) {
        return -1;
    }
    hc_challenge_keyauth(c->token, c->thumbprint, value);
    made.key = c->token;
    made.expires = hc_now(env->clock) + HC_ANSWER_LIFE_S;
    rc = hc_answer_check(&made, err) == 0 ? hc_answer_copy(answer, &made, err) : -1;
    OPENSSL_cleanse(value, sizeof(value));
    return rc;
}

static void present(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    const struct hc_answer_port *port = ((const struct hc_solver_env *)self)->answers;
    struct hc_error err;

    hc_error_init(&err);
    done(arg, port->give(port->self, answer, &err) == 0 ? NULL : &err);
}

static int ready(void *self, const struct hc_answer *answer, struct hc_error *err HC_UNUSED)
{
    const struct hc_answer_port *port = ((const struct hc_solver_env *)self)->answers;

    return port->given(port->self, answer);
}

static void withdraw(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    const struct hc_answer_port *port = ((const struct hc_solver_env *)self)->answers;

    port->take_back(port->self, answer);
    if (done != NULL) {
        done(arg, NULL);
    }
}

static void leave(void *self, const struct hc_answer *answer)
{
    const struct hc_answer_port *port = ((const struct hc_solver_env *)self)->answers;

    port->leave(port->self, answer);
}

/* Nothing is ever under way. */
static void cancel(void *self HC_UNUSED, void *arg HC_UNUSED)
{
}

int hc_http01_open(const struct hc_solver_env *env, struct hc_solver *out, struct hc_error *err)
{
    struct hc_solver_env *self = malloc(sizeof(*self));

    if (self == NULL) {
        return hc_error_nomem(err);
    }
    *self = *env;
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
        .close = free,
        .patience_ms = PATIENCE_MS,
    };
    return 0;
}
