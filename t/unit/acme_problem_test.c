/* Problem documents: types, words, subproblems, and what must stay unsaid. */
#include "acme/problem.h"

#include "base/log.h"
#include "tap.h"

#define URN "urn:ietf:params:acme:error:"

static struct hc_error of_reply(long status, const char *type, const char *body, int64_t retry)
{
    struct hc_http_reply reply = {0};
    struct hc_error err;

    hc_error_init(&err);
    reply.status = status;
    reply.content_type = type;
    reply.retry_after = retry;
    reply.body = (struct hc_bytes){(const unsigned char *)body, strlen(body)};
    hc_acme_problem_reply(&reply, "https://ca.test/x", NULL, &err);
    return err;
}

static void types_become_problems(void)
{
    static const struct {
        const char *type;
        enum hc_problem request;
        enum hc_problem challenge;
    } rows[] = {
        {URN "badNonce", HC_P_BAD_NONCE, HC_P_BAD_NONCE},
        {URN "unauthorized", HC_P_CA_REFUSED, HC_P_CA_SAYS_ANSWER},
        {URN "caa", HC_P_CA_SAYS_CAA, HC_P_CA_SAYS_CAA},
        {URN "dns", HC_P_CA_SAYS_DNS, HC_P_CA_SAYS_DNS},
        {URN "connection", HC_P_CA_SAYS_CONNECTION, HC_P_CA_SAYS_CONNECTION},
        {URN "tls", HC_P_CA_SAYS_CONNECTION, HC_P_CA_SAYS_CONNECTION},
        {URN "rejectedIdentifier", HC_P_CA_SAYS_NAME, HC_P_CA_SAYS_NAME},
        {URN "userActionRequired", HC_P_CA_SAYS_TERMS, HC_P_CA_SAYS_TERMS},
        {URN "unsupportedContact", HC_P_CA_SAYS_CONTACT, HC_P_CA_SAYS_CONTACT},
        {URN "rateLimited", HC_P_RATE_LIMITED, HC_P_RATE_LIMITED},
        {URN "externalAccountRequired", HC_P_EAB_REQUIRED, HC_P_EAB_REQUIRED},
        {URN "invented", HC_P_CA_REFUSED, HC_P_VALIDATION},
        {"about:blank", HC_P_CA_REFUSED, HC_P_VALIDATION},
        {"urn:acme:error:badNonce", HC_P_CA_REFUSED, HC_P_VALIDATION},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        json_t *p = json_pack("{s:s, s:s}", "type", rows[i].type, "detail", "words");
        struct hc_error request;
        struct hc_error challenge;

        hc_error_init(&request);
        hc_error_init(&challenge);
        hc_acme_problem_set(p, HC_ABOUT_REQUEST, NULL, NULL, &request);
        hc_acme_problem_set(p, HC_ABOUT_CHALLENGE, NULL, NULL, &challenge);
        ok(request.problem == rows[i].request && challenge.problem == rows[i].challenge,
           rows[i].type);
        json_decref(p);
    }
}

static void replies_without_a_document_are_read_by_status(void)
{
    struct hc_error err = of_reply(503, "text/html", "<html>", 30);

    is_int(err.problem, HC_P_CA_ERROR, "503 is the CA's");
    is_int(err.foreign.retry_after, 30, "with its time");
    ok(strstr(err.detail, "HTTP 503") != NULL && strstr(err.detail, "text/html") != NULL &&
           strstr(err.detail, "<html>") == NULL,
       "status and type are told, the body is not");
    is_int(of_reply(429, "", "", -1).problem, HC_P_RATE_LIMITED, "429 is a limit");
    is_int(of_reply(404, "", "{}", -1).problem, HC_P_CA_REFUSED, "404 is a refusal");
    is_int(of_reply(404, "", "", -1).foreign.retry_after, 0, "without a time");
    is_int(of_reply(403, "application/problem+json", "{\"type\":7}", -1).problem, HC_P_CA_REFUSED,
           "a type that is no text is none");
    err = of_reply(400, "", "{\"type\":\"" URN "malformed\"}", -1);
    is_str(err.detail, "the CA says only \"malformed\"", "a document without words");
}

