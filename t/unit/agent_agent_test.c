/* The agent against a CA of the test's own: what is ordered, when, and what is served. */
#include "agent/renew.h"
#include "agent_world.h"
#include "answer_lib.h"
#include "conf/issuer.h"
#include "pki/key.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const on_two[] = {"hotcert on", "hotcert_use two", NULL};
static const char *const on_both[] = {"hotcert on", "hotcert_use one two", NULL};
static const char *const two_types[] = {"hotcert on", "hotcert_use one",
                                        "hotcert_key_type ecdsa:256 rsa:2048", NULL};
static const char *const three_hosts[] = {"a.example", "b.example www.b.example", "c.example",
                                          NULL};
static const char *const one_host[] = {"a.example", NULL};

static void every_host_gets_its_certificate(void)
{
    struct server s;

    new_world();
    new_server(&s, on, three_hosts);
    work(&s, NULL);
    for (size_t i = 0; i < 3; i++) {
        ok(is_served(&s, i), "served");
    }
    is_int(cas[0].orders, 3, "three orders");
    is_int(cas[0].accounts, 1, "one account");
    is_int(count_in_log("error:"), 0, "no error");
    kill_agent(&s);
    reload(&s, on, three_hosts);
    work(&s, NULL);
    is_int(cas[0].orders, 3, "a restart orders nothing");
    is_int(cas[0].accounts, 1, "and makes no account");
    end_server(&s);
    end_world();
}

static void it_is_renewed_when_a_third_is_left(void)
{
    struct server s;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    ok(first[0] != '\0', "the first is served");
    is_str(cas[0].replaces, "", "and replaces none");
    pass_time(55 * DAY);
    work(&s, NULL);
    is_int(cas[0].orders, 1, "with more than a third and its share left nothing is ordered");
    is_str(serial(&s, 0), first, "the first goes on");
    pass_time(5 * DAY);
    work(&s, NULL);
    is_int(cas[0].orders, 2, "then it is");
    ok(strlen(cas[0].replaces) > 20 && strchr(cas[0].replaces, '.') != NULL,
       "as the one that replaces the first (RFC 9773)");
    ok(strcmp(serial(&s, 0), first) != 0, "and served");
    end_server(&s);
    end_world();
}

static void a_failing_name_goes_down_the_ladder_alone(void)
{
    static const int64_t waits[] = {60, 600, 6000, DAY};
    struct server s;
    int asked = 0;

    new_world();
    cas[0].bad_name = "www.b.example";
    new_server(&s, on, three_hosts);
    work(&s, NULL);
    ok(is_served(&s, 0) && is_served(&s, 2), "the others are served");
    ok(!is_served(&s, 1), "it is not");
    is_int(count_in_log("error: www.b.example: the CA says: as the test says"), 1, "it is named");
    is_int(count_in_log("as the test says"), 1, "and its fault told once");
    is_int(count_in_log("b.example, www.b.example: no certificate from one; retrying in 60 s"), 1,
           "beside one short line for the host");
    asked = cas[0].asked;
    for (size_t i = 0; i < HC_COUNT(waits); i++) {
        pass_time(waits[i] - 10);
        work(&s, NULL);
        is_int(cas[0].asked, asked, "not before its time");
        if (i == 1) {
            reload(&s, on, three_hosts);
            work(&s, NULL);
            is_int(cas[0].asked, asked, "a restart does not forget it");
        }
        pass_time(12);
        work(&s, NULL);
        is_int(cas[0].asked, ++asked, "then once");
    }
    cas[0].bad_name = NULL;
    pass_time(DAY);
    work(&s, NULL);
    ok(is_served(&s, 1), "mended, it is served");
    end_server(&s);
    end_world();
}

