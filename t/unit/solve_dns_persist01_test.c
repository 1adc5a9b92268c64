/* dns-persist-01: what it wants to find, and that it neither blocks nor speaks twice. Whether the
 * record is right: dns_persist_test, and the scenario persist. */
#include "solve/dns_persist01.h"

#include <string.h>

#include "dns/resolver.h"
#include "solve_contract.h"

#define ACCT "https://ca.test/acct/1"

static struct hc_error err;
static int64_t now = 1800000000;
static int asked, cancelled, told, failed;
static hc_dns_done *answer_to;
static void *answer_arg;

static int64_t clock_now(void *self)
{
    return *(int64_t *)self;
}

static int64_t clock_ms(void *self)
{
    return *(int64_t *)self * 1000;
}

static const struct hc_clock clock = {&now, clock_now, clock_ms};

static int on_ask(void *self HC_UNUSED, const struct hc_dns_ask *ask HC_UNUSED, hc_dns_done *done_,
                  void *arg, uint64_t *id, struct hc_error *e HC_UNUSED)
{
    asked++;
    answer_to = done_;
    answer_arg = arg;
    *id = (uint64_t)asked;
    return 0;
}

static void on_cancel(void *self HC_UNUSED, uint64_t id HC_UNUSED)
{
    cancelled++;
}

static const struct hc_dns_port dns = {NULL, on_ask, on_cancel};

static void on_done(void *arg HC_UNUSED, const struct hc_error *e)
{
    told++;
    failed += e != NULL;
}

static struct hc_solver open_solver(const struct hc_dns_port *port)
{
    struct hc_solver_env env = {.clock = &clock, .dns = port};
    struct hc_solver solver = {0};

    hc_error_init(&err);
    ok(hc_dns_persist01_open(&env, &solver, &err) == 0, "the solver is opened");
    return solver;
}

static int make(const struct hc_solver *solver, const char *name, const char *json,
                struct hc_answer *answer)
{
    json_t *object = json_loads(json, 0, NULL);
    struct hc_challenge_case c = {name, NULL, "print", ACCT, object};
    int rc = -1;

    hc_error_init(&err);
    rc = solver->answer(solver->self, &c, answer, &err);
    json_decref(object);
    return rc;
}

static void the_record_is_what_is_wanted(void)
{
    static const char *const bad[] = {
        "{}",
        "{\"issuer-domain-names\": []}",
        "{\"issuer-domain-names\": \"ca.test\"}",
        "{\"issuer-domain-names\": [1]}",
        "{\"issuer-domain-names\": [\"not a name\"]}",
        "{\"issuer-domain-names\": [\"ca.test\"], \"accounturi\": \"https://ca.test/acct/2\"}",
    };
    struct hc_solver solver = open_solver(NULL);
    struct hc_answer answer = {0};

    ok(solver.supports(solver.self, "a.test") && solver.supports(solver.self, "*.a.test") &&
           !solver.supports(solver.self, "192.0.2.1"),
       "names and wildcards, no addresses");
    ok(make(&solver, "*.a.test", "{\"issuer-domain-names\": [\"ca.test\", \"ca2.test\"]}",
            &answer) == 0,
       "a challenge without a token");
    is_str(answer.key, "_validation-persist.a.test", "is looked for at the name without its star");
    is_str(answer.value, "ca.test; accounturi=" ACCT "; policy=wildcard", "with its policy");
    hc_answer_dispose(&answer);
    ok(make(&solver, "a.test",
            "{\"issuer-domain-names\": [\"ca.test\"], \"accounturi\": \"" ACCT "\"}", &answer) == 0,
       "of the draft's second form");
    is_str(answer.value, "ca.test; accounturi=" ACCT, "the plain one");
    for (size_t i = 0; i < HC_COUNT(bad); i++) {
        struct hc_answer none = {0};

        ok(make(&solver, "a.test", bad[i], &none) != 0 && err.problem == HC_P_CA_REPLY, bad[i]);
    }
    told = failed = 0;
    solver.present(solver.self, &answer, on_done, NULL);
    ok(told == 1 && failed == 0, "without a resolver the CA decides");
    is_int(solver.ready(solver.self, &answer, &err), 1, "there is nothing to wait for");
    solver.withdraw(solver.self, &answer, on_done, NULL);
    is_int(told, 2, "nor to withdraw");
    hc_answer_dispose(&answer);
    solver.close(solver.self);
}

static void a_search_is_told_once(void)
{
    struct hc_solver solver = open_solver(&dns);
    struct hc_answer answer = {0};
    struct hc_error nobody = {0};

    ok(make(&solver, "a.test", "{\"issuer-domain-names\": [\"ca.test\"]}", &answer) == 0, "one");
    told = failed = 0;
    solver.present(solver.self, &answer, on_done, NULL);
    ok(told == 0 && asked > 0, "it asks");
    solver.withdraw(solver.self, &answer, NULL, NULL);
    solver.cancel(solver.self, NULL);
    is_int(told, 0, "withdrawn and cancelled meanwhile, it says nothing more");

    solver.present(solver.self, &answer, on_done, &told);
    hc_error_set(&nobody, HC_P_DNS_FAILED, NULL, "nobody answers");
    for (int i = 0; i < 50 && told == 0; i++) {
        answer_to(answer_arg, NULL, NULL, &nobody);
    }
    ok(told == 1 && failed == 0, "where nobody answers the CA decides");

    solver.present(solver.self, &answer, on_done, &told);
    solver.cancel(solver.self, &told);
    told = 0;
    for (int i = 0, before = asked - 1; i < 50 && before != asked; i++) {
        before = asked;
        answer_to(answer_arg, NULL, NULL, &nobody);
    }
    is_int(told, 0, "cancelled, nothing is said");
    solver.present(solver.self, &answer, on_done, NULL);
    hc_answer_dispose(&answer);
    solver.close(solver.self);
    is_int(told, 0, "nor when the solver goes");
}

int main(void)
{
    the_record_is_what_is_wanted();
    a_search_is_told_once();
    return done();
}
