/* The preflight with a DNS, a web and a clock of the test's own: who is believed, what blocks. */
#include "preflight_world.h"
#include "seccomp.h"

struct scenario {
    const char *name;
    const char *host;
    enum hc_preflight_verdict verdict;
    bool leave_out;
    enum hc_problem cause;
    struct row rows[8];
};

#define N      "www.zone.net"
#define HERE   "A 8.8.4.4"
#define READY  HC_PREFLIGHT_READY
#define FAILS  HC_PREFLIGHT_WOULD_FAIL
#define UNSURE HC_PREFLIGHT_UNKNOWN

static struct scenario scenarios[] = {
    {"both_say_the_same",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, HERE, 0}}},
    {"a_name_that_exists_nowhere_is_left_out",
     N,
     FAILS,
     true,
     HC_P_DNS_NO_SUCH_NAME,
     {{RESOLVER, N, HC_DNS_A, "!NX", 0}, {OWN, N, HC_DNS_A, "!NX", 0}}},
    {"a_stale_no_does_not_block",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, "!NX", 0}, {OWN, N, HC_DNS_A, HERE, 0}}},
    {"a_stale_yes_does_not_permit",
     N,
     FAILS,
     true,
     HC_P_DNS_NO_SUCH_NAME,
     {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, "!NX", 0}}},
    {"one_no_of_the_zone_against_the_resolver_is_not_enough",
     N,
     UNSURE,
     false,
     HC_P_DNS_FAILED,
     {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, "!NX", 1}, {OWN, N, HC_DNS_A, HERE, 0}}},
    {"without_the_zone_s_servers_the_resolvers_are_asked_twice",
     N,
     FAILS,
     true,
     HC_P_DNS_NO_SUCH_NAME,
     {{RESOLVER, N, HC_DNS_A, "!NX", 2}, {OWN, N, HC_DNS_A, "!SILENT", 0}}},
    {"and_must_say_it_twice",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, "!NX", 1},
      {RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, "!SILENT", 0}}},
    {"lame_servers_are_not_believed",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, "!LAME", 0}}},
    {"a_resolver_that_fails_is_made_up_for_by_the_zone",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, "!SERVFAIL", 0}, {OWN, N, HC_DNS_A, HERE, 0}}},
    {"nobody_answers",
     N,
     UNSURE,
     false,
     HC_P_DNS_FAILED,
     {{RESOLVER, N, HC_DNS_A, "!SILENT", 0},
      {RESOLVER, N, HC_DNS_AAAA, "!SILENT", 0},
      {OWN, N, HC_DNS_A, "!SILENT", 0}}},
    {"servfail_everywhere",
     N,
     UNSURE,
     false,
     HC_P_DNS_FAILED,
     {{RESOLVER, N, HC_DNS_A, "!SERVFAIL", 0}, {OWN, N, HC_DNS_A, "!SERVFAIL", 0}}},
    {"dnssec_broken_is_seen_and_does_not_block",
     N,
     FAILS,
     false,
     HC_P_DNS_DNSSEC_BROKEN,
     {{RESOLVER, N, HC_DNS_A, "!FAIL", 0}, {OWN, N, HC_DNS_A, HERE, 0}}},
    {"no_address_does_not_block",
     N,
     FAILS,
     false,
     HC_P_DNS_NO_ADDRESS,
     {{RESOLVER, N, HC_DNS_A, "", 0}, {OWN, N, HC_DNS_A, "", 0}}},
    {"ipv6_alone_is_fine",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_AAAA, "AAAA 2a00::1", 0}}},
    {"ipv4_with_an_ipv6_that_fails_is_fine",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, N, HC_DNS_AAAA, "!SERVFAIL", 0}}},
    {"a_reserved_address_does_not_block",
     N,
     FAILS,
     false,
     HC_P_DNS_RESERVED_ADDRESS,
     {{RESOLVER, N, HC_DNS_A, "A 10.0.0.1", 0}, {OWN, N, HC_DNS_A, "A 10.0.0.1", 0}}},
    {"an_alias_of_nothing_is_left_out",
     N,
     FAILS,
     true,
     HC_P_DNS_CNAME_DANGLING,
     {{RESOLVER, N, HC_DNS_A, "CNAME gone.other.net|NX", 0},
      {OWN, N, HC_DNS_A, "CNAME gone.other.net", 0},
      {OWN, "gone.other.net", HC_DNS_A, "!NX", 0}}},
    {"an_alias_into_another_zone",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, "CNAME x.other.net|A 8.8.4.4", 0},
      {OWN, N, HC_DNS_A, "CNAME x.other.net", 0},
      {OWN, "x.other.net", HC_DNS_A, HERE, 0}}},
    {"an_alias_whose_target_came_back",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, "CNAME x.other.net|NX", 0},
      {OWN, N, HC_DNS_A, "CNAME x.other.net", 0},
      {OWN, "x.other.net", HC_DNS_A, HERE, 0}}},
    {"a_forbidding_caa_blocks",
     N,
     FAILS,
     true,
     HC_P_CAA_OTHER_ISSUER,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "CAA issue other.net", 0},
      {OWN, "zone.net", HC_DNS_CAA, "CAA issue other.net", 0}}},
    {"a_stale_caa_does_not_block",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "CAA issue other.net", 0},
      {OWN, "zone.net", HC_DNS_CAA, "CAA issue ca.net", 0}}},
    {"a_stale_caa_does_not_permit",
     N,
     FAILS,
     true,
     HC_P_CAA_OTHER_ISSUER,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "CAA issue ca.net", 0},
      {OWN, "zone.net", HC_DNS_CAA, "CAA issue other.net", 0}}},
    {"the_nearest_caa_decides",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_CAA, "CAA issue ca.net", 0},
      {OWN, "zone.net", HC_DNS_CAA, "CAA issue other.net", 0}}},
    {"the_top_level_is_asked_too",
     N,
     FAILS,
     true,
     HC_P_CAA_OTHER_ISSUER,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {OWN, "net", HC_DNS_CAA, "CAA issue other.net", 0}}},
    {"a_caa_that_fails_is_no_permission_and_does_not_block",
     N,
     UNSURE,
     false,
     HC_P_CAA_FAILED,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "!SERVFAIL", 0},
      {OWN, "zone.net", HC_DNS_CAA, "!SERVFAIL", 0}}},
    {"a_lame_answer_of_every_server_is_no_permission",
     N,
     UNSURE,
     false,
     HC_P_CAA_FAILED,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "!LAME", 0},
      {OWN, "zone.net", HC_DNS_CAA, "!LAME", 0}}},
    {"a_referral_of_the_resolver_is_no_permission",
     N,
     UNSURE,
     false,
     HC_P_CAA_FAILED,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "!REFERRAL", 0},
      {OWN, "zone.net", HC_DNS_CAA, "!SILENT", 0}}},
    {"a_lame_resolver_does_not_count_against_the_zone_s_own_word",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "!LAME", 0},
      {OWN, "zone.net", HC_DNS_CAA, "", 0}}},
    {"no_ipv6_address_by_who_cannot_know_is_not_told",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {RESOLVER, N, HC_DNS_AAAA, "!LAME", 0}}},
    {"caa_of_servers_that_do_not_agree_is_no_permission",
     N,
     UNSURE,
     false,
     HC_P_CAA_FAILED,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_CAA, "!NX", 1},
      {OWN, N, HC_DNS_CAA, "CAA issue other.net", 0}}},
    {"a_caa_that_fails_above_what_decides_is_not_asked",
     N,
     READY,
     false,
     HC_P_NONE,
     {{RESOLVER, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_A, HERE, 0},
      {OWN, N, HC_DNS_CAA, "CAA issue ca.net", 0},
      {RESOLVER, "zone.net", HC_DNS_CAA, "!SERVFAIL", 0},
      {OWN, "zone.net", HC_DNS_CAA, "!SERVFAIL", 0}}},
    {"an_address_as_a_name_has_no_caa", "8.8.4.4", READY, false, HC_P_NONE, {{0}}},
    {"a_wildcard_by_http_01_would_fail",
     "*.zone.net",
     FAILS,
     false,
     HC_P_WILDCARD_NEEDS_DNS,
     {{RESOLVER, "zone.net", HC_DNS_A, HERE, 0}, {OWN, "zone.net", HC_DNS_A, HERE, 0}}},
};

