/* Records of dns-persist-01: made, and judged. */
#include "dns/persist.h"

#include <string.h>

#include "tap.h"

#define NOW  1800000000
#define ACCT "https://ca.test/acct/1"
#define LONG_URL                                                                                   \
    "https://ca.test/"                                                                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aa"                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aa"                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aa"

static struct hc_error err;

static struct hc_persist_verdict judge(const char *const *texts, const char *account, bool wildcard)
{
    static char first[] = "ca.test";
    static char second[] = "ca2.test";
    char *items[] = {first, second};
    struct hc_list issuers = {items, HC_COUNT(items), 0};
    struct hc_persist_asker who = {&issuers, account, wildcard, NOW};
    struct hc_persist_verdict verdict = {0};

    for (; *texts != NULL; texts++) {
        hc_persist_judge(&verdict, (struct hc_bytes){(const unsigned char *)*texts, strlen(*texts)},
                         &who);
    }
    return verdict;
}

static void one(const char *text, bool wildcard, enum hc_persist_reason reason)
{
    const char *texts[] = {text, NULL};

    is_int(judge(texts, ACCT, wildcard).reason, reason, text);
}

static void each_record_is_judged(void)
{
    one("ca.test; accounturi=" ACCT, false, HC_PERSIST_RIGHT);
    one("ca2.test;accounturi=" ACCT, false, HC_PERSIST_RIGHT);
    one("CA.test ;  AccountURI = " ACCT " ; policy=Wildcard", true, HC_PERSIST_RIGHT);
    one("ca.test; accounturi=" ACCT "; policy=wildcard", false, HC_PERSIST_RIGHT);
    one("ca.test; accounturi=" ACCT, true, HC_PERSIST_WILDCARD);
    one("ca.test; accounturi=" ACCT "; policy=other", true, HC_PERSIST_WILDCARD);
    one("ca.test; accounturi=" ACCT "2", false, HC_PERSIST_ACCOUNT);
    one("ca.test; accounturi=HTTPS://ca.test/acct/1", false, HC_PERSIST_ACCOUNT);
    one("ca.test; accounturi=" ACCT "; persistUntil=1800000001", false, HC_PERSIST_RIGHT);
    one("ca.test; accounturi=" ACCT "; persistuntil=1800000000", false, HC_PERSIST_EXPIRED);
    one("ca.test; accounturi=" ACCT "; persistUntil=soon", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT "; persistUntil=-1", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT "; persistUntil=9999999999999999999", false,
        HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT ";", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT "; policy", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT ";; policy=wildcard", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT "; accounturi=" ACCT, false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=https://ca.test/ acct/1", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=", false, HC_PERSIST_MALFORMED);
    one("ca.test; policy=wildcard", false, HC_PERSIST_MALFORMED);
    one("ca.test", false, HC_PERSIST_MALFORMED);
    one("ca.test; accounturi=" ACCT "; new=1; new=2", false, HC_PERSIST_RIGHT);
    one("other.test; accounturi=" ACCT, false, HC_PERSIST_MISSING);
    one("v=spf1 -all", false, HC_PERSIST_MISSING);
    one("", false, HC_PERSIST_MISSING);
}

static void one_good_record_is_enough(void)
{
    const char *mixed[] = {"ca.test; accounturi=" ACCT "9",
                           "rubbish =",
                           "ca.test; accounturi=" ACCT "; persistUntil=1800000500",
                           "ca.test; accounturi=" ACCT "; persistUntil=1800000100",
                           "ca.test;",
                           NULL};
    const char *lasting[] = {"ca.test; accounturi=" ACCT "; persistUntil=1800000500",
                             "ca.test; accounturi=" ACCT, NULL};
    const char *others[] = {"ca.test; accounturi=" ACCT "9", "ca.test;", NULL};
    const char *ended[] = {"ca.test; accounturi=" ACCT "; persistUntil=1",
                           "ca.test; accounturi=" ACCT "9", NULL};
    struct hc_persist_verdict verdict = judge(mixed, ACCT, false);

    is_int(verdict.reason, HC_PERSIST_RIGHT, "among others");
    is_int(verdict.until, 1800000500, "and the one that lasts longest counts");
    verdict = judge(lasting, ACCT, false);
    ok(verdict.reason == HC_PERSIST_RIGHT && verdict.until == 0, "for ever is longest");
    verdict = judge(others, ACCT, false);
    is_int(verdict.reason, HC_PERSIST_ACCOUNT, "what comes nearest is told");
    is_str(verdict.account, ACCT "9", "with its account");
    verdict = judge(ended, ACCT, false);
    ok(verdict.reason == HC_PERSIST_EXPIRED && verdict.until == 1, "with its end");
    verdict = judge(others, NULL, false);
    ok(verdict.reason == HC_PERSIST_RIGHT && strcmp(verdict.account, ACCT "9") == 0,
       "an account that is not known may be this one");
}

static void what_is_made_is_right(void)
{
    struct hc_persist_record record = {"ca.test", ACCT, true, 1800000001};
    struct hc_buf text = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);
    struct hc_buf line = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);

    hc_error_init(&err);
    ok(hc_persist_format(&record, &text, &err) == 0, "made");
    is_str(hc_buf_text(&text),
           "ca.test; accounturi=" ACCT "; policy=wildcard; persistUntil=1800000001",
           "in the draft's form");
    one(hc_buf_text(&text), true, HC_PERSIST_RIGHT);
    ok(hc_persist_line("a.test", &record, &line, &err) == 0, "as a line");
    is_str(hc_buf_text(&line),
           "_validation-persist.a.test. 300 IN TXT \"ca.test; accounturi=" ACCT
           "; policy=wildcard; persistUntil=1800000001\"",
           "of a zone file");
    hc_buf_reset(&line);
    record = (struct hc_persist_record){"ca.test", LONG_URL, false, 0};
    ok(hc_persist_line("a.test", &record, &line, &err) == 0 &&
           strstr(hc_buf_text(&line), "a\" \"a") != NULL,
       "in strings of 255 octets");
    record.account_uri = "https://ca.test/a;b";
    ok(hc_persist_format(&record, &text, &err) != 0 && err.problem == HC_P_BAD_VALUE,
       "a URL that cannot stand in it is refused");
    hc_buf_dispose(&text);
    hc_buf_dispose(&line);
}

