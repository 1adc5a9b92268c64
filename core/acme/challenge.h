/* Challenges, RFC 8555 section 8: what an authorization offers, and which of it is answered. */
#ifndef HC_ACME_CHALLENGE_H
#define HC_ACME_CHALLENGE_H

#include "acme/resource.h"
#include "acme/solver.h"

/* The most challenges that one authorization is believed to offer. */
#define HC_CHALLENGES_MAX 32

/*
 * Chooses from what is offered: what is being validated already, else the first of the methods
 * that is offered and that a solver supports for this name. NULL: none.
 */
const struct hc_challenge *hc_challenge_choose(const struct hc_authorization *authorization,
                                               const struct hc_list *methods,
                                               const struct hc_solver_set *solvers,
                                               const struct hc_solver **solver);

/* Its URL is one that is followed; HC_P_CA_REPLY, HC_P_CA_URL. subject: the authorization's URL. */
int hc_challenge_check(const struct hc_challenge *challenge, const char *directory,
                       const char *subject, struct hc_error *err) HC_MUST_USE;

/* "http-01, dns-01": what is offered, for messages. Returns dst. */
char *hc_challenge_offered(const struct hc_authorization *authorization, char *dst, size_t cap);

/*
 * What a refusal of this method's challenge means where the CA's words do not say: it depends on
 * where the CA looked. type may be NULL. HC_P_NONE: no more than it says.
 */
enum hc_problem hc_challenge_meaning(const char *type, enum hc_problem said);

/*
 * For solvers whose challenges have a token: base64url of at least 128 bits; else HC_P_CA_REPLY,
 * which does not repeat it.
 */
int hc_challenge_check_token(const struct hc_challenge_case *c, const char *type,
                             struct hc_error *err) HC_MUST_USE;

/* token "." thumbprint, RFC 8555 section 8.1. */
#define HC_KEYAUTH_SIZE (HC_TOKEN_SIZE + 64)
void hc_challenge_keyauth(const char *token, const char *thumbprint, char out[HC_KEYAUTH_SIZE]);

#endif
