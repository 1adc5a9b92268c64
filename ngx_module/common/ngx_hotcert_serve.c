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
#include "ngx_hotcert.h"

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
static void load_context(SSL_CTX *ctx, ngx_hotcert_host_t *host, ngx_log_t *log)
{
    const struct hc_bundle *bundle = host->view->bundle;
    struct hc_log port = ngx_hotcert_log(log);

    host->leaf = NULL;
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (use_on_context(ctx, pair) == 1) {
            host->leaf = hc_pair_leaf(pair);
        } else {
            hc_serve_refused(pair, &port);
        }
    }
    host->surplus = has_surplus(ctx, bundle);
    /* SSL_new() copies which one is current; it is what SSL_get_certificate() tells */
    if (host->leaf != NULL && SSL_CTX_select_current_cert(ctx, host->leaf) != 1) {
        host->surplus = 1;
    }
    host->loaded = host->view->value;
}

/*
 * Before the first certificate. A refusal leaves the connection without one: the client is then
 * told "handshake failure", where an error of cert_cb would tell it "internal error".
 */
static int serve_bootstrap(SSL *ssl, const ngx_hotcert_host_t *host)
{
    const struct hc_pair *pair = host->main->bootstrap;

    SSL_certs_clear(ssl);
    if (host->bootstrap == HC_BOOTSTRAP_REJECT) {
        return 1;
    }
    return pair != NULL && hc_serve_pair(ssl, pair);
}

/* Called in each full handshake, after SNI chose the server. 0 ends the handshake. */
static int choose_certificate(SSL *ssl, void *data)
{
    ngx_hotcert_host_t *host = data;
    ngx_connection_t *c = ngx_ssl_get_connection(ssl);
    const struct hc_table *table = ngx_hotcert_state.table;
    struct hc_log log = ngx_hotcert_log(c->log);

    if (table != NULL && hc_view_entry_stale(host->view, table)) {
        ngx_hotcert_refresh(host->main, host->view, c->log);
    }
    /* what is served is what was checked: no certificate is added from trusted ones */
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    if (host->view->bundle == NULL) {
        return serve_bootstrap(ssl, host);
    }
    if (host->loaded != host->view->value) {
        load_context(SSL_get_SSL_CTX(ssl), host, c->log);
    }
    if (host->leaf != NULL && SSL_get_certificate(ssl) == host->leaf && !host->surplus) {
        return 1;
    }
    return hc_serve_bundle(ssl, host->view->bundle, &log);
}

void ngx_hotcert_serve(SSL_CTX *ctx, ngx_hotcert_host_t *host)
{
    SSL_CTX_set_cert_cb(ctx, choose_certificate, host);
}