/* One record of a reply, in two strings. */
static void the_strings_of_a_record_are_one_text(void)
{
    static const char first[] = "ca.test; acco";
    static const char second[] = "unturi=" ACCT;
    uint8_t data[256];
    struct hc_dname owner;
    struct hc_dns_record record = {.owner = &owner, .type = HC_DNS_TXT, .data = data};
    struct hc_dns_reply reply = {.records = &record, .answers = 1};
    static char issuer[] = "ca.test";
    char *items[] = {issuer};
    struct hc_list issuers = {items, 1, 0};
    struct hc_persist_asker who = {&issuers, ACCT, false, NOW};
    struct hc_persist_verdict verdict = {0};

    hc_error_init(&err);
    data[0] = sizeof(first) - 1;
    memcpy(data + 1, first, sizeof(first) - 1);
    data[sizeof(first)] = sizeof(second) - 1;
    memcpy(data + sizeof(first) + 1, second, sizeof(second) - 1);
    record.len = sizeof(first) + sizeof(second);
    ok(hc_dname_from_host("_validation-persist.a.test", &owner, &err) == 0 &&
           hc_persist_judge_reply(&verdict, &reply, &owner, &who, &err) == 0,
       "a reply is judged");
    is_int(verdict.reason, HC_PERSIST_RIGHT, "its strings joined");
}

int main(void)
{
    each_record_is_judged();
    one_good_record_is_enough();
    what_is_made_is_right();
    the_strings_of_a_record_are_one_text();
    return done();
}
