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

/* Puts a pair into the connection; SSL_CTX as below. OpenSSL's own references are taken. */
static int use_on_connection(SSL *ssl, const struct hc_pair *pair)
{
    return SSL_use_cert_and_key(ssl, hc_pair_leaf(pair), hc_pair_key(pair), hc_pair_chain(pair), 1);
}

static int use_on_context(SSL_CTX *ctx, const struct hc_pair *pair)
{
    return SSL_CTX_use_cert_and_key(ctx, hc_pair_leaf(pair), hc_pair_key(pair), hc_pair_chain(pair),
                                    1);
}

static void log_refused(ngx_log_t *log, const char *serial)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set_openssl(&err, HC_P_TLS_LIBRARY, serial, "a pair cannot be served");
    ngx_http_hotcert_log_error(NGX_LOG_ERR, log, &err);
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

    srv->leaf = NULL;
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (use_on_context(ctx, pair) == 1) {
            srv->leaf = hc_pair_leaf(pair);
        } else {
            log_refused(log, hc_pair_serial(pair));
        }
    }
    srv->surplus = has_surplus(ctx, bundle);
    /* SSL_new() copies which one is current; it is what SSL_get_certificate() tells */
    if (srv->leaf != NULL && SSL_CTX_select_current_cert(ctx, srv->leaf) != 1) {
        srv->surplus = 1;
    }
    srv->loaded = srv->view->value;
}

static int serve_on_connection(SSL *ssl, const struct hc_bundle *bundle, ngx_log_t *log)
{
    int served = 0;

    SSL_certs_clear(ssl);
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (use_on_connection(ssl, pair) == 1) {
            served = 1;
        } else {
            log_refused(log, hc_pair_serial(pair));
        }
    }
    return served;
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
    return pair != NULL && use_on_connection(ssl, pair) == 1;
}

/* Called in each full handshake, after SNI chose the server. 0 ends the handshake. */
static int choose_certificate(SSL *ssl, void *data)
{
    ngx_http_hotcert_srv_conf_t *srv = data;
    ngx_connection_t *c = ngx_ssl_get_connection(ssl);
    const struct hc_table *table = ngx_http_hotcert_state.table;

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
    return serve_on_connection(ssl, srv->view->bundle, c->log);
}

static ngx_int_t refuse(ngx_conf_t *cf, const ngx_http_core_srv_conf_t *cscf, const char *why,
                        const char *cure)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "hotcert: %s in the server at %s:%ui (%s)", why,
                  cscf->file_name, cscf->line, cure);
    return NGX_ERROR;
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

/* ssl_conf_command that brings a certificate or a key, which would be served beside ours. */
static bool brings_certificate(const ngx_http_ssl_srv_conf_t *ssl)
{
    bool brings = SSL_CTX_set_current_cert(ssl->ssl.ctx, SSL_CERT_SET_FIRST) == 1;

    ERR_clear_error();
    return brings || ngx_http_hotcert_certificate_command(ssl->conf_commands) != NULL;
}

ngx_int_t ngx_http_hotcert_ssl_init(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
                                    ngx_http_hotcert_srv_conf_t *srv)
{
    ngx_http_ssl_srv_conf_t *ssl = cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (ssl->certificate_values != NULL) {
        return refuse(cf, cscf, "ssl_certificate has variables",
                      "name the files, or set `hotcert off` there");
    }
    if (brings_certificate(ssl)) {
        return refuse(cf, cscf, "ssl_conf_command names a certificate or key",
                      "name it with ssl_certificate and ssl_certificate_key under `hotcert watch`, "
                      "or set `hotcert off` there");
    }
    if (ngx_http_hotcert_compresses(ssl)) {
        return refuse(cf, cscf, "ssl_certificate_compression is on",
                      "say `ssl_certificate_compression off` there, since nginx compresses only "
                      "certificates that it loaded itself, or set `hotcert off`");
    }
    if (ssl->stapling) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "hotcert: ssl_stapling does nothing for hotcert's certificates in the server "
                      "at %s:%ui",
                      cscf->file_name, cscf->line);
    }
    SSL_CTX_set_cert_cb(ssl->ssl.ctx, choose_certificate, srv);
    return NGX_OK;
}
