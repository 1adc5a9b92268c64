/* Orders under way, from their start to their end. */
#include "agent_upper.h"

#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const hosts[] = {"a.example", "b.example", NULL};

/* In the folder of the store. */
static void shell(const char *command)
{
    char line[300];

    snprintf(line, sizeof(line), "cd '%s/store' && %s", folder, command);
    if (system(line) != 0) {
        stop_here(__LINE__);
    }
}

static struct hc_job *start(struct upper *u, size_t index)
{
    struct hc_job *job = hc_jobs_at(u->jobs, index);

    hc_obtains_start(u->obtains, job, hc_cas_named(u->cas, "one"));
    return job;
}

static void an_order_ends_with_a_pair_that_serves(void)
{
    struct upper u;
    struct hc_job *job = NULL;

    new_upper(&u, on, hosts);
    (void)hc_storage_run(u.b.storage);
    job = start(&u, 0);
    is_int(hc_obtains_count(u.obtains), 1, "under way");
    ok(job->at == hc_cas_named(u.cas, "one"), "the job knows where");
    is_str(hc_obtains_activity(u.obtains, job), "being tested", "and what it is doing");
    ok(hc_obtains_activity(u.obtains, hc_jobs_at(u.jobs, 1)) == NULL, "the other does nothing");
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 0, "it is over");
    ok(job->at == NULL && job->record.order == NULL, "for the job, too");
    ok(hc_job_info(u.jobs, job) != NULL && hc_publisher_of(u.publisher, 0)->complete,
       "stored and served");
    is_int(u.b.raised[HC_EVENT_ORDER_OBTAINED], 1, "who counts is told");
    is_int(u.b.raised[HC_EVENT_ORDER_FAILED], 0, "of no failure");
    end_upper(&u);
}

static void a_failed_order_is_told_and_held_against_its_name(void)
{
    struct upper u;
    struct hc_job *job = NULL;

    new_upper(&u, on, hosts);
    (void)hc_storage_run(u.b.storage);
    cas[0].bad_name = "a.example";
    job = start(&u, 0);
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 0, "it is over");
    is_int(u.b.raised[HC_EVENT_ORDER_FAILED], 1, "it failed");
    is_int(u.b.raised[HC_EVENT_ORDER_ENDED], 1, "and ended");
    is_int(job->record.last.error.problem, HC_P_VALIDATION, "of this");
    ok(hc_issuer_record_find(hc_ca_record(hc_cas_named(u.cas, "one")), "a.example") != NULL,
       "which is held against the name");
    end_upper(&u);
}

static void a_pair_waits_for_the_store(void)
{
    struct upper u;
    struct hc_error err = {0};

    new_upper(&u, on, hosts);
    (void)hc_storage_run(u.b.storage);
    (void)start(&u, 0);
    turn(&u);
    is_int(u.b.raised[HC_EVENT_ORDER_OBTAINED], 1, "one goes well");
    (void)start(&u, 1);
    must(hc_loop_pass(u.b.loop, 0, &err), &err);
    clock_ms += 20;
    ok(cas[0].orders == 2, "the second was placed");
    shell("mv lines away && touch lines");
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 1, "without a folder for it, what was obtained waits");
    is_str(hc_obtains_activity(u.obtains, hc_jobs_at(u.jobs, 1)),
           "waiting until the store can be written", "as `list` says");
    is_int(hc_obtains_active(u.obtains), 0, "and is in nobody's way");
    shell("rm lines && mv away lines");
    pass_time(61);
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 0, "then it is committed");
    is_int(u.b.raised[HC_EVENT_ORDER_OBTAINED], 2, "and told");
    is_int(cas[0].orders, 2, "without another order");
    end_upper(&u);
}

static void orders_end_with_the_store_to_be_resumed(void)
{
    struct upper u;
    struct hc_job *job = NULL;

    new_upper(&u, on, hosts);
    (void)hc_storage_run(u.b.storage);
    cas[0].stuck = true;
    job = start(&u, 0);
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 1, "it goes on and on");
    hc_storage_close(u.b.storage);
    is_int(hc_obtains_count(u.obtains), 0, "until the store is closed");
    ok(job->record.order != NULL && job->record.order->key != NULL, "what resumes it is kept");
    cas[0].stuck = false;
    (void)hc_storage_run(u.b.storage);
    (void)start(&u, 0);
    turn(&u);
    is_int(cas[0].resumed, 1, "the next one goes on with it");
    is_int(cas[0].orders, 1, "and no other was placed");
    is_int(u.b.raised[HC_EVENT_ORDER_OBTAINED], 1, "to its end");
    end_upper(&u);
}

int main(void)
{
    an_order_ends_with_a_pair_that_serves();
    a_failed_order_is_told_and_held_against_its_name();
    a_pair_waits_for_the_store();
    orders_end_with_the_store_to_be_resumed();
    return done();
}
