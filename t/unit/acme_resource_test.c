/* Directories, orders and authorizations: what is taken over, and what is refused. */
#include "acme/resource.h"

#include "acme/challenge.h"
#include "acme/directory.h"
#include "tap.h"

#define DIR   "https://ca.test/dir"
#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define NAMES                                                                                      \
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"B.test\"},"                                    \
    "{\"type\":\"ip\",\"value\":\"2001:DB8:0::1\"},{\"type\":\"dns\",\"value\":\"*.a.test\"}]"
#define AUTHZ "\"authorizations\":[\"https://ca.test/z/2\",\"https://ca.test/z/1\"]"
#define FINAL "\"finalize\":\"https://ca.test/f\""

static struct hc_bytes bytes(const char *text)
{
    return (struct hc_bytes){(const unsigned char *)text, strlen(text)};
}

static void a_directory(void)
{
    struct hc_directory d = {0};

    is_int(hc_directory_parse(
               bytes("{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\","
                     "\"newOrder\":\"https://ca.test/o\",\"other\":{\"x\":[1]},"
                     "\"meta\":{\"caaIdentities\":[\"ca.test\",7,\"ca2.test\"],"
                     "\"termsOfService\":\"https://ca.test/t\\u001b[1m\","
                     "\"externalAccountRequired\":true}}"),
               DIR, &d, NULL),
           0, "a directory");
    is_str(d.new_nonce, "https://ca.test/n", "newNonce");
    is_str(d.new_account, "https://ca.test/a", "newAccount");
    is_str(d.new_order, "https://ca.test/o", "newOrder");
    is_str(d.terms, "https://ca.test/t\\x1b[1m", "the terms' address is escaped");
    ok(d.external_account, "external accounts are asked for");
    is_int(d.caa.count, 2, "two CAA identities");
    hc_directory_dispose(&d);
    hc_directory_dispose(&d);
    is_int(hc_directory_parse(
               bytes("{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\","
                     "\"newOrder\":\"https://ca.test/o\",\"meta\":[]}"),
               DIR, &d, NULL),
           0, "one whose meta is of another kind");
    ok(d.terms == NULL && !d.external_account, "has none");
    hc_directory_dispose(&d);
}

static void an_order(void)
{
    struct hc_order_resource o = {0};

    is_int(hc_order_resource_parse(
               bytes("{\"status\":\"valid\"," NAMES "," AUTHZ "," FINAL
                     ",\"certificate\":\"https://ca.test/c\",\"error\":{\"type\":\"x\"}}"),
               DIR, DIR, &o, NULL),
           0, "an order");
    is_int(o.status, HC_STATUS_VALID, "its status");
    is_int(o.names.count, 3, "three names");
    is_str(o.names.items[0], "*.a.test", "sorted");
    is_str(o.names.items[1], "2001:db8::1", "addresses in canonical text");
    is_str(o.names.items[2], "b.test", "in lower case");
    is_str(o.authorizations.items[0], "https://ca.test/z/1", "authorizations");
    is_str(o.certificate, "https://ca.test/c", "a certificate");
    ok(o.error != NULL, "an error");
    hc_order_resource_dispose(&o);
    hc_order_resource_dispose(&o);
}

static void orders_that_are_refused(void)
{
    static const struct {
        const char *text;
        enum hc_problem problem;
    } rows[] = {
        {"", HC_P_CA_REPLY},
        {"null", HC_P_CA_REPLY},
        {"{", HC_P_CA_REPLY},
        {"{}", HC_P_CA_REPLY},
        {"{\"status\":1," NAMES "," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"Valid\"," NAMES "," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\"," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\",\"identifiers\":[]," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\",\"identifiers\":[7]," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\",\"identifiers\":[{\"value\":\"a b\"}]," AUTHZ "," FINAL "}",
         HC_P_CA_REPLY},
        {"{\"status\":\"pending\"," NAMES "," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\"," NAMES ",\"authorizations\":[1]," FINAL "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\"," NAMES ",\"authorizations\":[\"x\"]," FINAL "}", HC_P_CA_URL},
        {"{\"status\":\"valid\"," NAMES "," AUTHZ "}", HC_P_CA_REPLY},
        {"{\"status\":\"valid\"," NAMES "," AUTHZ ",\"finalize\":\"http://ca.test/\"}",
         HC_P_CA_URL},
        {"{\"status\":\"valid\"," NAMES "," AUTHZ "," FINAL ",\"certificate\":\"file:///x\"}",
         HC_P_CA_URL},
        {"{\"status\":\"valid\",\"status\":\"valid\"," NAMES "," AUTHZ "," FINAL "}",
         HC_P_CA_REPLY},
        {"{\"status\":\"val\\u0000id\"," NAMES "," AUTHZ "," FINAL "}", HC_P_CA_REPLY},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_order_resource o = {0};
        struct hc_error err;

        hc_error_init(&err);
        ok(hc_order_resource_parse(bytes(rows[i].text), DIR, DIR, &o, &err) != 0 &&
               err.problem == rows[i].problem && o.names.count == 0 && o.finalize == NULL,
           rows[i].text);
    }
}