static void a_CA_that_is_down_costs_nobody_its_turn(void)
{
    struct server s;
    int asked = 0;

    new_world();
    cas[0].down = true;
    new_server(&s, on, three_hosts);
    work(&s, NULL);
    asked = cas[0].asked;
    is_int(asked, 3, "three asked side by side");
    is_int(count_in_log("retrying in"), 1, "one line for all");
    pass_time(4);
    work(&s, NULL);
    is_int(cas[0].asked, asked + 1, "one asks for all when the breaker says so");
    pass_time(2);
    reload(&s, on, three_hosts);
    work(&s, NULL);
    is_int(cas[0].asked, asked + 1, "which a restart remembers");
    cas[0].down = false;
    pass_time(20);
    work(&s, NULL);
    ok(is_served(&s, 0) && is_served(&s, 1) && is_served(&s, 2), "then all are served");
    is_int(cas[0].orders, 3, "by three orders");
    is_int(count_in_log("the CA answers again"), 1, "and it is said");
    end_server(&s);
    end_world();
}

static void retry_after_is_honoured(void)
{
    struct server s;
    int asked = 0;

    new_world();
    cas[0].down = true;
    cas[0].retry_after = 600;
    new_server(&s, on, one_host);
    work(&s, NULL);
    asked = cas[0].asked;
    pass_time(590);
    work(&s, NULL);
    is_int(cas[0].asked, asked, "nobody asks before");
    cas[0].down = false;
    pass_time(20);
    work(&s, NULL);
    ok(is_served(&s, 0), "after it they do");
    end_server(&s);
    end_world();
}

static void a_killed_agent_goes_on_with_its_order(void)
{
    struct server s;

    new_world();
    cas[0].stuck = true;
    new_server(&s, on, three_hosts);
    work(&s, NULL);
    is_int(cas[0].orders, 3, "three orders are under way");
    reload(&s, on, three_hosts);
    cas[0].stuck = false;
    work(&s, NULL);
    ok(is_served(&s, 0) && is_served(&s, 1) && is_served(&s, 2), "all are served");
    is_int(cas[0].orders, 3, "not one was ordered twice");
    is_int(cas[0].resumed, 3, "they were taken up again");
    end_server(&s);
    end_world();
}

static void two_agents_order_once_and_serve_both(void)
{
    struct server a, b;
    char keyauth[HC_KEYAUTH_MAX];

    tokens_made = 0;
    new_world();
    cas[0].stuck = true;
    new_server(&a, on, one_host);
    new_server(&b, on, one_host);
    work(&a, &b);
    is_int(cas[0].orders, 1, "one of them orders");
    ok(answer_get(a.table, "token-1-of-22-characters", 24, clock_now, keyauth),
       "its server answers");
    ok(answer_get(b.table, "token-1-of-22-characters", 24, clock_now, keyauth),
       "and so does the other");
    is_str(keyauth, "token-1-of-22-characters.thumbprint", "the same");
    cas[0].stuck = false;
    work(&a, &b);
    pass_time(3);
    work(&a, &b);
    ok(is_served(&a, 0), "the one serves it");
    ok(is_served(&b, 0), "the other serves it");
    is_str(serial(&a, 0), serial(&b, 0), "the same");
    is_int(cas[0].orders, 1, "from one order");
    is_int(cas[0].accounts, 1, "by one account");
    ok(!answer_get(b.table, "token-1-of-22-characters", 24, clock_now, keyauth),
       "the token is gone");
    end_server(&a);
    end_server(&b);
    end_world();
}

static void a_renewal_asked_for_outlives_the_record(void)
{
    struct server a, b;
    struct hc_error err = {0};
    struct hc_job *job = NULL;
    char first[100];

    new_world();
    new_server(&a, on, one_host);
    new_server(&b, on, one_host);
    work(&a, &b);
    pass_time(3);
    work(&a, &b);
    hc_copy(first, sizeof(first), serial(&b, 0));
    job = hc_jobs_at(hc_agent_parts(b.agent)->jobs, 0);
    ok(hc_job_renew(hc_agent_parts(b.agent), job, true), "one of two agents is asked");
    ok(hc_store_delete(hc_storage_store(hc_agent_parts(a.agent)->storage), "job",
                       hc_job_name(job, (char[HC_JOB_NAME]){0}), &err) == 0,
       "the other forgets the job it has just done");
    work(&b, &a);
    pass_time(3);
    work(&a, &b);
    is_int(cas[0].orders, 2, "it is ordered all the same");
    ok(strcmp(serial(&b, 0), first) != 0, "and served");
    is_str(serial(&a, 0), serial(&b, 0), "by both");
    end_server(&a);
    end_server(&b);
    end_world();
}

