/* Problem documents; see problem.h. */
#include "acme/problem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "acme/foreign.h"
#include "acme/json.h"

#define URN          "urn:ietf:params:acme:error:"
#define TOKEN_LENGTH 22 /* 128 bits in base64url, RFC 8555 section 8.1 */
#define PATH         "/.well-known/acme-challenge/"
#define ADDRESS_MAX  1400 /* with the words beside it, what a line of a log has room for */

struct type {
    const char *name;
    enum hc_problem request;
    enum hc_problem challenge;
};

static const struct type types[] = {
    {"accountDoesNotExist", HC_P_ACCOUNT_GONE, HC_P_ACCOUNT_GONE},
    {"badNonce", HC_P_BAD_NONCE, HC_P_BAD_NONCE},
    {"caa", HC_P_CA_SAYS_CAA, HC_P_CA_SAYS_CAA},
    {"connection", HC_P_CA_SAYS_CONNECTION, HC_P_CA_SAYS_CONNECTION},
    {"dns", HC_P_CA_SAYS_DNS, HC_P_CA_SAYS_DNS},
    {"externalAccountRequired", HC_P_EAB_REQUIRED, HC_P_EAB_REQUIRED},
    {"incorrectResponse", HC_P_CA_SAYS_ANSWER, HC_P_CA_SAYS_ANSWER},
    {"invalidProfile", HC_P_CA_SAYS_PROFILE, HC_P_CA_SAYS_PROFILE},
    {"invalidContact", HC_P_CA_SAYS_CONTACT, HC_P_CA_SAYS_CONTACT},
    {"orderNotReady", HC_P_ORDER_NOT_READY, HC_P_ORDER_NOT_READY},
    {"rateLimited", HC_P_RATE_LIMITED, HC_P_RATE_LIMITED},
    {"rejectedIdentifier", HC_P_CA_SAYS_NAME, HC_P_CA_SAYS_NAME},
    {"serverInternal", HC_P_CA_ERROR, HC_P_CA_ERROR},
    {"tls", HC_P_CA_SAYS_CONNECTION, HC_P_CA_SAYS_CONNECTION},
    {"unauthorized", HC_P_CA_REFUSED, HC_P_CA_SAYS_ANSWER},
    {"unsupportedContact", HC_P_CA_SAYS_CONTACT, HC_P_CA_SAYS_CONTACT},
    {"unsupportedIdentifier", HC_P_CA_SAYS_NAME, HC_P_CA_SAYS_NAME},
    {"userActionRequired", HC_P_CA_SAYS_TERMS, HC_P_CA_SAYS_TERMS},
};

static enum hc_problem by_type(const char *type, enum hc_problem_about about)
{
    if (type != NULL && strncmp(type, URN, strlen(URN)) == 0) {
        for (size_t i = 0; i < HC_COUNT(types); i++) {
            if (strcmp(type + strlen(URN), types[i].name) == 0) {
                return about == HC_ABOUT_CHALLENGE ? types[i].challenge : types[i].request;
            }
        }
    }
    return about == HC_ABOUT_CHALLENGE ? HC_P_VALIDATION : HC_P_CA_REFUSED;
}

