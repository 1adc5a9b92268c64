/*
 * Certificates in mod_ssl. mod_ssl starts every host on a bootstrap pair that it reads from a file
 * of ours; from the first handshake on, OpenSSL's certificate callback puts the live bundle on the
 * connection. An SSL_CTX is shared by threads and never changed.
 *
 * Order within a connection: SSL_new, pre_handshake, ClientHello, choice of the host by its name
 * (SSL_set_SSL_CTX brings that host's callback along), the certificate callback, the handshake. A
 * renegotiation of TLS 1.2 comes through the callback again: what was taken once is pinned to the
 * connection. A resumed session does not come through it: process_connection makes up for that. Who
 * validates (tls-alpn-01, glue/proof.h) comes through none of it: neither `Protocols` nor mod_ssl's
 * own hook for challenges is needed.
 */
#include <openssl/err.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "mod_hotcert.h"
#include "pki/bootstrap.h"

/* What is pinned to a connection. */
struct connection {
    conn_rec *c;
    SSL *ssl;   /* mod_ssl's; gone when mod_ssl says so (is_tls) */
    bool noted; /* process_connection has seen the handshake's end */
    const struct mod_hotcert_host
        *host;                /* the host that the bundle was taken for; NULL: none yet */
    struct hc_bundle *bundle; /* NULL: the bootstrap pair */
};

/* OpenSSL's ex_data: struct connection of an SSL. No callbacks: they would be called after a
 * graceful restart has unloaded the module. */
static int ssl_index = -1;

/* ---- what mod_ssl reads at its start ---- */

static int replace_text(int fd, const struct hc_buf *text, struct hc_error *err)
{
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        hc_io_write_all(fd, text->data, text->len) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "writing the bootstrap pair");
    }
    return 0;
}

int mod_hotcert_bootstrap_open(struct mod_hotcert_state *state, struct hc_error *err)
{
    if (state->conf->identity_count == 0) {
        return 0;
    }
    state->bootstrap = memfd_create("hotcert-bootstrap", MFD_CLOEXEC);
    if (state->bootstrap < 0 || fchmod(state->bootstrap, 0600) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "memory for a bootstrap pair");
    }
    return hc_bootstraps_new(&state->bootstraps, err);
}

/* A fresh certificate for one host. mod_ssl reads it at once, and then the next host's may take its
 * place. */
static int bootstrap_fill(struct mod_hotcert_state *state, const struct mod_hotcert_host *host,
                          struct hc_error *err)
{
    bool stapling = host->config->stapling == MOD_HOTCERT_ON;
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    int rc = -1;

    /* mod_ssl wants the host's own name in it, and its stapling an issuer, or warns of each */
    if (hc_bootstraps_pem(state->bootstraps, host->server->server_hostname, stapling, &pem, err) ==
        0) {
        rc = replace_text(state->bootstrap, &pem, err);
    }
    hc_buf_dispose(&pem);
    return rc;
}

void mod_hotcert_bootstrap_close(struct mod_hotcert_state *state)
{
    if (state->bootstrap >= 0) {
        close(state->bootstrap);
        state->bootstrap = -1;
    }
    hc_bootstraps_free(state->bootstraps);
    state->bootstraps = NULL;
}

/*
 * The bootstrap pair as a path that mod_ssl can open; nothing of it ever lies on a disk. mod_ssl
 * takes two hosts with the same paths for two with the same certificate, and lets one connection
 * serve both (else it answers 421). So each identity has a spelling of its own: the bits of its
 * index as "./" and "/", which lead nowhere else.
 */
static const char *bootstrap_path(apr_pool_t *pool, int fd, size_t identity)
{
    char spelling[2 * 8 * sizeof(identity) + 1];
    size_t used = 0;

    for (; identity > 0; identity >>= 1) {
        if ((identity & 1) != 0) {
            spelling[used++] = '.';
        }
        spelling[used++] = '/';
    }
    spelling[used] = '\0';
    return apr_psprintf(pool, "/proc/self/fd/%s%d", spelling, fd);
}

