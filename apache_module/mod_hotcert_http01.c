/*
 * The answer to a CA's http-01 request (RFC 8555 section 8.3), as a quick handler: ahead of every
 * redirect, rewrite, access rule, proxy and handler, on every host, plain and TLS, for pending
 * tokens only. Whatever else is asked below that path is the site's own business.
 */
#include <string.h>

#include "mod_hotcert.h"

#define CHALLENGE_PATH "/.well-known/acme-challenge/"

int mod_hotcert_http01_answer(request_rec *r, int lookup)
{
    struct mod_hotcert_state *state = mod_hotcert;
    char keyauth[HC_KEYAUTH_MAX];
    const char *token = NULL;
    size_t len = 0;

    if (lookup || state == NULL || state->table == NULL || r->method_number != M_GET ||
        r->uri == NULL || strncmp(r->uri, CHALLENGE_PATH, sizeof(CHALLENGE_PATH) - 1) != 0) {
        return DECLINED;
    }
    token = r->uri + sizeof(CHALLENGE_PATH) - 1;
    len = strlen(token);
    if (len == 0 || len > HC_TOKEN_MAX ||
        !hc_table_token_get(state->table, token, len, apr_time_sec(r->request_time), keyauth)) {
        return DECLINED;
    }
    r->status = HTTP_OK;
    ap_set_content_type(r, "application/octet-stream");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_length(r, (apr_off_t)strlen(keyauth));
    /* HEAD (r->header_only) gets the headers: the core's filter drops the body */
    ap_rputs(keyauth, r);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "the request of a CA that validates over HTTP was answered");
    return OK;
}
