/*
 * The preflight before the order, as the CA sees it: what is ordered, what is not, and when it is
 * tried all the same. With a DNS, a CA and a clock of the test's own.
 */
#include <arpa/inet.h>
#include <glob.h>

#include "agent_world.h"
#include "tap.h"

/* ---- the DNS: every name has an address, but for those that do not ---- */

static const char *missing;   /* does not exist */
static const char *silent;    /* its questions are refused by everybody */
static const char *forbidden; /* its CAA names another CA */
static bool slow;             /* no answer comes yet */
static bool one_by_one;       /* an answer in each pass */
static unsigned questions;

struct asked {
    uint64_t id;
    struct hc_dns_question question;
    bool direct;
    hc_dns_done *done;
    void *arg;
};
static struct asked asked[2000];
static size_t asked_count;
static uint64_t last_id;

static int dns_ask(void *self HC_UNUSED, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                   uint64_t *id, struct hc_error *err)
{
    if (asked_count >= HC_COUNT(asked)) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "too many questions for this test");
    }
    *id = ++last_id;
    asked[asked_count++] = (struct asked){*id, ask->question, ask->servers != NULL, done, arg};
    return 0;
}

static void dns_cancel(void *self HC_UNUSED, uint64_t id)
{
    for (size_t i = 0; i < asked_count; i++) {
        if (asked[i].id == id) {
            asked[i] = asked[--asked_count];
            return;
        }
    }
}

static struct hc_dns_record record;
static struct hc_dname record_owner;
static uint8_t record_data[300];

static void put(struct hc_dns_reply *reply, const struct hc_dname *owner, unsigned type,
                const void *data, size_t len)
{
    memcpy(record_data, data, len);
    record_owner = *owner;
    record = (struct hc_dns_record){&record_owner, type, 300, (uint16_t)len, record_data};
    reply->records = &record;
    reply->owners = &record_owner;
    reply->owner_count = 1;
    if (type == HC_DNS_SOA) {
        reply->authorities = 1;
    } else {
        reply->answers = 1;
    }
}

static void answer(const struct asked *a, const char *name, struct hc_dns_reply *reply)
{
    struct hc_dname zone = a->question.name;
    struct hc_dname ns;
    char text[HC_DNAME_TEXT];

    while (hc_dname_labels(&zone) > 2) {
        (void)hc_dname_climb(&zone);
    }
    *reply = (struct hc_dns_reply){.authoritative = a->direct, .recursive = !a->direct};
    if (silent != NULL && strcmp(name, silent) == 0) {
        reply->rcode = HC_DNS_SERVFAIL;
    } else if (missing != NULL && strcmp(name, missing) == 0) {
        reply->rcode = HC_DNS_NXDOMAIN;
        put(reply, &zone, HC_DNS_SOA, "", 0);
    } else if (a->question.type == HC_DNS_A) {
        put(reply, &a->question.name, HC_DNS_A, "\x08\x08\x04\x04", 4);
    } else if (a->question.type == HC_DNS_NS) {
        snprintf(text, sizeof(text), "ns.%.200s", name);
        if (hc_dname_from_host(text, &ns, NULL) == 0) {
            put(reply, &a->question.name, HC_DNS_NS, ns.wire, ns.len);
        }
    } else if (a->question.type == HC_DNS_CAA && forbidden != NULL &&
               strcmp(name, forbidden) == 0) {
        put(reply, &a->question.name, HC_DNS_CAA, "\0\5issueother.example", 20);
    } else {
        put(reply, &zone, HC_DNS_SOA, "", 0);
    }
}

static int64_t dns_run(void *self HC_UNUSED)
{
    for (bool more = true; asked_count > 0 && !slow && more; more = !one_by_one) {
        struct asked a = asked[0];
        struct hc_dns_reply reply;
        struct hc_dns_server from = {.len = sizeof(struct sockaddr_in)};
        char name[HC_DNAME_TEXT];

        from.addr.ss_family = AF_INET;
        asked[0] = asked[--asked_count];
        questions++;
        hc_dname_format(&a.question.name, name);
        name[strlen(name) - 1] = '\0';
        answer(&a, name, &reply);
        (a.done)(a.arg, &reply, &from, NULL);
    }
    return -1;
}

static const struct hc_dns_port fake_dns = {NULL, dns_ask, dns_cancel};

/* ---- the tests ---- */

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const on_hold[] = {"hotcert on", "hotcert_use one", "hotcert_bad_names hold",
                                      NULL};
