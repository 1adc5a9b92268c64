/* Challenges; see challenge.h. */
#include "acme/challenge.h"

#include <stdio.h>
#include <string.h>

#include "acme/network.h"
#include "conf/method.h"

#define TOKEN_MIN 22 /* 128 bits in base64url */

static const struct hc_challenge *find(const struct hc_authorization *a, const char *type)
{
    for (size_t i = 0; i < a->challenge_count; i++) {
        if (strcmp(a->challenges[i].type, type) == 0) {
            return &a->challenges[i];
        }
    }
    return NULL;
}

static const struct hc_solver *find_solver(const struct hc_solver_set *solvers, const char *type,
                                           const char *name)
{
    for (size_t i = 0; i < solvers->count; i++) {
        const struct hc_solver *solver = &solvers->items[i];

        if (strcmp(solver->type, type) == 0 && solver->supports(solver->self, name)) {
            return solver;
        }
    }
    return NULL;
}

const struct hc_challenge *hc_challenge_choose(const struct hc_authorization *authorization,
                                               const struct hc_list *methods,
                                               const struct hc_solver_set *solvers,
                                               const struct hc_solver **solver)
{
    const struct hc_challenge *challenge = NULL;

    /* whoever had the order before told the CA to look for this one */
    for (size_t i = 0; i < authorization->challenge_count; i++) {
        challenge = &authorization->challenges[i];
        *solver = find_solver(solvers, challenge->type, authorization->name);
        if (challenge->status == HC_STATUS_PROCESSING && *solver != NULL) {
            return challenge;
        }
    }
    for (size_t i = 0; i < methods->count; i++) {
        challenge = find(authorization, methods->items[i]);
        *solver = find_solver(solvers, methods->items[i], authorization->name);
        if (challenge != NULL && *solver != NULL) {
            return challenge;
        }
    }
    *solver = NULL;
    return NULL;
}

int hc_challenge_check(const struct hc_challenge *challenge, const char *directory,
                       const char *subject, struct hc_error *err)
{
    if (challenge->url == NULL) {
        return hc_error_set(err, HC_P_CA_REPLY, subject, "its %s challenge has no URL",
                            challenge->type);
    }
    return hc_acme_check_url(directory, challenge->url, err);
}

char *hc_challenge_offered(const struct hc_authorization *authorization, char *dst, size_t cap)
{
    struct hc_list types = {NULL, 0, 0};
    int rc = 0;

    for (size_t i = 0; i < authorization->challenge_count; i++) {
        rc |= hc_list_add(&types, authorization->challenges[i].type, NULL);
    }
    (void)snprintf(dst, cap, "nothing");
    if (rc == 0 && types.count > 0) {
        (void)hc_list_format(&types, dst, cap);
    }
    hc_list_dispose(&types);
    return dst;
}

enum hc_problem hc_challenge_meaning(const char *type, enum hc_problem said)
{
    static const struct {
        enum hc_method_over over;
        enum hc_problem said;
        enum hc_problem means;
    } rows[] = {
        {HC_OVER_TLS, HC_P_CA_SAYS_ANSWER, HC_P_TLS_WRONG_ANSWER},
        {HC_OVER_TLS, HC_P_CA_SAYS_CONNECTION, HC_P_TLS_UNREACHABLE},
        {HC_OVER_DNS, HC_P_CA_SAYS_ANSWER, HC_P_DNS_WRONG_TXT},
    };
    const struct hc_method *method = type != NULL ? hc_method_find(type) : NULL;

    for (size_t i = 0; method != NULL && i < HC_COUNT(rows); i++) {
        if (rows[i].over == method->over && rows[i].said == said) {
            return rows[i].means;
        }
    }
    return HC_P_NONE;
}

int hc_challenge_check_token(const struct hc_challenge_case *c, const char *type,
                             struct hc_error *err)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = c->token != NULL ? strlen(c->token) : 0;

    if (len < TOKEN_MIN || len >= HC_TOKEN_SIZE || strspn(c->token, allowed) != len) {
        return hc_error_set(err, HC_P_CA_REPLY, c->name,
                            "the token of its %s challenge violates RFC 8555", type);
    }
    return 0;
}

void hc_challenge_keyauth(const char *token, const char *thumbprint, char out[HC_KEYAUTH_SIZE])
{
    (void)snprintf(out, HC_KEYAUTH_SIZE, "%s.%s", token, thumbprint);
}
