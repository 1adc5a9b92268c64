/* From probes to findings: what fails, what is a remark, what is told of several addresses. */
#include "preflight/judge.h"

#include "tap.h"

static const struct hc_probe_how how = {.tls_port = 443};

struct answer {
    const char *address;
    enum hc_probe_end end;
    const char *what;
    enum hc_problem error;
};

struct judged {
    const char *name;
    bool advises;
    struct answer answers[4];
    enum hc_preflight_verdict verdict;
    const char *slugs; /* in order; "!" behind those that are remarks */
};

#define RIGHT(a)                                                                                   \
    {                                                                                              \
        a, HC_PROBE_RIGHT, "a certificate that proves the name", HC_P_NONE                         \
    }
#define WRONG(a)                                                                                   \
    {                                                                                              \
        a, HC_PROBE_WRONG, "another server answers with X", HC_P_NONE                              \
    }
#define PLAIN(a)                                                                                   \
    {                                                                                              \
        a, HC_PROBE_NOT_TLS, "it answers in plain HTTP", HC_P_NONE                                 \
    }
#define CLOSED(a)                                                                                  \
    {                                                                                              \
        a, HC_PROBE_UNREACHABLE, "Connection refused", HC_P_FETCH_FAILED                           \
    }
#define LATE(a)                                                                                    \
    {                                                                                              \
        a, HC_PROBE_UNREACHABLE, "no time", HC_P_TIMED_OUT                                         \
    }

static const struct judged cases[] = {
    {"a_proof", false, {RIGHT("8.8.4.4")}, HC_PREFLIGHT_READY, ""},
    {"another_server", false, {WRONG("8.8.4.4")}, HC_PREFLIGHT_WOULD_FAIL, "tls-wrong-answer"},
    {"another_way_is_open", true, {WRONG("8.8.4.4")}, HC_PREFLIGHT_READY, "tls-wrong-answer!"},
    {"plain_http", false, {PLAIN("8.8.4.4")}, HC_PREFLIGHT_WOULD_FAIL, "tls-not-spoken"},
    {"a_closed_port", false, {CLOSED("8.8.4.4")}, HC_PREFLIGHT_READY, "tls-unreachable!"},
    {"a_closed_port_that_need_not_be_open", true, {CLOSED("8.8.4.4")}, HC_PREFLIGHT_READY, ""},
    {"what_was_not_asked", false, {LATE("8.8.4.4")}, HC_PREFLIGHT_READY, ""},
    {"closed_over_IPv6_alone",
     false,
     {CLOSED("2a00::1"), RIGHT("8.8.4.4")},
     HC_PREFLIGHT_READY,
     "tls-unreachable!"},
    {"one_of_three_is_another",
     false,
     {RIGHT("2a00::1"), RIGHT("8.8.4.4"), WRONG("8.8.4.5")},
     HC_PREFLIGHT_WOULD_FAIL,
     "tls-wrong-answer tls-addresses-differ"},
    {"all_are_others",
     false,
     {WRONG("8.8.4.4"), WRONG("8.8.4.5")},
     HC_PREFLIGHT_WOULD_FAIL,
     "tls-wrong-answer"},
    {"one_is_another_and_the_rest_closed",
     false,
     {WRONG("2a00::1"), CLOSED("8.8.4.4")},
     HC_PREFLIGHT_WOULD_FAIL,
     "tls-wrong-answer tls-unreachable!"},
};

static void run(const struct judged *c)
{
    struct hc_preflight_name out = {.name = "a.test"};
    struct hc_error err;
    struct hc_name_judge judge = {
        .out = &out, .host = "a.test", .advises = c->advises, .err = &err};
    struct hc_probe probes[4];
    size_t count = 0;
    char slugs[200] = "";

    hc_error_init(&err);
    memset(probes, 0, sizeof(probes));
    for (; count < HC_COUNT(c->answers) && c->answers[count].address != NULL; count++) {
        struct hc_probe *probe = &probes[count];
        struct hc_error why;

        hc_error_init(&why);
        hc_error_set(&why, c->answers[count].error, NULL, "%s", c->answers[count].what);
        hc_kept_error_set(&probe->error, &why);
        probe->how = &how;
        probe->host = "a.test";
        probe->end = c->answers[count].end;
        (void)hc_copy(probe->what, sizeof(probe->what), c->answers[count].what);
        if (hc_address_parse(c->answers[count].address, &probe->address) != 0) {
            abort();
        }
    }
    hc_judge_probes(&judge, probes, count);
    for (size_t i = 0; i < out.findings.count; i++) {
        size_t used = strlen(slugs);

        (void)snprintf(slugs + used, sizeof(slugs) - used, "%s%s%s", used > 0 ? " " : "",
                       hc_problem_row(out.findings.items[i].problem)->slug,
                       out.findings.items[i].rank == HC_CLASS_REMARK ? "!" : "");
    }
    is_str(slugs, c->slugs, c->name);
    is_int(out.verdict, c->verdict, "the verdict");
    ok(!out.leave_out, "no handshake leaves a name out");
    is_int(out.seen.count, count, "each address is in the report");
    if (strstr(c->slugs, "differ") != NULL) {
        is_str(hc_findings_find(&out.findings, HC_P_TLS_ADDRESSES_DIFFER, NULL)->message,
               "2a00::1, 8.8.4.4: a certificate that proves the name; 8.8.4.5: another server "
               "answers with X",
               "which answers right, which not");
    }
    for (size_t i = 0; i < count; i++) {
        hc_kept_error_dispose(&probes[i].error);
    }
    hc_findings_dispose(&out.findings);
    hc_list_dispose(&out.seen);
}

static void what_is_seen_is_harmless(void)
{
    struct hc_preflight_name out = {0};
    struct hc_error err;
    struct hc_name_judge judge = {.out = &out, .host = "a.test", .err = &err};

    hc_error_init(&err);
    hc_judge_seen(&judge, "%s answers", "\033[2J\\x1b");
    is_str(out.seen.items[0], "\\x1b[2J\\x1b answers", "escaped once");
    hc_list_dispose(&out.seen);
}

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        run(&cases[i]);
    }
    what_is_seen_is_harmless();
    return done();
}
