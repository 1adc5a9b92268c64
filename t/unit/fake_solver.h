/* A solver for the tests of orders: counts, fails and waits as it is told. */
#ifndef HC_T_FAKE_SOLVER_H
#define HC_T_FAKE_SOLVER_H

#include <stdio.h>
#include <string.h>

#include "acme/challenge.h"
#include "acme/solver.h"

struct fake_solver {
    struct hc_solver solver;
    struct hc_solver_set set;
    struct hc_list methods;
    int presented, withdrawn, left;
    bool never_ready;
    enum hc_problem fail;
};

static inline bool fake_supports(void *self HC_UNUSED, const char *name)
{
    return strncmp(name, "*.", 2) != 0;
}

static inline int fake_make_answer(void *self HC_UNUSED, const struct hc_challenge_case *c,
                                   struct hc_answer *answer, struct hc_error *err)
{
    char value[HC_KEYAUTH_SIZE];

    if (hc_challenge_check_token(c, "http-01", err) != 0) {
        return -1;
    }
    hc_challenge_keyauth(c->token, c->thumbprint, value);
    return hc_answer_copy(
        answer, &(struct hc_answer){HC_ANSWER_HTTP, c->name, c->token, value, INT64_MAX, NULL},
        err);
}

static inline void fake_present(void *self, const struct hc_answer *answer, hc_solver_done *say,
                                void *arg)
{
    struct fake_solver *f = self;
    struct hc_error err;

    hc_error_init(&err);
    f->presented++;
    if (f->fail != HC_P_NONE) {
        f->withdrawn++; /* there is nothing to withdraw */
        hc_error_set(&err, f->fail, "table", NULL);
        say(arg, &err);
    } else {
        f->presented += hc_answer_check(answer, NULL); /* -1: it is none */
        say(arg, NULL);
    }
}

static inline int fake_ready(void *self, const struct hc_answer *answer HC_UNUSED,
                             struct hc_error *err HC_UNUSED)
{
    return !((struct fake_solver *)self)->never_ready;
}

static inline void fake_withdraw(void *self, const struct hc_answer *answer HC_UNUSED,
                                 hc_solver_done *say, void *arg)
{
    ((struct fake_solver *)self)->withdrawn++;
    if (say != NULL) {
        say(arg, NULL);
    }
}

static inline void fake_leave(void *self, const struct hc_answer *answer HC_UNUSED)
{
    ((struct fake_solver *)self)->left++;
}

static inline void fake_cancel_done(void *self HC_UNUSED, void *arg HC_UNUSED)
{
}

static char fake_method[] = "http-01";
static char *fake_methods[] = {fake_method};

static inline void fake_solver_open(struct fake_solver *f)
{
    memset(f, 0, sizeof(*f));
    f->solver = (struct hc_solver){.type = fake_method,
                                   .self = f,
                                   .supports = fake_supports,
                                   .answer = fake_make_answer,
                                   .present = fake_present,
                                   .ready = fake_ready,
                                   .withdraw = fake_withdraw,
                                   .leave = fake_leave,
                                   .cancel = fake_cancel_done,
                                   .patience_ms = 10000};
    f->set = (struct hc_solver_set){&f->solver, 1};
    f->methods = (struct hc_list){fake_methods, 1, 1};
}

#endif
