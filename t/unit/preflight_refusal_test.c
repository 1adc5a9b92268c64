/* The CA's refusals in the preflight's words. */
#include "preflight/refusal.h"
#include "tap.h"

static const struct {
    enum hc_problem said;
    const char *detail;
    enum hc_problem ours;
} rows[] = {
    {HC_P_CA_SAYS_CAA, "CAA record for example.net prevents issuance", HC_P_CAA_OTHER_ISSUER},
    {HC_P_CA_SAYS_CAA, "While processing CAA for example.net: DNS problem: SERVFAIL looking up CAA",
     HC_P_CAA_FAILED},
    {HC_P_CA_SAYS_CAA, "DNS problem: query timed out looking up CAA", HC_P_CAA_FAILED},
    {HC_P_CA_SAYS_DNS, "DNS problem: NXDOMAIN looking up A for www.example.net",
     HC_P_DNS_NO_SUCH_NAME},
    {HC_P_CA_SAYS_DNS, "DNS problem: SERVFAIL looking up A for www.example.net", HC_P_DNS_FAILED},
    {HC_P_CA_SAYS_DNS, "DNS problem: looking up A: DNSSEC: Bogus", HC_P_DNS_DNSSEC_BROKEN},
    {HC_P_CA_SAYS_DNS, "DNS problem: looking up CAA: SERVFAIL", HC_P_CAA_FAILED},
    {HC_P_CA_SAYS_DNS, "no valid A records found for www.example.net", HC_P_DNS_NO_ADDRESS},
    {HC_P_CA_SAYS_DNS, "10.0.0.1 is a reserved address", HC_P_DNS_RESERVED_ADDRESS},
    {HC_P_CA_SAYS_CONNECTION, "Fetching http://..: Connection refused", HC_P_HTTP_UNREACHABLE},
    {HC_P_CA_SAYS_CONNECTION, "Too many redirects", HC_P_HTTP_REDIRECT},
    {HC_P_CA_SAYS_CONNECTION, "could not resolve URL \"http://..\"", HC_P_DNS_FAILED},
    {HC_P_CA_SAYS_ANSWER, "The key authorization file from the server did not match",
     HC_P_HTTP_WRONG_ANSWER},
    {HC_P_CA_SAYS_NAME, "policy forbids issuing for name", HC_P_NAME_INVALID},
    {HC_P_RATE_LIMITED, "too many certificates", HC_P_NONE},
    {HC_P_CA_ERROR, "", HC_P_NONE},
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

        hc_error_set(&e, rows[i].said, NULL, "%s", rows[i].detail);
        is_str(hc_problem_row(hc_refusal_problem(&e))->slug, hc_problem_row(rows[i].ours)->slug,
               rows[i].detail);
    }
    hc_error_set(&said, HC_P_CA_SAYS_DNS, NULL, "NXDOMAIN looking up A");
    is_str(hc_refusal_describe(&said, NULL, text, sizeof(text)),
           "the CA says: NXDOMAIN looking up A (dns-no-such-name); give the name an A or AAAA "
           "record that leads to this "
           "server, and check the zone's name servers and DNSSEC",
           "without a look of our own");
    is_str(hc_refusal_describe(&said, &seen, text, sizeof(text)),
           "the CA says: NXDOMAIN looking up A (dns-no-such-name); a second look from here found "
           "nothing wrong; give the name an A or AAAA record that leads to this "
           "server, and check the zone's name servers and DNSSEC",
           "with one that found nothing");
    hc_error_set(&policy, HC_P_CA_SAYS_NAME, NULL, "policy forbids issuing for name");
    is_str(hc_refusal_describe(&policy, &seen, text, sizeof(text)),
           "the CA says: policy forbids issuing for name (ca-says-name); see the CA's own words; "
           "take the name off the host, or use another issuer for it",
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
    is_str(hc_refusal_describe(&said, NULL, text, sizeof(text)),
           "the CA says: NXDOMAIN (dns-no-such-name); give the name an A or AAAA record that leads "
           "to this "
           "server, and check the zone's name servers and DNSSEC",
           "what begins so already is not said twice");
    is_int(strlen(hc_refusal_describe(&said, &seen, text, 40)), 39, "it is cut where it must");
    hc_findings_dispose(&seen.findings);
    return done();
}
