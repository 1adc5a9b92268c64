/*
 * Directives and server blocks to hc_conf. Where hotcert is on or watches, ssl_certificate is taken
 * over before the ssl module's merge would load it: that module is left with empty arrays, finds
 * nothing missing, and starts the SSL_CTX empty.
 */
#include "ngx_http_hotcert.h"

struct issuer_block {
    ngx_http_hotcert_main_conf_t *main;
    struct hc_issuer *issuer;
};

/* "file:line" of what is being parsed, in the pool. */
static const char *place(ngx_conf_t *cf, const u_char *file, ngx_uint_t line)
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
    return place(cf, cf->conf_file->file.name.data, cf->conf_file->line);
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

static char *issuer_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    struct issuer_block *block = conf;
    ngx_str_t *value = cf->args->elts;
    const char *name = (const char *)value[0].data;
    struct hc_directive_call call = {
        .directive = hc_directive_find(name, HC_CTX_ISSUER),
        .conf = block->main->conf,
        .issuer = block->issuer,
        .context = HC_CTX_ISSUER,
    };

    if (ngx_strcmp(name, "include") == 0) {
        return ngx_conf_include(cf, dummy, conf);
    }
    if (call.directive == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%s\" in hotcert_issuer",
                           name);
        return NGX_CONF_ERROR;
    }
    return apply(cf, &call);
}

char *ngx_http_hotcert_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);
    ngx_str_t *value = cf->args->elts;
    struct issuer_block block = {main, NULL};
    ngx_conf_t saved = *cf;
    struct hc_error err;
    char *rc = NULL;

    hc_error_init(&err);
    if (hc_conf_issuer_begin(main->conf, (const char *)value[1].data, place_now(cf), &block.issuer,
                             &err) != 0) {
        return ngx_http_hotcert_conf_error(cf, &err);
    }
    cf->handler = issuer_directive;
    cf->handler_conf = (void *)&block;
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

static void see_address(const ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **cscf = addr->servers.elts;

    for (ngx_uint_t i = 0; i < addr->servers.nelts; i++) {
        ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        srv->tls = srv->tls || ngx_http_hotcert_listens_tls(&addr->opt);
    }
}

/* Once, before the first server is merged: which servers do TLS. */
static void see_listeners(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_conf_port_t *port = cmcf->ports != NULL ? cmcf->ports->elts : NULL;

    if (main->listeners_seen) {
        return;
    }
    main->listeners_seen = 1;
    for (ngx_uint_t p = 0; port != NULL && p < cmcf->ports->nelts; p++) {
        ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; a < port[p].addrs.nelts; a++) {
            see_address(&addr[a]);
        }
    }
}

static bool is_given(const ngx_array_t *array)
{
    return array != NGX_CONF_UNSET_PTR && array != NULL && array->nelts > 0;
}

static char *refuse(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf, const char *why,
                    const ngx_str_t *what)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "hotcert: %s \"%V\" in the server at %s:%ui", why,
                  what, cscf->file_name, cscf->line);
    return NGX_CONF_ERROR;
}

static int add_file(ngx_conf_t *cf, struct hc_list *files, ngx_str_t name, struct hc_error *err)
{
    if (name.len > 0 && ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return hc_error_nomem(err);
    }
    return hc_list_add_len(files, (const char *)name.data, name.len, err);
}

static const char *unwatchable(ngx_str_t *name)
{
    if (ngx_http_script_variables_count(name) > 0) {
        return "`hotcert watch` cannot follow a name with variables:";
    }
    if (ngx_strncmp(name->data, "data:", 5) == 0 || ngx_strncmp(name->data, "engine:", 7) == 0 ||
        ngx_strncmp(name->data, "store:", 6) == 0) {
        return "`hotcert watch` follows files, and this is none:";
    }
    return NULL;
}

/* The paths of ssl_certificate, ssl_certificate_key and ssl_password_file, in triples. */
static char *take_files(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
                        ngx_http_hotcert_srv_conf_t *srv, const ngx_array_t *certificates,
                        const ngx_array_t *keys)
{
    ngx_http_hotcert_srv_conf_t *http = srv->main->http_srv_conf[ngx_http_hotcert_module.ctx_index];
    ngx_str_t password = srv->password_line > 0 ? srv->password_file : http->password_file;
    ngx_str_t *certificate = certificates->elts;
    struct hc_error err;

    hc_error_init(&err);
    for (ngx_uint_t i = 0; i < certificates->nelts; i++) {
        ngx_str_t *key = NULL;
        const char *why = NULL;

        if (!is_given(keys) || keys->nelts <= i) {
            return refuse(cf, cscf, "no ssl_certificate_key for ssl_certificate", &certificate[i]);
        }
        key = (ngx_str_t *)keys->elts + i;
        why = unwatchable(&certificate[i]);
        if (why != NULL || unwatchable(key) != NULL) {
            return refuse(cf, cscf, why != NULL ? why : unwatchable(key),
                          why != NULL ? &certificate[i] : key);
        }
        if (add_file(cf, &srv->files, certificate[i], &err) != 0 ||
            add_file(cf, &srv->files, *key, &err) != 0 ||
            add_file(cf, &srv->files, password, &err) != 0) {
            return ngx_http_hotcert_conf_error(cf, &err);
        }
    }
    return NGX_CONF_OK;
}