/* The state of an order whose certificate another agent has committed is no order any more. */
static void a_finished_order_is_not_gone_on_with(void)
{
    struct server s;
    struct hc_error err = {0};
    char url[] = "https://ca.example/order/1";
    struct hc_job_order order = {.url = url};
    struct hc_job_record *record = NULL;
    const struct hc_conf *conf = NULL;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    conf = hc_agent_parts(s.agent)->env.conf;
    record = &hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0)->record;
    order.directory = hc_conf_issuer(conf, conf->identities[0].set->use.items[0])->directory_url;
    order.names = conf->identities[0].names;
    order.key = forge_key(NULL);
    ok(hc_job_order_new(&order, &record->order, &err) == 0,
       "an agent still has the state of an order from before the certificate");
    EVP_PKEY_free(order.key);
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true),
       "and is asked to renew");
    work(&s, NULL);
    is_int(cas[0].orders, 2, "a new order is placed");
    is_int(cas[0].resumed, 0, "the old one is left alone");
    ok(strcmp(serial(&s, 0), first) != 0, "and another certificate is served");
    end_server(&s);
    end_world();
}

static void shell(const char *what)
{
    char command[256];

    snprintf(command, sizeof(command), "cd %s/store/lines/*/ && %s", folder, what);
    ok(system(command) == 0, what);
}

/* The damaged version's number is free again, and the other server must not take it for known. */
static void what_is_obtained_after_damage_is_served_by_both(void)
{
    struct server a, b;
    char first[100];

    new_world();
    new_server(&a, on, one_host);
    new_server(&b, on, one_host);
    work(&a, &b);
    pass_time(3);
    work(&a, &b);
    hc_copy(first, sizeof(first), serial(&b, 0));
    shell("echo x > 1.pair");
    ok(hc_job_renew(hc_agent_parts(a.agent), hc_jobs_at(hc_agent_parts(a.agent)->jobs, 0), true),
       "one of two agents is asked to renew");
    pass_time(3);
    work(&a, &b);
    pass_time(40);
    work(&a, &b);
    shell("test -f 1.pair -a ! -f 2.pair");
    is_int(cas[0].orders, 2, "a damaged certificate is obtained anew, under its number");
    ok(strcmp(serial(&a, 0), first) != 0, "the one serves what was obtained");
    is_str(serial(&b, 0), serial(&a, 0), "and so does the other");
    end_server(&a);
    end_server(&b);
    end_world();
}

static void a_newer_version_of_another_user_is_not_ordered_beside(void)
{
    struct server s;

    if (getuid() != 0) {
        return;
    }
    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    pass_time(60);
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true),
       "a second version");
    work(&s, NULL);
    is_int(cas[0].orders, 2, "is there");
    shell("chown 33:33 2.pair");
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true),
       "a third is asked for");
    work(&s, NULL);
    pass_time(61);
    work(&s, NULL);
    is_int(cas[0].orders, 2, "what a copy by root hid is not ordered again");
    is_int(count_in_log("no order placed"), 1, "and one line says so");
    ok(strstr(log_text, "another user's") != NULL, "and why");
    shell("chown 0:0 2.pair && test ! -f 3.pair");
    pass_time(61);
    work(&s, NULL);
    is_int(cas[0].orders, 3, "with its owner put right it goes on");
    end_server(&s);
    end_world();
}

