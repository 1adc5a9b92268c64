/* Problem documents; see problem.h. */
#include "acme/problem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "acme/json.h"

#define URN          "urn:ietf:params:acme:error:"
#define TOKEN_LENGTH 22 /* 128 bits in base64url, RFC 8555 section 8.1 */
#define SECRET_LEAST 8  /* shorter ones are no secrets, and words would lose their letters */
#define PATH         "/.well-known/acme-challenge/"
#define LEFT_OUT     "[..]"

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
    {"externalAccountRequired", HC_P_ACCOUNT_REFUSED, HC_P_ACCOUNT_REFUSED},
    {"incorrectResponse", HC_P_CA_SAYS_ANSWER, HC_P_CA_SAYS_ANSWER},
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
static size_t secret_length(const char *text, size_t at, const struct hc_list *secrets)
{
    bool starts = at == 0 || !in_token(text[at - 1]);
    size_t run = 0;

    for (size_t i = 0; secrets != NULL && i < secrets->count; i++) {
        size_t len = strlen(secrets->items[i]);

        if (len >= SECRET_LEAST && strncmp(text + at, secrets->items[i], len) == 0) {
            return len;
        }
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

void hc_acme_redact(const char *text, const struct hc_list *secrets, char *out, size_t cap)
{
    size_t used = 0;

    for (size_t at = 0; text[at] != '\0';) {
        size_t secret = secret_length(text, at, secrets);
        const char *piece = secret > 0 ? LEFT_OUT : text + at;
        size_t len = secret > 0 ? strlen(LEFT_OUT) : 1;

        if (used + len + 1 > cap) {
            break;
        }
        memcpy(out + used, piece, len);
        used += len;
        at += secret > 0 ? secret : 1;
    }
    out[used] = '\0';
}

int hc_acme_problem_set(const json_t *problem, enum hc_problem_about about, const char *subject,
                        const struct hc_list *secrets, struct hc_error *err)
{
    const char *type = hc_json_text(problem, "type");
    const char *detail = hc_json_text(problem, "detail");
    char words[HC_FOREIGN_MAX] = "";
    char kind[64] = "";

    if (detail != NULL) {
        hc_acme_redact(detail, secrets, words, sizeof(words));
    }
    if (type != NULL) {
        const char *colon = strrchr(type, ':');

        hc_acme_redact(colon != NULL ? colon + 1 : type, secrets, kind, sizeof(kind));
    }
    if (words[0] == '\0') {
        return hc_error_set(err, by_type(type, about), subject, "the CA says \"%s\", no more",
                            kind);
    }
    return hc_error_set(err, by_type(type, about), subject, "the CA says: %s%s%s%s", words,
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

int hc_acme_problem_reply(const struct hc_http_reply *reply, const char *subject,
                          const struct hc_list *secrets, struct hc_error *err)
{
    json_t *problem = NULL;

    if (hc_json_object(reply->body, subject, &problem, NULL) != 0 ||
        hc_json_text(problem, "type") == NULL) {
        without_document(reply, subject, err);
    } else {
        hc_acme_problem_set(problem, HC_ABOUT_REQUEST, subject, secrets, err);
    }
    json_decref(problem);
    if (err != NULL && err->retry_after == 0 && reply->retry_after > 0) {
        err->retry_after = reply->retry_after;
    }
    return -1;
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

bool hc_acme_subproblem(const json_t *problem, size_t i, const struct hc_list *secrets,
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
