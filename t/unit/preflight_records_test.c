/*
 * Records that prove a name: what is missing, what stands in the wrong place, and which of two ways
 * by the DNS counts.
 */
#include "preflight_world.h"

#define N       "www.zone.net"
#define LABEL   "_acme-challenge." N
#define PERSIST "_validation-persist." N
#define VALUE   "TXT LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
#define ACCOUNT "https://ca.net/acct/1"
#define RIGHT   "TXT ca.net; accounturi=" ACCOUNT

static const struct hc_list no_accounts;

struct seen {
    enum hc_preflight_verdict verdict;
    bool leave_out;
    char slugs[200]; /* "!" behind remarks */
    struct hc_findings findings;
};

/* One preflight of N by these methods ("" ends them). */
static struct seen see(struct row *dns_rows, size_t count, const char *const *methods,
                       const struct hc_preflight_options *with)
{
    char *items[] = {(char[]){N}};
    struct hc_list names = {items, 1, 1};
    struct hc_preflight_options o = options_for(&names);
    struct hc_list words = {0};
    struct seen seen = {.slugs = ""};
    struct got got;

    for (size_t i = 0; methods[i] != NULL; i++) {
        if (hc_list_add(&words, methods[i], NULL) != 0) {
            abort();
        }
    }
    rows = dns_rows;
    row_count = count;
    o.methods = &words;
    o.accounts = with->accounts;
    o.account_uri = with->account_uri;
    o.targets = with->targets;
    o.responder = with->responder;
    run(&o, &got);
    is_int(got.done, 1, "it ends");
    seen.verdict = got.verdict;
    seen.leave_out = got.leave_out;
    seen.findings = got.findings;
    for (size_t i = 0; i < got.findings.count; i++) {
        size_t used = strlen(seen.slugs);

        (void)snprintf(seen.slugs + used, sizeof(seen.slugs) - used, "%s%s%s", used > 0 ? " " : "",
                       hc_problem_row(got.findings.items[i].problem)->slug,
                       got.findings.items[i].rank == HC_CLASS_REMARK ? "!" : "");
    }
    hc_list_dispose(&words);
    return seen;
}

static const char *const written[] = {"dns-01", NULL};
static const char *const standing_one[] = {"dns-persist-01", NULL};
static const char *const both[] = {"dns-01", "dns-persist-01", NULL};

/* ---- the wrong place ---- */

struct misplaced_case {
    const char *what;
    const char *const *methods;
    struct row row;
    const char *slugs;
    const char *hint;
};

static const struct misplaced_case misplaced[] = {
    {"a value below the zone twice",
     written,
     {OWN, LABEL ".zone.net", HC_DNS_TXT, VALUE, 0},
     "dns-zone-doubled!",
     "enter _acme-challenge.www as the record's name there, which makes it " LABEL "."},
    {"an alias below the zone twice",
     written,
     {OWN, LABEL ".zone.net", HC_DNS_TXT, "CNAME a.acme.net", 0},
     "dns-zone-doubled!",
     "enter _acme-challenge.www"},
    {"a value at the name",
     written,
     {OWN, N, HC_DNS_TXT, "TXT v=spf1 -all|" VALUE, 0},
     "dns-label-missing!",
     "move it to " LABEL "."},
    {"other texts at the name", written, {OWN, N, HC_DNS_TXT, "TXT v=spf1 -all", 0}, "", ""},
    {"a value where the name's alias leads",
     written,
     {OWN, N, HC_DNS_TXT, "CNAME x.zone.net|" VALUE, 0},
     "",
     ""},
    {"a value where it belongs",
     written,
     {OWN, LABEL, HC_DNS_TXT, VALUE, 0},
     "dns-stale-record!",
     "remove the TXT record"},
    {"a record that stays, below the zone twice",
     standing_one,
     {OWN, PERSIST ".zone.net", HC_DNS_TXT, RIGHT, 0},
     "dns-persist-missing dns-zone-doubled!",
     "enter _validation-persist.www as"},
    {"a record that stays, at the name",
     standing_one,
     {OWN, N, HC_DNS_TXT, RIGHT, 0},
     "dns-persist-missing dns-label-missing!",
     "move it to " PERSIST "."},
    {"a record that stays, where it belongs",
     standing_one,
     {OWN, PERSIST, HC_DNS_TXT, RIGHT, 0},
     "",
     ""},
};