static const char *const on_advise[] = {"hotcert on", "hotcert_use one", "hotcert_preflight advise",
                                        NULL};
static const char *const off[] = {"hotcert on", "hotcert_use one", "hotcert_preflight off", NULL};
static const char *const three_names[] = {"a.example www.a.example new.a.example", NULL};
static const char *const one_name[] = {"www.a.example", NULL};

static void begin(void)
{
    new_world();
    missing = silent = forbidden = NULL;
    slow = one_by_one = false;
    questions = 0;
    world_dns = &fake_dns;
    world_dns_run = dns_run;
}

/* Time goes by in steps, as an agent lives through it. */
static void live(struct server *s, int64_t seconds, int64_t step)
{
    for (int64_t t = 0; t < seconds; t += step) {
        pass_time(step);
        work(s, NULL);
    }
}

/* The names that are served, as text. */
static const char *served_names(struct server *s)
{
    static char text[300];
    struct hc_bundle *bundle = served(s, 0);

    text[0] = '\0';
    if (bundle != NULL && is_served(s, 0)) {
        hc_list_format(hc_pair_names(hc_bundle_pair(bundle, 0)), text, sizeof(text));
    }
    hc_bundle_free(bundle);
    return text;
}

/* Records of names in the store. */
static int records_of_names(void)
{
    char pattern[200];
    glob_t found;
    int count = 0;

    snprintf(pattern, sizeof(pattern), "%s/store/records/names/*", folder);
    if (glob(pattern, 0, NULL, &found) == 0) {
        count = (int)found.gl_pathc;
        globfree(&found);
    }
    return count;
}

/* It looks well from here, but the CA refuses it: the others do not wait for long. */
static void one_name_that_the_CA_refuses_does_not_stop_a_new_host(void)
{
    struct server s;
    int before = 0;

    begin();
    cas[0].bad_name = "www.a.example";
    new_server(&s, on, three_names);
    live(&s, 40, 20);
    is_int(cas[0].asked, 1, "all names are ordered");
    is_str(served_names(&s), "", "and the CA refuses one");
    live(&s, 120, 20);
    is_str(served_names(&s), "a.example, new.a.example", "after two tries the rest is served");
    is_int(cas[0].asked, 3, "by a third order");
    ok(count_in_log("www.a.example (") > 0 && count_in_log("left out; next try at") > 0,
       "the log says which name is left out, and until when");
    live(&s, 8 * 3600, 300);
    is_str(served_names(&s), "a.example, new.a.example", "that stays");
    ok(cas[0].asked <= 3 + 4, "it comes back at most four times a week");
    before = cas[0].asked;
    reload(&s, on, three_names);
    live(&s, 3600, 300);
    ok(cas[0].asked <= before + 1 && cas[0].asked <= 3 + 4, "whoever restarts");
    cas[0].bad_name = NULL;
    live(&s, 2 * DAY, 600);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example",
           "once the CA takes it, all are served");
    end_server(&s);
    end_world();
}

static void with_hold_a_new_host_waits_for_the_name_that_the_CA_refuses(void)
{
    struct server s;

    begin();
    cas[0].bad_name = "www.a.example";
    new_server(&s, on_hold, three_names);
    live(&s, 3600, 60);
    is_str(served_names(&s), "", "nothing is obtained");
    cas[0].bad_name = NULL;
    live(&s, 3 * 3600, 60);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example", "before all are");
    end_server(&s);
    end_world();
}

static void one_name_that_does_not_exist_does_not_stop_the_rest(void)
{
    struct server s;

    begin();
    missing = "new.a.example";
    new_server(&s, on, three_names);
    work(&s, NULL);
    is_str(served_names(&s), "a.example, www.a.example", "the others are served");
    is_int(cas[0].orders, 1, "from one order");
    ok(count_in_log("new.a.example. does not exist") > 0, "the log says which name is missing");
    ok(count_in_log("add: new.a.example. 300 IN A 8.8.4.4") > 0, "and what to add");
    live(&s, DAY - 300, 300);
    ok(records_of_names() > 0, "and the store what was seen");
    is_int(cas[0].asked, 1, "nothing more is ordered for a day");
    is_int(count_in_log("left out; next try at"), 1, "and it is said once");
    reload(&s, on, three_names);
    work(&s, NULL);
    is_int(cas[0].asked, 1, "a restart orders nothing either");
    cas[0].bad_name = "new.a.example";
    live(&s, 600, 60);
    is_int(cas[0].asked, 2, "then it is tried with the name");
    is_str(served_names(&s), "a.example, www.a.example", "the CA refuses, what is served stays");
    live(&s, DAY - 1200, 600);
    is_int(cas[0].asked, 2, "and for another day not again");
    live(&s, 1800, 60);
    is_int(cas[0].asked, 3, "then once more");
    missing = NULL;
    cas[0].bad_name = NULL;
    live(&s, 1020, 60);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example",
           "the name exists, and after two checks all are served");
    end_server(&s);
    end_world();
}