/* mod_ssl may know of more files than our notes on its directives: another module brought them. */
static void warn_of_strangers(const struct mod_hotcert_host *host, const apr_array_header_t *files)
{
    const apr_array_header_t *known = host->config->certificates;
    bool same = files->nelts == known->nelts;

    for (int i = 0; same && i < files->nelts; i++) {
        same = strcmp(APR_ARRAY_IDX(files, i, const char *),
                      APR_ARRAY_IDX(known, i, const char *)) == 0;
    }
    if (!same) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, host->server,
                     "HotCert: %s: another module brings a certificate for this host, which is "
                     "not served",
                     host->where);
    }
}

static int add_cert_files(server_rec *server, apr_pool_t *pool, apr_array_header_t *certificates,
                          apr_array_header_t *keys)
{
    const struct mod_hotcert_host *host =
        mod_hotcert != NULL ? mod_hotcert_host_of(mod_hotcert, server) : NULL;
    const char *path = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (host == NULL || mod_hotcert->bootstraps == NULL) {
        return DECLINED;
    }
    warn_of_strangers(host, certificates);
    if (bootstrap_fill(mod_hotcert, host, &err) != 0) {
        /* without a certificate mod_ssl refuses the start, and says for which host */
        hc_log_error(&mod_hotcert->log, HC_LOG_ERROR, NULL, &err);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    path = bootstrap_path(pool, mod_hotcert->bootstrap, host->identity);
    apr_array_clear(certificates);
    apr_array_clear(keys);
    *(const char **)apr_array_push(certificates) = path;
    *(const char **)apr_array_push(keys) = path;
    return OK;
}

/* ---- the handshake ---- */

static apr_status_t unpin(void *data)
{
    struct connection *connection = data;

    hc_bundle_free(connection->bundle);
    connection->bundle = NULL;
    return APR_SUCCESS;
}

/* What this connection is served, from now to its end. */
static void pin(struct connection *connection, const struct mod_hotcert_host *host)
{
    if (connection->host == host) {
        return;
    }
    if (connection->host == NULL) {
        apr_pool_cleanup_register(connection->c->pool, connection, unpin, apr_pool_cleanup_null);
    }
    hc_bundle_free(connection->bundle);
    connection->bundle = mod_hotcert_view_take(mod_hotcert, host->identity);
    connection->host = host;
}

/* OpenSSL's certificate callback. 1: go on, 0: end the handshake. Never waits for another process.
 */
static int choose_certificate(SSL *ssl, void *arg)
{
    const struct mod_hotcert_host *host = arg;
    struct connection *connection = SSL_get_ex_data(ssl, ssl_index);
    const unsigned char *protocol = NULL;
    unsigned len = 0;

    if (connection == NULL || mod_hotcert == NULL || mod_hotcert->view == NULL) {
        return 1;
    }
    /* mod_md proves a name of its own (mod_hotcert_managed_has()): its challenge certificate is in
     * place */
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    if (len == 10 && memcmp(protocol, "acme-tls/1", 10) == 0) {
        return 1;
    }
    pin(connection, host);
    if (connection->bundle == NULL) {
        return host->bootstrap != HC_BOOTSTRAP_REJECT;
    }
    return hc_serve_bundle(connection->ssl, connection->bundle, &mod_hotcert->log);
}

int mod_hotcert_proofs_init(struct mod_hotcert_state *state, struct hc_error *err)
{
    struct hc_proofs_options options = {
        .table = &state->table,
        .log = &state->log,
        .self = state,
        .is_anothers = mod_hotcert_managed_has,
    };

    return state->conf->identity_count > 0 ? hc_proofs_new(&options, &state->proofs, err) : 0;
}

static int init_server(server_rec *server, apr_pool_t *pool, int is_proxy, SSL_CTX *ctx)
{
    struct mod_hotcert_host *host = NULL;

    if (mod_hotcert == NULL || is_proxy || apr_hash_count(mod_hotcert->hosts) == 0) {
        return DECLINED;
    }
    host = mod_hotcert_host_of(mod_hotcert, server);
    if (ssl_index < 0) {
        ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }
    if (ssl_index < 0 || mod_hotcert_session_tie(mod_hotcert, host, ctx, pool) != 0) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "OpenSSL has no memory for a host");
        ERR_clear_error();
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (host != NULL) {
        hc_identity_note_level(&mod_hotcert->conf->identities[host->identity],
                               SSL_CTX_get_security_level(ctx));
        SSL_CTX_set_cert_cb(ctx, choose_certificate, host);
        host->served = true;
    }
    return OK;
}

