/* What is ordered when something fails: who waits, who does not, and who asks whom. */
#include "agent/renew.h"
#include "agent_world.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const on_both[] = {"hotcert on", "hotcert_use one two", NULL};
static const char *const one_host[] = {"p.example", NULL};
static const char *const four_hosts[] = {"p.example", "a.example", "b.example", "c.example", NULL};

/* Time goes by in steps, as an agent lives through it. */
static void live(struct server *a, struct server *b, int64_t seconds, int64_t step)
{
    for (int64_t t = 0; t < seconds; t += step) {
        pass_time(step);
        work(a, b);
    }
}

/* Side by side with others that go well: forty hosts, one of them p.example. */
static void add_many(const char *hosts[41], char names[40][20])
{
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof(names[i]), i == 0 ? "p.example" : "h%d.example", i);
        hosts[i] = names[i];
    }
    hosts[40] = NULL;
}

static void an_order_that_always_fails_keeps_nobody_waiting(void)
{
    struct server s;

    new_world();
    cas[0].poison = "p.example";
    cas[0].how = HC_P_CA_ERROR;
    new_server(&s, on, one_host);
    live(&s, NULL, 3600, 60);
    reload(&s, on, four_hosts);
    live(&s, NULL, 7200, 60);
    for (size_t i = 1; i < 4; i++) {
        ok(is_served(&s, i), "added beside it, served");
    }
    ok(!is_served(&s, 0), "it is not");
    cas[0].poison = NULL;
    live(&s, NULL, 3600, 60);
    ok(is_served(&s, 0), "mended, it is served, too");
    end_server(&s);
    end_world();
}

static void it_makes_pauses_of_its_own_while_the_CA_works(void)
{
    const char *hosts[41];
    char names[40][20];
    struct server s;

    new_world();
    cas[0].poison = "p.example";
    cas[0].how = HC_P_CA_ERROR;
    add_many(hosts, names);
    new_server(&s, on, hosts);
    work(&s, NULL);
    ok(cas[0].poisoned <= 2, "it does not fail again and again beside the others");
    live(&s, NULL, 60, 1);
    for (size_t i = 1; i < 40; i++) {
        if (!is_served(&s, i)) {
            ok(false, "the others are served");
        }
    }
    live(&s, NULL, 3 * 3600, 10);
    ok(cas[0].poisoned < 40, "in three hours it fails a few times");
    ok(count_in_log("giving up the order at") > 0, "and is placed anew at last");
    end_server(&s);
    end_world();
}

static void what_fails_on_this_machine_is_not_the_CAs(void)
{
    struct server s;

    new_world();
    cas[0].poison = "p.example";
    cas[0].how = HC_P_TABLE_FULL;
    new_server(&s, on, four_hosts);
    live(&s, NULL, 60, 1);
    ok(is_served(&s, 1) && is_served(&s, 2) && is_served(&s, 3), "the others are served");
    is_int(count_in_log("issuer one: "), 0, "the CA is not blamed");
    ok(count_in_log("p.example: no certificate from one: ") > 0, "it is said");
    ok(cas[0].poisoned < 5, "not at every turn");
    is_int(cas[0].orders, 4, "and the order stays the same");
    cas[0].poison = NULL;
    live(&s, NULL, 1800, 60);
    ok(is_served(&s, 0), "then it goes on");
    is_int(cas[0].orders, 4, "with it");
    end_server(&s);
    end_world();
}

static void an_order_at_a_CA_that_goes_down_is_placed_at_the_next(void)
{
    struct server s;

    new_world();
    cas[0].stuck = true;
    new_server(&s, on_both, one_host);
    work(&s, NULL);
    is_int(cas[0].orders, 1, "an order is placed at the first");
    cas[0].down = true;
    live(&s, NULL, 540, 60);
    is_int(cas[1].orders, 0, "for ten minutes it is waited for");
    live(&s, NULL, 300, 60);
    is_int(cas[1].orders, 1, "then the second is asked");
    ok(is_served(&s, 0), "and what it gives is served");
    end_server(&s);
    end_world();
}

static void the_first_is_asked_again_at_the_next_renewal(void)
{
    struct server s;

    new_world();
    cas[0].down = true;
    new_server(&s, on_both, one_host);
    live(&s, NULL, 2400, 60);
    is_int(cas[1].orders, 1, "the second helped out");
    cas[0].down = false;
    pass_time(62 * DAY);
    live(&s, NULL, 300, 60);
    is_int(cas[0].orders, 1, "the first gives the next one");
    is_int(cas[1].orders, 1, "alone");
    end_server(&s);
    end_world();
}

