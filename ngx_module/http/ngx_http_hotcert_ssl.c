/* What a server block needs to be served by us: the hook in its SSL_CTX, and nothing beside it. */
#include "ngx_http_hotcert.h"

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
    struct hc_log log = ngx_hotcert_log(cf->log);
    struct hc_findings notes = {0};
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = check_beside(ngx_hotcert_place(cf, cscf->file_name, cscf->line), ssl, &notes, &err);
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    if (rc != 0) {
        ngx_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    ngx_hotcert_serve(ssl->ssl.ctx, &srv->host);
    return NGX_OK;
}
