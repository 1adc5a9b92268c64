/*
 * The handshake. Each worker keeps its server's SSL_CTX up to date in place: once a generation the
 * bundle's pairs are put into it, and cert_cb has nothing to do but to compare two numbers.
 *
 * SSL_new() copied the SSL_CTX's certificates at the connection's first byte. Another connection
 * may have brought a newer generation since, so the certificate that stands in the connection is
 * compared as well; if it is another, the connection is given every pair of the bundle itself. So
 * it is where the SSL_CTX holds a kind of key that the bundle has not (OpenSSL cannot take one out
 * of an SSL_CTX), and with the bootstrap pair, which is never put into an SSL_CTX for that reason.
 */
#include "ngx_http_hotcert.h"

/* OpenSSL's own references are taken. */
static int use_on_context(SSL_CTX *ctx, const struct hc_pair *pair)
{
    return SSL_CTX_use_cert_and_key(ctx, hc_pair_leaf(pair), hc_pair_key(pair), hc_pair_chain(pair),
                                    1);
}

static bool bundle_has(const struct hc_bundle *bundle, const X509 *leaf)
{
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        if (hc_pair_leaf(hc_bundle_pair(bundle, i)) == leaf) {
            return true;
        }
    }
    return false;
}

/* True if a certificate stands in the SSL_CTX that is not the bundle's. */
static bool has_surplus(SSL_CTX *ctx, const struct hc_bundle *bundle)
{
    long more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST);

    while (more == 1) {
        if (!bundle_has(bundle, SSL_CTX_get0_certificate(ctx))) {
            return true;
        }
        more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT);
    }
    ERR_clear_error();
    return false;
}

/*
 * Once a generation: the bundle's pairs into the SSL_CTX. A pair that OpenSSL refuses leaves the
 * one of its kind that is there; key and certificate are only ever replaced together.
 */
static void load_context(SSL_CTX *ctx, ngx_http_hotcert_srv_conf_t *srv, ngx_log_t *log)
{
    const struct hc_bundle *bundle = srv->view->bundle;
    struct hc_log port = ngx_http_hotcert_log(log);

    srv->leaf = NULL;
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (use_on_context(ctx, pair) == 1) {
            srv->leaf = hc_pair_leaf(pair);
        } else {
            hc_serve_refused(pair, &port);
        }
    }
    srv->surplus = has_surplus(ctx, bundle);
    /* SSL_new() copies which one is current; it is what SSL_get_certificate() tells */
    if (srv->leaf != NULL && SSL_CTX_select_current_cert(ctx, srv->leaf) != 1) {
        srv->surplus = 1;
    }
    srv->loaded = srv->view->value;
}

/*
 * Before the first certificate. A refusal leaves the connection without one: the client is then
 * told "handshake failure", where an error of cert_cb would tell it "internal error".
 */
static int serve_bootstrap(SSL *ssl, const ngx_http_hotcert_srv_conf_t *srv)
{
    const struct hc_pair *pair = srv->main->bootstrap;

    SSL_certs_clear(ssl);
    if (srv->bootstrap == HC_BOOTSTRAP_REJECT) {
        return 1;
    }
    return pair != NULL && hc_serve_pair(ssl, pair);
}

/* Called in each full handshake, after SNI chose the server. 0 ends the handshake. */
static int choose_certificate(SSL *ssl, void *data)
{
    ngx_http_hotcert_srv_conf_t *srv = data;
    ngx_connection_t *c = ngx_ssl_get_connection(ssl);
    const struct hc_table *table = ngx_http_hotcert_state.table;
    struct hc_log log = ngx_http_hotcert_log(c->log);

    if (table != NULL && hc_view_entry_stale(srv->view, table)) {
        ngx_http_hotcert_refresh(srv->main, srv->view, c->log);
    }
    /* what is served is what was checked: no certificate is added from trusted ones */
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    if (srv->view->bundle == NULL) {
        return serve_bootstrap(ssl, srv);
    }
    if (srv->loaded != srv->view->value) {
        load_context(SSL_get_SSL_CTX(ssl), srv, c->log);
    }
    if (srv->leaf != NULL && SSL_get_certificate(ssl) == srv->leaf && !srv->surplus) {
        return 1;
    }
    return hc_serve_bundle(ssl, srv->view->bundle, &log);
}

const char *ngx_http_hotcert_certificate_command(const ngx_array_t *given)
{
    static const char *const commands[] = {"Certificate", "PrivateKey"};
    static const char *const lines[] = {"ssl_conf_command Certificate",
                                        "ssl_conf_command PrivateKey"};
    const ngx_keyval_t *pair = given != NULL ? given->elts : NULL;

    for (ngx_uint_t i = 0; pair != NULL && i < given->nelts; i++) {
        for (size_t k = 0; k < HC_COUNT(commands); k++) {
            if (pair[i].key.len == ngx_strlen(commands[k]) &&
                ngx_strncasecmp(pair[i].key.data, (u_char *)(uintptr_t)commands[k],
                                pair[i].key.len) == 0) {
                return lines[k];
            }
        }
    }
    return NULL;
}

/* ssl_conf_command that brings a certificate or a key, which would be served beside ours; or NULL.
 */
static const char *bringer_of_certificate(const ngx_http_ssl_srv_conf_t *ssl)
{
    const char *command = ngx_http_hotcert_certificate_command(ssl->conf_commands);
    bool brings = SSL_CTX_set_current_cert(ssl->ssl.ctx, SSL_CERT_SET_FIRST) == 1;

    ERR_clear_error();
    return command != NULL ? command : brings ? "ssl_conf_command" : NULL;
}

/* What stands beside our directives in a server that hotcert serves. */
static int check_beside(const char *where, const ngx_http_ssl_srv_conf_t *ssl,
                        struct hc_findings *notes, struct hc_error *err)
{
    const char *command = bringer_of_certificate(ssl);

    if (ssl->certificate_values != NULL) {
        return hc_refuse_unfollowed(where, "ssl_certificate", true, err);
    }
    if (command != NULL) {
        return hc_refuse_command(where, command, err);
    }
    if (ngx_http_hotcert_compresses(ssl)) {
        return hc_error_set(err, HC_P_CONFLICT, where,
                            "ssl_certificate_compression is on, and nginx compresses only "
                            "certificates that it loaded itself: set `ssl_certificate_compression "
                            "off` there, or `hotcert off`");
    }
    return ssl->stapling ? hc_remark_stapling(where, notes, err) : 0;
}

ngx_int_t ngx_http_hotcert_ssl_init(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
                                    ngx_http_hotcert_srv_conf_t *srv)
{
    ngx_http_ssl_srv_conf_t *ssl = cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
    struct hc_log log = ngx_http_hotcert_log(cf->log);
    struct hc_findings notes = {0};
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = check_beside(ngx_http_hotcert_place(cf, cscf->file_name, cscf->line), ssl, &notes, &err);
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    if (rc != 0) {
        ngx_http_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    SSL_CTX_set_cert_cb(ssl->ssl.ctx, choose_certificate, srv);
    return NGX_OK;
}