static void two_that_were_down_are_asked_in_turn(void)
{
    struct server s;

    new_world();
    cas[0].down = cas[1].down = true;
    new_server(&s, on_both, one_host);
    live(&s, NULL, 7200, 60);
    ok(cas[1].asked > 0, "both fail");
    cas[1].down = false;
    live(&s, NULL, 1800, 60);
    ok(is_served(&s, 0), "when the second works again, it serves");
    end_server(&s);
    end_world();
}

static void what_one_CA_refuses_the_next_is_asked_for(void)
{
    struct server s;

    new_world();
    cas[0].no = HC_P_RATE_LIMITED;
    cas[0].retry_after = 6 * DAY;
    new_server(&s, on_both, one_host);
    live(&s, NULL, 120, 60);
    is_int(cas[0].asked, 1, "the first said: in six days");
    is_int(cas[1].orders, 1, "the second is asked instead");
    ok(is_served(&s, 0), "and what it gives is served");
    end_server(&s);
    end_world();

    new_world();
    cas[0].no = HC_P_ORDER_INVALID;
    new_server(&s, on_both, one_host);
    live(&s, NULL, 540, 60);
    is_int(cas[0].asked, 2, "the first says no, and no reason to wait");
    is_int(cas[1].asked, 0, "it is tried again, after one minute and after ten");
    reload(&s, on_both, one_host);
    work(&s, NULL);
    is_int(cas[0].asked, 2, "which a restart remembers");
    live(&s, NULL, 300, 60);
    is_int(cas[0].asked, 3, "after the third time");
    is_int(cas[1].orders, 1, "the second is asked");
    ok(is_served(&s, 0), "and what it gives is served");
    end_server(&s);
    end_world();
}

static void what_is_refused_as_a_whole_is_refused_alone(void)
{
    static const char *const hosts[] = {"a.example", "a.example b.example", NULL};
    struct server s;

    new_world();
    cas[0].wrong_names = true;
    new_server(&s, on, hosts + 1);
    work(&s, NULL);
    is_int(cas[0].asked, 1, "a wrong certificate");
    cas[0].wrong_names = false;
    reload(&s, on, hosts);
    work(&s, NULL);
    ok(is_served(&s, 0), "another certificate with one of its names does not wait for it");
    is_int(cas[0].asked, 2, "which it does itself");
    end_server(&s);
    end_world();
}

/* What only a person can end is no outage: it is not asked for time and again. */
static void what_only_a_person_can_end_is_asked_for_daily(void)
{
    static const enum hc_problem final[] = {HC_P_CA_MOVED, HC_P_EAB_REQUIRED,
                                            HC_P_ACCOUNT_DEACTIVATED, HC_P_CA_SAYS_TERMS,
                                            HC_P_CA_SAYS_CONTACT};

    for (size_t i = 0; i < HC_COUNT(final); i++) {
        const char *slug = hc_problem_row(final[i])->slug;
        struct hc_ca *ca = NULL;
        int64_t when = 0;
        struct server s;

        new_world();
        cas[0].not_us = final[i];
        new_server(&s, on, four_hosts);
        live(&s, NULL, 600, 10);
        ok(cas[0].asked >= 1 && cas[0].asked <= 4, slug);
        cas[0].asked = 0;
        reload(&s, on, four_hosts);
        live(&s, NULL, 20 * 3600, 600);
        is_int(cas[0].asked, 0, "is not asked again today, nor by the next agent");
        is_int(hc_job_waits_for(hc_agent_parts(s.agent)->jobs,
                                hc_jobs_at(hc_agent_parts(s.agent)->jobs, 3), &ca, &when),
               HC_JOB_FAILED, "each host counts as failed");
        is_int(hc_job_failure(hc_agent_parts(s.agent)->jobs,
                              hc_jobs_at(hc_agent_parts(s.agent)->jobs, 3), ca, HC_JOB_FAILED)
                   ->error.problem,
               final[i], "of that");
        live(&s, NULL, 6 * 3600, 600);
        is_int(cas[0].asked, 1, "once the day after, for all");
        cas[0].not_us = HC_P_NONE;
        ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0),
                        false),
           "who ended it says so");
        live(&s, NULL, 60, 10);
        ok(is_served(&s, 0) && is_served(&s, 3), "and all are obtained");
        end_server(&s);
        end_world();
    }
}