/* What CAs do not issue for, whatever the DNS says; with a wildcard, and for a private CA. */
static void test_suffixes(void)
{
    static const struct {
        const char *host;
        const char *soa; /* of the top-level domain */
        enum hc_network network;
        enum hc_preflight_verdict verdict;
        enum hc_problem found;
        const char *says;
    } cases[] = {
        {"zone.net", "", HC_NETWORK_PUBLIC, READY, HC_P_NONE, ""},
        {"*.zone.net", "", HC_NETWORK_PUBLIC, READY, HC_P_NONE, ""},
        {"co.uk", "", HC_NETWORK_PUBLIC, FAILS, HC_P_NAME_PUBLIC_SUFFIX, "co.uk is in"},
        {"*.co.uk", "", HC_NETWORK_PUBLIC, FAILS, HC_P_NAME_PUBLIC_SUFFIX, "*.co.uk would cover"},
        {"*.github.io", "", HC_NETWORK_PUBLIC, READY, HC_P_NONE, ""},
        {"github.io", "", HC_NETWORK_PUBLIC, READY, HC_P_NONE, ""},
        {"4.8.8.in-addr.arpa", "", HC_NETWORK_PUBLIC, FAILS, HC_P_NAME_INTERNAL, "reverse"},
        {"www.corp.lan", "!NX", HC_NETWORK_PUBLIC, FAILS, HC_P_NAME_INTERNAL, "no top-level"},
        {"www.corp.lan", "", HC_NETWORK_PUBLIC, READY, HC_P_NAME_INTERNAL, "DNS knows it"},
        {"www.corp.lan", "!NX", HC_NETWORK_PRIVATE, READY, HC_P_NONE, ""},
        {"co.uk", "", HC_NETWORK_PRIVATE, READY, HC_P_NONE, ""},
    };
    char *dns_items[] = {(char[]){"dns-01"}};
    const struct hc_list dns = {dns_items, 1, 1};

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        char host[64];
        char *items[] = {host};
        struct hc_list names = {items, 1, 1};
        struct hc_preflight_options o = options_for(&names);
        struct row dns_rows[] = {{RESOLVER, "lan", HC_DNS_SOA, cases[i].soa, 0}};
        const struct hc_finding *f = NULL;
        struct got got;

        hc_copy(host, sizeof(host), cases[i].host);
        rows = dns_rows;
        row_count = 1;
        o.methods = &dns;
        o.network = cases[i].network;
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(cases[i].verdict),
               cases[i].host);
        ok(!got.leave_out, "it stays in the order");
        f = got.findings.count > 0 ? &got.findings.items[0] : NULL;
        is_int(f != NULL ? f->problem : HC_P_NONE, cases[i].found, "what is found");
        ok(f == NULL || strstr(f->message, cases[i].says) != NULL, cases[i].says);
        hc_findings_dispose(&got.findings);
    }
}