static int pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    struct connection *connection = NULL;

    if (is_proxy || mod_hotcert == NULL || mod_hotcert->view == NULL || ssl_index < 0) {
        return DECLINED;
    }
    connection = apr_pcalloc(c->pool, sizeof(*connection));
    connection->c = c;
    connection->ssl = ssl;
    if (SSL_set_ex_data(ssl, ssl_index, connection) != 1) {
        ERR_clear_error();
        return DECLINED;
    }
    hc_proofs_watch(mod_hotcert->proofs, ssl);
    ap_set_module_config(c->conn_config, &hotcert_module, connection);
    return OK;
}

/*
 * After mod_ssl's own, which does the handshake. A resumed session has no certificate chosen, and
 * SSL_SERVER_* would tell of the bootstrap certificate. It is called again for every request that
 * wakes the connection up, and for the streams of HTTP/2.
 */
static int process_connection(conn_rec *c)
{
    struct connection *connection = ap_get_module_config(c->conn_config, &hotcert_module);
    const struct mod_hotcert_host *host = NULL;

    /* mod_ssl frees the SSL when plain HTTP comes in: then it is no TLS connection any more */
    if (c->master != NULL || connection == NULL || connection->noted || c->aborted ||
        !ap_ssl_conn_is_ssl(c)) {
        return DECLINED;
    }
    if (!SSL_is_init_finished(connection->ssl)) {
        return DECLINED;
    }
    connection->noted = true;
    if (hc_proofs_took(mod_hotcert->proofs, connection->ssl)) {
        c->keepalive = AP_CONN_CLOSE; /* a CA validated (glue/proof.h): no HTTP is spoken on it */
        return OK;
    }
    if (connection->host != NULL || !SSL_session_reused(connection->ssl)) {
        return DECLINED;
    }
    host = mod_hotcert_session_host(connection->ssl);
    if (host != NULL) {
        pin(connection, host);
        if (connection->bundle != NULL) {
            /* a failure is in the log; the session goes on without */
            (void)hc_serve_bundle(connection->ssl, connection->bundle, &mod_hotcert->log);
        }
    }
    return DECLINED;
}

/*
 * ---- stapling ----
 *
 * mod_ssl staples for the certificates that it read at its start, which are never those that are
 * served here. Answered by us, it neither looks for a responder of the bootstrap pair nor logs an
 * error a handshake: there is no staple.
 */

static int init_stapling_status(server_rec *server, apr_pool_t *pool HC_UNUSED,
                                X509 *certificate HC_UNUSED, X509 *issuer HC_UNUSED)
{
    const struct mod_hotcert_host *host =
        mod_hotcert != NULL ? mod_hotcert_host_of(mod_hotcert, server) : NULL;

    /* where stapling is off, OK would turn mod_ssl's status callback on */
    return host != NULL && host->config->stapling == MOD_HOTCERT_ON ? OK : DECLINED;
}

static int get_stapling_status(unsigned char **der, int *der_len, conn_rec *c HC_UNUSED,
                               server_rec *server, X509 *certificate HC_UNUSED)
{
    if (mod_hotcert == NULL || mod_hotcert_host_of(mod_hotcert, server) == NULL) {
        return DECLINED;
    }
    *der = NULL;
    *der_len = 0;
    return OK;
}

void mod_hotcert_ssl_hooks(apr_pool_t *pool HC_UNUSED)
{
    static const char *const after[] = {"mod_ssl.c", NULL};

    APR_OPTIONAL_HOOK(ssl, add_cert_files, add_cert_files, NULL, NULL, APR_HOOK_LAST);
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, init_stapling_status, init_stapling_status, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, get_stapling_status, get_stapling_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_process_connection(process_connection, after, NULL, APR_HOOK_MIDDLE);
}