static void test_misplaced(void)
{
    for (size_t i = 0; i < HC_COUNT(misplaced); i++) {
        const struct misplaced_case *c = &misplaced[i];
        struct hc_preflight_options with = {.accounts = &no_accounts, .account_uri = ACCOUNT};
        struct row one[] = {c->row};
        struct seen seen = see(one, 1, c->methods, &with);

        is_str(seen.slugs, c->slugs, c->what);
        ok(seen.findings.count == 0 ||
               strstr(seen.findings.items[seen.findings.count - 1].hint, c->hint) != NULL,
           c->hint);
        hc_findings_dispose(&seen.findings);
    }
}

/* "*.zone.net" stands for the doubled name as for any other. */
static void test_a_wildcard_is_no_mistake(void)
{
    static const char *const answers[] = {"CNAME zone.net|TXT v=spf1", "TXT v=spf1 -all", VALUE};

    for (size_t i = 0; i < HC_COUNT(answers); i++) {
        struct hc_preflight_options with = {.accounts = &no_accounts, .account_uri = ACCOUNT};
        struct row all[] = {
            {OWN, LABEL ".zone.net", HC_DNS_TXT, answers[i], 0},
            {OWN, "hotcert-nobody." N ".zone.net", HC_DNS_TXT, answers[i], 0},
        };
        struct seen seen = see(all, HC_COUNT(all), written, &with);

        is_str(seen.slugs, "", answers[i]);
        hc_findings_dispose(&seen.findings);
    }
}

static void test_other_texts_are_not_meant(void)
{
    struct hc_preflight_options with = {.accounts = &no_accounts, .account_uri = ACCOUNT};
    struct row one[] = {{OWN, LABEL ".zone.net", HC_DNS_TXT, "TXT v=spf1 -all", 0}};
    struct seen seen = see(one, 1, written, &with);

    is_str(seen.slugs, "", "below the zone twice, but no value of a challenge");
    hc_findings_dispose(&seen.findings);
}

/* Before an order the record is missing as a rule: nothing is asked for then. */
static void test_orders_ask_for_their_own_record_alone(void)
{
    struct hc_preflight_options with = {.account_uri = ACCOUNT};
    struct row one[] = {{OWN, LABEL ".zone.net", HC_DNS_TXT, VALUE, 0}};
    struct seen seen = see(one, 1, written, &with);

    is_str(seen.slugs, "", "of an order's own record nothing is told");
    hc_findings_dispose(&seen.findings);
    one[0] = (struct row){OWN, PERSIST ".zone.net", HC_DNS_TXT, RIGHT, 0};
    seen = see(one, 1, standing_one, &with);
    is_str(seen.slugs, "dns-persist-missing dns-zone-doubled!", "of the operator's it is");
    ok(seen.leave_out, "and the name is left out");
    hc_findings_dispose(&seen.findings);
}

/* ---- the alias that must be there ---- */

