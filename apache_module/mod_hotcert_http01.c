/*
 * The answer to a CA's http-01 request (RFC 8555 section 8.3), as a quick handler: ahead of every
 * redirect, rewrite, access rule, proxy and handler, on every host, plain and TLS, for pending
 * tokens only. Whatever else is asked below that path is the site's own business.
 */
#include <string.h>

#include "mod_hotcert.h"

static void send_answer(request_rec *r, const struct hc_buf *answer)
{
    r->status = HTTP_OK;
    ap_set_content_type(r, HC_CHALLENGE_TYPE);
    apr_table_setn(r->headers_out, HC_CHALLENGE_HEADER, HC_CHALLENGE_VALUE);
    ap_set_content_length(r, (apr_off_t)answer->len);
    /* HEAD (r->header_only) gets the headers: the core's filter drops the body */
    ap_rputs(hc_buf_text(answer), r);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "the request of a CA that validates over HTTP was answered");
}

int mod_hotcert_http01_answer(request_rec *r, int lookup)
{
    struct mod_hotcert_state *state = mod_hotcert;
    struct hc_buf answer = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);
    int rc = DECLINED;

    if (lookup || state == NULL || r->method_number != M_GET || r->uri == NULL) {
        return DECLINED;
    }
    if (hc_challenge_answer(state->table, r->uri, strlen(r->uri), apr_time_sec(r->request_time),
                            &answer)) {
        send_answer(r, &answer);
        rc = OK;
    }
    hc_buf_dispose(&answer);
    return rc;
}
