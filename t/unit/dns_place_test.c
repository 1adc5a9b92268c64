/* Where a record is to be written: aliases, zones, and who is asked for what does not exist yet. */
#include "dns/place.h"

#include "preflight_world.h"

#define LABEL "_acme-challenge.www.zone.net"

static struct hc_dns_port port;
static unsigned leaked; /* questions for the label itself that went to the resolvers */

static int watch(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                 uint64_t *id, struct hc_error *err)
{
    char name[HC_DNAME_TEXT];

    hc_dname_format(&ask->question.name, name);
    leaked += ask->servers == NULL && strcmp(name, LABEL ".") == 0;
    return fake_ask(self, ask, done, arg, id, err);
}

static void nobody(void *self)
{
    (void)self;
}

struct place_case {
    const char *what;
    struct row rows[6];
    enum hc_dns_place_state state;
    const char *name; /* where it leads */
    const char *apex; /* of its zone */
    unsigned links;
    const char *says; /* of a failure */
    bool may_leak;
};

static const struct place_case cases[] = {
    {"no_alias", {{0}}, HC_PLACE_READY, LABEL ".", "zone.net.", 0, "", false},
    {"an_alias_within_the_zone",
     {{OWN, LABEL, HC_DNS_CNAME, "CNAME x.zone.net", 0}},
     HC_PLACE_READY,
     "x.zone.net.",
     "zone.net.",
     1,
     "",
     false},
    {"an_alias_into_another_zone",
     {{OWN, LABEL, HC_DNS_CNAME, "CNAME x.other.net", 0}},
     HC_PLACE_READY,
     "x.other.net.",
     "other.net.",
     1,
     "",
     false},
    {"two_in_a_row",
     {{OWN, LABEL, HC_DNS_CNAME, "CNAME x.other.net", 0},
      {OWN, "x.other.net", HC_DNS_CNAME, "CNAME y.third.net", 0}},
     HC_PLACE_READY,
     "y.third.net.",
     "third.net.",
     2,
     "",
     false},
    {"a_circle",
     {{OWN, LABEL, HC_DNS_CNAME, "CNAME x.other.net", 0},
      {OWN, "x.other.net", HC_DNS_CNAME, "CNAME " LABEL, 0}},
     HC_PLACE_FAILED,
     NULL,
     NULL,
     0,
     "loop",
     false},
    {"servers_that_do_not_answer",
     {{OWN, LABEL, HC_DNS_CNAME, "!SILENT", 0},
      {RESOLVER, LABEL, HC_DNS_CNAME, "CNAME x.other.net", 0}},
     HC_PLACE_READY,
     "x.other.net.",
     "other.net.",
     1,
     "",
     true},
    {"servers_that_know_nothing",
     {{OWN, LABEL, HC_DNS_CNAME, "!LAME", 0}},
     HC_PLACE_READY,
     LABEL ".",
     "zone.net.",
     0,
     "",
     true},
    {"servers_that_refer_for_ever",
     {{OWN, LABEL, HC_DNS_CNAME, "!REFERRAL", 0},
      {RESOLVER, LABEL, HC_DNS_CNAME, "CNAME x.other.net", 0}},
     HC_PLACE_READY,
     "x.other.net.",
     "other.net.",
     1,
     "",
     true},
    {"nobody_answers",
     {{OWN, LABEL, HC_DNS_CNAME, "!SILENT", 0}, {RESOLVER, LABEL, HC_DNS_CNAME, "!SERVFAIL", 0}},
     HC_PLACE_FAILED,
     NULL,
     NULL,
     0,
     "SERVFAIL",
     true},
};

static void run_case(const struct place_case *c)
{
    struct hc_dns_slot_owner owner = {.dns = &port, .wake = nobody};
    struct row mine[HC_COUNT(c->rows)];
    struct hc_dns_place place = {0};
    struct hc_dname label;
    struct hc_error err;
    char text[HC_DNAME_TEXT];

    memcpy(mine, c->rows, sizeof(mine));
    rows = mine;
    for (row_count = 0; row_count < HC_COUNT(mine) && mine[row_count].name != NULL; row_count++) {
    }
    leaked = 0;
    if (hc_dname_from_host(LABEL, &label, NULL) != 0) {
        abort();
    }
    hc_dns_place_begin(&place, &owner, &label, now_ms + 9000);
    for (int i = 0; i < 5000 && !hc_dns_place_settled(&place); i++) {
        (void)hc_dns_place_step(&place, &owner);
        pump_dns();
        now_ms += 10;
    }
    is_int(place.state, c->state, c->what);
    ok(hc_dname_equal(&place.alias, &label), "it knows where it began");
    if (c->state == HC_PLACE_READY) {
        is_str(hc_dname_format(&place.name, text), c->name, "where the record belongs");
        is_str(hc_dname_format(&place.zone.apex, text), c->apex, "its zone");
        is_int(place.links, c->links, "how many aliases");
        is_int(place.zone.state, HC_ZONE_READY, "with the zone's servers");
    } else {
        hc_error_init(&err);
        hc_kept_error_get(&place.error, &err);
        ok(strstr(err.detail, c->says) != NULL, c->says);
        is_int(err.problem, HC_P_DNS_FAILED, "it has failed");
    }
    is_int(leaked > 0, c->may_leak,
           "the resolvers are asked for it only where nobody else answers");
    hc_dns_place_dispose(&place);
    is_int(pending_count, 0, "nothing is left in flight");
    hc_dns_place_dispose(&place);
}

static void test_disposed_in_mid_question(void)
{
    struct hc_dns_slot_owner owner = {.dns = &port, .wake = nobody};
    struct hc_dns_place place = {0};
    struct hc_dname label;

    row_count = 0;
    if (hc_dname_from_host(LABEL, &label, NULL) != 0) {
        abort();
    }
    hc_dns_place_begin(&place, &owner, &label, now_ms + 9000);
    ok(pending_count > 0, "a question is under way");
    hc_dns_place_dispose(&place);
    is_int(pending_count, 0, "disposed of, none is");
}

int main(void)
{
    port = fake_dns;
    port.ask = watch;
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        run_case(&cases[i]);
    }
    test_disposed_in_mid_question();
    return done();
}
