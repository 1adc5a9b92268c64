/* tls-alpn-01: the contract of solvers, and what is its own. */
#include "solve/tls_alpn01.h"

#include <openssl/sha.h>

#include "pki/proof.h"
#include "solve_contract.h"

#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ"

static struct contract world;
static struct hc_error err;

static struct hc_answer answer_for(const char *name, const char *token)
{
    struct hc_challenge_case c = {name, token, "print", NULL, NULL};
    struct hc_answer answer = {0};

    hc_error_init(&err);
    ok(world.solver.answer(world.solver.self, &c, &answer, &err) == 0, name);
    return answer;
}

static void the_certificate_is_that_of_RFC_8737(void)
{
    struct hc_answer answer = answer_for("a.example", TOKEN);
    struct hc_bytes pem = {(const unsigned char *)answer.value, strlen(answer.value)};
    unsigned char wanted[HC_PROOF_DIGEST];
    unsigned char got[HC_PROOF_DIGEST];
    struct hc_pair *pair = NULL;
    X509 *leaf = NULL;

    is_str(answer.key, "a.example", "it stands at the name");
    ok(hc_proof_read(pem, "a.example", &pair, &err) == 0, "a pair");
    leaf = hc_pair_leaf(pair);
    SHA256((const unsigned char *)TOKEN ".print", strlen(TOKEN ".print"), wanted);
    ok(hc_proof_of(leaf, got) && memcmp(got, wanted, sizeof(got)) == 0,
       "with the SHA-256 of the key authorization");
    ok(hc_pair_names(pair)->count == 1 && hc_list_has(hc_pair_names(pair), "a.example"),
       "and one name");
    ok(X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_issuer_name(leaf)) == 0 &&
           X509_verify(leaf, X509_get0_pubkey(leaf)) == 1,
       "self-signed");
    hc_pair_free(pair);
    hc_answer_dispose(&answer);
}

/* RFC 8738 section 6. */
static void addresses_stand_where_DNS_has_them_backwards(void)
{
    struct hc_answer v4 = answer_for("192.0.2.1", TOKEN);
    struct hc_answer v6 = answer_for("2001:db8::1", TOKEN);
    struct hc_bytes pem = {(const unsigned char *)v6.value, strlen(v6.value)};
    struct hc_pair *pair = NULL;

    is_str(v4.key, "1.2.0.192.in-addr.arpa", "IPv4");
    is_str(v6.key, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
           "IPv6");
    ok(hc_proof_read(pem, "2001:db8::1", &pair, &err) == 0 && hc_pair_names(pair)->count == 1 &&
           hc_list_has(hc_pair_names(pair), "2001:db8::1"),
       "the certificate has the address itself");
    hc_pair_free(pair);
    hc_answer_dispose(&v4);
    hc_answer_dispose(&v6);
}

static void pass(int64_t seconds)
{
    world.now += seconds;
    ok(hc_loop_pass(world.loop, 0, &err) == 0, "time goes by");
}

/* Two orders of one name, with a key type each: a listener shows one certificate at a time. */
static void who_comes_second_waits_for_its_turn(void)
{
    struct hc_answer first = answer_for("a.example", TOKEN "1");
    struct hc_answer second = answer_for("a.example", TOKEN "2");
    struct hc_answer again = answer_for("a.example", TOKEN "1");

    world.done = world.failed = 0;
    contract_present(&world, &first);
    contract_present(&world, &second);
    is_int(world.done, 1, "the second is not presented");
    pass(10);
    ok(world.done == 1 && !contract_found(&world, &second), "as long as the first is there");
    contract_present(&world, &again);
    ok(world.done == 2 && contract_found(&world, &again),
       "what proves the same has not to wait: an order that was taken up again");
    contract_withdraw(&world, &again);
    contract_withdraw(&world, &first);
    pass(0);
    ok(world.failed == 0 && contract_found(&world, &second), "then it is");
    is_int(world.solver.ready(world.solver.self, &second, &err), 1, "and ready");

    contract_present(&world, &first);
    world.solver.withdraw(world.solver.self, &first, NULL, NULL);
    contract_withdraw(&world, &second);
    pass(1);
    ok(!contract_found(&world, &first), "who is withdrawn while it waits never is");
    hc_answer_dispose(&first);
    hc_answer_dispose(&second);
    hc_answer_dispose(&again);
}

static void nobody_waits_for_ever(void)
{
    struct hc_answer dead = answer_for("a.example", TOKEN "1");
    struct hc_answer second = answer_for("a.example", TOKEN "2");
    int before = 0;

    contract_present(&world, &dead);
    before = world.done;
    contract_present(&world, &second);
    pass(30);
    is_int(world.done, before, "half a minute");
    pass(31);
    ok(world.done == before + 1 && contract_found(&world, &second), "after a minute it takes it");
    contract_withdraw(&world, &second);

    contract_present(&world, &second);
    world.solver.leave(world.solver.self, &second);
    world.solver.cancel(world.solver.self, &world);
    contract_withdraw(&world, &dead);
    pass(1);
    ok(!contract_found(&world, &second), "what is left while it waits was never there");
    contract_present(&world, &dead);
    contract_present(&world, &second);
    hc_answer_dispose(&dead);
    hc_answer_dispose(&second);
}