static bool in_token(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* A run of base64url with letters of both cases and digits is no name and no word. */
static bool looks_random(const char *text, size_t len)
{
    bool upper = false;
    bool lower = false;
    bool digit = false;

    for (size_t i = 0; i < len; i++) {
        upper |= isupper((unsigned char)text[i]) != 0;
        lower |= islower((unsigned char)text[i]) != 0;
        digit |= isdigit((unsigned char)text[i]) != 0;
    }
    return len >= TOKEN_LENGTH && upper && lower && digit;
}

/* How many bytes at text + at are to be left out; 0: none. */
static size_t secret_length(const char *text, size_t at, struct hc_redaction *secrets)
{
    bool starts = at == 0 || !in_token(text[at - 1]);
    size_t run = hc_redaction_match(secrets, text + at);

    if (run > 0) {
        return run;
    }
    if (!starts) {
        return 0;
    }
    while (in_token(text[at + run])) {
        run++;
    }
    if (looks_random(text + at, run)) {
        return run;
    }
    if (at >= strlen(PATH) && memcmp(text + at - strlen(PATH), PATH, strlen(PATH)) == 0) {
        return run;
    }
    return 0;
}

void hc_acme_redact(const char *text, struct hc_redaction *secrets, char *out, size_t cap)
{
    size_t used = 0;

    for (size_t at = 0; text[at] != '\0';) {
        size_t secret = secret_length(text, at, secrets);
        const char *piece = secret > 0 ? HC_REDACTED : text + at;
        size_t len = secret > 0 ? strlen(HC_REDACTED) : 1;

        if (used + len + 1 > cap) {
            break;
        }
        memcpy(out + used, piece, len);
        used += len;
        at += secret > 0 ? secret : 1;
    }
    out[used] = '\0';
}

/* ---- what a person has to do ---- */

/* Without regard to case. */
static bool says(const char *text, const char *what)
{
    return text != NULL && strcasestr(text, what) != NULL;
}

/* The first https URL of a text: where it is, and how long; NULL: there is none. */
static const char *find_url(const char *text, size_t *len)
{
    const char *url = text != NULL ? strstr(text, "https://") : NULL;

    if (url == NULL) {
        return NULL;
    }
    for (*len = 0; url[*len] > 0x20 && url[*len] < 0x7f && strchr("\"<>()\\", url[*len]) == NULL;) {
        ++*len;
    }
    while (*len > 0 && strchr(".,;:'", url[*len - 1]) != NULL) {
        --*len;
    }
    return url;
}

/*
 * Let's Encrypt stops serving names of an account that failed a thousand times in a row with the
 * type of its limits, and an address that only a person can open (boulder's wfe2,
 * checkIdentifiersPaused). No time is too short or long then.
 */
static bool is_pause(const char *detail)
{
    size_t len = 0;
    const char *url = find_url(detail, &len);

    return url != NULL && memmem(url, len, "unpause", strlen("unpause")) != NULL;
}

/* RFC 8555 section 7.3.6 has the status only; the words are those of boulder and Pebble. */
static bool is_deactivated(const char *detail)
{
    return says(detail, "account") && (says(detail, "deactivated") || says(detail, "revoked"));
}

/* What the type leaves open. */
static enum hc_problem narrow(enum hc_problem p, enum hc_problem_about about, const char *detail)
{
    if (p == HC_P_RATE_LIMITED && is_pause(detail)) {
        return HC_P_CA_PAUSED;
    }
    if (p == HC_P_CA_REFUSED && about == HC_ABOUT_REQUEST && is_deactivated(detail)) {
        return HC_P_ACCOUNT_DEACTIVATED;
    }
    return p;
}

/* "open U: " for the address that a person has to open, whole; "" if there is none. */
static void put_address(const json_t *problem, enum hc_problem p, char *out, size_t cap)
{
    const char *text = p == HC_P_CA_PAUSED ? json_string_value(json_object_get(problem, "detail"))
                       : p == HC_P_CA_SAYS_TERMS ? hc_json_text(problem, "instance")
                                                 : NULL;
    size_t len = 0;
    const char *url = find_url(text, &len);

    out[0] = '\0';
    if (url != NULL && len <= ADDRESS_MAX) {
        (void)snprintf(out, cap, "open %.*s ; ", (int)len, url);
    }
}

int hc_acme_problem_set(const json_t *problem, enum hc_problem_about about, const char *subject,
                        struct hc_redaction *secrets, struct hc_error *err)
{
    const char *type = hc_json_text(problem, "type");
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    enum hc_problem p = narrow(by_type(type, about), about, detail);
    char words[HC_FOREIGN_MAX] = "";
    char kind[64] = "";
    char address[ADDRESS_MAX + 16];

    if (detail != NULL) {
        hc_acme_redact(detail, secrets, words, sizeof(words));
    }
    if (type != NULL) {
        const char *colon = strrchr(type, ':');

        hc_acme_redact(colon != NULL ? colon + 1 : type, secrets, kind, sizeof(kind));
    }
    put_address(problem, p, address, sizeof(address));
    if (err != NULL && !hc_error_is_set(err)) {
        hc_foreign_read(problem, p, &err->foreign);
    }
    if (words[0] == '\0') {
        return hc_error_set(err, p, subject, "%sthe CA says only \"%s\"", address, kind);
    }
    return hc_error_set(err, p, subject, "%sthe CA says: %s%s%s%s", address, words,
                        kind[0] != '\0' ? " [" : "", kind, kind[0] != '\0' ? "]" : "");
}

static int without_document(const struct hc_http_reply *reply, const char *subject,
                            struct hc_error *err)
{
    enum hc_problem p = HC_P_CA_REFUSED;

    if (reply->status == 429) {
        p = HC_P_RATE_LIMITED;
    } else if (reply->status >= 500) {
        p = HC_P_CA_ERROR;
    }
    return hc_error_set(err, p, subject, "HTTP %ld without a problem document%s%s", reply->status,
                        reply->content_type[0] != '\0' ? ", content type " : "",
                        reply->content_type);
}

static bool is_document(const struct hc_http_reply *reply)
{
    json_t *problem = NULL;
    bool is = hc_json_object(reply->body, NULL, &problem, NULL) == 0 &&
              hc_json_text(problem, "type") != NULL;

    json_decref(problem);
    return is;
}

/* RFC 8555 section 7.3.3: Link: <URL>;rel="terms-of-service". */
static void add_terms(const struct hc_list *links, struct hc_error *err)
{
    for (size_t i = 0; links != NULL && i < links->count; i++) {
        size_t len = 0;
        const char *url = find_url(links->items[i], &len);

        if (url != NULL && strstr(links->items[i], "terms-of-service") != NULL &&
            err->detail_len + len + 40 < sizeof(err->detail)) {
            hc_error_add(err, "; its terms of service: %.*s", (int)len, url);
            return;
        }
    }
}

int hc_acme_problem_reply(const struct hc_http_reply *reply, const char *subject,
                          struct hc_redaction *secrets, struct hc_error *err)
{
    json_t *problem = NULL;

    if (!is_document(reply) || hc_json_object(reply->body, subject, &problem, NULL) != 0) {
        without_document(reply, subject, err);
    } else {
        hc_acme_problem_set(problem, HC_ABOUT_REQUEST, subject, secrets, err);
    }
    json_decref(problem);
    if (err != NULL && err->problem == HC_P_CA_SAYS_TERMS) {
        add_terms(reply->links, err);
    }
    if (err != NULL && err->foreign.http_status == 0) {
        err->foreign.http_status = (int)reply->status;
    }
    if (err != NULL && err->foreign.retry_after == 0 && reply->retry_after > 0) {
        err->foreign.retry_after = reply->retry_after;
    }
    return -1;
}

void hc_acme_problem_of_account(const struct hc_http_reply *reply, struct hc_error *err)
{
    if (err->problem != HC_P_CA_REFUSED || reply == NULL) {
        return;
    }
    err->problem = !is_document(reply)    ? HC_P_CA_REPLY
                   : reply->status == 401 ? HC_P_ACCOUNT_DEACTIVATED
                                          : HC_P_ACCOUNT_REFUSED;
}

void hc_acme_identifier_name(const json_t *identifier, bool wildcard, char name[HC_NAME_SIZE])
{
    const char *value = hc_json_text(identifier, "value");
    char raw[HC_NAME_SIZE + 2];

    name[0] = '\0';
    if (value == NULL || strlen(value) >= HC_NAME_SIZE) {
        return;
    }
    (void)snprintf(raw, sizeof(raw), "%s%s", wildcard && strncmp(value, "*.", 2) != 0 ? "*." : "",
                   value);
    if (hc_name_normalise(raw, name, NULL) != 0) {
        name[0] = '\0';
    }
}

bool hc_acme_subproblem(const json_t *problem, size_t i, struct hc_redaction *secrets,
                        char name[HC_NAME_SIZE], struct hc_error *err)
{
    const json_t *list = hc_json_array(problem, "subproblems");
    const json_t *item = i < HC_SUBPROBLEMS_MAX ? json_array_get(list, i) : NULL;

    if (item == NULL) {
        return false;
    }
    hc_acme_identifier_name(json_object_get(item, "identifier"), false, name);
    hc_acme_problem_set(item, HC_ABOUT_CHALLENGE, name[0] != '\0' ? name : NULL, secrets, err);
    return true;
}