static void too_many_names(void)
{
    struct hc_buf text = HC_BUF_INIT(100000);
    struct hc_order_resource o = {0};

    (void)!hc_buf_puts(&text, "{\"status\":\"valid\",\"identifiers\":[", NULL);
    for (int i = 0; i <= HC_NAMES_MAX; i++) {
        (void)!hc_buf_printf(&text, NULL, "%s{\"value\":\"n%d.test\"}", i > 0 ? "," : "", i);
    }
    (void)!hc_buf_puts(&text, "]," AUTHZ "," FINAL "}", NULL);
    ok(hc_order_resource_parse(hc_bytes_of(&text), DIR, DIR, &o, NULL) != 0,
       "an order has no more names than a certificate");
    hc_buf_dispose(&text);
}

static void an_authorization(void)
{
    struct hc_authorization a = {0};

    is_int(
        hc_authorization_parse(
            bytes("{\"identifier\":{\"type\":\"dns\",\"value\":\"A.test\"},\"status\":\"pending\","
                  "\"challenges\":[{\"type\":\"dns-01\",\"token\":\"other-token\"},"
                  "{\"type\":\"http-01\",\"url\":\"https://ca.test/c\",\"token\":\"" TOKEN "\","
                  "\"status\":\"processing\"}]}"),
            DIR, &a, NULL),
        0, "an authorization");
    is_str(a.name, "a.test", "its name");
    is_int(a.challenge_count, 2, "all that it offers");
    is_str(a.challenges[0].type, "dns-01", "one challenge");
    ok(a.challenges[0].url == NULL && a.challenges[0].status == HC_STATUS_PENDING,
       "even if it cannot be answered so");
    is_str(a.challenges[1].type, "http-01", "another");
    is_int(a.challenges[1].status, HC_STATUS_PROCESSING, "its status");
    is_str(a.challenges[1].token, TOKEN, "and token");
    is_str(a.challenges[1].url, "https://ca.test/c", "and URL");
    ok(hc_list_has(&a.tokens, "other-token") && hc_list_has(&a.tokens, TOKEN),
       "all tokens are known, to be left out of logs");
    hc_authorization_dispose(&a);

    is_int(hc_authorization_parse(
               bytes("{\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"wildcard\":true,"
                     "\"status\":\"pending\",\"challenges\":[{\"type\":\"http-01\",\"url\":"
                     "\"https://ca.test/c\",\"token\":\"" TOKEN "\"}]}"),
               DIR, &a, NULL),
           0, "a wildcard's");
    is_str(a.name, "*.a.test", "has its name");
    hc_authorization_dispose(&a);

    is_int(hc_authorization_parse(
               bytes("{\"identifier\":{\"value\":\"a.test\"},\"status\":\"expired\","
                     "\"challenges\":[{\"type\":\"http-01\",\"error\":{\"type\":\"x\"}}]}"),
               DIR, &a, NULL),
           0, "an expired one");
    ok(a.status == HC_STATUS_INVALID && a.error != NULL, "is as good as invalid, with its error");
    hc_authorization_dispose(&a);
}

#define LONG "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ"

static void tokens_that_are_refused(void)
{
    static const char too_long[] = LONG LONG LONG LONG "x";
    static const char *const tokens[] = {
        "",
        "short",
        "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ/../../x",
        "evaGxfADs6pSRb2LAv9IZf17Dt3j%2f",
        "evaGxfADs6pSRb2LAv9IZ f17Dt3juxGJ",
        "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ=",
        too_long,
    };

    for (size_t i = 0; i < HC_COUNT(tokens); i++) {
        struct hc_challenge_case c = {"a.test", tokens[i], "print", NULL, NULL};
        struct hc_error err;

        hc_error_init(&err);
        ok(hc_challenge_check_token(&c, "http-01", &err) != 0 && err.problem == HC_P_CA_REPLY,
           i == 0 ? "an empty token" : tokens[i]);
        ok(tokens[i][0] == '\0' || strstr(err.detail, tokens[i]) == NULL, "which is not repeated");
    }
}

/* The same words of a CA, by where it looked. */
static void a_refusal_is_about_where_the_ca_looked(void)
{
    is_int(hc_challenge_meaning("tls-alpn-01", HC_P_CA_SAYS_ANSWER), HC_P_TLS_WRONG_ANSWER, "TLS");
    is_int(hc_challenge_meaning("tls-alpn-01", HC_P_CA_SAYS_CONNECTION), HC_P_TLS_UNREACHABLE,
           "no connection to it");
    is_int(hc_challenge_meaning("dns-01", HC_P_CA_SAYS_ANSWER), HC_P_DNS_WRONG_TXT, "DNS");
    is_int(hc_challenge_meaning("dns-persist-01", HC_P_CA_SAYS_CONNECTION), HC_P_NONE,
           "nothing is connected to there");
    is_int(hc_challenge_meaning("http-01", HC_P_CA_SAYS_ANSWER), HC_P_NONE, "HTTP is what it says");
    is_int(hc_challenge_meaning("new-09", HC_P_CA_SAYS_ANSWER), HC_P_NONE, "not known");
    is_int(hc_challenge_meaning(NULL, HC_P_CA_SAYS_ANSWER), HC_P_NONE, "not said");
}

int main(void)
{
    char keyauth[HC_KEYAUTH_SIZE];

    a_directory();
    an_order();
    orders_that_are_refused();
    too_many_names();
    an_authorization();
    tokens_that_are_refused();
    hc_challenge_keyauth("tok", "print", keyauth);
    is_str(keyauth, "tok.print", "a key authorization");
    a_refusal_is_about_where_the_ca_looked();
    return done();
}