static void test_alias(void)
{
    static const struct {
        const char *what;
        const char *alias; /* at the label; NULL: there is none */
        enum hc_preflight_verdict verdict;
        const char *slugs;
        const char *hint;
    } cases[] = {
        {"the right one", "CNAME a1.acme.net", HC_PREFLIGHT_READY, "", ""},
        {"another one", "CNAME b2.acme.net", HC_PREFLIGHT_WOULD_FAIL, "dns-alias-missing",
         "replace it with: " LABEL ". 300 IN CNAME a1.acme.net."},
        {"none", "", HC_PREFLIGHT_WOULD_FAIL, "dns-alias-missing",
         "add: " LABEL ". 300 IN CNAME a1.acme.net."},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        char *pair[] = {(char[]){"other.zone.net"}, (char[]){"b2.acme.net"}, (char[]){N},
                        (char[]){"a1.acme.net"}};
        struct hc_list targets = {pair, 4, 4};
        struct hc_preflight_options with = {.accounts = &no_accounts, .targets = &targets};
        struct row one[] = {{OWN, LABEL, HC_DNS_CNAME, cases[i].alias, 0}};
        struct seen seen = see(one, 1, written, &with);

        is_str(seen.slugs, cases[i].slugs, cases[i].what);
        is_int(seen.verdict, cases[i].verdict, "the verdict");
        ok(seen.findings.count == 0 || strcmp(seen.findings.items[0].hint, cases[i].hint) == 0,
           "the record to add");
        hc_findings_dispose(&seen.findings);
    }
}

/* ---- two ways ---- */

struct ways_case {
    const char *what;
    const char *soa; /* of the label: "" leads to somebody else's server */
    const char *persist;
    const char *account_uri;
    enum hc_preflight_verdict verdict;
    bool leave_out;
};

static const struct ways_case ways[] = {
    {"not delegated, the standing record right", "", RIGHT, ACCOUNT, HC_PREFLIGHT_READY, false},
    {"not delegated, no standing record", "", "", ACCOUNT, HC_PREFLIGHT_WOULD_FAIL, true},
    {"not delegated, no account yet", "", "", NULL, HC_PREFLIGHT_WOULD_FAIL, false},
    {"the label does not resolve, no standing record", "!SERVFAIL", "", ACCOUNT,
     HC_PREFLIGHT_UNKNOWN, false},
    {"not delegated, the standing record does not resolve", "", "!SERVFAIL", ACCOUNT,
     HC_PREFLIGHT_UNKNOWN, false},
    {"neither resolves", "!SERVFAIL", "!SERVFAIL", ACCOUNT, HC_PREFLIGHT_UNKNOWN, false},
    {"the label does not resolve, the standing record right", "!SERVFAIL", RIGHT, ACCOUNT,
     HC_PREFLIGHT_READY, false},
};

static void test_ways(void)
{
    struct hc_dns_domain domain;
    struct hc_list none = {0};

    if (hc_dns_domain_of_zone("acme.zone.net", &domain, NULL) != 0 ||
        hc_dns_domain_serve(&domain, &none, "ns.acme.net", NULL) != 0) {
        abort();
    }
    for (size_t i = 0; i < HC_COUNT(ways); i++) {
        const struct ways_case *c = &ways[i];
        struct hc_preflight_options with = {.account_uri = c->account_uri, .responder = &domain};
        struct row all[] = {{RESOLVER, LABEL, HC_DNS_SOA, c->soa, 0},
                            {OWN, LABEL, HC_DNS_SOA, c->soa, 0},
                            {RESOLVER, PERSIST, HC_DNS_TXT, c->persist, 0},
                            {OWN, PERSIST, HC_DNS_TXT, c->persist, 0}};
        struct seen seen = see(all, HC_COUNT(all), both, &with);

        is_str(hc_preflight_verdict_name(seen.verdict), hc_preflight_verdict_name(c->verdict),
               c->what);
        is_int(seen.leave_out, c->leave_out, c->leave_out ? "it is left out" : "it stays");
        hc_findings_dispose(&seen.findings);
    }
    hc_dns_domain_dispose(&domain);
}

/* ---- who will order ---- */

#define OTHER "TXT ca.net; accounturi=https://ca.net/acct/2"

struct who_case {
    const char *what;
    const char *method;
    const char *persist;
    const char *accounts[5]; /* URL, store, .. */
    bool agent;              /* an agent asks, which has no account yet */
    enum hc_preflight_verdict verdict;
    const char *slugs;
};

