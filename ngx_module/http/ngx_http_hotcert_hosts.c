/* Server blocks to hosts, and hosts to the identities that they are served. */
#include "ngx_http_hotcert.h"

int ngx_http_hotcert_names(const ngx_http_core_srv_conf_t *cscf, struct hc_list *names,
                           struct hc_error *err)
{
    const ngx_http_server_name_t *name = cscf->server_names.elts;

    for (ngx_uint_t i = 0; i < cscf->server_names.nelts; i++) {
        struct hc_buf text = HC_BUF_INIT(64 * 1024);
        int rc = ngx_http_hotcert_is_regex(&name[i]) ? hc_buf_puts(&text, "~", err) : 0;

        rc = rc == 0 ? hc_buf_append(&text, name[i].name.data, name[i].name.len, err) : rc;
        rc = rc == 0 ? hc_list_add(names, hc_buf_text(&text), err) : rc;
        hc_buf_dispose(&text);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

static ngx_int_t collect_server(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main,
                                ngx_http_core_srv_conf_t *cscf, ngx_array_t *indices)
{
    ngx_http_hotcert_srv_conf_t *srv = cscf->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];
    const ngx_http_ssl_srv_conf_t *ssl = cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
    int *index = ngx_array_push(indices);
    struct hc_list names = {0};
    struct hc_findings notes = {0};
    struct hc_log log = ngx_hotcert_log(cf->log);
    struct hc_host host = {
        .scope = srv->scope,
        .where = ngx_hotcert_place(cf, cscf->file_name, cscf->line),
        .names = &names,
        .tls = srv->tls,
        .is_default = srv->is_default,
        .rejects = srv->rejects,
        .has_certificate = srv->has_certificate,
        .own_certificate = srv->own_certificate,
        .not_inherited = srv->not_inherited,
        .security_level = ssl->ssl.ctx != NULL ? SSL_CTX_get_security_level(ssl->ssl.ctx) : 0,
        .files = &srv->files,
    };
    struct hc_error err;
    ngx_int_t rc = NGX_ERROR;

    hc_error_init(&err);
    if (index == NULL) {
        return NGX_ERROR;
    }
    if (ngx_http_hotcert_names(cscf, &names, &err) == 0 &&
        hc_conf_add_host(main->own.conf, &host, index, &notes, &err) == 0) {
        rc = NGX_OK;
    }
    hc_remarks_log(&notes, &log); /* names that were left out may be why it is refused */
    if (rc != NGX_OK) {
        ngx_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
    }
    hc_list_dispose(&names);
    hc_findings_dispose(&notes);
    return rc;
}

/* http-01 needs a plain HTTP/1.1 listener. */
static void warn_of_h2_only(ngx_conf_t *cf, const ngx_http_core_main_conf_t *cmcf)
{
    const ngx_http_conf_port_t *port = cmcf->ports != NULL ? cmcf->ports->elts : NULL;

    for (ngx_uint_t p = 0; port != NULL && p < cmcf->ports->nelts; p++) {
        const ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; a < port[p].addrs.nelts; a++) {
            if (ngx_http_hotcert_listens_h2_only(&addr[a].opt)) {
                ngx_log_error(
                    NGX_LOG_WARN, cf->log, 0,
                    "hotcert: \"listen %V http2\" without ssl does not accept HTTP/1.1 in this "
                    "version of nginx, so no CA can fetch a challenge token from it",
                    &addr[a].opt.addr_text);
            }
        }
    }
}

static bool any_is_on(const struct hc_conf *conf)
{
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].mode == HC_MODE_ON) {
            return true;
        }
    }
    return false;
}

/* When every identity is known: each server's view. */
static ngx_int_t link_views(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main,
                            const ngx_array_t *indices)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_core_srv_conf_t **cscf = cmcf->servers.elts;
    const int *index = indices->elts;
    size_t count = main->own.conf->identity_count;

    main->own.views = ngx_pcalloc(cf->pool, (count > 0 ? count : 1) * sizeof(*main->own.views));
    if (main->own.views == NULL) {
        return NGX_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        hc_view_entry_init(&main->own.views[i], &main->own.conf->identities[i]);
    }
    for (ngx_uint_t i = 0; i < indices->nelts; i++) {
        ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        srv->host.view = index[i] >= 0 ? &main->own.views[index[i]] : NULL;
    }
    return NGX_OK;
}

ngx_int_t ngx_http_hotcert_collect(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_core_srv_conf_t **cscf = cmcf->servers.elts;
    ngx_array_t *indices = ngx_array_create(cf->temp_pool, 16, sizeof(int));
    struct hc_error err;

    hc_error_init(&err);
    if (indices == NULL) {
        return NGX_ERROR;
    }
    for (ngx_uint_t i = 0; i < cmcf->servers.nelts; i++) {
        if (collect_server(cf, main, cscf[i], indices) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    if (hc_conf_finish(main->own.conf, &err) != 0 ||
        ngx_http_hotcert_listeners_check(cf, main, cmcf, &err) != 0) {
        ngx_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    if (any_is_on(main->own.conf)) {
        warn_of_h2_only(cf, cmcf);
    }
    return link_views(cf, main, indices);
}
