/* Challenges; see challenge.h. */
#include "acme/challenge.h"

#include <stdio.h>
#include <string.h>

#include "acme/json.h"
#include "net/http.h"

#define TOKEN_MIN 22 /* 128 bits in base64url */

/* The token becomes a path: nothing but base64url may be in it. */
static bool is_token(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(text);

    return len >= TOKEN_MIN && len < HC_TOKEN_SIZE && strspn(text, allowed) == len;
}

static int take(const json_t *challenge, const char *directory, const char *subject,
                struct hc_authorization *out, struct hc_error *err)
{
    const char *url = NULL;
    const char *token = NULL;
    const char *status = hc_json_text(challenge, "status");

    if (hc_json_need_text(challenge, "url", subject, &url, err) != 0 ||
        hc_json_need_text(challenge, "token", subject, &token, err) != 0 ||
        hc_http_check_handed_out(directory, url, err) != 0) {
        return -1;
    }
    if (!is_token(token)) {
        return hc_error_set(err, HC_P_CA_REPLY, subject,
                            "the token of its http-01 challenge is not one of RFC 8555");
    }
    out->challenge_status = HC_STATUS_PENDING;
    for (enum hc_status s = HC_STATUS_PENDING; s <= HC_STATUS_INVALID; s++) {
        if (status != NULL && strcmp(status, hc_status_name(s)) == 0) {
            out->challenge_status = s;
        }
    }
    (void)hc_copy(out->token, sizeof(out->token), token);
    out->has_challenge = true;
    return hc_strdup(url, &out->challenge_url, err);
}

int hc_challenge_choose(const json_t *challenges, const char *directory, const char *subject,
                        struct hc_authorization *out, struct hc_error *err)
{
    for (size_t i = 0; i < json_array_size(challenges) && i < HC_CHALLENGES_MAX; i++) {
        const json_t *challenge = json_array_get(challenges, i);
        const char *type = hc_json_text(challenge, "type");

        if (type != NULL && strcmp(type, "http-01") == 0 && !hc_name_is_wildcard(out->name)) {
            return take(challenge, directory, subject, out, err);
        }
    }
    return 0;
}

void hc_challenge_keyauth(const char *token, const char *thumbprint, char out[HC_KEYAUTH_SIZE])
{
    (void)snprintf(out, HC_KEYAUTH_SIZE, "%s.%s", token, thumbprint);
}