static const struct hc_answer *stronger;

/* Of another agent, stored before ours was known there. */
static const struct hc_answer *shown_instead(void *self HC_UNUSED,
                                             const struct hc_answer *answer HC_UNUSED)
{
    return stronger;
}

/* Both agents gave one before they knew of each other. */
static void who_is_not_shown_takes_it_back_and_waits(void)
{
    struct hc_answer own = answer_for("a.example", TOKEN "1");
    struct hc_answer others = answer_for("a.example", TOKEN "2");
    struct hc_answer twin = answer_for("a.example", TOKEN "1");

    world.port.other = shown_instead;
    stronger = NULL;
    world.failed = 0;
    contract_present(&world, &own);
    stronger = &twin;
    is_int(world.solver.ready(world.solver.self, &own, &err), 1, "what proves the same is as good");
    stronger = &others;
    is_int(world.solver.ready(world.solver.self, &own, &err), 0, "another value is not");
    ok(!contract_found(&world, &own), "so ours is taken back");
    pass(10);
    is_int(world.solver.ready(world.solver.self, &own, &err), 0, "it waits");
    stronger = NULL;
    pass(1);
    ok(contract_found(&world, &own), "and comes when the other is gone");
    is_int(world.solver.ready(world.solver.self, &own, &err), 1, "ready");
    stronger = &others;
    is_int(world.solver.ready(world.solver.self, &own, &err), 0, "once more");
    contract_withdraw(&world, &own);
    stronger = NULL;
    pass(61);
    ok(!contract_found(&world, &own) && world.failed == 0,
       "withdrawn while it waits, it never comes");
    world.port.other = contract_other;
    hc_answer_dispose(&own);
    hc_answer_dispose(&others);
    hc_answer_dispose(&twin);
}

/* Once done() came, ready() is who can tell. */
static void what_goes_wrong_in_a_later_turn_is_told(void)
{
    struct hc_answer own = answer_for("a.example", TOKEN "1");
    struct hc_answer others = answer_for("a.example", TOKEN "2");
    int done = 0;

    world.port.other = shown_instead;
    stronger = NULL;
    contract_present(&world, &own);
    stronger = &others;
    done = world.done;
    hc_error_init(&err);
    is_int(world.solver.ready(world.solver.self, &own, &err), 0, "another value is shown");
    is_int(err.problem, HC_P_TIMED_OUT, "and what that means when the time is over");
    hc_error_init(&err);
    is_int(world.solver.ready(world.solver.self, &own, &err), 0, "as long as it waits");
    is_int(err.problem, HC_P_TIMED_OUT, "the same");
    is_str(err.subject, "a.example", "with its name");
    stronger = NULL;
    world.fail = HC_P_TABLE_FULL;
    pass(1);
    hc_error_init(&err);
    is_int(world.solver.ready(world.solver.self, &own, &err), -1, "its turn comes to nothing");
    is_int(err.problem, HC_P_TABLE_FULL, "and why");
    world.fail = HC_P_NONE;
    pass(1);
    hc_error_init(&err);
    is_int(world.solver.ready(world.solver.self, &own, &err), -1, "that stays");
    is_int(world.done, done, "done() does not come again");
    contract_withdraw(&world, &own);
    contract_present(&world, &own);
    hc_error_init(&err);
    is_int(world.solver.ready(world.solver.self, &own, &err), 1, "until it is presented anew");
    is_int(err.problem, HC_P_NONE, "and all is well");
    contract_withdraw(&world, &own);
    world.port.other = contract_other;
    hc_answer_dispose(&own);
    hc_answer_dispose(&others);
}

int main(void)
{
    static const struct hc_challenge_case cases[2] = {
        {"a.example", TOKEN "a", "print", NULL, NULL},
        {"b.example", TOKEN "b", "print", NULL, NULL},
    };
    struct hc_challenge_case bad = {"a.example", NULL, "print", NULL, NULL};
    struct hc_answer none = {0};

    contract_open(&world, hc_tls_alpn01_open);
    contract_run(&world, cases);
    the_certificate_is_that_of_RFC_8737();
    addresses_stand_where_DNS_has_them_backwards();
    who_comes_second_waits_for_its_turn();
    who_is_not_shown_takes_it_back_and_waits();
    what_goes_wrong_in_a_later_turn_is_told();
    nobody_waits_for_ever();
    hc_error_init(&err);
    ok(world.solver.answer(world.solver.self, &bad, &none, &err) != 0 &&
           err.problem == HC_P_CA_REPLY,
       "without a token there is nothing to prove");
    ok(!world.solver.supports(world.solver.self, "*.a.example"), "wildcards are not proved");
    world.solver.close(world.solver.self); /* one still waits */
    hc_loop_free(world.loop);
    return done();
}
