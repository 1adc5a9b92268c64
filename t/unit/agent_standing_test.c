/* How the names of one identity stand: what is remembered, what is ordered, and when there is
 * nothing to remember. */
#include "agent_part.h"

#include "agent/standing.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const hosts[] = {"a.example b.example", NULL};

/* A bench with a publisher, and one standing. */
struct place {
    struct bench b;
    struct hc_publisher *publisher;
    struct hc_standing_env e;
    struct hc_standing standing;
    struct hc_list mended;
};

static void begin(struct place *p)
{
    struct hc_error err = {0};

    memset(p, 0, sizeof(*p));
    new_bench(&p->b, on, hosts);
    if (hc_publisher_new(
            &(struct hc_publisher_options){&p->b.env, p->b.storage, &p->b.judge, p->b.server.table},
            &p->publisher, &err) != 0) {
        stop_here(__LINE__);
    }
    (void)hc_storage_run(p->b.storage);
    p->e = (struct hc_standing_env){&p->b.env, p->b.storage, p->publisher, true};
    p->standing.identity = &p->b.conf->identities[0];
}

static void end(struct place *p)
{
    hc_standing_dispose(&p->standing);
    hc_list_dispose(&p->mended);
    hc_publisher_free(p->publisher);
    end_bench(&p->b);
}

/* A preflight that finds a.example as it should be, and b.example (if bad) without an address. */
static void check(struct place *p, bool bad)
{
    struct hc_preflight_name names[2] = {{.name = "a.example"}, {.name = "b.example"}};
    struct hc_preflight_result result = {.names = names, .count = 2};
    struct hc_error err = {0};

    if (bad) {
        names[1].leave_out = true;
        names[1].verdict = HC_PREFLIGHT_WOULD_FAIL;
        names[1].cause = HC_P_DNS_NO_SUCH_NAME;
        if (hc_findings_add(&names[1].findings, HC_P_DNS_NO_SUCH_NAME, "b.example", &err, "no") !=
            0) {
            stop_here(__LINE__);
        }
    }
    hc_list_dispose(&p->mended);
    if (hc_standing_see(&p->standing, &p->e, &result, &p->mended, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_findings_dispose(&names[1].findings);
    hc_standing_store(&p->standing, &p->e);
    hc_standing_plan(&p->standing, &p->e);
}

static void names_that_are_well_need_no_memory(void)
{
    struct place p;

    begin(&p);
    hc_standing_plan(&p.standing, &p.e);
    ok(hc_standing_is_plain(&p.standing), "nothing is known");
    ok(hc_list_equal(hc_standing_order(&p.standing), &p.standing.identity->names),
       "all names are ordered");
    check(&p, false);
    ok(hc_standing_is_plain(&p.standing), "a preflight that finds them well says no more");
    ok(!hc_standing_wants(&p.standing, &p.standing.identity->names), "they are all there is");
    ok(hc_standing_wants(&p.standing, &(struct hc_list){NULL, 0, 0}), "and wanted");
    end(&p);
}

static void what_is_wrong_is_remembered_until_it_is_over(void)
{
    struct place p;
    struct hc_standing again;

    begin(&p);
    check(&p, true);
    ok(!hc_standing_is_plain(&p.standing), "a name that does not exist is something to know");
    is_int(hc_standing_order(&p.standing)->count, 1, "it is left out");
    is_str(p.standing.plan.left_out.items[0], "b.example", "that one");
    is_int(count_in_log("b.example"), 2, "as the log says, and what was found");
    check(&p, true);
    is_int(count_in_log("b.example"), 2, "once");
    memset(&again, 0, sizeof(again));
    again.identity = p.standing.identity;
    hc_standing_load(&again, &p.e);
    hc_standing_plan(&again, &p.e);
    is_int(hc_standing_order(&again)->count, 1, "the next agent knows it");
    hc_standing_dispose(&again);
    pass_time(120);
    check(&p, false);
    is_int(p.mended.count, 1, "it is well again");
    pass_time(120);
    check(&p, false);
    is_int(hc_standing_order(&p.standing)->count, 2, "twice in a row: it is ordered again");
    is_int(count_in_log("ordering all names again"), 1, "as the log says");
    hc_leaveout_obtained(&p.standing.state, &p.standing.identity->names);
    hc_standing_store(&p.standing, &p.e);
    hc_standing_plan(&p.standing, &p.e);
    ok(hc_standing_is_plain(&p.standing), "once they are obtained there is nothing to know");
    memset(&again, 0, sizeof(again));
    again.identity = p.standing.identity;
    hc_standing_load(&again, &p.e);
    is_int(again.state.count, 0, "nor to read");
    hc_standing_dispose(&again);
    end(&p);
}

int main(void)
{
    static const struct hc_dns_port asked_by_nobody;

    world_dns = &asked_by_nobody; /* so that names are checked, here by the test */
    names_that_are_well_need_no_memory();
    what_is_wrong_is_remembered_until_it_is_over();
    return done();
}
