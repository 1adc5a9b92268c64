/*
 * The writer route53 against moto, with IAM enforced: the contract beside SPF and DMARC, zones,
 * rights, throttling, a role, and what others overwrite.
 */
#include "dnsapi.h"

static struct dnsapi api;

/* more: another line, or NULL. */
static struct hc_http *open_world(struct writer_world *w, const char *user, const char *more)
{
    char endpoint[128], credentials[256], text[600], id[64], secret[64];
    const char *const lines[] = {"type route53", endpoint, credentials, "propagation_timeout 20s",
                                 more,           NULL};
    struct hc_http *http = NULL;

    (void)snprintf(id, sizeof(id), "%s_id", user);
    (void)snprintf(secret, sizeof(secret), "%s_secret", user);
    (void)snprintf(text, sizeof(text),
                   "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
                   dnsapi_info(&api, id), dnsapi_info(&api, secret));
    (void)snprintf(endpoint, sizeof(endpoint), "endpoint %s", api.url);
    (void)snprintf(credentials, sizeof(credentials), "credentials %s",
                   dnsapi_file(&api, user, text));
    http = dnsapi_world(&api, w, lines);
    w->secret = dnsapi_info(&api, secret);
    writer_world_open(w);
    return http;
}

static void values_are_added_and_removed(void)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "writer", NULL);

    writer_contract(&w);
    ok(w.writer.parallel > 1, "several at once");
    ok(WRITER_ADD(&w, w.name, "insync") && w.spread, "added means in sync");
    ok(WRITER_ADD(&w, w.other, "with \"quotes\" and \\ <&>"), "any text");
    ok(dnsapi_stands(&w, w.other, "with \\\"quotes\\\" and \\\\ <&>"), "is written as it is");
    ok(WRITER_REMOVE(&w, w.name, "insync") &&
           WRITER_REMOVE(&w, w.other, "with \"quotes\" and \\ <&>"),
       "and removed");
    dnsapi_world_end(&w, http);
}

/* The SOA of the DNS leads; without one the longest public zone. */
static void the_zone_is_found(void)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "writer", NULL);
    const char *sub = dnsapi_info(&api, "zone_sub.a.test");
    const char *top = dnsapi_info(&api, "zone_a.test");
    char line[200];

    w.zone = NULL;
    ok(WRITER_ADD(&w, "_acme-challenge.x.sub.a.test", "v"), "the longest zone");
    (void)snprintf(line, sizeof(line), "POST /2013-04-01/hostedzone/%s/rrset/", sub);
    ok(strstr(dnsapi_get(&api, "/_log"), line) != NULL, "is written");
    ok(WRITER_REMOVE(&w, "_acme-challenge.x.sub.a.test", "v"), "and cleaned");
    ok(WRITER_ADD(&w, "_acme-challenge.www.a.test", "v") &&
           WRITER_REMOVE(&w, "_acme-challenge.www.a.test", "v"),
       "a private zone is passed over");
    w.zone = "a.test";
    ok(WRITER_ADD(&w, "_acme-challenge.y.sub.a.test", "v"), "where the DNS has its SOA");
    (void)snprintf(line, sizeof(line), "POST /2013-04-01/hostedzone/%s/rrset/? <?xml", top);
    ok(strstr(dnsapi_get(&api, "/_log"), line) != NULL, "goes before it");
    ok(WRITER_REMOVE(&w, "_acme-challenge.y.sub.a.test", "v"), "and is cleaned");
    w.zone = "nowhere.test";
    ok(!WRITER_ADD(&w, "_acme-challenge.nowhere.test", "v") &&
           w.error.problem == HC_P_DNS_REFUSED &&
           strstr(w.error.detail, "no public hosted zone") != NULL,
       "a name of no zone");
    dnsapi_world_end(&w, http);
}

static void rights_are_needed(void)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "reader", NULL);
    char line[100];

    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_REFUSED &&
           strstr(w.error.detail, "AccessDenied") != NULL &&
           strstr(w.error.detail, "route53:ChangeResourceRecordSets") != NULL,
       "who may only read is told which right it lacks");
    is_str(w.error.subject, w.name, "about the record");
    ok(writer_foreign_stand(&w), "nothing was changed");
    dnsapi_world_end(&w, http);

    http = open_world(&w, "writer", NULL);
    w.zone = "other.test";
    ok(!WRITER_ADD(&w, "_acme-challenge.other.test", "v") && w.error.problem == HC_P_DNS_REFUSED,
       "nor may a key of one zone write another");
    dnsapi_world_end(&w, http);

    (void)snprintf(line, sizeof(line), "hosted_zone %s", dnsapi_info(&api, "zone_a.test"));
    http = open_world(&w, "writer", line);
    w.zone = NULL;
    ok(WRITER_ADD(&w, w.name, "v") && WRITER_REMOVE(&w, w.name, "v"), "a zone by its id");
    dnsapi_world_end(&w, http);
}