static void foreign_words_are_escaped_and_cut(void)
{
    char body[5000];
    struct hc_error err;
    char line[HC_ERROR_LINE];
    bool clean = true;

    snprintf(body, sizeof(body), "{\"type\":\"" URN "dns\",\"detail\":\"a\\u001b[31mb\\n%0900d\"}",
             0);
    err = of_reply(400, "", body, -1);
    hc_error_format(&err, line, sizeof(line));
    for (const char *p = line; *p != '\0'; p++) {
        clean = clean && *p >= 0x20 && *p < 0x7f;
    }
    ok(strstr(err.detail, "a\x1b[31mb\n") != NULL, "the words are kept as they came");
    ok(clean && strstr(line, "a\\x1b[31mb\\x0a") != NULL, "and shown without control characters");
    ok(strlen(err.detail) < HC_FOREIGN_MAX + 100, "long words are cut");
}

static void secrets_are_left_out(void)
{
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"no secret here", "no secret here"},
        {"token evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA ends", "token [..] ends"},
        {"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
         "[..].[..]"},
        {"http://a.test/.well-known/acme-challenge/short: 404",
         "http://a.test/.well-known/acme-challenge/[..]: 404"},
        {"lowercasesecret0123456789 stays unless it is listed",
         "lowercasesecret0123456789 stays unless it is listed"},
        {"xlistedsecretx", "x[..]x"},
        {"www.a-very-long-host-name-0123456789.example.test",
         "www.a-very-long-host-name-0123456789.example.test"},
    };
    struct hc_redaction *secrets = NULL;

    if (hc_redaction_new(&secrets, NULL) != 0 ||
        hc_redaction_add(secrets, "listedsecret", NULL) != 0 ||
        hc_redaction_add(secrets, "", NULL) != 0 || hc_redaction_add(secrets, "a", NULL) != 0) {
        return;
    }
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        char out[256];

        hc_acme_redact(rows[i].in, secrets, out, sizeof(out));
        is_str(out, rows[i].out, rows[i].in);
    }
    {
        char out[12];

        hc_acme_redact("0123456789abcdef", NULL, out, sizeof(out));
        is_str(out, "0123456789a", "what is too long is cut");
        hc_acme_redact("12345678evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ", NULL, out, sizeof(out));
        is_str(out, "[..]", "and a secret is never cut in two");
    }
    hc_redaction_free(secrets);
}

/* An address that a person has to open is of no use without its end, random as it looks. */
static void addresses_that_a_person_must_open_are_whole(void)
{
    char url[1200] = "https://ca.test/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiJ9.";
    char body[4000];
    struct hc_list links = {0};
    struct hc_http_reply reply = {.status = 403, .content_type = "", .retry_after = -1};
    struct hc_error err;

    while (strlen(url) < 1100) {
        strcat(url, "Ab3dEf6hIj9lMn0pQr5tUv8xYz-_");
    }
    strcat(url, ".sIgNaTuRe0123456789AbCdEfGh");
    snprintf(body, sizeof(body),
             "{\"type\":\"" URN "rateLimited\",\"detail\":\"Your account is temporarily prevented "
             "from requesting certificates for a.test and possibly others. Please visit: %s\"}",
             url);
    err = of_reply(429, "", body, -1);
    is_int(err.problem, HC_P_CA_PAUSED, "a pause is no rate limit");
    ok(strstr(err.detail, url) != NULL && strstr(err.detail, "for a.test and") != NULL,
       "the whole address, and the CA's words");
    {
        char line[HC_LOG_LINE];

        ok(strstr(hc_error_format(&err, line, sizeof(line)), url) != NULL, "also in a line");
    }
    err = of_reply(429, "",
                   "{\"type\":\"" URN "rateLimited\",\"detail\":\"too many new orders: see "
                   "https://letsencrypt.org/docs/rate-limits/#new-orders\"}",
                   60);
    is_int(err.problem, HC_P_RATE_LIMITED, "a limit that names a page is one");

    hc_error_init(&err);
    if (hc_list_add(&links, "<https://ca.test/directory>;rel=\"index\"", NULL) != 0 ||
        hc_list_add(&links, "<https://ca.test/terms/v7.pdf>;rel=\"terms-of-service\"", NULL) != 0) {
        abort();
    }
    snprintf(body, sizeof(body),
             "{\"type\":\"" URN "userActionRequired\",\"detail\":\"new terms\","
             "\"instance\":\"https://ca.test/agree?token=AbC0123456789dEfGhIjKlMnOpQr\"}");
    reply.body = (struct hc_bytes){(const unsigned char *)body, strlen(body)};
    reply.links = &links;
    hc_acme_problem_reply(&reply, "https://ca.test/x", NULL, &err);
    is_int(err.problem, HC_P_CA_SAYS_TERMS, "new terms");
    ok(strstr(err.detail, "open https://ca.test/agree?token=AbC0123456789dEfGhIjKlMnOpQr ;") !=
           NULL,
       "where to agree to them");
    ok(strstr(err.detail, "its terms of service: https://ca.test/terms/v7.pdf") != NULL,
       "and where they are");
    hc_list_dispose(&links);
}

