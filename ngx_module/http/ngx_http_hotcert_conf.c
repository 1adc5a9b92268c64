/* Directives and server blocks to hc_conf. */
#include "ngx_http_hotcert.h"

struct open_block {
    ngx_http_hotcert_main_conf_t *main;
    const struct hc_directive *opener;
    void *block;
};

const char *ngx_http_hotcert_place(ngx_conf_t *cf, const u_char *file, ngx_uint_t line)
{
    size_t size = ngx_strlen(file) + 1 + NGX_INT_T_LEN + 1;
    u_char *text = ngx_pnalloc(cf->pool, size);

    if (text == NULL) {
        return "?";
    }
    ngx_snprintf(text, size, "%s:%ui%Z", file, line);
    return (const char *)text;
}

static const char *place_now(ngx_conf_t *cf)
{
    return ngx_http_hotcert_place(cf, cf->conf_file->file.name.data, cf->conf_file->line);
}

/* nginx's folder of the configuration, without its slash. */
static const char *path_base(ngx_conf_t *cf)
{
    size_t len = cf->cycle->conf_prefix.len;
    u_char *text = ngx_pnalloc(cf->pool, len + 1);

    if (text == NULL) {
        return NULL;
    }
    ngx_cpystrn(text, cf->cycle->conf_prefix.data, len + 1);
    if (len > 1 && text[len - 1] == '/') {
        text[len - 1] = '\0';
    }
    return (const char *)text;
}

/* The words of the directive that is being parsed, behind its name. nginx terminates each. */
static const char *const *words_of(ngx_conf_t *cf)
{
    ngx_str_t *value = cf->args->elts;
    const char **words = ngx_palloc(cf->pool, cf->args->nelts * sizeof(*words));

    if (words == NULL) {
        return NULL;
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        words[i - 1] = (const char *)value[i].data;
    }
    return words;
}

static char *apply(ngx_conf_t *cf, struct hc_directive_call *call)
{
    struct hc_error err;

    hc_error_init(&err);
    call->where = place_now(cf);
    call->path_base = path_base(cf);
    call->count = (unsigned)(cf->args->nelts - 1);
    call->args = words_of(cf);
    if (call->args == NULL) {
        return NGX_CONF_ERROR;
    }
    return hc_directive_apply(call, &err) == 0 ? NGX_CONF_OK
                                               : ngx_http_hotcert_conf_error(cf, &err);
}

char *ngx_http_hotcert_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);
    ngx_http_hotcert_srv_conf_t *srv = conf;
    bool in_server = cf->cmd_type == NGX_HTTP_SRV_CONF;
    struct hc_directive_call call = {
        .directive = cmd->post,
        .conf = main->conf,
        .scope = in_server ? srv->scope : NULL,
        .context = in_server ? HC_CTX_HOST : HC_CTX_MAIN,
    };

    return apply(cf, &call);
}

static char *block_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    struct open_block *open = conf;
    ngx_str_t *value = cf->args->elts;
    const char *name = (const char *)value[0].data;
    struct hc_directive_call call = {
        .directive = hc_directive_find(name, open->opener->opens->context),
        .conf = open->main->conf,
        .block = open->block,
        .context = open->opener->opens->context,
    };

    if (ngx_strcmp(name, "include") == 0) {
        return ngx_conf_include(cf, dummy, conf);
    }
    if (call.directive == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%s\" in %s", name,
                           open->opener->name);
        return NGX_CONF_ERROR;
    }
    return apply(cf, &call);
}

char *ngx_http_hotcert_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);
    ngx_str_t *value = cf->args->elts;
    struct open_block open = {main, cmd->post, NULL};
    ngx_conf_t saved = *cf;
    struct hc_error err;
    char *rc = NULL;

    hc_error_init(&err);
    if (hc_block_begin(main->conf, open.opener->opens, (const char *)value[1].data, place_now(cf),
                       &open.block, &err) != 0) {
        return ngx_http_hotcert_conf_error(cf, &err);
    }
    cf->handler = block_directive;
    cf->handler_conf = (void *)&open;
    rc = ngx_conf_parse(cf, NULL);
    *cf = saved;
    return rc;
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

    ngx_http_hotcert_end(main);
    if (--configurations == 0) {
        ngx_http_hotcert_end_table();
        ngx_http_hotcert_forget_numbers();
    }
    for (size_t i = 0; main->views != NULL && i < main->conf->identity_count; i++) {
        hc_view_entry_dispose(&main->views[i]);
    }
    hc_pair_free(main->bootstrap);
    hc_conf_free(main->conf);
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
    main->conf = hc_conf_new(HC_SERVER_NGINX, &err);
    if (main->conf == NULL) {
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
    struct hc_log log = ngx_http_hotcert_log(cf->log);
    struct hc_host host = {
        .scope = srv->scope,
        .where = ngx_http_hotcert_place(cf, cscf->file_name, cscf->line),
        .names = &names,
        .tls = srv->tls,
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
        hc_conf_add_host(main->conf, &host, index, &notes, &err) == 0) {
        rc = NGX_OK;
    }
    hc_remarks_log(&notes, &log); /* names that were left out may be why it is refused */
    if (rc != NGX_OK) {
        ngx_http_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
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
                ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                              "hotcert: \"listen %V http2\" without ssl reads no HTTP/1.1 in this "
                              "version of nginx: no CA can ask it for the token of a challenge",
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
    size_t count = main->conf->identity_count;

    main->views = ngx_pcalloc(cf->pool, (count > 0 ? count : 1) * sizeof(*main->views));
    if (main->views == NULL) {
        return NGX_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        hc_view_entry_init(&main->views[i], &main->conf->identities[i]);
    }
    for (ngx_uint_t i = 0; i < indices->nelts; i++) {
        ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        srv->view = index[i] >= 0 ? &main->views[index[i]] : NULL;
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
    if (hc_conf_finish(main->conf, &err) != 0 ||
        ngx_http_hotcert_listeners_check(cf, main, cmcf, &err) != 0) {
        ngx_http_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    if (any_is_on(main->conf)) {
        warn_of_h2_only(cf, cmcf);
    }
    return link_views(cf, main, indices);
}
