/* What is read out of a CA's words. */
#include "acme/foreign.h"

#include "acme/problem.h"
#include "tap.h"

#define URN "urn:ietf:params:acme:error:"

static struct hc_error read_problem(const char *text)
{
    struct hc_error err = {0};
    json_t *problem = json_loads(text, 0, NULL);

    hc_acme_problem_set(problem, HC_ABOUT_CHALLENGE, NULL, NULL, &err);
    json_decref(problem);
    return err;
}

static void type_and_status_are_data(void)
{
    struct hc_error err = read_problem("{\"type\":\"" URN "dns\",\"status\":400}");

    is_str(err.foreign.type, "dns", "the last part of the type");
    is_int(err.foreign.http_status, 400, "the status");
    err = read_problem("{\"detail\":\"no\",\"status\":\"400\"}");
    is_str(err.foreign.type, HC_FOREIGN_UNTYPED, "a document without a type has one");
    is_int(err.foreign.http_status, 0, "a status that is no number is none");
    err = read_problem("{\"type\":\"about:blank\",\"status\":99999999999}");
    is_int(err.foreign.http_status, 0, "nor one that cannot be");
}

static const struct {
    const char *type;
    const char *detail;
    enum hc_problem means;
} meanings[] = {
    {"caa", "CAA record for example.net prevents issuance", HC_P_NONE},
    {"caa", "While processing CAA for example.net: DNS problem: SERVFAIL looking up CAA",
     HC_P_CAA_FAILED},
    {"caa", "DNS problem: query timed out looking up CAA", HC_P_CAA_FAILED},
    {"dns", "DNS problem: NXDOMAIN looking up A for www.example.net", HC_P_DNS_NO_SUCH_NAME},
    {"dns", "DNS problem: SERVFAIL looking up A for www.example.net", HC_P_DNS_FAILED},
    {"dns", "DNS problem: looking up A: DNSSEC: Bogus", HC_P_DNS_DNSSEC_BROKEN},
    {"dns", "DNS problem: looking up CAA: SERVFAIL", HC_P_CAA_FAILED},
    {"dns", "no valid A records found for www.example.net", HC_P_NONE},
    {"dns", "10.0.0.1 is a reserved address", HC_P_DNS_RESERVED_ADDRESS},
    {"connection", "Too many redirects", HC_P_HTTP_REDIRECT},
    {"connection", "could not resolve URL", HC_P_DNS_FAILED},
    {"connection", "NXDOMAIN, says a page", HC_P_NONE},
    {"rateLimited", "SERVFAIL", HC_P_NONE},
};

static void words_add_to_the_type(void)
{
    char text[512];

    for (size_t i = 0; i < HC_COUNT(meanings); i++) {
        snprintf(text, sizeof(text), "{\"type\":\"" URN "%s\",\"detail\":\"%s\"}", meanings[i].type,
                 meanings[i].detail);
        is_str(hc_problem_row(read_problem(text).foreign.means)->slug,
               hc_problem_row(meanings[i].means)->slug, meanings[i].detail);
    }
}

static const struct {
    const char *detail;
    const char *name;
    bool names;
} speaks[] = {
    {"too many certificates already issued for \\\"alba.com\\\"", "ba.com", false},
    {"too many certificates already issued for \\\"alba.com\\\"", "alba.com", true},
    {"too many certificates already issued for \\\"alba.com\\\"", "www.alba.com", true},
    {"too many certificates already issued for \\\"alba.com\\\"", "*.alba.com", true},
    {"too many certificates already issued for \\\"www.alba.com\\\"", "alba.com", false},
    {"too many certificates already issued for \\\"alba.com.au\\\"", "alba.com", false},
    {"issued for this exact set of domains: a.test,b.test: see", "b.test", true},
    {"issued for: *.a.test.", "*.a.test", true},
    {"issued for A.Test", "a.test", true},
    {"too many failures for 192.0.2.7, wait", "192.0.2.7", true},
    {"too many failures for 192.0.2.77", "192.0.2.7", false},
    {"too many new orders; see https://letsencrypt.org/docs/", "letsencrypt.org", false},
    {"too many new orders; ask limits@a.test", "a.test", false},
    {"too many new orders", "orders", false},
};

static void it_speaks_of_whole_names(void)
{
    char text[512];

    for (size_t i = 0; i < HC_COUNT(speaks); i++) {
        struct hc_error err;

        snprintf(text, sizeof(text), "{\"type\":\"" URN "rateLimited\",\"detail\":\"%s\"}",
                 speaks[i].detail);
        err = read_problem(text);
        snprintf(text, sizeof(text), "%s: %s", speaks[i].name, speaks[i].detail);
        ok(hc_foreign_names(&err.foreign, speaks[i].name) == speaks[i].names, text);
    }
}

static void subproblems_name_whom_they_mean(void)
{
    struct hc_error err =
        read_problem("{\"type\":\"" URN "rateLimited\",\"detail\":\"too many\",\"subproblems\":["
                     "{\"identifier\":{\"type\":\"dns\",\"value\":\"A.test\"}},7,"
                     "{\"identifier\":{\"type\":\"dns\",\"value\":\"b.test\"}}]}");

    is_str(err.foreign.names, " a.test b.test ", "each once, as we write names");
    ok(hc_foreign_names(&err.foreign, "www.b.test"), "and is found");
    ok(!hc_foreign_names(&err.foreign, "c.test"), "others are not");
}

static void what_has_no_room_is_left_out(void)
{
    char text[8192] = "{\"type\":\"" URN "rateLimited\",\"detail\":\"";
    struct hc_error err;

    for (int i = 0; i < 300; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "host%d.example.net ", i);
    }
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"}");
    err = read_problem(text);
    ok(hc_foreign_names(&err.foreign, "host0.example.net"), "the first is there");
    ok(!hc_foreign_names(&err.foreign, "host299.example.net"), "the last is not");
    ok(strlen(err.foreign.names) < sizeof(err.foreign.names) &&
           err.foreign.names[strlen(err.foreign.names) - 1] == ' ',
       "none is cut");
}

int main(void)
{
    type_and_status_are_data();
    words_add_to_the_type();
    it_speaks_of_whole_names();
    subproblems_name_whom_they_mean();
    what_has_no_room_is_left_out();
    return done();
}
