/* The CA's refusals in the preflight's words. */
#include "preflight/refusal.h"
#include "tap.h"

static const struct {
    enum hc_problem said;
    enum hc_problem means; /* what its words add */
    enum hc_problem ours;
} rows[] = {
    {HC_P_CA_SAYS_CAA, HC_P_NONE, HC_P_CAA_OTHER_ISSUER},
    {HC_P_CA_SAYS_CAA, HC_P_CAA_FAILED, HC_P_CAA_FAILED},
    {HC_P_CA_SAYS_DNS, HC_P_NONE, HC_P_DNS_NO_ADDRESS},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_NO_SUCH_NAME, HC_P_DNS_NO_SUCH_NAME},
    {HC_P_CA_SAYS_CONNECTION, HC_P_NONE, HC_P_HTTP_UNREACHABLE},
    {HC_P_CA_SAYS_CONNECTION, HC_P_HTTP_REDIRECT, HC_P_HTTP_REDIRECT},
    {HC_P_CA_SAYS_ANSWER, HC_P_NONE, HC_P_HTTP_WRONG_ANSWER},
    {HC_P_CA_SAYS_ANSWER, HC_P_DNS_WRONG_TXT, HC_P_DNS_WRONG_TXT},
    {HC_P_CA_SAYS_NAME, HC_P_NONE, HC_P_NAME_INVALID},
    {HC_P_RATE_LIMITED, HC_P_NONE, HC_P_NONE},
    {HC_P_CA_ERROR, HC_P_NONE, HC_P_NONE},
};

int main(void)
{
    struct hc_preflight_name seen = {.name = "www.example.net", .cause = HC_P_DNS_NO_SUCH_NAME};
    struct hc_error said = {0};
    struct hc_error policy = {0};
    struct hc_error err = {0};
    char text[2048];

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error e = {0};

        hc_error_set(&e, rows[i].said, NULL,
                     "words like NXDOMAIN, CAA and redirect decide nothing");
        e.foreign.means = rows[i].means;
        is_str(hc_problem_row(hc_refusal_problem(&e))->slug, hc_problem_row(rows[i].ours)->slug,
               hc_problem_row(rows[i].said)->slug);
    }
    hc_error_set(&said, HC_P_CA_SAYS_DNS, NULL, "NXDOMAIN looking up A");
    said.foreign.means = HC_P_DNS_NO_SUCH_NAME;
    is_str(hc_refusal_describe(&said, NULL, text, sizeof(text)),
           "the CA says: NXDOMAIN looking up A (dns-no-such-name); give the name an A or AAAA "
           "record that leads to this "
           "server, and check the zone's name servers and DNSSEC",
           "without a look of our own");
    is_str(hc_refusal_describe(&said, &seen, text, sizeof(text)),
           "the CA says: NXDOMAIN looking up A (dns-no-such-name); a second check from here found "
           "nothing wrong; give the name an A or AAAA record that leads to this "
           "server, and check the zone's name servers and DNSSEC",
           "with one that found nothing");
    {
        struct hc_error record = {0};

        hc_error_set(&record, HC_P_CA_SAYS_ANSWER, NULL,
                     "No TXT record found at _acme-challenge.x");
        record.foreign.means = HC_P_DNS_WRONG_TXT;
        (void)hc_refusal_describe(&record, &seen, text, sizeof(text));
        ok(strstr(text, "(dns-wrong-txt); its resolver") != NULL &&
               strstr(text, "another server") == NULL && strstr(text, "nothing wrong") == NULL,
           "of a record in the DNS nothing is said about web servers");
    }
    hc_error_set(&policy, HC_P_CA_SAYS_NAME, NULL, "policy forbids issuing for name");
    is_str(hc_refusal_describe(&policy, &seen, text, sizeof(text)),
           "the CA says: policy forbids issuing for name (ca-says-name); the CA's message says "
           "why; remove the name from the host, or use another issuer for it",
           "what no look could see is not called well");
    is_int(hc_findings_add(&seen.findings, HC_P_DNS_NOT_HERE, seen.name, &err, "elsewhere"), 0,
           "a remark");
    is_int(hc_findings_add(&seen.findings, HC_P_DNS_NO_SUCH_NAME, seen.name, &err, "not there"), 0,
           "and the cause");
    is_int(hc_findings_hint(&seen.findings, &err, "add it"), 0, "with a hint");
    is_str(
        hc_refusal_describe(&said, &seen, text, sizeof(text)),
        "the CA says: NXDOMAIN looking up A (dns-no-such-name); from here: dns-no-such-name: not "
        "there; add it",
        "the cause is told, not the remark");
    hc_error_init(&said);
    hc_error_set(&said, HC_P_CA_SAYS_DNS, NULL, "the CA says: NXDOMAIN");
    said.foreign.means = HC_P_DNS_NO_SUCH_NAME;
    (void)hc_copy(said.foreign.type, sizeof(said.foreign.type), "dns");
    is_str(hc_refusal_describe(&said, NULL, text, sizeof(text)),
           "the CA says: NXDOMAIN (dns-no-such-name); give the name an A or AAAA record that leads "
           "to this "
           "server, and check the zone's name servers and DNSSEC",
           "the words of a problem document are introduced already");
    is_int(strlen(hc_refusal_describe(&said, &seen, text, 40)), 39, "it is cut where it must");
    hc_findings_dispose(&seen.findings);
    return done();
}