/* Words of boulder and Pebble; the status of RFC 8555. */
static void what_is_wrong_with_an_account_is_told_apart(void)
{
    static const struct {
        long status;
        const char *body;
        enum hc_problem problem;
    } rows[] = {
        {403,
         "{\"type\":\"" URN "unauthorized\",\"detail\":\"Account is not valid, has status "
         "\\\"deactivated\\\"\"}",
         HC_P_ACCOUNT_DEACTIVATED},
        {403,
         "{\"type\":\"" URN "unauthorized\",\"detail\":\"An account with the provided public "
         "key exists but is deactivated\"}",
         HC_P_ACCOUNT_DEACTIVATED},
        {403, "{\"type\":\"" URN "unauthorized\",\"detail\":\"Account has been revoked\"}",
         HC_P_ACCOUNT_DEACTIVATED},
        {401, "{\"type\":\"" URN "unauthorized\",\"detail\":\"no\"}", HC_P_ACCOUNT_DEACTIVATED},
        {403, "{\"type\":\"" URN "unauthorized\",\"detail\":\"no\"}", HC_P_ACCOUNT_REFUSED},
        {403, "{\"type\":\"" URN "externalAccountRequired\",\"detail\":\"no\"}", HC_P_EAB_REQUIRED},
        {403, "<html>blocked", HC_P_CA_REPLY},
        {401, "log in", HC_P_CA_REPLY},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error err = of_reply(rows[i].status, "", rows[i].body, -1);
        struct hc_http_reply reply = {.status = rows[i].status};

        reply.body = (struct hc_bytes){(const unsigned char *)rows[i].body, strlen(rows[i].body)};
        hc_acme_problem_of_account(&reply, &err);
        is_int(err.problem, rows[i].problem, rows[i].body);
    }
}

static void subproblems_name_names(void)
{
    json_t *p = json_loads("{\"subproblems\":["
                           "{\"type\":\"" URN "caa\",\"detail\":\"d\",\"identifier\":"
                           "{\"type\":\"dns\",\"value\":\"*.B.test\"}},"
                           "{\"type\":\"" URN "dns\",\"identifier\":{\"value\":\"192.0.2.1\"}},"
                           "{\"type\":\"x\",\"identifier\":{\"value\":\"not a name\"}}, 7]}",
                           0, NULL);
    struct hc_error err;
    char name[HC_NAME_SIZE];

    hc_error_init(&err);
    ok(hc_acme_subproblem(p, 0, NULL, name, &err), "there is a first");
    is_str(name, "*.b.test", "its name is normalised");
    is_int(err.problem, HC_P_CA_SAYS_CAA, "its type is known");
    hc_error_init(&err);
    ok(hc_acme_subproblem(p, 1, NULL, name, &err) && strcmp(name, "192.0.2.1") == 0,
       "an address is a name");
    hc_error_init(&err);
    ok(hc_acme_subproblem(p, 2, NULL, name, &err) && name[0] == '\0', "what is no name is none");
    ok(hc_acme_subproblem(p, 3, NULL, name, &err) && name[0] == '\0', "nor is a number");
    ok(!hc_acme_subproblem(p, 4, NULL, name, &err), "there is no fifth");
    json_decref(p);
}

int main(void)
{
    types_become_problems();
    replies_without_a_document_are_read_by_status();
    foreign_words_are_escaped_and_cut();
    secrets_are_left_out();
    addresses_that_a_person_must_open_are_whole();
    what_is_wrong_with_an_account_is_told_apart();
    subproblems_name_names();
    return done();
}
