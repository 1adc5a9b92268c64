/*
 * Sessions belong to one server block. Stock nginx makes the session id context from the
 * certificate, which here may not be there yet and changes; so each server has one of its own:
 * sessions outlive a swap, and never resume at another server, also where ticket keys or a cache
 * are shared.
 *
 * Up to 1.29.1 nginx chooses the server by SNI after OpenSSL has looked the session up: with the
 * context of the address' default server, whose sessions then resume at every server, and theirs
 * nowhere. There the server is looked for in the ClientHello. Newer nginx chooses it before that.
 */
#include "ngx_http_hotcert.h"

/* Every name that the server has, and every address that it listens on. */
static void add_server(struct hc_session_tag *tag, const ngx_http_core_srv_conf_t *cscf,
                       const ngx_http_hotcert_srv_conf_t *srv)
{
    const ngx_http_server_name_t *name = cscf->server_names.elts;
    ngx_http_conf_addr_t *const *addr = srv->addresses->elts;

    for (ngx_uint_t i = 0; i < cscf->server_names.nelts; i++) {
        hc_session_add(tag, name[i].name.data, name[i].name.len);
    }
    for (ngx_uint_t i = 0; i < srv->addresses->nelts; i++) {
        hc_session_add(tag, addr[i]->opt.sockaddr, addr[i]->opt.socklen);
    }
}

/* What nginx decides by itself when a client's certificate has been verified. */
static void add_verification(struct hc_session_tag *tag, const ngx_http_ssl_srv_conf_t *ssl)
{
    hc_session_add(tag, &ssl->verify, sizeof(ssl->verify));
    hc_session_add(tag, ssl->trusted_certificate.data, ssl->trusted_certificate.len);
    hc_session_add(tag, ssl->crl.data, ssl->crl.len);
}

static bool make_session_id(const ngx_http_core_srv_conf_t *cscf, ngx_http_hotcert_srv_conf_t *srv,
                            const ngx_http_ssl_srv_conf_t *ssl)
{
    struct hc_session_tag tag;

    hc_session_begin(&tag, srv->host.view != NULL ? srv->host.view->id : NULL);
    add_server(&tag, cscf, srv);
    add_verification(&tag, ssl);
    hc_session_add_clients(&tag, ssl->ssl.ctx);
    return hc_session_end(&tag, srv->session_id);
}

/* The server that nginx will choose a moment later. */
static const ngx_http_core_srv_conf_t *find_server(SSL *ssl, const ngx_http_addr_conf_t *addr)
{
    const ngx_http_core_srv_conf_t *found = NULL;
    char name[HC_HELLO_NAME];
    ngx_str_t host = {hc_hello_name(ssl, name), (u_char *)name};

    if (host.len == 0 || addr->virtual_names == NULL) {
        return addr->default_server;
    }
    found = ngx_hash_find_combined(&addr->virtual_names->names, ngx_hash_key(host.data, host.len),
                                   host.data, host.len);
    if (found == NULL) {
        found = ngx_http_hotcert_find_regex(addr->virtual_names, &host);
    }
    return found != NULL ? found : addr->default_server;
}

static int choose_session_id(SSL *ssl, int *alert, void *data)
{
    const ngx_connection_t *c = ngx_ssl_get_connection(ssl);
    const ngx_http_connection_t *hc = c->data;
    const ngx_http_core_srv_conf_t *cscf = find_server(ssl, hc->addr_conf);
    const ngx_http_hotcert_srv_conf_t *srv = cscf->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

    /* this SSL_CTX may also be the default at addresses that have no host of ours */
    if (srv->session &&
        SSL_set_session_id_context(ssl, srv->session_id, sizeof(srv->session_id)) != 1) {
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static bool any_is_ours(const ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **servers = addr->servers.elts;

    for (ngx_uint_t s = 0; s < addr->servers.nelts; s++) {
        const ngx_http_hotcert_srv_conf_t *srv =
            servers[s]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        if (srv->host.view != NULL) {
            return true;
        }
    }
    return false;
}

static ngx_int_t init_address(const ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **servers = addr->servers.elts;
    const ngx_http_ssl_srv_conf_t *first =
        addr->default_server->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    for (ngx_uint_t s = 0; s < addr->servers.nelts; s++) {
        const ngx_http_ssl_srv_conf_t *ssl =
            servers[s]->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
        ngx_http_hotcert_srv_conf_t *srv =
            servers[s]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        if (ssl->ssl.ctx == NULL || srv->session) {
            continue;
        }
        if (!make_session_id(servers[s], srv, ssl) ||
            (srv->host.view != NULL &&
             SSL_CTX_set_session_id_context(ssl->ssl.ctx, srv->session_id,
                                            sizeof(srv->session_id)) != 1)) {
            return NGX_ERROR;
        }
        srv->session = 1;
    }
    if (ngx_http_hotcert_late_sni && first->ssl.ctx != NULL) {
        SSL_CTX_set_client_hello_cb(first->ssl.ctx, choose_session_id, NULL);
    }
    return NGX_OK;
}

/* Each server's addresses, in one pass: there may be many of both. */
static ngx_int_t note_address(ngx_conf_t *cf, ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **servers = addr->servers.elts;

    for (ngx_uint_t s = 0; s < addr->servers.nelts; s++) {
        ngx_http_hotcert_srv_conf_t *srv =
            servers[s]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];
        ngx_http_conf_addr_t **place = NULL;

        if (srv->addresses == NULL) {
            srv->addresses = ngx_array_create(cf->temp_pool, 1, sizeof(*place));
        }
        place = srv->addresses != NULL ? ngx_array_push(srv->addresses) : NULL;
        if (place == NULL) {
            return NGX_ERROR;
        }
        *place = addr;
    }
    return NGX_OK;
}

static ngx_int_t note_addresses(ngx_conf_t *cf, const ngx_array_t *ports)
{
    ngx_http_conf_port_t *port = ports != NULL ? ports->elts : NULL;

    for (ngx_uint_t p = 0; port != NULL && p < ports->nelts; p++) {
        ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; a < port[p].addrs.nelts; a++) {
            if (note_address(cf, &addr[a]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }
    return NGX_OK;
}

ngx_int_t ngx_http_hotcert_session_init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_conf_port_t *port = cmcf->ports != NULL ? cmcf->ports->elts : NULL;

    if (note_addresses(cf, cmcf->ports) != NGX_OK) {
        return NGX_ERROR;
    }
    for (ngx_uint_t p = 0; port != NULL && p < cmcf->ports->nelts; p++) {
        ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; a < port[p].addrs.nelts; a++) {
            if (ngx_http_hotcert_listens_tls(&addr[a].opt) && any_is_ours(&addr[a]) &&
                init_address(&addr[a]) != NGX_OK) {
                ERR_clear_error();
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "hotcert: no session id context could be made for %V",
                              &addr[a].opt.addr_text);
                return NGX_ERROR;
            }
        }
    }
    return NGX_OK;
}
