/*
 * http-01 (RFC 8555 section 8.3): answers /.well-known/acme-challenge/TOKEN for tokens that are
 * pending in the live table, on every host and listener, ahead of redirects, rewrites, access rules
 * and locations. All other requests go on untouched.
 */
#include "ngx_http_hotcert.h"

static ngx_int_t forbid_storing(ngx_http_request_t *r)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (header == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(header, sizeof(*header));
    header->hash = 1;
    ngx_str_set(&header->key, HC_CHALLENGE_HEADER);
    ngx_str_set(&header->value, HC_CHALLENGE_VALUE);
    return NGX_OK;
}

static ngx_int_t send_answer(ngx_http_request_t *r, const struct hc_buf *answer)
{
    ngx_str_t type = ngx_string(HC_CHALLENGE_TYPE);
    ngx_http_complex_value_t body;

    ngx_memzero(&body, sizeof(body));
    body.value.len = answer->len;
    body.value.data = ngx_pnalloc(r->pool, body.value.len);
    if (body.value.data == NULL || forbid_storing(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_memcpy(body.value.data, answer->data, body.value.len);
    ngx_http_hotcert_uncompressed(r);
    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &body);
}

ngx_int_t ngx_http_hotcert_http01_handler(ngx_http_request_t *r)
{
    const struct hc_table *table = ngx_hotcert_state.table;
    struct hc_buf answer = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);
    ngx_int_t rc = NGX_ERROR;

    if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0 ||
        !hc_challenge_answer(table, (const char *)r->uri.data, r->uri.len, ngx_time(), &answer)) {
        hc_buf_dispose(&answer);
        return NGX_DECLINED;
    }
    rc = send_answer(r, &answer);
    hc_buf_dispose(&answer);
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