static void run_scenario(struct scenario *s)
{
    char host[64];
    char *items[] = {host};
    struct hc_list names = {items, 1, 1};
    struct hc_preflight_options o = options_for(&names);
    struct got got;

    hc_copy(host, sizeof(host), s->host);
    rows = s->rows;
    for (row_count = 0; row_count < HC_COUNT(s->rows) && rows[row_count].name != NULL;
         row_count++) {
    }
    run(&o, &got);
    is_int(got.done, 1, s->name);
    is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(s->verdict),
           "the verdict");
    is_int(got.leave_out, s->leave_out, s->leave_out ? "it is left out" : "it is not left out");
    is_str(hc_problem_row(got.cause)->slug, hc_problem_row(s->cause)->slug, "the cause");
    ok(got.took <= HC_PREFLIGHT_DNS_MS + 500, "in time");
    ok(s->cause != HC_P_NONE || strstr(s->name, "not_told") == NULL || got.findings.count == 0,
       "what is not told is not found");
    hc_findings_dispose(&got.findings);
}

/* What decides stands behind 119 records that do not. */
static void test_whole_sets(void)
{
    static const struct {
        const char *last;
        enum hc_preflight_verdict verdict;
        enum hc_problem cause;
    } sets[] = {
        {"CAA issue ca.net", READY, HC_P_NONE},
        {"CAA critical", FAILS, HC_P_CAA_UNKNOWN_CRITICAL},
        {"CAA issue another.net", FAILS, HC_P_CAA_OTHER_ISSUER},
    };

    for (size_t i = 0; i < HC_COUNT(sets); i++) {
        char text[8192] = "";
        char host[] = N;
        char *items[] = {host};
        struct hc_list names = {items, 1, 1};
        struct hc_preflight_options o = options_for(&names);
        struct row dns_rows[] = {{RESOLVER, N, HC_DNS_A, HERE, 0},
                                 {OWN, N, HC_DNS_A, HERE, 0},
                                 {OWN, N, HC_DNS_CAA, text, 0}};
        struct got got;

        for (int n = 0; n < 119; n++) {
            size_t used = strlen(text);

            snprintf(text + used, sizeof(text) - used, "CAA issue no%d.net|", n);
        }
        hc_copy(text + strlen(text), 64, sets[i].last);
        rows = dns_rows;
        row_count = HC_COUNT(dns_rows);
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(sets[i].verdict),
               sets[i].last);
        is_str(hc_problem_row(got.cause)->slug, hc_problem_row(sets[i].cause)->slug,
               "is what decides of 120 records");
        hc_findings_dispose(&got.findings);
    }
}

