/*
 * http-01 (RFC 8555 section 8.3): answers /.well-known/acme-challenge/TOKEN for tokens that are
 * pending in the live table, on every host and listener, ahead of redirects, rewrites, access rules
 * and locations. All other requests go on untouched.
 */
#include "ngx_http_hotcert.h"

static const ngx_str_t prefix = ngx_string("/.well-known/acme-challenge/");

/* A cache between would answer the CA with what was true before. */
static ngx_int_t forbid_storing(ngx_http_request_t *r)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (header == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(header, sizeof(*header));
    header->hash = 1;
    ngx_str_set(&header->key, "Cache-Control");
    ngx_str_set(&header->value, "no-store");
    return NGX_OK;
}

static ngx_int_t send_answer(ngx_http_request_t *r, const struct hc_buf *answer)
{
    ngx_str_t type = ngx_string("application/octet-stream");
    ngx_http_complex_value_t body;

    ngx_memzero(&body, sizeof(body));
    body.value.len = answer->len;
    body.value.data = ngx_pnalloc(r->pool, body.value.len);
    if (body.value.data == NULL || forbid_storing(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_memcpy(body.value.data, answer->data, body.value.len);
    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &body);
}

ngx_int_t ngx_http_hotcert_http01_handler(ngx_http_request_t *r)
{
    const struct hc_table *table = ngx_http_hotcert_state.table;
    struct hc_buf answer = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);
    ngx_int_t rc = NGX_ERROR;

    if (r->uri.len <= prefix.len || ngx_memcmp(r->uri.data, prefix.data, prefix.len) != 0 ||
        (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0 || table == NULL ||
        !hc_table_answer_get(table, HC_ANSWER_HTTP, (const char *)r->uri.data + prefix.len,
                             r->uri.len - prefix.len, ngx_time(), &answer)) {
        hc_buf_dispose(&answer);
        return NGX_DECLINED;
    }
    rc = send_answer(r, &answer);
    hc_buf_dispose(&answer);
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
