/* CAA vectors: RFC 8659 (sections 3 and 4), RFC 8657 (sections 3 to 5), and what was met outside.
 */
#include "dns/caa.h"
#include "tap.h"

/* A record as text: flags, tag, value; value_len only where the value has a NUL in it. */
struct record {
    unsigned flags;
    const char *tag;
    const char *value;
    size_t value_len;
};

#define MAX 4
struct vector {
    const char *name;
    struct record set[MAX];
    bool wildcard;
    const char *account; /* NULL: https://ca.test/acct/1; "": not known */
    enum hc_caa_reason reason;
    size_t record;
};

#define ISSUE(v)                                                                                   \
    {                                                                                              \
        0, "issue", v, 0                                                                           \
    }
#define ISSUEWILD(v)                                                                               \
    {                                                                                              \
        0, "issuewild", v, 0                                                                       \
    }

static const struct vector vectors[] = {
    /* RFC 8659 section 4.2: who may issue */
    {"the_issuer_may_issue", {ISSUE("ca.test")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"another_issuer_forbids", {ISSUE("other.test")}, false, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"any_one_of_several_will_do",
     {ISSUE("other.test"), ISSUE("ca.test")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"a_second_name_of_the_issuer_will_do", {ISSUE("ca2.test")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"a_semicolon_is_nobody", {ISSUE(";")}, false, NULL, HC_CAA_EMPTY, 0},
    {"an_empty_value_is_nobody", {ISSUE("")}, false, NULL, HC_CAA_EMPTY, 0},
    {"space_alone_is_nobody", {ISSUE(" \t ")}, false, NULL, HC_CAA_EMPTY, 0},
    {"nobody_beside_the_issuer_does_not_forbid",
     {ISSUE(";"), ISSUE("ca.test")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"nobody_beside_another_is_the_other",
     {ISSUE(";"), ISSUE("other.test")},
     false,
     NULL,
     HC_CAA_OTHER_ISSUER,
     1},
    {"space_around_is_fine", {ISSUE(" \tca.test\t ")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"a_semicolon_behind_is_fine", {ISSUE("ca.test;")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"space_and_semicolon_are_fine", {ISSUE("ca.test ; ")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"letter_case_of_the_issuer_counts", {ISSUE("CA.test")}, false, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"a_longer_name_is_another", {ISSUE("ca.test.evil.test")}, false, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"a_shorter_name_is_another", {ISSUE("ca")}, false, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"letter_case_of_the_tag_does_not",
     {{0, "IsSuE", "other.test", 0}},
     false,
     NULL,
     HC_CAA_OTHER_ISSUER,
     0},
    {"only_iodef_allows", {{0, "iodef", "mailto:a@b.test", 0}}, false, NULL, HC_CAA_ALLOWED, 0},
    {"only_issuemail_allows", {{0, "issuemail", ";", 0}}, false, NULL, HC_CAA_ALLOWED, 0},
    {"only_issuevmc_allows", {{128, "issuevmc", ";", 0}}, false, NULL, HC_CAA_ALLOWED, 0},
    {"only_an_unknown_tag_allows", {{0, "tbs", "Unknown", 0}}, false, NULL, HC_CAA_ALLOWED, 0},

    /* what does not match the grammar is an empty issuer */
    {"a_nul_is_malformed", {{0, "issue", "\0", 1}}, false, NULL, HC_CAA_MALFORMED, 0},
    {"a_nul_behind_the_issuer_is_malformed",
     {{0, "issue", "ca.test\0", 8}},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"percent_signs_are_malformed", {ISSUE("%%%%%")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"two_issuers_in_one_value_are_malformed",
     {ISSUE("ca.test other.test")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"a_dot_behind_is_malformed", {ISSUE("ca.test.")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"a_dot_before_is_malformed", {ISSUE(".ca.test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"two_dots_are_malformed", {ISSUE("ca..test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"a_hyphen_behind_a_label_is_malformed", {ISSUE("ca-.test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"a_hyphen_before_a_label_is_malformed", {ISSUE("-ca.test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"two_hyphens_inside_are_a_label", {ISSUE("c--a.test")}, false, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"quotes_are_malformed", {ISSUE("\"ca.test\"")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"an_underscore_is_malformed", {ISSUE("ca_x.test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"utf8_is_malformed", {ISSUE("c\xc3\xa4.test")}, false, NULL, HC_CAA_MALFORMED, 0},
    {"a_parameter_without_value_sign_is_malformed",
     {ISSUE("ca.test; foo")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"a_parameter_without_tag_is_malformed",
     {ISSUE("ca.test; =foo")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"a_semicolon_behind_a_parameter_is_malformed",
     {ISSUE("ca.test; foo=bar;")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"a_space_inside_a_parameter_is_malformed",
     {ISSUE("ca.test; foo=b ar")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},
    {"malformed_beside_the_issuer_does_not_forbid",
     {ISSUE("%%%"), ISSUE("ca.test")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"parameters_without_an_issuer_are_nobody", {ISSUE("; foo=bar")}, false, NULL, HC_CAA_EMPTY, 0},
    {"an_unknown_parameter_is_ignored",
     {ISSUE("ca.test; policy=ev")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"an_empty_parameter_value_is_fine",
     {ISSUE("ca.test; policy=")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"more_parameters_than_anybody_counts",
     {ISSUE(
         "ca.test; a=;b=;c=;d=;e=;f=;g=;h=;i=;j=;k=;l=;m=;n=;o=;p=;q=;r=;s=;t=;u=;v=;w=;x=;y=;z=;"
         "a1=;a2=;a3=;a4=;a5=;a6=;a7=;a8=;a9=;accounturi=https://ca.test/acct/1")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"the_account_behind_them",
     {ISSUE(
         "ca.test; a=;b=;c=;d=;e=;f=;g=;h=;i=;j=;k=;l=;m=;n=;o=;p=;q=;r=;s=;t=;u=;v=;w=;x=;y=;z=;"
         "a1=;a2=;a3=;a4=;a5=;a6=;a7=;a8=;a9=;accounturi=https://ca.test/acct/2")},
     false,
     NULL,
     HC_CAA_ACCOUNT,
     0},
    {"an_unknown_parameter_twice_is_malformed",
     {ISSUE("ca.test; a=1; a=2")},
     false,
     NULL,
     HC_CAA_MALFORMED,
     0},

    /* issuewild */
    {"issuewild_is_not_for_others", {ISSUEWILD(";")}, false, NULL, HC_CAA_ALLOWED, 0},
    {"issuewild_does_not_help_others",
     {ISSUEWILD("ca.test"), ISSUE("other.test")},
     false,
     NULL,
     HC_CAA_OTHER_ISSUER,
     1},
    {"issue_is_for_wildcards_too", {ISSUE("ca.test")}, true, NULL, HC_CAA_ALLOWED, 0},
    {"issue_forbids_wildcards_too", {ISSUE("other.test")}, true, NULL, HC_CAA_OTHER_ISSUER, 0},
    {"issuewild_replaces_issue", {ISSUE("ca.test"), ISSUEWILD(";")}, true, NULL, HC_CAA_EMPTY, 1},
    {"issuewild_permits_where_issue_forbids",
     {ISSUE(";"), ISSUEWILD("ca.test")},
     true,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"malformed_issuewild_forbids_wildcards",
     {ISSUE("ca.test"), ISSUEWILD("%")},
     true,
     NULL,
     HC_CAA_MALFORMED,
     1},

    /* critical, section 4.1 and 4.5 */
    {"an_unknown_critical_tag_forbids",
     {ISSUE("ca.test"), {128, "tbs", "x", 0}},
     false,
     NULL,
     HC_CAA_UNKNOWN_CRITICAL,
     1},
    {"critical_with_other_bits_is_critical",
     {{129, "tbs", "x", 0}},
     false,
     NULL,
     HC_CAA_UNKNOWN_CRITICAL,
     0},
    {"a_known_critical_tag_is_fine",
     {{128, "issue", "ca.test", 0}},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"critical_iodef_is_fine", {{128, "iodef", "x", 0}}, false, NULL, HC_CAA_ALLOWED, 0},
    {"flag_1_with_a_known_tag_is_fine",
     {{1, "issue", "ca.test", 0}},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"flag_1_with_an_unknown_tag_is_allowed_by_the_rfc",
     {{1, "tbs", "x", 0}},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"a_tag_with_odd_letters_is_unknown",
     {{128, "a_b", "x", 0}},
     false,
     NULL,
     HC_CAA_UNKNOWN_CRITICAL,
     0},

    /* RFC 8657 */
    {"the_right_account",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/1")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"another_account",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/2")},
     false,
     NULL,
     HC_CAA_ACCOUNT,
     0},
    {"letter_case_of_the_account_counts",
     {ISSUE("ca.test; accounturi=https://CA.test/acct/1")},
     false,
     NULL,
     HC_CAA_ACCOUNT,
     0},
    {"the_account_twice",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/1; "
            "accounturi=https://ca.test/acct/1")},
     false,
     NULL,
     HC_CAA_ACCOUNT,
     0},
    {"two_accounts_in_two_records",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/2"),
      ISSUE("ca.test; accounturi=https://ca.test/acct/1")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"an_account_when_ours_is_not_known",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/2")},
     false,
     "",
     HC_CAA_ALLOWED,
     0},
    {"the_account_of_another_issuer_is_the_other",
     {ISSUE("other.test; accounturi=https://ca.test/acct/1")},
     false,
     NULL,
     HC_CAA_OTHER_ISSUER,
     0},
    {"the_right_method",
     {ISSUE("ca.test; validationmethods=http-01")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"one_of_the_methods",
     {ISSUE("ca.test; validationmethods=dns-01,http-01")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"another_method", {ISSUE("ca.test; validationmethods=dns-01")}, false, NULL, HC_CAA_METHOD, 0},
    {"no_method_at_all", {ISSUE("ca.test; validationmethods=")}, false, NULL, HC_CAA_METHOD, 0},
    {"a_method_of_the_ca_s_own",
     {ISSUE("ca.test; validationmethods=ca-wire")},
     false,
     NULL,
     HC_CAA_METHOD,
     0},
    {"methods_with_an_empty_one",
     {ISSUE("ca.test; validationmethods=http-01,,dns-01")},
     false,
     NULL,
     HC_CAA_METHOD,
     0},
    {"the_methods_twice",
     {ISSUE("ca.test; validationmethods=http-01; validationmethods=http-01")},
     false,
     NULL,
     HC_CAA_METHOD,
     0},
    {"both_must_hold_account",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/2; validationmethods=http-01")},
     false,
     NULL,
     HC_CAA_ACCOUNT,
     0},
    {"both_must_hold_method",
     {ISSUE("ca.test; accounturi=https://ca.test/acct/1; validationmethods=dns-01")},
     false,
     NULL,
     HC_CAA_METHOD,
     0},
    {"both_hold",
     {ISSUE("ca.test;accounturi=https://ca.test/acct/1;validationmethods=http-01")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"space_around_the_equals_sign",
     {ISSUE("ca.test ; accounturi = https://ca.test/acct/1 ; "
            "validationmethods\t=\thttp-01")},
     false,
     NULL,
     HC_CAA_ALLOWED,
     0},
    {"the_method_is_told_before_another_issuer",
     {ISSUE("other.test"), ISSUE("ca.test; validationmethods=dns-01")},
     false,
     NULL,
     HC_CAA_METHOD,
     1},
};

#define RDATA 300

static size_t write_record(const struct record *r, uint8_t dst[RDATA])
{
    size_t tag = strlen(r->tag);
    size_t value = r->value_len > 0 ? r->value_len : strlen(r->value);

    dst[0] = (uint8_t)r->flags;
    dst[1] = (uint8_t)tag;
    memcpy(dst + 2, r->tag, tag);
    memcpy(dst + 2 + tag, r->value, value);
    return 2 + tag + value;
}

static char *domains[] = {(char[]){"ca.test"}, (char[]){"ca2.test"}};
static char *methods[] = {(char[]){"http-01"}};
static const struct hc_list domain_list = {domains, 2, 2};
static const struct hc_list method_list = {methods, 1, 1};

static void run_vector(const struct vector *v)
{
    uint8_t data[MAX][RDATA];
    struct hc_caa_record records[MAX];
    struct hc_caa_decision d;
    struct hc_caa_asker who = {
        .domains = &domain_list, .methods = &method_list, .wildcard = v->wildcard};
    size_t count = 0;

    who.account_uri = v->account == NULL      ? "https://ca.test/acct/1"
                      : v->account[0] != '\0' ? v->account
                                              : NULL;
    while (count < MAX && v->set[count].tag != NULL) {
        records[count] =
            (struct hc_caa_record){data[count], write_record(&v->set[count], data[count])};
        count++;
    }
    hc_caa_decide(records, count, &who, &d);
    if (!is_int(d.reason, v->reason, v->name) || v->reason == HC_CAA_ALLOWED) {
        return;
    }
    is_int(d.record, v->record, "and this record is why");
}

static void test_wire(void)
{
    static const struct {
        const char *name;
        const char *data;
        size_t len;
        enum hc_caa_reason reason;
    } rows[] = {
        {"the_record_0005697373756500", "\0\5issue\0", 8, HC_CAA_MALFORMED},
        {"a_record_without_a_tag", "\0\0", 2, HC_CAA_MALFORMED},
        {"a_record_of_one_octet", "\0", 1, HC_CAA_MALFORMED},
        {"a_record_of_nothing", "", 0, HC_CAA_MALFORMED},
        {"a_tag_longer_than_the_record", "\0\7issue", 7, HC_CAA_MALFORMED},
        {"a_tag_without_a_value", "\0\5issue", 7, HC_CAA_EMPTY},
    };
    struct hc_caa_asker who = {.domains = &domain_list};
    struct hc_caa_decision d;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_caa_record r = {(const uint8_t *)rows[i].data, rows[i].len};

        hc_caa_decide(&r, 1, &who, &d);
        is_int(d.reason, rows[i].reason, rows[i].name);
    }
}

static void test_notes(void)
{
    uint8_t data[2][RDATA];
    const struct record one = {1, "tbs", "x", 0};
    const struct record bad = ISSUE("%%");
    const struct record account = ISSUE("ca.test; accounturi=x");
    const struct record good = ISSUE("ca.test");
    struct hc_caa_asker who = {.domains = &domain_list};
    struct hc_caa_record records[2] = {{data[0], write_record(&one, data[0])},
                                       {data[1], write_record(&bad, data[1])}};
    struct hc_caa_decision d;

    hc_caa_decide(records, 1, &who, &d);
    ok(d.flag_one && d.flag_record == 0, "flag 1 is noted");
    records[0] = (struct hc_caa_record){data[0], write_record(&good, data[0])};
    hc_caa_decide(records, 2, &who, &d);
    ok(d.malformed && d.malformed_record == 1, "a malformed record beside a good one is noted");
    records[0] = (struct hc_caa_record){data[0], write_record(&account, data[0])};
    hc_caa_decide(records, 1, &who, &d);
    ok(d.account_unknown, "that the account is not known is noted");
    records[1] = (struct hc_caa_record){data[1], write_record(&good, data[1])};
    hc_caa_decide(records, 2, &who, &d);
    ok(!d.account_unknown, "unless a record without an account lets us in");
}

static void suggests(const struct record *r, const char *account, const char *want)
{
    uint8_t data[RDATA];
    struct hc_caa_record record = {data, write_record(r, data)};
    struct hc_caa_asker who = {
        .domains = &domain_list, .methods = &method_list, .account_uri = account};
    struct hc_caa_decision d;
    char line[512];

    hc_caa_decide(&record, 1, &who, &d);
    is_str(hc_caa_suggest(&record, &d, &who, "example.net.", line, sizeof(line)), want, want);
}

static void test_suggestions(void)
{
    const struct record other = ISSUE("other.test; accounturi=x");
    const struct record method = ISSUE("ca2.test; accounturi=u; validationmethods=dns-01");
    const struct record account = ISSUE("ca.test; accounturi=u; validationmethods=http-01");
    const struct record broken = ISSUE("ca.test; validationmethods=,");

    suggests(&other, "me", "example.net. IN CAA 0 issue \"ca.test\"");
    suggests(&method, "u",
             "example.net. IN CAA 0 issue \"ca2.test; accounturi=u; "
             "validationmethods=dns-01,http-01\"");
    suggests(&account, "me",
             "example.net. IN CAA 0 issue \"ca.test; accounturi=me; validationmethods=http-01\"");
    suggests(&broken, NULL, "example.net. IN CAA 0 issue \"ca.test; validationmethods=http-01\"");
}

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(vectors); i++) {
        run_vector(&vectors[i]);
    }
    test_wire();
    test_notes();
    test_suggestions();
    return done();
}