static char ca_account[] = "CAA issue ca.net; accounturi=https://ca.net/acct/1";

/* Who asks without knowing who will order: the accounts at hand are compared. */
static void test_accounts(void)
{
    static const struct {
        const char *what;
        const char *accounts[4]; /* URL, store, .. */
        enum hc_preflight_verdict verdict;
        bool leave_out;
    } cases[] = {
        {"no account at hand", {NULL}, UNSURE, false},
        {"the right one", {"https://ca.net/acct/1", "/s/a"}, READY, false},
        {"another one", {"https://ca.net/acct/2", "/s/a"}, FAILS, true},
        {"one of two",
         {"https://ca.net/acct/2", "/s/a", "https://ca.net/acct/1", "/s/b"},
         UNSURE,
         false},
    };

    for (size_t i = 0; i <= HC_COUNT(cases); i++) {
        char host[] = N;
        char *items[] = {host};
        struct hc_list names = {items, 1, 1};
        struct hc_list accounts = {0};
        struct hc_preflight_options o = options_for(&names);
        struct row dns_rows[] = {{RESOLVER, N, HC_DNS_A, HERE, 0},
                                 {OWN, N, HC_DNS_A, HERE, 0},
                                 {OWN, N, HC_DNS_CAA, ca_account, 0}};
        struct hc_error err = {0};
        struct got got;
        bool none = i == HC_COUNT(cases);

        for (int k = 0; !none && k < 4 && cases[i].accounts[k] != NULL; k++) {
            is_int(hc_list_add(&accounts, cases[i].accounts[k], &err), 0, "an account");
        }
        o.accounts = none ? NULL : &accounts;
        rows = dns_rows;
        row_count = HC_COUNT(dns_rows);
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict),
               hc_preflight_verdict_name(none ? READY : cases[i].verdict),
               none ? "who orders with a new account" : cases[i].what);
        is_int(got.leave_out, !none && cases[i].leave_out, "left out or not");
        is_int(hc_findings_find(&got.findings, HC_P_CAA_ACCOUNT, NULL) != NULL,
               none || cases[i].verdict != READY, "caa-account is told unless it is the right one");
        hc_findings_dispose(&got.findings);
        hc_list_dispose(&accounts);
    }
}

/* RFC 8738 section 7: dns-01 is not for addresses. */
static void test_address_by_dns(void)
{
    char *dns_items[] = {(char[]){"dns-01"}};
    char *both_items[] = {(char[]){"dns-01"}, (char[]){"http-01"}};
    const struct hc_list lists[] = {{dns_items, 1, 1}, {both_items, 2, 2}};

    for (size_t i = 0; i < HC_COUNT(lists); i++) {
        char host[] = "8.8.4.4";
        char *items[] = {host};
        struct hc_list names = {items, 1, 1};
        struct hc_preflight_options o = options_for(&names);
        struct got got;

        o.methods = &lists[i];
        row_count = 0;
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict), i == 0 ? "would-fail" : "ready",
               i == 0 ? "an address by dns-01 alone" : "an address by dns-01 or http-01");
        is_str(hc_problem_row(got.cause)->slug,
               hc_problem_row(i == 0 ? HC_P_ADDRESS_NEEDS_HTTP : HC_P_NONE)->slug, "its cause");
        hc_findings_dispose(&got.findings);
    }
}

/* RestrictAddressFamilies= without AF_NETLINK: getifaddrs() fails. The rest is looked at. */
static void test_without_netlink(void)
{
    char host[] = N;
    char *items[] = {host};
    struct hc_list names = {items, 1, 1};
    struct hc_preflight_options o = options_for(&names);
    struct row dns_rows[] = {{RESOLVER, N, HC_DNS_A, "A 10.1.2.3", 0},
                             {OWN, N, HC_DNS_A, "A 10.1.2.3", 0}};
    struct got got;

    o.own = NULL;
    rows = dns_rows;
    row_count = HC_COUNT(dns_rows);
    run(&o, &got);
    ok(hc_findings_find(&got.findings, HC_P_DNS_NOT_HERE, NULL) != NULL,
       "an address of another machine is told");
    hc_findings_dispose(&got.findings);
    is_int(forbid_netlink(), 0, "this process may ask no more for its own addresses");
    run(&o, &got);
    is_int(got.done, 1, "names are looked at all the same");
    is_int(got.cause, HC_P_DNS_RESERVED_ADDRESS, "with what is found");
    is_int(got.findings.count, 1, "but for dns-not-here");
    hc_findings_dispose(&got.findings);
}

