/* Directives and server blocks to hc_conf. */
#include "ngx_http_hotcert.h"

char *ngx_http_hotcert_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);
    ngx_http_hotcert_srv_conf_t *srv = conf;
    bool in_server = cf->cmd_type == NGX_HTTP_SRV_CONF;
    struct hc_directive_call call = {
        .directive = cmd->post,
        .conf = main->own.conf,
        .scope = in_server ? srv->scope : NULL,
        .context = in_server ? HC_CTX_HOST : HC_CTX_MAIN,
    };

    return ngx_hotcert_apply(cf, &call);
}

char *ngx_http_hotcert_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);

    return ngx_hotcert_block(cf, main->own.conf, cmd->post);
}

/*
 * The ssl module keeps what the file holds, and forgets its name; watch needs the name, so that the
 * agent can read the file again. Then the directive goes where it belongs.
 */
char *ngx_http_hotcert_password_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_srv_conf_t *srv = conf;
    ngx_str_t *value = cf->args->elts;
    void **confs = ((ngx_http_conf_ctx_t *)cf->ctx)->srv_conf;
    ngx_command_t *own = ngx_http_ssl_module.commands;

    srv->password_file = value[1];
    srv->password_line = cf->conf_file->line;
    if (ngx_conf_full_name(cf->cycle, &srv->password_file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    for (; own->name.len > 0; own++) {
        if (own->name.len == cmd->name.len &&
            ngx_strncmp(own->name.data, cmd->name.data, cmd->name.len) == 0) {
            return own->set(cf, own, confs[ngx_http_ssl_module.ctx_index]);
        }
    }
    return "is not supported by this ssl module";
}

/* Configurations of this process that are alive: one, or two in a reload. */
static ngx_uint_t configurations;

static void free_conf(void *data)
{
    ngx_http_hotcert_main_conf_t *main = data;

    ngx_hotcert_end(&main->own);
    if (--configurations == 0) {
        ngx_hotcert_end_table();
        ngx_http_hotcert_forget_numbers();
    }
    for (size_t i = 0; main->own.views != NULL && i < main->own.conf->identity_count; i++) {
        hc_view_entry_dispose(&main->own.views[i]);
    }
    hc_pair_free(main->own.bootstrap);
    hc_proofs_free(main->own.proofs);
    hc_conf_free(main->own.conf);
}

void *ngx_http_hotcert_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_hotcert_main_conf_t *main = ngx_pcalloc(cf->pool, sizeof(*main));
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    struct hc_error err;

    hc_error_init(&err);
    if (main == NULL || cleanup == NULL) {
        return NULL;
    }
    hc_server_speak(HC_SERVER_NGINX);
    main->own.conf = hc_conf_new(HC_SERVER_NGINX, &err);
    if (main->own.conf == NULL) {
        return NULL;
    }
    cleanup->handler = free_conf;
    cleanup->data = main;
    configurations++;
    return main;
}

static void free_server(void *data)
{
    ngx_http_hotcert_srv_conf_t *srv = data;

    hc_scope_free(srv->scope);
    hc_list_dispose(&srv->files);
}

void *ngx_http_hotcert_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_hotcert_srv_conf_t *srv = ngx_pcalloc(cf->pool, sizeof(*srv));
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    struct hc_error err;

    hc_error_init(&err);
    if (srv == NULL || cleanup == NULL) {
        return NULL;
    }
    srv->scope = hc_scope_new(&err);
    if (srv->scope == NULL) {
        return NULL;
    }
    cleanup->handler = free_server;
    cleanup->data = srv;
    return srv;
}
