/*
 * What every solver keeps to: run by its own test with answers for it. The
 * world is a port of answers that counts, fails and is told who follows; time
 * is the test's.
 */
#ifndef HC_T_SOLVE_CONTRACT_H
#define HC_T_SOLVE_CONTRACT_H

#include <string.h>

#include "acme/solver.h"
#include "loop/loop.h"
#include "tap.h"

#define CONTRACT_PLACES 16

struct contract_place {
    struct hc_answer answer; /* a copy */
    int holders;
};

struct contract {
    struct hc_solver solver;
    struct hc_loop *loop;
    struct hc_answer_port port;
    struct contract_place places[CONTRACT_PLACES];
    enum hc_problem fail; /* of the store, or the table */
    bool alone;           /* nobody has to be waited for */
    int left;
    int64_t now;
    int done, failed; /* done() calls */
    struct hc_error error;
    /* lets the time go by until nothing is under way; NULL: done() comes from
     * within */
    void (*settle)(struct contract *c);
};

static inline struct contract_place *contract_find(struct contract *c, const struct hc_answer *a)
{
    for (size_t i = 0; i < CONTRACT_PLACES; i++) {
        if (c->places[i].holders > 0 && hc_answer_equal(&c->places[i].answer, a)) {
            return &c->places[i];
        }
    }
    return NULL;
}

static inline int contract_give(void *self, const struct hc_answer *answer, struct hc_error *err)
{
    struct contract *c = self;
    struct contract_place *place = contract_find(c, answer);

    if (c->fail != HC_P_NONE) {
        return hc_error_set(err, c->fail, "store", NULL);
    }
    for (size_t i = 0; place == NULL && i < CONTRACT_PLACES; i++) {
        if (c->places[i].holders == 0) {
            place = &c->places[i];
            if (hc_answer_copy(&place->answer, answer, err) != 0) {
                return -1;
            }
        }
    }
    place->holders++;
    return 0;
}

static inline bool contract_given(void *self, const struct hc_answer *answer)
{
    struct contract *c = self;

    return c->alone && contract_find(c, answer) != NULL;
}

static inline const struct hc_answer *contract_other(void *self, const struct hc_answer *answer)
{
    struct contract *c = self;

    for (size_t i = 0; i < CONTRACT_PLACES; i++) {
        if (c->places[i].holders > 0 && hc_answer_same_place(&c->places[i].answer, answer) &&
            !hc_answer_equal(&c->places[i].answer, answer)) {
            return &c->places[i].answer;
        }
    }
    return NULL;
}

static inline void contract_take_back(void *self, const struct hc_answer *answer)
{
    struct contract_place *place = contract_find(self, answer);

    if (place != NULL && --place->holders == 0) {
        hc_answer_dispose(&place->answer);
    }
}

static inline void contract_leave(void *self, const struct hc_answer *answer)
{
    ((struct contract *)self)->left += contract_find(self, answer) != NULL;
}

static inline void contract_done(void *arg, const struct hc_error *err)
{
    struct contract *c = arg;

    c->done++;
    if (err != NULL) {
        c->failed++;
        c->error = *err;
    }
}

static inline int64_t contract_now(void *self)
{
    return ((struct contract *)self)->now;
}

static inline int64_t contract_now_ms(void *self)
{
    return ((struct contract *)self)->now * 1000;
}

/* What is given out at the answer's place with its value and is not over. */
static inline bool contract_found(struct contract *c, const struct hc_answer *answer)
{
    const struct contract_place *place = contract_find(c, answer);

    return place != NULL && place->answer.expires > c->now;
}

static inline void contract_settle(struct contract *c)
{
    if (c->settle != NULL) {
        c->settle(c);
    }
}

static inline void contract_present(struct contract *c, const struct hc_answer *answer)
{
    c->solver.present(c->solver.self, answer, contract_done, c);
    contract_settle(c);
}