/* ---- the request ------------------------------------------------------------------------- */

#define BASE  "http://www.zone.net/.well-known/acme-challenge/tok"
#define OTHER "http://other.zone.net/x"

struct web_scenario {
    const char *name;
    bool six; /* the name has 2a00::1 too */
    enum hc_preflight_verdict verdict;
    const char *slugs;
    struct web_row rows[5];
};

static const struct web_scenario web_scenarios[] = {
    {"our_own_answer", false, READY, "", {{"8.8.4.4", BASE, 200, "answer"}}},
    {"white_space_behind_it_is_fine", false, READY, "", {{"8.8.4.4", BASE, 200, "answer \r\n"}}},
    {"something_longer", false, FAILS, "http-wrong-answer", {{"8.8.4.4", BASE, 200, "answerx"}}},
    {"something_shorter", false, FAILS, "http-wrong-answer", {{"8.8.4.4", BASE, 200, "answe"}}},
    {"the_right_words_with_404",
     false,
     FAILS,
     "http-wrong-answer",
     {{"8.8.4.4", BASE, 404, "answer"}}},
    {"nothing", false, READY, "http-unreachable", {{"8.8.4.4", BASE, 0, ""}}},
    {"what_was_not_asked", false, READY, "", {{"8.8.4.4", BASE, -1, ""}}},
    {"both_families",
     true,
     READY,
     "",
     {{"8.8.4.4", BASE, 200, "answer"}, {"2a00::1", BASE, 200, "answer"}}},
    {"ipv6_is_another_server",
     true,
     FAILS,
     "http-wrong-answer http-ipv6-differs",
     {{"8.8.4.4", BASE, 200, "answer"}, {"2a00::1", BASE, 404, "x"}}},
    {"ipv6_is_nothing",
     true,
     READY,
     "http-unreachable",
     {{"8.8.4.4", BASE, 200, "answer"}, {"2a00::1", BASE, 0, ""}}},
    {"a_redirect_to_https_of_the_same_name",
     false,
     READY,
     "",
     {{"8.8.4.4", BASE, 301, "https://www.zone.net/y"},
      {"8.8.4.4", "https://www.zone.net/y", 200, "answer"}}},
    {"a_redirect_to_another_name",
     false,
     READY,
     "",
     {{"8.8.4.4", BASE, 302, OTHER}, {"8.8.8.8", OTHER, 200, "answer"}}},
    {"a_redirect_to_another_port",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://www.zone.net:81/"}}},
    {"a_redirect_inside",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://inside.zone.net/"}}},
    {"a_redirect_to_what_has_no_address",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://nothing.zone.net/"}}},
    {"a_redirect_to_what_cannot_be_looked_up",
     false,
     READY,
     "http-unreachable",
     {{"8.8.4.4", BASE, 302, "http://failing.zone.net/"}}},
    {"a_redirect_to_a_broken_zone",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://broken.zone.net/"}}},
    {"a_redirect_to_a_mapped_address",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://[::ffff:8.8.8.8]/"}}},
    {"a_redirect_to_a_file",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "file:///etc/passwd"}}},
    {"a_redirect_with_a_password",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://user:word@other.zone.net/x"}}},
    {"a_redirect_for_ever", false, FAILS, "http-redirect", {{"8.8.4.4", NULL, 302, BASE}}},
    {"another_server_behind_a_redirect",
     false,
     FAILS,
     "http-wrong-answer http-redirect-elsewhere",
     {{"8.8.4.4", BASE, 302, OTHER}, {"8.8.8.8", OTHER, 200, "x"}}},
    {"a_router", false, FAILS, "http-wrong-answer http-device", {{"8.8.4.4", BASE, 401, "log in"}}},
    {"noise_as_a_location",
     false,
     FAILS,
     "http-redirect",
     {{"8.8.4.4", BASE, 302, "http://\x01\x02 \xff/"}}},
};

static void run_web(const struct web_scenario *s)
{
    static struct row dns_rows[] = {
        {RESOLVER, N, HC_DNS_A, HERE, 0},
        {OWN, N, HC_DNS_A, HERE, 0},
        {RESOLVER, "other.zone.net", HC_DNS_A, "A 8.8.8.8", 0},
        {RESOLVER, "inside.zone.net", HC_DNS_A, "A 10.0.0.1", 0},
        {RESOLVER, "failing.zone.net", HC_DNS_A, "!SERVFAIL", 0},
        {RESOLVER, "broken.zone.net", HC_DNS_A, "!FAIL", 0},
        {RESOLVER, N, HC_DNS_AAAA, "AAAA 2a00::1", 0},
    };
    char *items[] = {(char[]){N}};
    struct hc_list names = {items, 1, 1};
    struct hc_preflight_options o = options_for(&names);
    struct got got;
    char slugs[200] = "";

    rows = dns_rows;
    row_count = s->six ? 7 : 6;
    web_rows = s->rows;
    web_row_count = HC_COUNT(s->rows);
    while (web_row_count > 0 && s->rows[web_row_count - 1].address == NULL) {
        web_row_count--;
    }
    o.web = &fake_web;
    o.token = "tok";
    o.answer = "answer";
    run(&o, &got);
    for (size_t i = 0; i < got.findings.count; i++) {
        const char *slug = hc_problem_row(got.findings.items[i].problem)->slug;

        if (strcmp(slug, "dns-not-here") != 0) {
            snprintf(slugs + strlen(slugs), sizeof(slugs) - strlen(slugs), "%s%s",
                     slugs[0] != '\0' ? " " : "", slug);
        }
        ok(strstr(got.findings.items[i].message, "tok") == NULL ||
               strstr(got.findings.items[i].message, "answer") == NULL,
           "no finding has the answer");
    }
    is_int(got.done, 1, s->name);
    is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(s->verdict),
           "the verdict");
    is_str(slugs, s->slugs, "the findings");
    ok(!got.leave_out, "a request never blocks");
    hc_findings_dispose(&got.findings);
}

/* All addresses are asked, IPv6 first; which one answers how is told. */
static void test_all_addresses(void)
{
    static struct row dns_rows[] = {
        {RESOLVER, N, HC_DNS_A, "A 8.8.4.4|A 8.8.4.5|A 8.8.4.6|A 8.8.4.7", 0},
        {OWN, N, HC_DNS_A, "A 8.8.4.4|A 8.8.4.5|A 8.8.4.6|A 8.8.4.7", 0},
        {RESOLVER, N, HC_DNS_AAAA, "AAAA 2a00::1|AAAA 2a00::2", 0},
    };
    static const struct {
        const char *what;
        const char *token;
        struct web_row rows[6];
        const char *message; /* of http-addresses-differ; NULL: there is none */
    } cases[] = {
        {"one of four is another, with a token",
         "tok",
         {{"8.8.4.4", NULL, 200, "answer"},
          {"8.8.4.5", NULL, 200, "answer"},
          {"8.8.4.6", NULL, 404, "x"},
          {"8.8.4.7", NULL, 200, "answer"},
          {"2a00::1", NULL, 200, "answer"},
          {"2a00::2", NULL, 200, "answer"}},
         "2a00::1, 2a00::2, 8.8.4.4, 8.8.4.5, 8.8.4.7: our own answer; 8.8.4.6: status 404 instead "
         "of hotcert's answer"},
        {"one of two over IPv6, without a token",
         NULL,
         {{"8.8.4.4", NULL, 404, "x"},
          {"8.8.4.5", NULL, 404, "x"},
          {"8.8.4.6", NULL, 404, "x"},
          {"8.8.4.7", NULL, 404, "x"},
          {"2a00::1", NULL, 404, "x"},
          {"2a00::2", NULL, 200, "x"}},
         "2a00::1, 8.8.4.4, 8.8.4.5, 8.8.4.6, 8.8.4.7: an answer (status 404); 2a00::2: an answer "
         "(status 200)"},
        {"one that does not answer is no difference",
         NULL,
         {{"8.8.4.4", NULL, 404, "x"},
          {"8.8.4.5", NULL, 0, ""},
          {"8.8.4.6", NULL, 404, "x"},
          {"8.8.4.7", NULL, 404, "x"},
          {"2a00::1", NULL, 404, "x"},
          {"2a00::2", NULL, 404, "x"}},
         NULL},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        char *items[] = {(char[]){N}};
        struct hc_list names = {items, 1, 1};
        struct hc_preflight_options o = options_for(&names);
        const struct hc_finding *found = NULL;
        struct got got;

        rows = dns_rows;
        row_count = HC_COUNT(dns_rows);
        web_rows = cases[i].rows;
        web_row_count = HC_COUNT(cases[i].rows);
        o.web = &fake_web;
        o.token = cases[i].token;
        o.answer = cases[i].token != NULL ? "answer" : NULL;
        run(&o, &got);
        is_int(web_asked, 6, cases[i].what);
        found = hc_findings_find(&got.findings, HC_P_HTTP_ADDRESSES_DIFFER, NULL);
        is_int(found != NULL, cases[i].message != NULL, "told or not");
        if (found != NULL && cases[i].message != NULL) {
            is_str(found->message, cases[i].message, "who answers how");
            is_int(got.verdict, FAILS, "a CA may ask any of them");
        }
        hc_findings_dispose(&got.findings);
    }
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void test_network(void)
{
    static struct row dns_rows[] = {
        {RESOLVER, N, HC_DNS_A, "A 10.0.0.1", 0},
        {OWN, N, HC_DNS_A, "A 10.0.0.1", 0},
        {RESOLVER, "ca.inside.net", HC_DNS_A, "A 10.0.0.2", 0},
        {RESOLVER, "ca.outside.net", HC_DNS_A, "A 8.8.8.8|A 10.0.0.2", 0},
        {RESOLVER, "ca.invalid.net", HC_DNS_A, "!SERVFAIL", 1},
        {RESOLVER, "ca.invalid.net", HC_DNS_A, "A 10.0.0.2", 0},
    };
    static const struct {
        const char *url;
        enum hc_network network;
        enum hc_preflight_verdict verdict;
        unsigned asked;
    } cases[] = {
        {"https://10.1.1.1/dir", HC_NETWORK_AUTO, READY, 1},
        {"https://[::1]:14000/dir", HC_NETWORK_AUTO, READY, 1},
        {"https://localhost:14000/dir", HC_NETWORK_AUTO, READY, 1},
        {"https://ca.inside.net/dir", HC_NETWORK_AUTO, READY, 1},
        {"https://ca.outside.net/dir", HC_NETWORK_AUTO, FAILS, 0},
        {"https://ca.invalid.net/dir", HC_NETWORK_AUTO, READY, 1}, /* an answer with CD alone */
        {"https://ca.nowhere.net/dir", HC_NETWORK_AUTO, FAILS, 0},
        {"https://8.8.8.8/dir", HC_NETWORK_AUTO, FAILS, 0},
        {"https://10.1.1.1/dir", HC_NETWORK_PUBLIC, FAILS, 0},
        {"https://8.8.8.8/dir", HC_NETWORK_PRIVATE, READY, 1},
        {NULL, HC_NETWORK_AUTO, FAILS, 0},
    };
    static const struct web_row answer[] = {
        {"10.0.0.1", "http://www.zone.net:8080/.well-known/acme-challenge/tok", 200, "answer"}};
    char *items[] = {(char[]){N}};
    struct hc_list names = {items, 1, 1};

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_preflight_options o = options_for(&names);
        struct got got;

        rows = dns_rows;
        row_count = HC_COUNT(dns_rows);
        web_rows = answer;
        web_row_count = 1;
        o.network = cases[i].network;
        o.directory_url = cases[i].url;
        o.http_port = 8080;
        o.web = &fake_web;
        o.token = "tok";
        o.answer = "answer";
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(cases[i].verdict),
               cases[i].url != NULL ? cases[i].url : "no directory");
        is_int(web_asked, cases[i].asked, "and whether a reserved address is asked");
        hc_findings_dispose(&got.findings);
    }
}

/* A private CA may follow redirects to its own ports; to others nobody does. */
static void test_private_redirects(void)
{
    static struct row dns_rows[] = {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, HERE, 0}};
    static const struct {
        const char *location;
        enum hc_preflight_verdict verdict;
    } cases[] = {
        {"https://www.zone.net:5001/x", READY},
        {"https://www.zone.net/x", READY},
        {"http://www.zone.net:8080/x", READY},
        {"https://www.zone.net:5002/x", FAILS},
    };
    char *items[] = {(char[]){N}};
    struct hc_list names = {items, 1, 1};

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        const struct web_row answers[] = {
            {"8.8.4.4", "http://www.zone.net:8080/.well-known/acme-challenge/tok", 301,
             cases[i].location},
            {"8.8.4.4", NULL, 200, "answer"},
        };
        struct hc_preflight_options o = options_for(&names);
        struct got got;

        rows = dns_rows;
        row_count = HC_COUNT(dns_rows);
        web_rows = answers;
        web_row_count = HC_COUNT(answers);
        o.network = HC_NETWORK_PRIVATE;
        o.http_port = 8080;
        o.tls_port = 5001;
        o.web = &fake_web;
        o.token = "tok";
        o.answer = "answer";
        run(&o, &got);
        is_str(hc_preflight_verdict_name(got.verdict), hc_preflight_verdict_name(cases[i].verdict),
               cases[i].location);
        hc_findings_dispose(&got.findings);
    }
}