static void names_that_are_well_leave_no_record(void)
{
    struct server s;

    begin();
    new_server(&s, on, three_names);
    work(&s, NULL);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example", "all are served");
    is_int(records_of_names(), 0, "and nothing of them had to be written");
    end_server(&s);
    end_world();
}

static void what_caa_forbids_reaches_the_ca_once_a_day(void)
{
    struct server s;

    begin();
    forbidden = "a.example";
    cas[0].bad_name = "www.a.example";
    new_server(&s, on, one_name);
    work(&s, NULL);
    ok(count_in_log("add to it: a.example. IN CAA 0 issue \"ca.example\"") > 0,
       "the log has the line to add");
    live(&s, DAY - 600, 600);
    is_int(cas[0].asked, 0, "no order reaches the CA before the daily trial");
    live(&s, 1200, 60);
    is_int(cas[0].asked, 1, "which comes after a day");
    live(&s, DAY - 1800, 600);
    is_int(cas[0].asked, 1, "once");
    forbidden = NULL;
    cas[0].bad_name = NULL;
    live(&s, 1200, 60);
    is_str(served_names(&s), "www.a.example", "the record is gone: it is ordered and served");
    end_server(&s);
    end_world();
}

static void a_name_that_fails_is_waited_for_until_the_last_tenth(void)
{
    struct server s;

    begin();
    new_server(&s, on, three_names);
    work(&s, NULL);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example", "all are served");
    silent = "new.a.example";
    cas[0].bad_name = "new.a.example";
    live(&s, 78 * DAY, DAY / 2);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example",
           "renewals fail, and what is served stays");
    ok(cas[0].asked > 1, "they were tried");
    live(&s, 6 * DAY, DAY / 2);
    is_str(served_names(&s), "a.example, www.a.example", "in the last tenth the others go on");
    end_server(&s);
    end_world();
}

static void hold_advise_and_off(void)
{
    struct server s;

    begin();
    missing = "new.a.example";
    new_server(&s, on_hold, three_names);
    live(&s, DAY - 600, 600);
    is_int(cas[0].asked, 0, "hold: nothing is ordered");
    live(&s, 1200, 60);
    is_int(cas[0].asked, 1, "but for the daily trial");
    end_server(&s);
    end_world();

    begin();
    missing = "new.a.example";
    new_server(&s, on_advise, three_names);
    work(&s, NULL);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example", "advise: all are ordered");
    ok(count_in_log("new.a.example. does not exist") > 0, "with a warning");
    end_server(&s);
    end_world();

    begin();
    missing = "new.a.example";
    new_server(&s, off, three_names);
    work(&s, NULL);
    is_str(served_names(&s), "a.example, new.a.example, www.a.example", "off: all are ordered");
    is_int(questions, 0, "and nothing is checked");
    end_server(&s);
    end_world();
}

static void a_refusal_and_our_own_check_are_one_line(void)
{
    struct server s;

    begin();
    cas[0].bad_name = "www.a.example";
    new_server(&s, on, three_names);
    work(&s, NULL);
    work(&s, NULL);
    is_int(count_in_log("error: www.a.example: the CA says: as the test says"), 1, "one error");
    end_server(&s);
    is_int(count_in_log("error: www.a.example: the CA says: as the test says"), 1,
           "also at the end");
    end_world();
}

static void held_names_are_checked_more_and_more_seldom(void)
{
    struct server s;
    unsigned each = 0;
    unsigned before = 0;

    begin();
    missing = "www.a.example";
    new_server(&s, on, one_name);
    work(&s, NULL);
    each = questions;
    ok(each > 0, "a name that does not exist is checked");
    live(&s, 12 * 3600, 60);
    before = questions;
    live(&s, 6 * 3600, 60);
    ok((questions - before) / each <= 6 * 4, "half a day later four times an hour");
    ok((questions - before) / each >= 6 * 3, "and no more seldom");
    is_int(cas[0].asked, 0, "nothing is ordered");
    end_server(&s);
    end_world();
}

