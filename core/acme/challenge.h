/* Challenges, RFC 8555 section 8: which one of an authorization is answered. Today: http-01. */
#ifndef HC_ACME_CHALLENGE_H
#define HC_ACME_CHALLENGE_H

#include "acme/resource.h"

/* The most challenges that one authorization is believed to offer. */
#define HC_CHALLENGES_MAX 32

/*
 * Chooses from the challenges of an authorization: its URL, token and status go to out, which has
 * its name already. None that fits is no error: out->has_challenge is false. A token that is not
 * base64url of at least 128 bits, or a URL that is not followed, is: HC_P_CA_REPLY, HC_P_CA_URL.
 */
int hc_challenge_choose(const json_t *challenges, const char *directory, const char *subject,
                        struct hc_authorization *out, struct hc_error *err) HC_MUST_USE;

/* token "." thumbprint, RFC 8555 section 8.1. */
#define HC_KEYAUTH_SIZE (HC_TOKEN_SIZE + 64)
void hc_challenge_keyauth(const char *token, const char *thumbprint, char out[HC_KEYAUTH_SIZE]);

#endif
