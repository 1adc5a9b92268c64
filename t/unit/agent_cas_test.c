/* The issuers at run time: what is held against a CA and its names, and that it outlives us. */
#include "agent_upper.h"

#include "agent/account.h"
#include "agent/schedule.h"
#include "store/record.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const hosts[] = {"a.example", NULL};

static struct hc_error error_of(enum hc_problem p)
{
    struct hc_error err = {0};

    hc_error_set(&err, p, "", "as the test says");
    return err;
}

/* Another agent's view of the same store. */
static struct hc_cas *another(struct upper *u)
{
    struct hc_cas *fresh = NULL;
    struct hc_event opened = {.kind = HC_EVENT_STORE_OPENED};
    struct hc_error err = {0};

    must(hc_cas_new(&(struct hc_cas_options){.env = &u->b.env,
                                             .storage = u->b.storage,
                                             .authority = &fake_authority},
                    &fresh, &err),
         &err);
    hc_events_raise(&u->b.events, &opened);
    return fresh;
}

static void a_failing_ca_is_left_alone_and_remembered(void)
{
    struct upper u;
    struct hc_ca *ca = NULL;
    struct hc_cas *other = NULL;
    struct hc_error down = error_of(HC_P_CA_UNREACHABLE);

    new_upper(&u, on, hosts);
    turn(&u);
    ca = hc_cas_named(u.cas, "one");
    ok(ca != NULL && hc_cas_named(u.cas, "three") == NULL, "found by its name");
    ok(!hc_ca_is_failing(ca), "nothing is held against it");
    hc_ca_failed(ca, &down);
    ok(hc_ca_is_failing(ca) && hc_ca_record(ca)->breaker.until > clock_now, "it failed");
    is_int(count_in_log("issuer one"), 1, "as the log says");
    hc_ca_failed(ca, &down);
    is_int(count_in_log("issuer one"), 1, "once while nobody asks it");
    turn(&u);
    other = another(&u);
    ok(hc_ca_is_failing(hc_cas_named(other, "one")), "another agent on the store knows it");
    hc_cas_free(other);
    ok(!hc_ca_is_failing(hc_cas_named(u.cas, "two")), "of the other CA nothing is known");
    u.b.raised[HC_EVENT_CA_CHANGED] = 0;
    hc_ca_worked(ca);
    ok(!hc_ca_is_failing(ca), "it did its part");
    is_int(u.b.raised[HC_EVENT_CA_CHANGED], 1, "who waits for it is told");
    is_int(count_in_log("answers again"), 1, "and so is the operator");
    hc_ca_worked(ca);
    is_int(u.b.raised[HC_EVENT_CA_CHANGED], 1, "once");
    end_upper(&u);
}

static void some_refusals_are_final(void)
{
    struct upper u;
    struct hc_ca *ca = NULL;
    struct hc_error terms = error_of(HC_P_CA_SAYS_TERMS);

    ok(hc_ca_is_final(HC_P_CA_SAYS_TERMS, 1) && !hc_ca_is_final(HC_P_CA_UNREACHABLE, 100),
       "terms are, a CA that is away is not");
    ok(!hc_ca_is_final(HC_P_ACCOUNT_REFUSED, 2) && hc_ca_is_final(HC_P_ACCOUNT_REFUSED, 3),
       "some only when they are repeated");
    new_upper(&u, on, hosts);
    turn(&u);
    ca = hc_cas_named(u.cas, "one");
    hc_ca_failed(ca, &terms);
    ok(hc_ca_refuses(ca), "it refuses");
    is_int(hc_ca_record(ca)->breaker.until - clock_now, HC_CA_FINAL_S, "and is left alone a day");
    hc_ca_reset(ca, NULL);
    ok(!hc_ca_refuses(ca) && !hc_ca_is_failing(ca), "unless the operator says so");
    end_upper(&u);
}

