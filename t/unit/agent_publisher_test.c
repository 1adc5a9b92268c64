/* Publishing alone: what goes into the table, when, and who is told. */
#include "agent/publisher.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const two_hosts[] = {"a.example b.example", "b.example c.example", NULL};

static struct hc_publisher *publisher_of(struct bench *b)
{
    struct hc_publisher_options options = {&b->env, b->storage, &b->judge, b->server.table};
    struct hc_publisher *publisher = NULL;
    struct hc_error err = {0};

    if (hc_publisher_new(&options, &publisher, &err) != 0) {
        stop_here(__LINE__);
    }
    (void)hc_storage_run(b->storage);
    return publisher;
}

static void what_is_committed_is_published(void)
{
    struct bench b;
    struct hc_publisher *publisher = NULL;
    struct hc_pair *pair = NULL;
    struct hc_bundle *bundle = NULL;

    new_bench(&b, on, two_hosts);
    publisher = publisher_of(&b);
    is_int(b.raised[HC_EVENT_PUBLISHED], 0, "an empty store publishes nothing");
    is_int((int)hc_publisher_until(publisher, 0), 0, "and nothing serves");
    pair = new_pair("DNS:a.example,DNS:b.example", 90);
    ok(commit_pair(&b, 0, pair) == 0, "a pair of the first host's is committed");
    is_int(b.raised[HC_EVENT_PUBLISHED], 2,
           "it serves that host, and the other that shares a name");
    bundle = hc_publisher_served(publisher, 0);
    ok(bundle != NULL && hc_pair_equal(hc_bundle_pair(bundle, 0), pair), "the table has it");
    hc_bundle_free(bundle);
    ok(hc_publisher_of(publisher, 0)->complete && !hc_publisher_of(publisher, 1)->complete,
       "the other host's own is still to come");
    ok(hc_publisher_stand_in(publisher, 0) == NULL && hc_publisher_stand_in(publisher, 1) != NULL,
       "until then it stands in");
    is_int((int)(hc_publisher_until(publisher, 0) - hc_pair_not_after(pair)), 0,
           "it serves so long");
    ok(hc_publisher_in_use(publisher, 1) == hc_publisher_in_use(publisher, 0), "one line for both");
    hc_publisher_run(publisher);
    is_int(b.raised[HC_EVENT_PUBLISHED], 2, "the same is not published twice");
    hc_publisher_free(publisher);
    hc_pair_free(pair);
    end_bench(&b);
}

static void the_one_that_covers_more_wins(void)
{
    struct bench b;
    struct hc_publisher *publisher = NULL;
    struct hc_pair *first = NULL;
    struct hc_pair *second = NULL;
    struct hc_bundle *bundle = NULL;

    new_bench(&b, on, two_hosts);
    publisher = publisher_of(&b);
    first = new_pair("DNS:a.example,DNS:b.example", 90);
    second = new_pair("DNS:b.example,DNS:c.example", 30);
    ok(commit_pair(&b, 0, first) == 0 && commit_pair(&b, 1, second) == 0, "each has its own");
    bundle = hc_publisher_served(publisher, 1);
    ok(bundle != NULL && hc_pair_equal(hc_bundle_pair(bundle, 0), second),
       "which serves, though the other lasts longer");
    hc_bundle_free(bundle);
    hc_publisher_free(publisher);
    hc_pair_free(first);
    hc_pair_free(second);
    end_bench(&b);
}

int main(void)
{
    what_is_committed_is_published();
    the_one_that_covers_more_wins();
    return done();
}