static void a_role_may_be_taken_on(void)
{
    struct writer_world w;
    struct hc_http *http = NULL;
    char line[200];

    ok(setenv("AWS_ENDPOINT_URL_STS", api.url, 1) == 0, "STS is here");
    (void)snprintf(line, sizeof(line), "role_arn %s", dnsapi_info(&api, "role"));
    http = open_world(&w, "guest", line);
    ok(WRITER_ADD(&w, w.name, "by a role") && dnsapi_stands(&w, w.name, "by a role"),
       "who may nothing but take on a role writes by it");
    ok(WRITER_REMOVE(&w, w.name, "by a role"), "and removes");
    ok(strstr(dnsapi_get(&api, "/_log"), "Action=AssumeRole&") != NULL, "STS was asked");
    dnsapi_world_end(&w, http);
    http = open_world(&w, "guest", NULL);
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_REFUSED, "and not without it");
    dnsapi_world_end(&w, http);
    (void)unsetenv("AWS_ENDPOINT_URL_STS");
}

static void what_is_busy_is_asked_again(void)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "writer", NULL);

    (void)dnsapi_get(&api, "/_set?throttle=2");
    ok(WRITER_ADD(&w, w.name, "later") && w.spread, "throttled, it is tried again");
    (void)dnsapi_get(&api, "/_set?pending=2");
    ok(WRITER_ADD(&w, w.other, "later") && w.spread, "pending, it is waited for");
    (void)dnsapi_get(&api, "/_set?pending=1000");
    ok(WRITER_ADD(&w, w.other, "for ever") && !w.spread,
       "pending for too long: the servers are asked by others");
    (void)dnsapi_get(&api, "/_set?pending=0");
    ok(WRITER_REMOVE(&w, w.name, "later") && WRITER_REMOVE(&w, w.other, "later") &&
           WRITER_REMOVE(&w, w.other, "for ever"),
       "all are removed");
    (void)dnsapi_get(&api, "/_set?lose=1");
    ok(WRITER_ADD(&w, w.other, "swallowed") && w.spread && dnsapi_stands(&w, w.other, "swallowed"),
       "what another's write swallowed is written again");
    ok(dnsapi_stands(&w, w.other, "of a third one"), "beside the other's");
    ok(WRITER_REMOVE(&w, w.other, "swallowed") && dnsapi_stands(&w, w.other, "of a third one"),
       "which stays");
    dnsapi_world_end(&w, http);
}

/* Somebody adds a value to the set between our reading and our writing of it. */
static void what_changes_in_between_stays(void)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "writer", NULL);
    const char *end = NULL;
    int refused = 0;

    (void)dnsapi_get(&api, "/_set?race=2");
    ok(WRITER_ADD(&w, w.name, "ours") && dnsapi_stands(&w, w.name, "ours"), "ours is added");
    ok(dnsapi_stands(&w, w.name, "of a fourth one, number 1") &&
           dnsapi_stands(&w, w.name, "of a fourth one, number 0"),
       "beside what came meanwhile, twice");
    (void)dnsapi_get(&api, "/_set?race=1");
    ok(WRITER_ADD(&w, w.other, "ours") && dnsapi_stands(&w, w.other, "of a fourth one, number 0"),
       "a set that came to be meanwhile stays as well");
    (void)dnsapi_get(&api, "/_set?race=3");
    ok(WRITER_REMOVE(&w, w.name, "ours") && !dnsapi_stands(&w, w.name, "ours"), "ours is removed");
    ok(dnsapi_stands(&w, w.name, "of a fourth one, number 2"), "and nothing else");
    (void)dnsapi_get(&api, "/_set?race=1");
    ok(WRITER_REMOVE(&w, w.other, "ours") &&
           dnsapi_stands(&w, w.other, "of a fourth one, number 0"),
       "nor of the other");
    (void)dnsapi_get(&api, "/_set?race=1000");
    ok(!WRITER_ADD(&w, w.name, "ours") && w.error.problem == HC_P_DNS_WRITE &&
           strstr(w.error.detail, "InvalidChangeBatch") != NULL,
       "who is never alone gives up, with Route 53's word");
    (void)dnsapi_get(&api, "/_set?race=0");
    for (end = dnsapi_get(&api, "/_log"); (end = strstr(end, "UPSERT")) != NULL; end++) {
        refused++;
    }
    is_int(refused, 0, "no request writes a set whatever it is by then");
    ok(writer_foreign_stand(&w), "the values of others stay");
    dnsapi_world_end(&w, http);
}

int main(void)
{
    const char *rig = getenv("HOTCERT_RIG");
    char folder[300];
    const char *more[3] = {"--moto", folder, NULL};

    (void)snprintf(folder, sizeof(folder), "%s/moto", rig != NULL ? rig : "build/rig");
    dnsapi_start(&api, more);
    values_are_added_and_removed();
    the_zone_is_found();
    rights_are_needed();
    a_role_may_be_taken_on();
    what_is_busy_is_asked_again();
    what_changes_in_between_stays();
    dnsapi_end(&api);
    return done();
}