static void free_from_within(void *self, const struct hc_preflight_result *result)
{
    struct hc_preflight **p = self;

    (void)result;
    hc_preflight_free(*p);
    *p = NULL;
}

static void test_lives(void)
{
    static struct row dns_rows[] = {{RESOLVER, N, HC_DNS_A, HERE, 0}, {OWN, N, HC_DNS_A, HERE, 0}};
    char *items[] = {(char[]){N}};
    struct hc_list names = {items, 1, 1};
    struct hc_preflight_options o = options_for(&names);
    struct hc_preflight *p = NULL;
    struct hc_error err = {0};

    rows = dns_rows;
    row_count = 2;
    is_int(hc_preflight_start(&o, &p, &err), 0, "started");
    ok(pending_count > 0, "with questions in flight");
    hc_preflight_free(p);
    is_int(pending_count, 0, "freed, none is");
    o.done = free_from_within;
    o.self = &p;
    is_int(hc_preflight_start(&o, &p, &err), 0, "started again");
    for (int i = 0; i < 100 && p != NULL; i++) {
        (void)!hc_loop_pass(loop, 0, NULL);
        pump_dns();
    }
    ok(p == NULL, "it may be freed from within done()");
    hc_preflight_free(NULL);
    items[0] = (char[]){"a..b"};
    is_int(hc_preflight_start(&o, &p, &err), -1, "a name that is none is refused");
    is_int(err.problem, HC_P_NAME_INVALID, "with its cause");
    ok(p == NULL, "and nothing to free");
}