static void list_tells_of_preflights_and_what_they_hold_back(void)
{
    struct server s;

    begin();
    missing = "new.a.example";
    slow = true;
    new_server(&s, on_hold, three_names);
    work(&s, NULL);
    is_str(listed_state(&s), "looking", "while its names are checked");
    slow = false;
    work(&s, NULL);
    is_str(listed_state(&s), "held", "then, as one of them does not exist");
    end_server(&s);
    end_world();
}

static void a_queue_that_waits_for_preflights_costs_nothing(void)
{
    static const char *hosts[601];
    static char names[600][40];
    unsigned long before = 0;
    int dirty = 0;
    struct server s;

    begin();
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        snprintf(names[i], sizeof(names[i]), "host%zu.example", i);
        hosts[i] = names[i];
    }
    slow = true;
    new_server(&s, on, hosts);
    work(&s, NULL);
    is_int((int)hc_preflights_running(hc_agent_parts(s.agent)->preflights), HC_PREFLIGHTS_MOST,
           "as many are checked as may be");
    is_int((int)hc_queue_count(hc_agent_parts(s.agent)->queue), HC_COUNT(names),
           "the others stand in the queue");
    before = clock_reads;
    (void)pass(&s);
    ok(clock_reads - before < 300, "a pass does not go through all of it");
    slow = false;
    one_by_one = true;
    for (int i = 0; i < 6000 && cas[0].orders < 150; i++) {
        (void)pass(&s);
        clock_ms += 20;
        dirty += hc_queue_is_awake(hc_agent_parts(s.agent)->queue);
        log_text[0] = '\0';
    }
    ok(cas[0].orders >= 150, "and when answers come, those at its end have their turn");
    is_int(dirty, 0, "without a review of all jobs for each");
    end_server(&s);
    end_world();
}

static void a_dns_that_is_down_stops_nothing(void)
{
    struct server s;

    begin();
    silent = "www.a.example";
    new_server(&s, on, one_name);
    work(&s, NULL);
    is_str(served_names(&s), "www.a.example", "what cannot be checked is ordered");
    ok(count_in_log("dns-failed") > 0, "with a warning");
    end_server(&s);
    end_world();
}

static void a_clock_that_is_set_back_leaves_nothing_out_for_good(void)
{
    struct server s;

    for (int restarted = 0; restarted < 2; restarted++) {
        begin();
        missing = "www.a.example";
        clock_now += 400 * DAY;
        new_server(&s, on, one_name);
        live(&s, 1200, 60);
        is_int(cas[0].asked, 0, "under a clock that is ahead there is no such name");
        clock_now -= 400 * DAY;
        missing = NULL;
        if (restarted) {
            reload(&s, on, one_name);
        }
        live(&s, 3600, 60);
        is_str(served_names(&s), "www.a.example", "set back, it is checked, ordered and served");
        end_server(&s);
        end_world();
    }
}

/* Orders that were placed need no preflight; that must not make them the first each time. */
static void a_preflight_counts_until_the_CA_may_be_asked(void)
{
    static const char *const hosts[] = {"x.example p.example", "y.example p.example", "a.example",
                                        NULL};
    static const char *const two_hosts[] = {"x.example p.example", "y.example p.example", NULL};
    struct server s;

    begin();
    cas[0].poison = "p.example";
    cas[0].how = HC_P_CA_ERROR;
    new_server(&s, on, two_hosts);
    live(&s, 7200, 60);
    reload(&s, on, hosts);
    live(&s, 7200, 60);
    ok(is_served(&s, 2), "a name beside two orders that always fail is served");
    end_server(&s);
    end_world();
}

int main(void)
{
    one_name_that_does_not_exist_does_not_stop_the_rest();
    one_name_that_the_CA_refuses_does_not_stop_a_new_host();
    with_hold_a_new_host_waits_for_the_name_that_the_CA_refuses();
    names_that_are_well_leave_no_record();
    what_caa_forbids_reaches_the_ca_once_a_day();
    a_name_that_fails_is_waited_for_until_the_last_tenth();
    hold_advise_and_off();
    a_refusal_and_our_own_check_are_one_line();
    held_names_are_checked_more_and_more_seldom();
    list_tells_of_preflights_and_what_they_hold_back();
    a_queue_that_waits_for_preflights_costs_nothing();
    a_dns_that_is_down_stops_nothing();
    a_preflight_counts_until_the_CA_may_be_asked();
    a_clock_that_is_set_back_leaves_nothing_out_for_good();
    return done();
}