/* Both begin on a fresh store; the later one's secret is the store's before anything is sealed. */
static void two_secrets_do_not_share_a_store(void)
{
    static const unsigned char other[HC_SECRET_SIZE] = {4, 5, 6};
    static const char *const none[] = {NULL};
    struct server a, b;

    new_world();
    new_server(&a, on, none);
    work(&a, NULL);
    ok(hc_storage_store(hc_agent_parts(a.agent)->storage) != NULL,
       "one agent has the store open, and nothing to store");
    world_secret = other;
    new_server(&b, on, one_host);
    world_secret = NULL;
    work(&b, NULL);
    is_int(cas[0].orders, 1, "another one, with another secret, orders");
    pass_time(61);
    work(&a, &b);
    ok(hc_storage_store(hc_agent_parts(a.agent)->storage) == NULL,
       "then the first lets the store go");
    ok(is_served(&b, 0), "and the other has its certificate");
    is_int(count_in_log("until the store is usable"), 1, "and says so");
    is_int(hc_storage_last(hc_agent_parts(a.agent)->storage)->error.problem, HC_P_SECRET_OTHER,
           "with the reason");
    shell("test ! -e ../../damaged && test -f 1.pair");
    end_server(&a);
    end_server(&b);
    end_world();
}

static void both_key_types_are_served(void)
{
    struct server s;
    struct hc_bundle *bundle = NULL;

    new_world();
    new_server(&s, two_types, one_host);
    work(&s, NULL);
    bundle = served(&s, 0);
    ok(bundle != NULL && hc_bundle_count(bundle) == 2, "two pairs");
    ok(is_served(&s, 0), "complete");
    is_int(cas[0].orders, 2, "an order each");
    hc_bundle_free(bundle);
    end_server(&s);
    end_world();
}

static void an_identitys_jobs_are_found_at_once(void)
{
    struct server s;
    size_t count = 0;

    new_world();
    new_server(&s, two_types, three_hosts);
    for (size_t i = 0; i < 3; i++) {
        const struct hc_job *jobs = hc_jobs_of(hc_agent_parts(s.agent)->jobs, i, &count);

        ok(count == 2 && jobs[0].index == i && jobs[1].index == i &&
               jobs[0].key_type != jobs[1].key_type,
           "one for each key type");
    }
    is_int(hc_watches_count(hc_agent_parts(s.agent)->watches), 0, "and no watched pair");
    end_server(&s);
    end_world();
}

static void a_new_pair_serves_all_that_share_a_name(void)
{
    static const char *const hosts[] = {"a.example b.example", "b.example c.example bad.example",
                                        "d.example bad.example", NULL};
    struct server s;

    new_world();
    cas[0].bad_name = "bad.example";
    new_server(&s, on, hosts);
    while (!is_served(&s, 0)) {
        (void)pass(&s);
        clock_ms += 20;
    }
    is_str(serial(&s, 1), serial(&s, 0), "it stands in for a host with one name in common");
    is_str(serial(&s, 2), "", "but not for one with none");
    end_server(&s);
    end_world();
}

static void a_change_never_takes_a_host_back_to_the_bootstrap(void)
{
    static const char *const more[] = {"a.example new.example", NULL};
    struct server s;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    cas[0].stuck = true;
    reload(&s, on, more);
    work(&s, NULL);
    is_str(serial(&s, 0), first, "a name was added: the old one stands in");
    ok(!is_served(&s, 0), "which is not what was asked for");
    reload(
        &s,
        (const char *const[]){"hotcert on", "hotcert_use one", "hotcert_key_type rsa:2048", NULL},
        one_host);
    work(&s, NULL);
    is_str(serial(&s, 0), first, "the key type was changed: the old one stands in");
    cas[0].stuck = false;
    work(&s, NULL);
    ok(is_served(&s, 0), "until its own is there");
    ok(strcmp(serial(&s, 0), first) != 0, "another");
    end_server(&s);
    end_world();
}

