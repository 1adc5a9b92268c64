/* Which jobs are started now. */
#include "agent_upper.h"

#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", "hotcert_parallel 2", NULL};
static const char *const two_keys[] = {"hotcert on", "hotcert_use one",
                                       "hotcert_key_type ecdsa:256 rsa:2048", "hotcert_parallel 8",
                                       NULL};
static const char *const one_host[] = {"a.example", NULL};
static const char *const four[] = {"a.example", "b.example", "c.example", "d.example", NULL};

static struct hc_queue *queue_of(struct upper *u)
{
    struct hc_queue_options options = {&u->b.env,   u->publisher, u->clock,  u->preflights,
                                       u->outlooks, u->jobs,      u->obtains};
    struct hc_queue *queue = NULL;
    struct hc_error err = {0};

    must(hc_queue_new(&options, &queue, &err), &err);
    return queue;
}

static void so_many_at_once_as_are_allowed(void)
{
    struct upper u;
    struct hc_queue *queue = NULL;

    new_upper(&u, on, four);
    cas[0].stuck = true;
    queue = queue_of(&u);
    turn(&u);
    is_int(hc_obtains_count(u.obtains), 2, "two orders");
    is_int(hc_queue_count(queue), 2, "two wait");
    cas[0].stuck = false;
    turn(&u);
    turn(&u);
    is_int(cas[0].orders, 4, "they follow when there is room");
    is_int(hc_queue_count(queue), 0, "nobody waits any more");
    ok(!hc_queue_is_awake(queue), "nor is anything to be looked at");
    hc_queue_free(queue);
    end_upper(&u);
}

static void the_key_types_of_a_host_one_after_the_other(void)
{
    struct upper u;
    struct hc_queue *queue = NULL;

    new_upper(&u, two_keys, one_host);
    cas[0].stuck = true;
    queue = queue_of(&u);
    turn(&u);
    is_int(hc_jobs_count(u.jobs), 2, "two jobs");
    is_int(hc_obtains_count(u.obtains), 1, "one order: names are validated once");
    cas[0].stuck = false;
    turn(&u);
    turn(&u);
    is_int(cas[0].orders, 2, "then the other");
    hc_queue_free(queue);
    end_upper(&u);
}

static void nothing_is_ordered_too_soon(void)
{
    struct upper u;
    struct hc_queue *queue = NULL;

    new_upper(&u, on, four);
    u.b.env.settled_ms = clock_ms + 5000;
    queue = queue_of(&u);
    turn(&u);
    is_int(cas[0].asked, 0, "workers of before may still answer");
    pass_time(5);
    turn(&u);
    ok(cas[0].asked > 0, "then orders begin");
    hc_queue_free(queue);
    end_upper(&u);
}

static void renewals_come_by_themselves(void)
{
    struct upper u;
    struct hc_queue *queue = NULL;

    new_upper(&u, on, one_host);
    queue = queue_of(&u);
    turn(&u);
    is_int(cas[0].orders, 1, "obtained");
    pass_time(30 * DAY);
    turn(&u);
    is_int(cas[0].orders, 1, "a month later it is good");
    pass_time(40 * DAY);
    turn(&u);
    is_int(cas[0].orders, 2, "later than that it is renewed");
    hc_queue_free(queue);
    end_upper(&u);
}

int main(void)
{
    so_many_at_once_as_are_allowed();
    the_key_types_of_a_host_one_after_the_other();
    nothing_is_ordered_too_soon();
    renewals_come_by_themselves();
    return done();
}