static inline void contract_withdraw(struct contract *c, const struct hc_answer *answer)
{
    c->solver.withdraw(c->solver.self, answer, contract_done, c);
    contract_settle(c);
}

/* Two challenges of names that it supports, and maybe of one place. */
static inline void contract_run(struct contract *c, const struct hc_challenge_case cases[2])
{
    struct hc_solver *s = &c->solver;
    struct hc_answer a = {0};
    struct hc_answer b = {0};
    struct hc_error err;

    hc_error_init(&err);
    c->alone = true;
    for (int i = 0; i < 2; i++) {
        ok(s->supports(s->self, cases[i].name), "it supports the name");
        ok(s->answer(s->self, &cases[i], i == 0 ? &a : &b, &err) == 0, "and makes an answer");
    }
    ok(hc_answer_check(&a, &err) == 0 && hc_answer_check(&b, &err) == 0, "that may be given out");
    ok(a.expires > c->now, "and is not over");
    is_str(a.name, cases[0].name, "for the name");

    contract_present(c, &a);
    ok(c->done == 1 && c->failed == 0 && contract_found(c, &a), "presented, it is found");
    is_int(s->ready(s->self, &a, &err), 1, "and ready");
    c->alone = false;
    is_int(s->ready(s->self, &a, &err), 0, "unless somebody has it not yet");
    c->alone = true;
    contract_present(c, &b);
    ok(contract_found(c, &a) && contract_found(c, &b), "two stand beside each other");
    contract_present(c, &a);
    is_int(c->done, 3, "presented again");
    contract_withdraw(c, &a);
    ok(contract_found(c, &a), "it stays until both are withdrawn");
    contract_withdraw(c, &a);
    ok(!contract_found(c, &a) && contract_found(c, &b), "then it goes, and the other stays");
    c->failed = 0;
    contract_withdraw(c, &a);
    ok(c->failed == 0 && contract_found(c, &b), "withdrawing it once more does nothing");
    s->withdraw(s->self, &b, NULL, NULL);
    contract_settle(c);
    ok(!contract_found(c, &b), "nobody has to wait for a withdrawal");

    c->done = 0;
    s->present(s->self, &a, contract_done, c);
    s->withdraw(s->self, &a, NULL, NULL);
    contract_settle(c);
    ok(!contract_found(c, &a) && c->done <= 1, "withdrawn while it is presented, nothing stays");

    c->done = c->failed = 0;
    c->fail = HC_P_STORE_WRITE;
    contract_present(c, &a);
    ok(c->done == 1 && c->failed == 1 && c->error.problem == HC_P_STORE_WRITE,
       "what the store says is said once");
    ok(!contract_found(c, &a), "and nothing is left");
    c->fail = HC_P_NONE;

    contract_present(c, &a);
    c->now = a.expires;
    ok(!contract_found(c, &a), "it is over by itself");
    c->now = 1000;
    s->leave(s->self, &a);
    is_int(c->left, 1, "it is left to the next process");
    c->done = 0;
    s->cancel(s->self, c);
    contract_settle(c);
    is_int(c->done, 0, "cancelled, nothing is said");
    contract_withdraw(c, &a);
    hc_answer_dispose(&a);
    hc_answer_dispose(&b);
}

static inline void contract_open(struct contract *c,
                                 int (*opener)(const struct hc_solver_env *env,
                                               struct hc_solver *out, struct hc_error *err))
{
    static struct hc_clock clock;
    struct hc_solver_env env = {.clock = &clock, .answers = &c->port};
    struct hc_error err;

    hc_error_init(&err);
    c->now = 1000;
    clock = (struct hc_clock){c, contract_now, contract_now_ms};
    ok(hc_loop_new(&clock, &c->loop, &err) == 0, "a loop");
    env.loop = c->loop;
    c->port = (struct hc_answer_port){
        c, contract_give, contract_given, contract_other, contract_take_back, contract_leave};
    ok(opener(&env, &c->solver, &err) == 0, "the solver is opened");
}

#endif
