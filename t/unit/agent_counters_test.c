/* What happened, counted: by events alone, whoever raises them. */
#include "agent_part.h"

#include "agent/counters.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one two", NULL};
static const char *const one_host[] = {"a.example", NULL};

static void happens(struct bench *b, struct hc_event event)
{
    hc_events_raise(&b->events, &event);
}

static void fail(struct bench *b, const char *issuer, enum hc_problem problem)
{
    happens(b,
            (struct hc_event){.kind = HC_EVENT_ORDER_FAILED, .issuer = issuer, .problem = problem});
}

int main(void)
{
    struct bench b;
    struct hc_counters *c = NULL;
    const struct hc_counted_orders *one = NULL;
    const struct hc_counted_orders *two = NULL;
    struct hc_error err = {0};
    char name[] = "two"; /* another text of the same name */

    new_bench(&b, on, one_host);
    ok(hc_counters_new(&b.env, &c, &err) == 0, "counters");
    for (size_t i = 0; i < b.conf->issuer_count; i++) {
        one = strcmp(c->orders[i].issuer, "one") == 0 ? &c->orders[i] : one;
        two = strcmp(c->orders[i].issuer, "two") == 0 ? &c->orders[i] : two;
    }
    is_int(c->since, clock_now, "they know since when");
    happens(&b, (struct hc_event){.kind = HC_EVENT_ORDER_OBTAINED, .issuer = "one"});
    happens(&b,
            (struct hc_event){.kind = HC_EVENT_ORDER_OBTAINED, .issuer = "one", .renewal = true});
    happens(&b,
            (struct hc_event){.kind = HC_EVENT_ORDER_OBTAINED, .issuer = name, .renewal = true});
    fail(&b, name, HC_P_VALIDATION);
    fail(&b, "two", HC_P_VALIDATION);
    fail(&b, "two", HC_P_CA_ERROR);
    fail(&b, "one", HC_P_VALIDATION);
    fail(&b, "of no configuration", HC_P_VALIDATION);
    is_int(one->obtained, 1, "one obtained");
    is_int(one->renewed, 1, "one renewed");
    is_int(one->failed, 1, "one failed");
    is_int(two->renewed, 1, "each issuer has its own");
    is_int(two->failed, 3, "also of failures");
    is_int(c->failure_count, 3, "which are told apart by issuer and problem");
    ok(strcmp(c->failures[0].issuer, "two") == 0 && c->failures[0].problem == HC_P_VALIDATION &&
           c->failures[0].count == 2,
       "and counted");
    happens(&b, (struct hc_event){.kind = HC_EVENT_FILES_CHECKED});
    is_int(c->failure_count, 3, "a look that finds nothing new is none");
    happens(&b, (struct hc_event){.kind = HC_EVENT_FILES_CHECKED, .problem = HC_P_FILE_UNREADABLE});
    ok(c->failure_count == 4 && c->failures[3].issuer == NULL, "what is wrong with files is");
    happens(&b, (struct hc_event){.kind = HC_EVENT_PUBLISHED});
    happens(&b, (struct hc_event){.kind = HC_EVENT_PUBLISHED});
    is_int(c->swaps, 2, "so are swaps");
    hc_counters_free(c);
    happens(&b, (struct hc_event){.kind = HC_EVENT_PUBLISHED});
    end_bench(&b);
    return done();
}
