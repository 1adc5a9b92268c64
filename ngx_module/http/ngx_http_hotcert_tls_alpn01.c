/*
 * tls-alpn-01 (RFC 8737): every TLS listener answers the handshake of a CA that validates
 * (glue/proof.h), ahead of the choice of a server block. nginx makes a connection from the context
 * of its address' default server; which block the name would lead to does not matter.
 */
#include "ngx_http_hotcert.h"

ngx_int_t ngx_http_hotcert_tls_alpn01_init(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_conf_port_t *port = cmcf->ports != NULL ? cmcf->ports->elts : NULL;
    struct hc_proofs_options options = {
        .table = &ngx_hotcert_state.table,
        .log = &main->own.log,
    };
    struct hc_error err;

    hc_error_init(&err);
    main->own.log = ngx_hotcert_log(&cf->cycle->new_log);
    if (hc_proofs_new(&options, &main->own.proofs, &err) != 0) {
        ngx_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    for (ngx_uint_t p = 0; port != NULL && p < cmcf->ports->nelts; p++) {
        ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; a < port[p].addrs.nelts; a++) {
            const ngx_http_ssl_srv_conf_t *ssl =
                addr[a].default_server->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

            if (ngx_http_hotcert_listens_tls(&addr[a].opt) && ssl->ssl.ctx != NULL) {
                hc_proofs_watch_context(main->own.proofs, ssl->ssl.ctx);
            }
        }
    }
    return NGX_OK;
}

/* Who validates says nothing after the handshake. */
ngx_int_t ngx_http_hotcert_tls_alpn01_handler(ngx_http_request_t *r)
{
    const ngx_http_hotcert_main_conf_t *main =
        ngx_http_get_module_main_conf(r, ngx_http_hotcert_module);
    const ngx_ssl_connection_t *ssl = r->connection->ssl;

    return ssl != NULL && hc_proofs_took(main->own.proofs, ssl->connection) ? NGX_HTTP_CLOSE
                                                                            : NGX_DECLINED;
}
