/*
 * What becomes of ssl_certificate. Where hotcert is on or watches, it is taken over before the ssl
 * module's merge would load it: that module is left with empty arrays, finds nothing missing, and
 * starts the SSL_CTX empty. Where a mode is only inherited and does not fit, nothing is touched.
 */
#include "ngx_http_hotcert.h"

/* A server's lines, its own or those of http{}. */
struct lines {
    const ngx_array_t *certificates;
    const ngx_array_t *keys;
    ngx_str_t password;
    const char *left_by; /* what leaves them to nginx, or NULL */
};

static void see_address(const ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **cscf = addr->servers.elts;

    for (ngx_uint_t i = 0; i < addr->servers.nelts; i++) {
        ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        if (ngx_http_hotcert_listens_tls(&addr->opt)) {
            srv->tls = 1;
            srv->is_default = srv->is_default || cscf[i] == addr->default_server;
        }
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

static const char *where_of(ngx_conf_t *cf)
{
    const ngx_http_core_srv_conf_t *cscf =
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    return ngx_hotcert_place(cf, cscf->file_name, cscf->line);
}

static bool has_variables(const ngx_str_t *name)
{
    return ngx_http_script_variables_count((ngx_str_t *)(uintptr_t)name) > 0;
}

static bool is_no_file(const ngx_str_t *name)
{
    return has_variables(name) || ngx_strncmp(name->data, "data:", 5) == 0 ||
           ngx_strncmp(name->data, "engine:", 7) == 0 || ngx_strncmp(name->data, "store:", 6) == 0;
}

/* The part of a pair of the lines that cannot be followed, or NULL. */
static const ngx_str_t *unfollowable(const struct lines *lines, ngx_uint_t i)
{
    const ngx_str_t *certificate = (const ngx_str_t *)lines->certificates->elts + i;
    const ngx_str_t *key = NULL;

    if (is_no_file(certificate)) {
        return certificate;
    }
    if (!is_given(lines->keys) || lines->keys->nelts <= i) {
        return NULL;
    }
    key = (const ngx_str_t *)lines->keys->elts + i;
    return is_no_file(key) ? key : NULL;
}

static bool lacks_key(const struct lines *lines, ngx_uint_t i)
{
    return !is_given(lines->keys) || lines->keys->nelts <= i;
}

/* nginx terminates the words of its configuration. What is behind "data:" may be a key. */
static const char *text_of(const ngx_str_t *word)
{
    const char *text = (const char *)word->data;

    return strncmp(text, "data:", 5) == 0 ? "data:" : text;
}

static int add_file(ngx_conf_t *cf, struct hc_list *files, ngx_str_t name, struct hc_error *err)
{
    if (name.len > 0 && ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return hc_error_nomem(err);
    }
    return hc_list_add_len(files, (const char *)name.data, name.len, err);
}

static int add_pair(ngx_conf_t *cf, struct hc_list *files, const struct lines *lines, ngx_uint_t i,
                    struct hc_error *err)
{
    if (add_file(cf, files, ((const ngx_str_t *)lines->certificates->elts)[i], err) != 0 ||
        add_file(cf, files, ((const ngx_str_t *)lines->keys->elts)[i], err) != 0) {
        return -1;
    }
    return add_file(cf, files, lines->password, err);
}

/* A pair of the lines: 1: it can be followed; 0: it is left out, and that is noted; -1: err. */
static int judge_pair(const char *where, const struct lines *lines, ngx_uint_t i, bool watch,
                      struct hc_findings *notes, struct hc_error *err)
{
    const ngx_str_t *certificate = (const ngx_str_t *)lines->certificates->elts + i;
    const ngx_str_t *what = unfollowable(lines, i);

    if (what == NULL && !lacks_key(lines, i)) {
        return 1;
    }
    if (watch) {
        return what != NULL ? hc_refuse_unfollowed(where, text_of(what), has_variables(what), err)
                            : hc_error_set(err, HC_P_CONFLICT, where,
                                           "there is no ssl_certificate_key for ssl_certificate %s",
                                           text_of(certificate));
    }
    return hc_remark_unfollowed(where, text_of(what != NULL ? what : certificate), notes, err);
}

/*
 * The paths of ssl_certificate, ssl_certificate_key and ssl_password_file, in triples. What cannot
 * be followed is refused under `watch`; under `on` it only cannot be the first certificate.
 */
static char *take_files(ngx_conf_t *cf, ngx_http_hotcert_srv_conf_t *srv, const struct lines *lines,
                        bool watch)
{
    struct hc_log log = ngx_hotcert_log(cf->log);
    struct hc_findings notes = {0};
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    for (ngx_uint_t i = 0; rc >= 0 && i < lines->certificates->nelts; i++) {
        rc = judge_pair(where_of(cf), lines, i, watch, &notes, &err);
        if (rc == 1) {
            rc = add_pair(cf, &srv->files, lines, i, &err);
        }
    }
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    return rc < 0 ? ngx_hotcert_conf_error(cf, &err) : NGX_CONF_OK;
}

/* Lines beside a certificate's that leave it to nginx: hotcert would serve another in its place. */
static const char *left_by_settings(const ngx_http_ssl_srv_conf_t *ssl,
                                    const ngx_http_ssl_srv_conf_t *http_ssl)
{
    const ngx_array_t *commands =
        ssl->conf_commands != NGX_CONF_UNSET_PTR ? ssl->conf_commands : http_ssl->conf_commands;

    if (ngx_http_hotcert_compression(ssl, http_ssl) == 1) {
        return "ssl_certificate_compression on";
    }
    return commands != NGX_CONF_UNSET_PTR ? ngx_http_hotcert_certificate_command(commands) : NULL;
}

/* What keeps an inherited `watch` from following a server's certificate; NULL: nothing. */
static const char *obstacle_of(const struct lines *lines)
{
    for (ngx_uint_t i = 0; i < lines->certificates->nelts; i++) {
        const ngx_str_t *what = unfollowable(lines, i);

        if (what != NULL) {
            return text_of(what);
        }
        if (lacks_key(lines, i)) {
            return text_of((const ngx_str_t *)lines->certificates->elts + i);
        }
    }
    return lines->left_by;
}

/* An inherited `watch` leaves a server alone whose lines it cannot follow: 1; 0: it does not. */
static int leaves_lines(ngx_conf_t *cf, const ngx_http_hotcert_srv_conf_t *srv,
                        const struct lines *lines, struct hc_error *err)
{
    struct hc_log log = ngx_hotcert_log(cf->log);
    const char *obstacle = obstacle_of(lines);
    struct hc_findings notes = {0};
    int rc = 0;

    if (obstacle == NULL || !hc_remark_inherits_watch(srv->main->own.conf, srv->scope)) {
        return 0;
    }
    rc = hc_remark_left_alone(where_of(cf), obstacle, &notes, err);
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    return rc == 0 ? 1 : -1;
}

static char *take_over(ngx_conf_t *cf, ngx_http_hotcert_srv_conf_t *srv,
                       ngx_http_ssl_srv_conf_t *ssl, const struct lines *lines)
{
    bool watch = hc_scope_mode(srv->main->own.conf, srv->scope) == HC_MODE_WATCH;
    bool files = srv->scope->files.count > 0;

    if (srv->has_certificate && !srv->own_certificate && srv->scope->mode != HC_MODE_UNSET &&
        (!watch || files)) {
        srv->not_inherited = text_of(lines->certificates->elts);
    } else if (srv->has_certificate && !files && take_files(cf, srv, lines, watch) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }
    ssl->certificates = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    ssl->certificate_keys = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    srv->taken = 1;
    return ssl->certificates != NULL && ssl->certificate_keys != NULL ? NGX_CONF_OK
                                                                      : NGX_CONF_ERROR;
}

/*
 * A catch-all that only inherits `on`: without a certificate it refuses handshakes, since nginx
 * demands one or the other of an address' default server. 1: it is one, 0: it is none, -1: err.
 */
static int leave_catch_all(const ngx_http_core_srv_conf_t *cscf, ngx_http_hotcert_srv_conf_t *srv,
                           ngx_http_ssl_srv_conf_t *ssl, struct hc_error *err)
{
    struct hc_list names = {0};
    int rc = ngx_http_hotcert_names(cscf, &names, err);

    if (rc == 0 && hc_conf_orders_nothing(srv->main->own.conf, srv->scope, &names)) {
        srv->rejects = !srv->has_certificate;
        if (srv->rejects) {
            ssl->reject_handshake = 1;
        }
        rc = 1;
    }
    hc_list_dispose(&names);
    return rc;
}

static struct lines lines_of(const ngx_http_hotcert_srv_conf_t *srv,
                             const ngx_http_ssl_srv_conf_t *ssl,
                             const ngx_http_ssl_srv_conf_t *http_ssl)
{
    const ngx_http_hotcert_srv_conf_t *http =
        srv->main->http_srv_conf[ngx_http_hotcert_module.ctx_index];

    return (struct lines){
        .certificates = srv->own_certificate ? ssl->certificates : http_ssl->certificates,
        .keys = ssl->certificate_keys != NGX_CONF_UNSET_PTR ? ssl->certificate_keys
                                                            : http_ssl->certificate_keys,
        .password = srv->password_line > 0 ? srv->password_file : http->password_file,
        .left_by = left_by_settings(ssl, http_ssl),
    };
}

/* Whether it listens with TLS and is not to be left alone: 1; 0: it is; -1: err. */
static int take_or_leave(ngx_conf_t *cf, ngx_http_hotcert_srv_conf_t *srv,
                         ngx_http_ssl_srv_conf_t *ssl, const struct lines *lines,
                         struct hc_error *err)
{
    int left = 0;

    if (hc_conf_leaves_host(srv->main->own.conf, srv->scope, srv->own_certificate,
                            srv->has_certificate)) {
        return 0;
    }
    left = srv->has_certificate ? leaves_lines(cf, srv, lines, err) : 0;
    if (left != 0) {
        return left < 0 ? -1 : 0;
    }
    left =
        leave_catch_all(ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module), srv, ssl, err);
    return left < 0 ? -1 : !left;
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
    struct lines lines = {0};
    struct hc_error err;
    int ours = 0;

    hc_error_init(&err);
    srv->main = main;
    srv->host.main = &main->own;
    see_listeners(cf, main);
    srv->host.bootstrap = hc_scope_bootstrap(main->own.conf, srv->scope);
    /* a server that refuses every handshake needs no certificate */
    if (rejects == 1 && srv->scope->mode == HC_MODE_UNSET) {
        srv->tls = 0;
    }
    if (!srv->tls || hc_scope_mode(main->own.conf, srv->scope) == HC_MODE_OFF) {
        return NGX_CONF_OK;
    }
    srv->own_certificate = is_given(ssl->certificates);
    srv->has_certificate = srv->own_certificate || is_given(http_ssl->certificates);
    lines = lines_of(srv, ssl, http_ssl);
    ours = take_or_leave(cf, srv, ssl, &lines, &err);
    if (ours < 0) {
        return ngx_hotcert_conf_error(cf, &err);
    }
    return ours ? take_over(cf, srv, ssl, &lines) : NGX_CONF_OK;
}