static void another_issuer_is_due_at_once(void)
{
    struct server s;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    cas[1].stuck = true;
    reload(&s, on_two, one_host);
    work(&s, NULL);
    is_int(cas[1].orders, 1, "the other CA is asked at once");
    is_str(serial(&s, 0), first, "meanwhile the first one's serves");
    cas[1].stuck = false;
    work(&s, NULL);
    ok(strcmp(serial(&s, 0), first) != 0, "then the other's");
    end_server(&s);
    end_world();
}

static void an_issuer_added_needs_no_order(void)
{
    struct server s;
    char first[100];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    reload(&s, on_both, one_host);
    work(&s, NULL);
    is_int(cas[0].orders + cas[1].orders, 1, "nothing is ordered");
    is_str(serial(&s, 0), first, "the same is served");
    ok(is_served(&s, 0), "as the host's own");
    is_int(count_in_log("using stored certificate"), 1, "and it is said");
    end_server(&s);
    end_world();
}

static void the_next_issuer_helps_out(void)
{
    struct server s;

    new_world();
    cas[0].down = true;
    new_server(&s, on_both, one_host);
    work(&s, NULL);
    for (int i = 0; i < 9; i++) {
        pass_time(60);
        work(&s, NULL);
    }
    is_int(cas[1].orders, 0, "for ten minutes the first has its chance");
    for (int i = 0; i < 20 && cas[1].orders == 0; i++) {
        pass_time(60);
        work(&s, NULL);
    }
    is_int(cas[1].orders, 1, "then the second is asked");
    ok(is_served(&s, 0), "and what it gives is served");
    end_server(&s);
    end_world();
}

static void a_wrong_clock_stops_orders(void)
{
    struct server s;

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    pass_time(-300 * DAY);
    clock_ms += 301 * DAY * 1000;
    reload(&s, on, three_hosts);
    work(&s, NULL);
    pass_time(3600);
    work(&s, NULL);
    is_int(cas[0].orders, 1, "nothing is ordered");
    is_int(count_in_log("clock is behind"), 1, "one line says why");
    pass_time(300 * DAY);
    work(&s, NULL);
    is_int(cas[0].orders, 3, "right again, the rest is ordered");
    end_server(&s);
    end_world();
}

static void a_certificate_for_something_else_is_not_served(void)
{
    struct server s;
    int asked = 0;

    new_world();
    cas[0].wrong_names = true;
    new_server(&s, on, one_host);
    work(&s, NULL);
    is_str(serial(&s, 0), "", "nothing is published");
    ok(count_in_log("does not match the order") > 0, "the log says why");
    asked = cas[0].asked;
    work(&s, NULL);
    is_int(cas[0].asked, asked, "it is not asked for again at once");
    cas[0].wrong_names = false;
    pass_time(61);
    work(&s, NULL);
    ok(is_served(&s, 0), "the next one is right");
    end_server(&s);
    end_world();
}

/* Nobody proved to it that they are this server's. */
static void names_that_were_not_ordered_are_not_taken(void)
{
    static const char *const accepting[] = {"hotcert on", "hotcert_use one",
                                            "hotcert_accept untrusted-root name-not-asked", NULL};
    struct server s;

    new_world();
    cas[0].stranger = "*.com";
    new_server(&s, on, one_host);
    work(&s, NULL);
    is_str(serial(&s, 0), "", "nothing is published, though nothing else serves");
    ok(count_in_log("it names *.com as well (name-not-asked") > 0, "the log names the name");
    cas[0].stranger = "www.a.example";
    pass_time(61);
    work(&s, NULL);
    ok(is_served(&s, 0), "some CAs add www. of their own accord: that is taken");
    end_server(&s);
    end_world();

    new_world();
    cas[0].stranger = "inside.example";
    new_server(&s, accepting, one_host);
    work(&s, NULL);
    ok(is_served(&s, 0), "who accepts such names gets them");
    end_server(&s);
    end_world();
}