static void names_are_held_at_one_ca_alone(void)
{
    struct upper u;
    struct hc_ca *ca = NULL;
    struct hc_cas *other = NULL;
    const struct hc_ladder *ladder = NULL;

    new_upper(&u, on, hosts);
    turn(&u);
    ca = hc_cas_named(u.cas, "one");
    hc_ca_hold(ca, "a.example", 0, 0);
    ladder = hc_issuer_record_find(hc_ca_record(ca), "a.example");
    ok(ladder != NULL && ladder->failures == 1, "held against the name");
    ok(hc_issuer_record_find(hc_ca_record(hc_cas_named(u.cas, "two")), "a.example") == NULL,
       "not at the other CA");
    turn(&u);
    other = another(&u);
    ladder = hc_issuer_record_find(hc_ca_record(hc_cas_named(other, "one")), "a.example");
    ok(ladder != NULL && ladder->failures == 1, "it is stored by itself");
    hc_cas_free(other);
    hc_ca_forgive(ca, "a.example");
    ladder = hc_issuer_record_find(hc_ca_record(ca), "a.example");
    ok(ladder == NULL || ladder->failures == 0, "and forgiven");
    end_upper(&u);
}

/* Four times an hour; after that the operator is told when it goes on. */
static void changed_settings_are_tried_at_once(void)
{
    struct upper u;
    struct hc_ca *ca = NULL;
    struct hc_event opened = {.kind = HC_EVENT_STORE_OPENED};
    struct hc_error terms = error_of(HC_P_CA_SAYS_TERMS);

    new_upper(&u, on, hosts);
    turn(&u);
    ca = hc_cas_named(u.cas, "one");
    for (int i = 0; i < HC_RESETS_MAX + 1; i++) {
        hc_ca_failed(ca, &terms);
        hc_ca_store(ca);
        for (size_t k = 0; k < u.b.conf->issuer_count; k++) {
            u.b.conf->issuers[k].http_port++;
        }
        is_int(count_in_log("`hotcert renew`, or reload in"), 0, "nothing is put off");
        hc_events_raise(&u.b.events, &opened);
        ok(hc_ca_refuses(ca) == (i == HC_RESETS_MAX), "the new settings are tried, but no fifth");
    }
    is_int(count_in_log("issuer one: its settings changed"), 1, "as the log says");
    clock_now += HC_RESETS_WINDOW;
    hc_events_raise(&u.b.events, &opened);
    ok(!hc_ca_refuses(ca), "an hour later a reload tries them");
    end_upper(&u);
}

/* Preflights judge by it before anybody orders. */
static void the_account_in_the_store_is_found_before_an_order(void)
{
    struct upper u;
    struct hc_ca *ca = NULL;
    char url[] = "https://one.example/account/7";
    struct hc_acme_account account = {forge_key(NULL), url};
    struct hc_buf text = HC_BUF_INIT_SECRET(10000);
    struct hc_error err = {0};

    new_upper(&u, on, hosts);
    turn(&u);
    ca = hc_cas_named(u.cas, "one");
    hc_ca_look_for_account(ca);
    ok(hc_ca_account_url(ca) == NULL, "a store without an account has none");
    must(hc_account_encode(&account, &text, &err), &err);
    must(hc_store_put(hc_storage_store(u.b.storage), "account", hc_ca_issuer(ca)->directory_url,
                      hc_bytes_of(&text), &err),
         &err);
    ok(hc_ca_account_url(ca) == NULL, "nobody looked yet");
    hc_ca_look_for_account(ca);
    is_str(hc_ca_account_url(ca), url, "another server's account is found there");
    hc_ca_look_for_account(hc_cas_named(u.cas, "two"));
    ok(hc_ca_account_url(hc_cas_named(u.cas, "two")) == NULL, "it is none at another CA");
    is_int(hc_ca_open(ca, &err), 1, "an order opens it");
    is_str(hc_ca_account_url(ca), url, "and it is the same");
    hc_storage_close(u.b.storage);
    ok(hc_ca_account_url(ca) == NULL, "with the store it is forgotten");
    hc_ca_look_for_account(ca);
    ok(hc_ca_account_url(ca) == NULL, "and none is found without one");
    hc_buf_dispose(&text);
    EVP_PKEY_free(account.key);
    end_upper(&u);
}

int main(void)
{
    a_failing_ca_is_left_alone_and_remembered();
    some_refusals_are_final();
    names_are_held_at_one_ca_alone();
    changed_settings_are_tried_at_once();
    the_account_in_the_store_is_found_before_an_order();
    return done();
}