static void the_next_issuer_is_asked_at_once_then(void)
{
    struct server s;

    new_world();
    cas[0].not_us = HC_P_EAB_REQUIRED;
    new_server(&s, on_both, one_host);
    live(&s, NULL, 60, 1);
    ok(is_served(&s, 0), "what the first takes no account for is obtained at the second");
    is_int(cas[0].asked, 1, "which was asked once");
    end_server(&s);
    end_world();
}

/* Two orders are under way; one learns the reason, the other times out a moment later. */
static void the_reason_is_not_lost_to_a_later_failure(void)
{
    struct hc_error final = {.problem = HC_P_ACCOUNT_DEACTIVATED};
    struct hc_error late = {.problem = HC_P_CA_TIMEOUT};
    struct server s;
    struct hc_ca *ca = NULL;

    new_world();
    new_server(&s, on, one_host);
    ca = hc_cas_at(hc_agent_parts(s.agent)->cas, 0);
    hc_ca_failed(ca, &final);
    pass_time(30);
    hc_ca_failed(ca, &late);
    is_int(hc_ca_record(ca)->last.error.problem, HC_P_ACCOUNT_DEACTIVATED, "the reason stays");
    ok(hc_ca_refuses(ca), "it is no outage");
    pass_time(DAY);
    hc_ca_failed(ca, &late);
    is_int(hc_ca_record(ca)->last.error.problem, HC_P_CA_TIMEOUT, "until the CA was asked again");
    ok(!hc_ca_refuses(ca), "which may be one");
    end_server(&s);
    end_world();
}

/* A refusal that may pass, by its words, gets three tries. */
static void an_account_that_is_refused_is_tried_thrice_first(void)
{
    struct server s;

    new_world();
    cas[0].not_us = HC_P_ACCOUNT_REFUSED;
    new_server(&s, on, one_host);
    live(&s, NULL, 600, 1);
    is_int(cas[0].asked, 3, "within minutes");
    live(&s, NULL, 20 * 3600, 600);
    is_int(cas[0].asked, 3, "then no more that day");
    end_server(&s);
    end_world();
}

static void a_pause_of_one_hosts_names_is_no_others(void)
{
    struct server s;

    new_world();
    cas[0].no = HC_P_CA_PAUSED;
    new_server(&s, on, one_host);
    live(&s, NULL, 20 * 3600, 600);
    is_int(cas[0].asked, 1, "names that are paused are asked for once a day");
    cas[0].no = HC_P_NONE;
    reload(&s, on, four_hosts);
    live(&s, NULL, 60, 10);
    ok(is_served(&s, 1) && is_served(&s, 2) && is_served(&s, 3), "others do not wait for them");
    ok(!is_served(&s, 0), "which wait");
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), false),
       "until somebody opened the address");
    live(&s, NULL, 60, 10);
    ok(is_served(&s, 0), "then they are served");
    end_server(&s);
    end_world();
}

/* The operator tries by hand until the network is back; that costs the CA nothing. */
static void tries_that_reach_no_CA_are_not_counted(void)
{
    struct server s;

    new_world();
    cas[0].down = true;
    new_server(&s, on, one_host);
    work(&s, NULL);
    for (int i = 0; i < 3 * HC_RESETS_MAX; i++) {
        if (!hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0),
                          false)) {
            ok(false, "a try while the CA cannot be reached");
        }
        work(&s, NULL);
        pass_time(1);
    }
    cas[0].down = false;
    cas[0].bad_name = "p.example";
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), false),
       "it can be reached: tried again");
    work(&s, NULL);
    for (int i = 0; i < HC_RESETS_MAX; i++) {
        ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0),
                        false),
           "a try at a name that fails");
        work(&s, NULL);
        pass_time(1);
    }
    ok(!hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), false),
       "of those there are four an hour");
    end_server(&s);
    end_world();
}

static void two_agents_fail_as_often_as_one(void)
{
    struct server a, b;

    new_world();
    cas[0].bad_name = "p.example";
    new_server(&a, on, one_host);
    new_server(&b, on, one_host);
    live(&a, &b, 7800, 2);
    is_int(cas[0].asked, 4, "at once, after 1, 10 and 100 minutes, whoever does it");
    kill_agent(&a);
    live(&b, NULL, 20 * 3600, 600);
    is_int(cas[0].asked, 4, "the one that stays knows of all");
    cas[0].bad_name = NULL;
    live(&b, NULL, 5 * 3600, 600);
    ok(is_served(&b, 0), "mended, it is served");
    end_server(&a);
    end_server(&b);
    end_world();

    new_world();
    new_server(&a, on, one_host);
    new_server(&b, on, one_host);
    live(&a, &b, 10, 2);
    ok(is_served(&a, 0) && is_served(&b, 0), "both serve");
    cas[0].down = true;
    cas[0].retry_after = 3600;
    pass_time(62 * DAY);
    live(&a, &b, 3500, 10);
    is_int(cas[0].asked, 2, "a CA that is to be left alone is, by both");
    cas[0].down = false;
    live(&b, &a, 200, 2);
    is_int(cas[0].orders, 2, "when it works again there is one order");
    is_str(serial(&a, 0), serial(&b, 0), "which serves both");
    end_server(&a);
    end_server(&b);
    end_world();
}