static void a_CA_certificate_is_not_taken_for_a_leaf(void)
{
    struct server s;

    new_world();
    cas[0].as_ca = true;
    new_server(&s, on, one_host);
    work(&s, NULL);
    is_str(serial(&s, 0), "", "nothing is published");
    ok(count_in_log("it may sign others (CA:TRUE)") > 0, "the log says why");
    cas[0].as_ca = false;
    pass_time(61);
    work(&s, NULL);
    ok(is_served(&s, 0), "the next one is right");
    end_server(&s);
    end_world();
}

static void renew_by_hand(void)
{
    struct server s;
    char first[100];
    int allowed = 0;

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    hc_copy(first, sizeof(first), serial(&s, 0));
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), false),
       "renew is taken");
    work(&s, NULL);
    is_int(cas[0].orders, 1, "but nothing is due");
    cas[0].stuck = true;
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true),
       "--force is taken");
    ok(!is_served(&s, 0), "whoever waits, waits for the new one");
    work(&s, NULL);
    is_int(cas[0].orders, 2, "an order is placed");
    reload(&s, on, one_host);
    cas[0].stuck = false;
    work(&s, NULL);
    is_int(cas[0].orders, 2, "an agent that is killed meanwhile goes on with it");
    ok(strcmp(serial(&s, 0), first) != 0, "another is served");
    ok(is_served(&s, 0), "and waited for");
    cas[0].bad_name = "a.example";
    ok(hc_job_renew(hc_agent_parts(s.agent), hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true),
       "--force again");
    for (int i = 0; i < 10; i++) {
        work(&s, NULL);
        allowed += hc_job_renew(hc_agent_parts(s.agent),
                                hc_jobs_at(hc_agent_parts(s.agent)->jobs, 0), true);
        pass_time(5);
    }
    is_int(allowed, HC_RESETS_MAX, "what fails is tried out of turn four times an hour");
    end_server(&s);
    end_world();
}

static void a_store_that_cannot_be_used_is_waited_for(void)
{
    struct server s;
    char path[128];
    int fd = 0;

    new_world();
    snprintf(path, sizeof(path), "%s/store", folder);
    fd = creat(path, 0600);
    close(fd);
    new_server(&s, on, one_host);
    work(&s, NULL);
    pass_time(130);
    work(&s, NULL);
    is_int(cas[0].asked, 0, "nobody is asked for what could not be kept");
    is_int(count_in_log("placing no orders until the store is usable"), 1, "one line says so");
    unlink(path);
    pass_time(61);
    work(&s, NULL);
    ok(is_served(&s, 0), "well again, it goes on by itself");
    pass_time(61);
    work(&s, NULL);
    is_int(count_in_log("the store is usable again"), 1,
           "and says so, when it has been for a while");
    end_server(&s);
    end_world();
}

/* Bundles of hosts that are not configured, until there is no room for the smallest. */
static void fill_table(struct server *s)
{
    static unsigned char payload[4096];
    unsigned char id[HC_ID_SIZE] = {1};

    for (size_t size = sizeof(payload); size > 0; size /= 2) {
        struct hc_error err = {0};

        do {
            id[1]++;
            id[2] = (unsigned char)(id[2] + (id[1] == 0));
        } while (hc_table_publish(s->table, id, (struct hc_bytes){payload, size},
                                  HC_PUBLISH_REPLACE, &err) == 0);
    }
}

static void a_full_table_is_said_once(void)
{
    struct server s;

    new_world();
    new_server(&s, on, one_host);
    fill_table(&s);
    work(&s, NULL);
    is_int(cas[0].orders, 1, "a certificate comes");
    is_int(count_in_log("publishing"), 1, "and finds no room");
    ok(!is_served(&s, 0), "it is not served");
    for (int i = 0; i < 8; i++) {
        pass_time(60);
        work(&s, NULL);
    }
    is_int(count_in_log("publishing"), 1, "which is said once");
    for (int i = 0; i < 15; i++) {
        pass_time(60);
        work(&s, NULL);
    }
    ok(is_served(&s, 0), "when others have left it is served");
    is_int(cas[0].orders, 1, "without another order");
    end_server(&s);
    end_world();
}