/* Where no DNS gets out, that is found out once, not for every name. */
static void test_shut_in(void)
{
    static struct row dns_rows[40];
    static char texts[20][24];
    char *items[20];
    struct hc_list names = {items, 20, 20};
    struct hc_preflight_options o = options_for(&names);
    struct got got;

    for (size_t i = 0; i < 20; i++) {
        snprintf(texts[i], sizeof(texts[i]), "zone%zu.net", i);
        items[i] = texts[i];
        dns_rows[2 * i] = (struct row){RESOLVER, texts[i], HC_DNS_A, HERE, 0};
        dns_rows[2 * i + 1] = (struct row){OWN, texts[i], HC_DNS_A, "!SILENT", 0};
    }
    rows = dns_rows;
    row_count = HC_COUNT(dns_rows);
    run(&o, &got);
    is_int(got.done, 1, "twenty zones, none of whose servers can be reached");
    is_int(got.verdict, READY, "the resolvers' word counts");
    ok(got.took < HC_ZONE_ASK_MS + 1000, "after waiting once");
    hc_findings_dispose(&got.findings);
}

/* A hundred names of one zone share what they have in common. */
static void test_shares(void)
{
    static struct row dns_rows[] = {{OWN, "zone.net", HC_DNS_CAA, "CAA issue ca.net", 0}};
    static char texts[100][24];
    char *items[100];
    struct hc_list names = {items, 100, 100};
    struct hc_preflight_options o = options_for(&names);
    struct got got;

    for (int i = 0; i < 100; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n%d.zone.net", i);
        items[i] = texts[i];
    }
    rows = dns_rows;
    row_count = 1;
    run(&o, &got);
    is_int(got.done, 1, "a hundred names");
    /* each: A, AAAA, CAA, SOA; once: SOA, NS, two addresses, CAA */
    is_int(asked[RESOLVER], 100 * 4 + 5, "ask the resolvers four times each, and five in common");
    is_int(asked[OWN], 100 * 2 + 1, "the zone's servers twice each, and once in common");
    hc_findings_dispose(&got.findings);
}

int main(void)
{
    if (hc_loop_new(&fake_clock, &loop, NULL) != 0) {
        return 99;
    }
    for (size_t i = 0; i < HC_COUNT(scenarios); i++) {
        run_scenario(&scenarios[i]);
    }
    for (size_t i = 0; i < HC_COUNT(web_scenarios); i++) {
        run_web(&web_scenarios[i]);
    }
    test_all_addresses();
    test_suffixes();
    test_whole_sets();
    test_accounts();
    test_address_by_dns();
    test_network();
    test_private_redirects();
    test_lives();
    test_shut_in();
    test_shares();
    test_without_netlink(); /* the last: it cannot be undone */
    hc_loop_free(loop);
    return done();
}
