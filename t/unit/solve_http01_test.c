/* http-01: the contract of solvers, and what is its own. */
#include "solve/http01.h"

#include "conf/method.h"
#include "solve/solve.h"
#include "solve_contract.h"

#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ"

static struct contract world;

static void only_tokens_are_answered(void)
{
    static const char *const bad[] = {NULL, "", "short", "evaGxfADs6pSRb2LAv9IZf17Dt3j/../x"};
    struct hc_answer answer = {0};
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(bad); i++) {
        struct hc_challenge_case c = {"a.example", bad[i], "print", NULL, NULL};

        hc_error_init(&err);
        ok(world.solver.answer(world.solver.self, &c, &answer, &err) != 0 &&
               err.problem == HC_P_CA_REPLY,
           bad[i] != NULL ? bad[i] : "no token");
    }
    ok(!world.solver.supports(world.solver.self, "*.a.example") &&
           world.solver.supports(world.solver.self, "192.0.2.1"),
       "wildcards are not proved, addresses are");
}

/* The table of methods, which the server modules link, and that of solvers, which they do not. */
static void each_method_that_is_solved_has_a_solver(void)
{
    static const char *const names[] = {"a.example", "*.a.example", "192.0.2.1"};
    struct hc_solver_env env = {.answers = &world.port};
    struct hc_solver_set set = {NULL, 0};
    size_t solved = 0;
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_solvers_open(&env, &set, &err) == 0, "all are opened");
    for (size_t i = 0; i < set.count; i++) {
        const struct hc_solver *s = &set.items[i];
        const struct hc_method *method = hc_method_find(s->type);
        bool same = method != NULL && method->solved;

        for (size_t k = 0; same && k < HC_COUNT(names); k++) {
            /* what a hotcert_dns writes needs one */
            same = (hc_method_takes(method, names[k]) && !method->written) ==
                   s->supports(s->self, names[k]);
        }
        ok(same, s->type);
    }
    for (size_t i = 0; i < hc_method_count; i++) {
        solved += hc_methods[i].solved;
    }
    is_int(set.count, solved, "as many as the table of methods says");
    hc_solvers_close(&set);
    hc_solvers_close(&set);
}

int main(void)
{
    static const struct hc_challenge_case cases[2] = {
        {"a.example", TOKEN "a", "print", NULL, NULL},
        {"b.example", TOKEN "b", "print", NULL, NULL},
    };

    contract_open(&world, hc_http01_open);
    contract_run(&world, cases);
    only_tokens_are_answered();
    each_method_that_is_solved_has_a_solver();
    world.solver.close(world.solver.self);
    return done();
}