static void what_left_the_configuration_is_wiped_late(void)
{
    static const char *const only_b[] = {"b.example", NULL};
    struct server s;
    unsigned char id[HC_ID_SIZE];

    new_world();
    new_server(&s, on, one_host);
    work(&s, NULL);
    memcpy(id, hc_agent_parts(s.agent)->env.conf->identities[0].id, HC_ID_SIZE);
    reload(&s, on, only_b);
    work(&s, NULL);
    ok(hc_table_value(s.table, hc_table_find(s.table, id)) != 0, "workers may still use it");
    pass_time(700);
    work(&s, NULL);
    pass_time(61);
    work(&s, NULL);
    ok(hc_table_find(s.table, id) < 0 || hc_table_value(s.table, hc_table_find(s.table, id)) == 0,
       "after ten minutes the table has it no more");
    is_int(hc_storage_inventory(hc_agent_parts(s.agent)->storage)->count, 2, "the store has it");
    pass_time(100 * DAY);
    work(&s, NULL);
    is_int(hc_storage_inventory(hc_agent_parts(s.agent)->storage)->count, 2,
           "also when it has just expired");
    pass_time(20 * DAY);
    work(&s, NULL);
    pass_time(3700);
    work(&s, NULL);
    is_int(hc_storage_inventory(hc_agent_parts(s.agent)->storage)->count, 1,
           "thirty days later it is gone");
    end_server(&s);
    end_world();
}

/* Each part sleeps until its own time: nobody looks because something happened elsewhere. */
static void an_idle_agent_sleeps(void)
{
    struct server s;
    int64_t until = 0;
    uint64_t calls = 0;
    int passes = 0;

    new_world();
    new_server(&s, on, three_hosts);
    work(&s, NULL);
    work(&s, NULL);
    until = clock_ms + 600000;
    calls = hc_loop_calls(s.loop);
    for (; clock_ms < until && passes < 100000; passes++) {
        int64_t wait = hc_loop_next_ms(s.loop);

        clock_ms += wait > 0 ? wait : 0;
        clock_now += wait > 0 ? wait / 1000 : 0;
        (void)pass(&s);
    }
    calls = hc_loop_calls(s.loop) - calls;
    printf("# ten minutes: %llu calls in %d passes\n", (unsigned long long)calls, passes);
    ok(passes < 400 && calls < 400, "ten minutes of nothing to do take few looks");
    end_server(&s);
    end_world();
}

int main(void)
{
    every_host_gets_its_certificate();
    it_is_renewed_when_a_third_is_left();
    a_failing_name_goes_down_the_ladder_alone();
    a_CA_that_is_down_costs_nobody_its_turn();
    retry_after_is_honoured();
    a_killed_agent_goes_on_with_its_order();
    two_agents_order_once_and_serve_both();
    a_renewal_asked_for_outlives_the_record();
    a_finished_order_is_not_gone_on_with();
    what_is_obtained_after_damage_is_served_by_both();
    a_newer_version_of_another_user_is_not_ordered_beside();
    two_secrets_do_not_share_a_store();
    both_key_types_are_served();
    an_identitys_jobs_are_found_at_once();
    a_new_pair_serves_all_that_share_a_name();
    a_change_never_takes_a_host_back_to_the_bootstrap();
    another_issuer_is_due_at_once();
    an_issuer_added_needs_no_order();
    the_next_issuer_helps_out();
    a_wrong_clock_stops_orders();
    a_certificate_for_something_else_is_not_served();
    names_that_were_not_ordered_are_not_taken();
    a_CA_certificate_is_not_taken_for_a_leaf();
    renew_by_hand();
    a_store_that_cannot_be_used_is_waited_for();
    a_full_table_is_said_once();
    what_left_the_configuration_is_wiped_late();
    an_idle_agent_sleeps();
    forged_free(&mid);
    forged_free(&root);
    return done();
}
