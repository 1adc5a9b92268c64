/* The store as the agent lives with it: what it tells when that opens, fails, closes. */
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const one_host[] = {"a.example", NULL};

static void it_tells_what_becomes_of_the_store(void)
{
    struct bench b;
    struct hc_pair *pair = NULL;
    unsigned char line[HC_ID_SIZE];
    char command[200];

    new_bench(&b, on, one_host);
    ok(hc_storage_store(b.storage) == NULL && !hc_storage_ready(b.storage), "not open at first");
    is_int((int)hc_storage_run(b.storage), -1, "the first run opens it");
    ok(hc_storage_ready(b.storage) && hc_storage_follower(b.storage) != NULL, "it takes writes");
    is_int(b.raised[HC_EVENT_STORE_OPENED], 1, "those that remember something are told");
    is_int(b.raised[HC_EVENT_STORE_READY], 1, "and those that wait for it");
    pair = new_pair("DNS:a.example", 90);
    ok(commit_pair(&b, 0, pair) == 0, "a version is committed");
    is_int(b.raised[HC_EVENT_LINE_COMMITTED], 1, "which is told");
    hc_line_of(b.conf->identities[0].id, hc_pair_key_type(pair), line);
    ok(hc_inventory_find(hc_storage_inventory(b.storage), line) != NULL, "and known");
    snprintf(command, sizeof(command), "mv '%s/store' '%s/away'", folder, folder);
    ok(system(command) == 0, "the folder is moved");
    hc_storage_tick(b.storage);
    is_int(b.raised[HC_EVENT_STORE_CLOSING], 1, "who uses it lets go");
    ok(hc_storage_store(b.storage) == NULL, "it is closed");
    (void)hc_storage_run(b.storage);
    is_int(b.raised[HC_EVENT_STORE_OPENED], 2, "and opened anew");
    is_int((int)hc_storage_inventory(b.storage)->count, 0, "what is there now is known");
    hc_pair_free(pair);
    end_bench(&b);
}

#define MANY   3000
#define A_CALL 64 /* identities that one may take */

/* Nothing is held up by the number of hosts: each call takes some of them. */
static void many_hosts_are_read_in_portions(void)
{
    static char names[MANY][32];
    static const char *hosts[MANY + 1];
    struct bench b;
    struct hc_error err = {0};
    int most = 0;
    bool early = false;

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "host%zu.example", i);
        hosts[i] = names[i];
    }
    new_bench(&b, on, hosts);
    (void)hc_storage_run(b.storage);
    for (int i = 0; i < MANY && b.raised[HC_EVENT_STORE_OPENED] == 0; i++) {
        int before = b.raised[HC_EVENT_STORE_IDENTITY];

        early = early || hc_storage_store(b.storage) != NULL;
        if (hc_loop_pass(b.loop, 1000, &err) != 0) {
            stop_here(__LINE__);
        }
        most = b.raised[HC_EVENT_STORE_IDENTITY] - before > most
                   ? b.raised[HC_EVENT_STORE_IDENTITY] - before
                   : most;
    }
    is_int(b.raised[HC_EVENT_STORE_IDENTITY], MANY, "what is remembered of each is read");
    is_int(b.raised[HC_EVENT_STORE_OPENED], 1, "then the store is open");
    ok(!early && hc_storage_ready(b.storage), "and not before");
    ok(most > 0 && most <= A_CALL, "one call takes some");
    end_bench(&b);
}

static void a_failure_stops_orders_until_it_is_over(void)
{
    struct bench b;
    struct hc_error err = {0};

    new_bench(&b, on, one_host);
    (void)hc_storage_run(b.storage);
    hc_error_set(&err, HC_P_STORE_WRITE, "store", "no space is left");
    hc_storage_failed(b.storage, &err);
    hc_storage_failed(b.storage, &err);
    ok(!hc_storage_ready(b.storage), "no orders");
    is_int(count_in_log("no orders until"), 1, "which is said once");
    is_int(hc_storage_last(b.storage)->error.problem, HC_P_STORE_WRITE, "with the reason");
    ok(hc_storage_run(b.storage) > 0, "it is not tried at once");
    pass_time(61);
    ok(hc_storage_run(b.storage) > 0, "but a minute later");
    is_int(b.raised[HC_EVENT_STORE_READY], 2, "and orders go on");
    hc_storage_failed(b.storage, &err);
    ok(!hc_storage_ready(b.storage), "the first of them fails in the same way");
    pass_time(61);
    ok(hc_storage_run(b.storage) > 0, "tried once more");
    is_int(count_in_log("the store is usable again"), 0, "nobody says meanwhile that it is over");
    is_int(count_in_log("no orders until"), 1, "or that it is there again");
    pass_time(61);
    is_int((int)hc_storage_run(b.storage), -1, "a minute without a failure");
    is_int(count_in_log("the store is usable again"), 1, "is told");
    ok(hc_storage_problem(HC_P_SECRET_OTHER) && !hc_storage_problem(HC_P_CA_TIMEOUT),
       "a CA's problem is none of the store's");
    end_bench(&b);
}

int main(void)
{
    it_tells_what_becomes_of_the_store();
    many_hosts_are_read_in_portions();
    a_failure_stops_orders_until_it_is_over();
    return done();
}