static const struct who_case whos[] = {
    {"no account at hand",
     "dns-persist-01",
     RIGHT,
     {NULL},
     false,
     HC_PREFLIGHT_UNKNOWN,
     "dns-persist-account"},
    {"no account at hand and no record",
     "dns-persist-01",
     "",
     {NULL},
     false,
     HC_PREFLIGHT_WOULD_FAIL,
     "dns-persist-missing"},
    {"the account at hand",
     "dns-persist-01",
     RIGHT,
     {ACCOUNT, "/a"},
     false,
     HC_PREFLIGHT_READY,
     ""},
    {"another account at hand",
     "dns-persist-01",
     OTHER,
     {ACCOUNT, "/a"},
     false,
     HC_PREFLIGHT_WOULD_FAIL,
     "dns-persist-account"},
    {"two stores with one account",
     "dns-persist-01",
     RIGHT,
     {ACCOUNT, "/a", ACCOUNT, "/b"},
     false,
     HC_PREFLIGHT_READY,
     ""},
    {"two accounts at hand, one is right",
     "dns-persist-01",
     RIGHT,
     {"https://ca.net/acct/2", "/a", ACCOUNT, "/b"},
     false,
     HC_PREFLIGHT_UNKNOWN,
     "dns-persist-account"},
    {"two accounts at hand, none is right",
     "dns-persist-01",
     RIGHT,
     {"https://ca.net/acct/2", "/a", "https://ca.net/acct/3", "/b"},
     false,
     HC_PREFLIGHT_WOULD_FAIL,
     "dns-persist-account"},
    {"an agent before its first order",
     "dns-persist-01",
     RIGHT,
     {NULL},
     true,
     HC_PREFLIGHT_READY,
     ""},
    {"a label of no account",
     "dns-account-01",
     "",
     {NULL},
     false,
     HC_PREFLIGHT_UNKNOWN,
     "account-unknown"},
    {"a label of one account",
     "dns-account-01",
     "",
     {ACCOUNT, "/a", ACCOUNT, "/b"},
     false,
     HC_PREFLIGHT_READY,
     ""},
    {"a label of two accounts",
     "dns-account-01",
     "",
     {"https://ca.net/acct/2", "/a", ACCOUNT, "/b"},
     false,
     HC_PREFLIGHT_UNKNOWN,
     "account-unknown"},
    {"a label of an agent before its first order",
     "dns-account-01",
     "",
     {NULL},
     true,
     HC_PREFLIGHT_READY,
     ""},
};

static void test_who_will_order(void)
{
    for (size_t i = 0; i < HC_COUNT(whos); i++) {
        const struct who_case *c = &whos[i];
        const char *const methods[] = {c->method, NULL};
        struct hc_list accounts = {0};
        struct hc_preflight_options with = {.accounts = c->agent ? NULL : &accounts};
        struct row one[] = {{OWN, PERSIST, HC_DNS_TXT, c->persist, 0}};
        struct seen seen;

        for (int k = 0; c->accounts[k] != NULL; k++) {
            if (hc_list_add(&accounts, c->accounts[k], NULL) != 0) {
                abort();
            }
        }
        seen = see(one, 1, methods, &with);
        is_str(seen.slugs, c->slugs, c->what);
        is_str(hc_preflight_verdict_name(seen.verdict), hc_preflight_verdict_name(c->verdict),
               "the verdict");
        hc_findings_dispose(&seen.findings);
        hc_list_dispose(&accounts);
    }
}

int main(void)
{
    if (hc_loop_new(&fake_clock, &loop, NULL) != 0) {
        return 99;
    }
    test_misplaced();
    test_a_wildcard_is_no_mistake();
    test_other_texts_are_not_meant();
    test_orders_ask_for_their_own_record_alone();
    test_alias();
    test_ways();
    test_who_will_order();
    hc_loop_free(loop);
    return done();
}