static void a_clock_that_is_set_back_stops_nothing(void)
{
    struct server s;

    new_world();
    cas[0].bad_name = "p.example";
    clock_now += 400 * DAY;
    new_server(&s, on, one_host);
    work(&s, NULL);
    is_int(cas[0].asked, 1, "a name fails under a clock that is ahead");
    clock_now -= 400 * DAY;
    cas[0].bad_name = NULL;
    live(&s, NULL, 180, 20);
    ok(is_served(&s, 0), "set back, it is tried again all the same");
    is_int(count_in_log("the clock was set back by "), 1, "and the step is in the log");
    end_server(&s);
    end_world();

    new_world();
    cas[0].down = true;
    clock_now += 400 * DAY;
    new_server(&s, on, one_host);
    work(&s, NULL);
    clock_now -= 400 * DAY;
    cas[0].down = false;
    live(&s, NULL, 180, 20);
    ok(is_served(&s, 0), "a CA that was down is asked again as well");
    end_server(&s);
    end_world();
}

static void what_is_held_back_does_not_use_up_the_limit_of_the_CA(void)
{
    struct server s;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    cas[0].no_chain = true;
    pass_time(61 * DAY);
    live(&s, NULL, 7 * DAY, 3600);
    is_str(serial(&s, 0), first, "renewed without its chain, it is held back");
    ok(cas[0].orders > 2 && cas[0].orders <= 5, "and ordered anew every other day");
    live(&s, NULL, 14 * DAY, 3600);
    ok(strcmp(serial(&s, 0), first) != 0, "in the last tenth it is better than none");
    ok(cas[0].orders <= 13, "which costs one more order");
    end_server(&s);
    end_world();
}

static void names_wait_as_long_as_the_reply_says(void)
{
    struct server s;

    new_world();
    cas[0].bad_name = "p.example";
    cas[0].retry_after = DAY;
    new_server(&s, on, one_host);
    live(&s, NULL, DAY - 600, 600);
    is_int(cas[0].asked, 1, "the CA named the name, and said: in a day");
    live(&s, NULL, 1800, 600);
    is_int(cas[0].asked, 2, "so it is");
    end_server(&s);
    end_world();
}

static void a_CA_that_was_not_asked_did_not_answer(void)
{
    struct server s;

    new_world();
    cas[0].down = true;
    new_server(&s, on, one_host);
    work(&s, NULL);
    cas[0].shut = HC_P_CA_URL;
    live(&s, NULL, 10, 5);
    ok(count_in_log("p.example: no certificate from one: ") > 0, "it fails before it is asked");
    is_int(count_in_log("the CA answers again"), 0, "which does not close the breaker");
    end_server(&s);
    end_world();
}

int main(void)
{
    an_order_that_always_fails_keeps_nobody_waiting();
    it_makes_pauses_of_its_own_while_the_CA_works();
    what_fails_on_this_machine_is_not_the_CAs();
    an_order_at_a_CA_that_goes_down_is_placed_at_the_next();
    the_first_is_asked_again_at_the_next_renewal();
    two_that_were_down_are_asked_in_turn();
    what_one_CA_refuses_the_next_is_asked_for();
    what_is_refused_as_a_whole_is_refused_alone();
    what_only_a_person_can_end_is_asked_for_daily();
    the_next_issuer_is_asked_at_once_then();
    the_reason_is_not_lost_to_a_later_failure();
    an_account_that_is_refused_is_tried_thrice_first();
    a_pause_of_one_hosts_names_is_no_others();
    tries_that_reach_no_CA_are_not_counted();
    two_agents_fail_as_often_as_one();
    a_clock_that_is_set_back_stops_nothing();
    what_is_held_back_does_not_use_up_the_limit_of_the_CA();
    names_wait_as_long_as_the_reply_says();
    a_CA_that_was_not_asked_did_not_answer();
    forged_free(&mid);
    forged_free(&root);
    return done();
}