static char *take_over(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
                       ngx_http_hotcert_srv_conf_t *srv, ngx_http_ssl_srv_conf_t *ssl,
                       const ngx_http_ssl_srv_conf_t *http_ssl)
{
    bool watch = hc_scope_mode(srv->main->conf, srv->scope) == HC_MODE_WATCH;
    bool own = is_given(ssl->certificates);
    const ngx_array_t *certificates = own ? ssl->certificates : http_ssl->certificates;
    const ngx_array_t *keys = ssl->certificate_keys != NGX_CONF_UNSET_PTR
                                  ? ssl->certificate_keys
                                  : http_ssl->certificate_keys;

    if (watch && srv->scope->files.count > 0 && own) {
        return refuse(cf, cscf,
                      "both hotcert_files and ssl_certificate are given:", certificates->elts);
    }
    if (watch && srv->scope->files.count == 0 && is_given(certificates)) {
        if (take_files(cf, cscf, srv, certificates, keys) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    } else if (is_given(certificates) && !own && srv->scope->mode != HC_MODE_UNSET) {
        /* nginx terminates the words of its configuration */
        srv->not_inherited = (const char *)((ngx_str_t *)certificates->elts)->data;
    } else {
        srv->has_certificate = is_given(certificates);
    }
    ssl->certificates = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    ssl->certificate_keys = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    srv->taken = 1;
    return ssl->certificates != NULL && ssl->certificate_keys != NULL ? NGX_CONF_OK
                                                                      : NGX_CONF_ERROR;
}

char *ngx_http_hotcert_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);
    ngx_http_hotcert_srv_conf_t *srv = child;
    void **confs = ((ngx_http_conf_ctx_t *)cf->ctx)->srv_conf;
    ngx_http_ssl_srv_conf_t *ssl = confs[ngx_http_ssl_module.ctx_index];
    const ngx_http_ssl_srv_conf_t *http_ssl = main->http_srv_conf[ngx_http_ssl_module.ctx_index];
    ngx_flag_t rejects = ssl->reject_handshake != NGX_CONF_UNSET ? ssl->reject_handshake
                                                                 : http_ssl->reject_handshake;

    srv->main = main;
    see_listeners(cf, main);
    srv->bootstrap = hc_scope_bootstrap(main->conf, srv->scope);
    /* a server that refuses every handshake needs no certificate */
    if (rejects == 1 && srv->scope->mode == HC_MODE_UNSET) {
        srv->tls = 0;
    }
    if (!srv->tls || hc_scope_mode(main->conf, srv->scope) == HC_MODE_OFF) {
        return NGX_CONF_OK;
    }
    srv->own_certificate = is_given(ssl->certificates);
    if (hc_conf_leaves_host(main->conf, srv->scope, srv->own_certificate,
                            srv->own_certificate || is_given(http_ssl->certificates))) {
        return NGX_CONF_OK;
    }
    return take_over(cf, confs[ngx_http_core_module.ctx_index], srv, ssl, http_ssl);
}

/* The server's names; regular expressions as nginx writes them. */
static int names_of(const ngx_http_core_srv_conf_t *cscf, struct hc_list *names,
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

static void log_notes(ngx_log_t *log, const struct hc_findings *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct hc_finding *note = &notes->items[i];
        ngx_uint_t level = hc_note_level(note) == HC_LOG_NOTICE ? NGX_LOG_NOTICE : NGX_LOG_WARN;

        ngx_log_error(level, log, 0, "hotcert: %s: %s: %s (%s; %s)", note->subject,
                      hc_problem_row(note->problem)->sentence, note->message,
                      hc_problem_row(note->problem)->slug, note->hint);
    }
}

static ngx_int_t collect_server(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main,
                                ngx_http_core_srv_conf_t *cscf, ngx_array_t *indices)
{
    ngx_http_hotcert_srv_conf_t *srv = cscf->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];
    const ngx_http_ssl_srv_conf_t *ssl = cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
    int *index = ngx_array_push(indices);
    struct hc_list names = {0};
    struct hc_findings notes = {0};
    struct hc_host host = {
        .scope = srv->scope,
        .where = place(cf, cscf->file_name, cscf->line),
        .names = &names,
        .tls = srv->tls,
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
    if (names_of(cscf, &names, &err) == 0 &&
        hc_conf_add_host(main->conf, &host, index, &notes, &err) == 0) {
        rc = NGX_OK;
    }
    log_notes(cf->log, &notes); /* names that were left out may be why it is refused */
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
                              "version of nginx: no CA can ask it for an http-01 token",
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
    if (hc_conf_finish(main->conf, &err) != 0) {
        ngx_http_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
        return NGX_ERROR;
    }
    if (any_is_on(main->conf)) {
        warn_of_h2_only(cf, cmcf);
    }
    return link_views(cf, main, indices);
}
