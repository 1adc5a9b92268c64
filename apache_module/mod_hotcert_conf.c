/*
 * Directives and hosts. httpd's table of commands is made from the core's table of directives
 * (core/conf/rows.c) when the module is loaded, and from those that mod_hotcert_observe.c takes
 * notes of.
 */
#include <stdlib.h>
#include <string.h>

#include "mod_hotcert.h"

#define COMMANDS_MAX 256

command_rec mod_hotcert_commands[COMMANDS_MAX];
static char command_names[COMMANDS_MAX][HC_DIRECTIVE_NAME + 1];

static const char *complain(cmd_parms *cmd, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    return apr_pstrdup(cmd->pool, hc_error_format(err, text, sizeof(text)));
}

static const char *where_of(cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

static unsigned context_of(const cmd_parms *cmd)
{
    if (mod_hotcert->block != NULL) {
        return mod_hotcert->block_kind->context;
    }
    return cmd->server->is_virtual ? HC_CTX_HOST : HC_CTX_MAIN;
}

/* The row of an httpd name in this context; else any row of that name, to complain with. */
static const struct hc_directive *find_row(const char *name, unsigned context)
{
    const struct hc_directive *other = NULL;
    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL; i++) {
        if (strcasecmp(row->httpd, name) == 0) {
            if ((row->contexts & context) != 0) {
                return row;
            }
            other = row;
        }
    }
    return other;
}

static struct mod_hotcert_server *config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &hotcert_module);
}

static apr_status_t free_scope(void *scope)
{
    hc_scope_free(scope);
    return APR_SUCCESS;
}

/* The host's own scope, made at its first directive; NULL with *err in the main server. */
static struct hc_scope *scope_for(cmd_parms *cmd, struct hc_error *err)
{
    struct mod_hotcert_server *config = config_of(cmd->server);

    if (config->scope == NULL) {
        config->scope = hc_scope_new(err);
        if (config->scope != NULL) {
            apr_pool_cleanup_register(cmd->pool, config->scope, free_scope, apr_pool_cleanup_null);
        }
    }
    return config->scope;
}

static const char *apply(cmd_parms *cmd, const struct hc_directive *row, const char *args)
{
    apr_array_header_t *words = apr_array_make(cmd->temp_pool, 4, sizeof(const char *));
    struct hc_directive_call call = {
        .directive = row,
        .conf = mod_hotcert->conf,
        .block = mod_hotcert->block,
        .context = context_of(cmd),
        .where = where_of(cmd),
        .path_base = ap_server_root,
    };
    struct hc_error err;

    hc_error_init(&err);
    while (*args != '\0') {
        *(const char **)apr_array_push(words) = ap_getword_conf(cmd->temp_pool, &args);
    }
    call.count = (unsigned)words->nelts;
    call.args = (const char *const *)(void *)words->elts;
    if (call.context == HC_CTX_HOST) {
        call.scope = scope_for(cmd, &err);
    }
    if (hc_error_is_set(&err) || hc_directive_apply(&call, &err) != 0) {
        return complain(cmd, &err);
    }
    return NULL;
}

static const char *take_directive(cmd_parms *cmd, void *unused, const char *args)
{
    (void)unused;
    return apply(cmd, find_row(cmd->cmd->name, context_of(cmd)), args);
}

/* Nothing but the block's own options may stand in its section. */
static const char *check_section(cmd_parms *cmd, const struct hc_block_kind *kind)
{
    for (const ap_directive_t *d = cmd->directive->first_child; d != NULL; d = d->next) {
        const struct hc_directive *row = find_row(d->directive, kind->context);

        if (row == NULL || (row->contexts & kind->context) == 0) {
            cmd->err_directive = d;
            return apr_psprintf(cmd->pool, "%s is no option of %s (docs/directives.md lists them)",
                                d->directive, kind->noun);
        }
    }
    return NULL;
}

static const char *take_section(cmd_parms *cmd, void *unused, const char *args)
{
    const char *end = ap_strrchr_c(args, '>');
    const struct hc_directive *row = NULL;
    const char *rest = NULL;
    const char *name = NULL;
    const char *problem = NULL;
    struct hc_error err;

    (void)unused;
    if (end == NULL) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, "> lacks its closing '>'", NULL);
    }
    rest = apr_pstrmemdup(cmd->temp_pool, args, (apr_size_t)(end - args));
    row = find_row(cmd->cmd->name + 1, context_of(cmd));
    problem = apply(cmd, row, rest);
    if (problem != NULL || (problem = check_section(cmd, row->opens)) != NULL) {
        return problem;
    }
    hc_error_init(&err);
    name = ap_getword_conf(cmd->temp_pool, &rest);
    if (hc_block_begin(mod_hotcert->conf, row->opens, name, where_of(cmd), &mod_hotcert->block,
                       &err) != 0) {
        return complain(cmd, &err);
    }
    mod_hotcert->block_kind = row->opens;
    problem = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    mod_hotcert->block = NULL;
    return problem;
}

/* ---- the table of commands ---- */

static bool listed(size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(mod_hotcert_commands[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void list_command(size_t at, const char *name, mod_hotcert_directive *take, const char *help)
{
    command_rec *command = &mod_hotcert_commands[at];

    command->name = name;
    command->func.raw_args = take;
    command->req_override = RSRC_CONF;
    command->args_how = RAW_ARGS;
    command->errmsg = help;
}

/*
 * When the module is loaded, before httpd looks at its commands. RAW_ARGS for all: httpd's own
 * splitting silently drops what comes after the 64th argument.
 */
static void __attribute__((constructor)) make_commands(void)
{
    size_t count = 0;

    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL && count + 1 < COMMANDS_MAX; i++) {
        const char *name = row->httpd;

        if (row->opens != NULL) {
            (void)apr_snprintf(command_names[count], sizeof(command_names[count]), "<%s", name);
            name = command_names[count];
        }
        if (!listed(count, name)) {
            list_command(count++, name, row->opens != NULL ? take_section : take_directive,
                         row->doc);
        }
    }
    for (size_t i = 0; mod_hotcert_observed(i) != NULL && count + 1 < COMMANDS_MAX; i++) {
        list_command(count++, mod_hotcert_observed(i), mod_hotcert_observe,
                     "see the module that it belongs to");
    }
}

/* ---- per server ---- */

void *mod_hotcert_server_create(apr_pool_t *pool, server_rec *server)
{
    struct mod_hotcert_server *config = apr_pcalloc(pool, sizeof(*config));

    config->owner = server;
    config->certificates = apr_array_make(pool, 2, sizeof(const char *));
    config->keys = apr_array_make(pool, 2, sizeof(const char *));
    config->own = config->certificates;
    return config;
}

/* ---- hosts ---- */

/* httpd's rule: the protocol that the host says, else that of the listener it is reached by. */
static bool is_https(server_rec *server)
{
    const char *protocol = ap_get_server_protocol(server);

    if (protocol != NULL) {
        return strcmp(protocol, "https") == 0;
    }
    for (const server_addr_rec *address = server->addrs; address != NULL; address = address->next) {
        for (const ap_listen_rec *l = ap_listeners; l != NULL; l = l->next) {
            if (l->bind_addr->port == address->host_port && l->protocol != NULL &&
                strcmp(l->protocol, "https") == 0) {
                return true;
            }
        }
    }
    return false;
}

/* mod_ssl's rule: SSLEngine; without it, a host of a https port that names a certificate. */
bool mod_hotcert_has_tls(server_rec *server, const struct mod_hotcert_server *config)
{
    switch (config->engine) {
    case MOD_HOTCERT_ON:
        return true;
    case MOD_HOTCERT_OFF:
        return false;
    case MOD_HOTCERT_UNSET:
        return config->certificates->nelts > 0 && is_https(server);
    }
    return false;
}

static int add_names(struct hc_list *names, const apr_array_header_t *from, struct hc_error *err)
{
    for (int i = 0; from != NULL && i < from->nelts; i++) {
        if (hc_list_add(names, APR_ARRAY_IDX(from, i, const char *), err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ServerName and ServerAlias; a name that httpd made up for want of one is none. */
static int collect_names(const server_rec *server, const struct mod_hotcert_server *config,
                         struct hc_list *names, struct hc_error *err)
{
    if (config->named && config->owner == server &&
        hc_list_add(names, server->server_hostname, err) != 0) {
        return -1;
    }
    if (add_names(names, server->names, err) != 0) {
        return -1;
    }
    return add_names(names, server->wild_names, err);
}

/* The part of the host's pair number i that is an object of a token, or NULL. */
static const char *token_of(const struct mod_hotcert_server *config, int i)
{
    const char *certificate = APR_ARRAY_IDX(config->certificates, i, const char *);
    const char *key =
        i < config->keys->nelts ? APR_ARRAY_IDX(config->keys, i, const char *) : certificate;

    return mod_hotcert_is_no_file(key)           ? key
           : mod_hotcert_is_no_file(certificate) ? certificate
                                                 : NULL;
}

/*
 * Certificate, key and passphrase file of each pair, as mod_ssl pairs them. What is no file cannot
 * be followed, which is refused, or under `on` cannot be the first certificate.
 */
static int collect_files(const struct mod_hotcert_server *config, const struct hc_host *host,
                         bool watch, struct hc_findings *notes, struct hc_list *files,
                         struct hc_error *err)
{
    for (int i = 0; i < config->certificates->nelts; i++) {
        const char *certificate = APR_ARRAY_IDX(config->certificates, i, const char *);
        const char *key =
            i < config->keys->nelts ? APR_ARRAY_IDX(config->keys, i, const char *) : certificate;
        const char *token = token_of(config, i);

        if (token != NULL && watch) {
            return hc_refuse_unfollowed(host->where, token, false, err);
        }
        if (token != NULL) {
            if (hc_remark_unfollowed(host->where, token, notes, err) != 0) {
                return -1;
            }
            continue;
        }
        if (hc_list_add(files, certificate, err) != 0 || hc_list_add(files, key, err) != 0 ||
            hc_list_add(files, HC_KEPT_FILE, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static const char *server_where(apr_pool_t *pool, const server_rec *server)
{
    return server->defn_name != NULL
               ? apr_psprintf(pool, "%s:%u", server->defn_name, server->defn_line_number)
               : "the main server";
}

static int remember(struct mod_hotcert_state *state, server_rec *server,
                    const struct mod_hotcert_server *config, const struct hc_scope *scope,
                    int identity)
{
    struct mod_hotcert_host *host = apr_pcalloc(state->pool, sizeof(*host));

    host->server = server;
    host->where = server_where(state->pool, server);
    host->config = config;
    host->identity = (size_t)identity;
    host->bootstrap = hc_scope_bootstrap(state->conf, scope);
    apr_hash_set(state->hosts, &host->server, sizeof(server_rec *), host);
    return 0;
}

/* What a host says itself counts more than a certificate of the main server. */
static bool passes_over(const struct mod_hotcert_server *config, const struct hc_host *host)
{
    return host->scope != NULL && config->own->nelts == 0 && config->certificates->nelts > 0 &&
           (host->scope->mode == HC_MODE_ON || host->scope->files.count > 0);
}

/* "SSLOpenSSLConfCmd Certificate" or the like, if one of these commands counts at the host; NULL.
 */
static const char *command_of(const struct mod_hotcert_server *config, apr_pool_t *pool)
{
    return config->command != NULL ? apr_psprintf(pool, "SSLOpenSSLConfCmd %s", config->command)
                                   : NULL;
}

/* What mod_ssl is told beside, and would be put aside without a word. */
static int check_mod_ssl(const struct mod_hotcert_state *state,
                         const struct mod_hotcert_server *config, const struct hc_host *host,
                         struct hc_findings *notes, struct hc_error *err)
{
    if (config->command != NULL) {
        return hc_refuse_command(host->where, command_of(config, state->pool), err);
    }
    if (config->server_info && hc_findings_add(notes, HC_P_NO_EFFECT, host->where, err,
                                               "`SSLOpenSSLConfCmd ServerInfoFile` belongs to one "
                                               "certificate, and HotCert swaps them") != 0) {
        return -1;
    }
    return config->stapling == MOD_HOTCERT_ON ? hc_remark_stapling(host->where, notes, err) : 0;
}

/* True if mod_md's name is the host's, or a wildcard for it. */
static bool is_name(const char *managed, const char *name)
{
    const char *dot = strchr(name, '.');

    return strcasecmp(managed, name) == 0 ||
           (strncmp(managed, "*.", 2) == 0 && dot != NULL && strcasecmp(managed + 1, dot) == 0);
}

/* mod_md orders for a host as soon as one of its names is a managed one. */
static int check_managed(const struct mod_hotcert_state *state, const struct hc_host *host,
                         struct hc_findings *notes, struct hc_error *err)
{
    for (apr_hash_index_t *at = apr_hash_first(NULL, state->managed); at != NULL;
         at = apr_hash_next(at)) {
        for (size_t i = 0; i < host->names->count; i++) {
            if (is_name(apr_hash_this_key(at), host->names->items[i])) {
                return hc_findings_add(notes, HC_P_OTHER_CLIENT, host->where, err,
                                       "mod_md does, for %s (%s)", host->names->items[i],
                                       (const char *)apr_hash_this_val(at));
            }
        }
    }
    return 0;
}

/* What stands beside our directives in a host that hotcert serves. */
static int check_beside(const struct mod_hotcert_state *state,
                        const struct mod_hotcert_server *config, const struct hc_host *host,
                        int identity, struct hc_findings *notes, struct hc_error *err)
{
    if (check_mod_ssl(state, config, host, notes, err) != 0) {
        return -1;
    }
    return state->conf->identities[identity].mode == HC_MODE_ON
               ? check_managed(state, host, notes, err)
               : 0;
}

static bool has_chain_store(const struct mod_hotcert_server *config)
{
    return config->chain_ca_file != NULL || config->chain_ca_folder != NULL;
}

/* Files are watched, or, beside `on`, the first certificate. */
static bool takes_files(const struct mod_hotcert_state *state, const struct hc_host *host)
{
    enum hc_mode mode = hc_scope_mode(state->conf, host->scope);

    return host->tls &&
           (mode == HC_MODE_WATCH || (mode == HC_MODE_ON && host->not_inherited == NULL));
}

/* What of its certificate's lines `watch` cannot follow; NULL: nothing. */
static const char *obstacle_of(const struct mod_hotcert_server *config, apr_pool_t *pool)
{
    for (int i = 0; i < config->certificates->nelts; i++) {
        const char *token = token_of(config, i);

        if (token != NULL) {
            return token;
        }
    }
    return command_of(config, pool);
}

/*
 * An inherited `watch` leaves a host to mod_ssl whose certificate it cannot follow. 1: it is left,
 * and that is noted; 0: it is not; -1: err.
 */
static int leaves_host(const struct mod_hotcert_state *state,
                       const struct mod_hotcert_server *config, const struct hc_host *host,
                       struct hc_findings *notes, struct hc_error *err)
{
    const char *obstacle = obstacle_of(config, state->pool);

    if (!host->tls || !host->has_certificate || obstacle == NULL ||
        !hc_remark_inherits_watch(state->conf, host->scope)) {
        return 0;
    }
    return hc_remark_left_alone(host->where, obstacle, notes, err) == 0 ? 1 : -1;
}

/* mod_ssl refuses such a host, unless mod_md brings a certificate, and does not name the cause. */
static int note_bare_host(const struct mod_hotcert_state *state,
                          const struct mod_hotcert_server *config, const struct hc_host *host,
                          struct hc_findings *notes, struct hc_error *err)
{
    if (!host->tls || host->has_certificate || config->command != NULL ||
        apr_hash_count(state->managed) > 0 ||
        hc_scope_mode(state->conf, host->scope) != HC_MODE_WATCH ||
        !hc_conf_leaves_host(state->conf, host->scope, false, false)) {
        return 0;
    }
    return hc_findings_add(notes, HC_P_NO_FILES, host->where, err,
                           "`HotCert watch` stands outside of this host, which has SSLEngine on "
                           "and no certificate");
}

static int build_host(struct mod_hotcert_state *state, server_rec *server,
                      struct hc_findings *notes, struct hc_error *err)
{
    const struct mod_hotcert_server *config = config_of(server);
    struct hc_list names = {0};
    struct hc_list files = {0};
    struct hc_host host = {
        .scope = config->owner == server ? config->scope : NULL,
        .where = server_where(state->pool, server),
        .names = &names,
        .tls = mod_hotcert_has_tls(server, config),
        .has_certificate = config->certificates->nelts > 0,
        .own_certificate = server->is_virtual && (config->own->nelts > 0 || config->own_command),
        .files = &files,
        .chain_file = config->chain,
        /* OpenSSL looks for issuers in its chain store, or, without one, where clients' are */
        .store_file = has_chain_store(config) ? config->chain_ca_file : config->ca_file,
        .store_folder = has_chain_store(config) ? config->chain_ca_folder : config->ca_folder,
    };
    int identity = -1;
    int rc = leaves_host(state, config, &host, notes, err);

    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    rc = -1;
    if (passes_over(config, &host)) {
        host.has_certificate = false;
        host.not_inherited = APR_ARRAY_IDX(config->certificates, 0, const char *);
    }
    if (collect_names(server, config, &names, err) != 0 ||
        (takes_files(state, &host) &&
         collect_files(config, &host, hc_scope_mode(state->conf, host.scope) == HC_MODE_WATCH,
                       notes, &files, err) != 0) ||
        hc_conf_add_host(state->conf, &host, &identity, notes, err) != 0) {
        goto out;
    }
    if (identity >= 0 ? check_beside(state, config, &host, identity, notes, err) != 0
                      : note_bare_host(state, config, &host, notes, err) != 0) {
        goto out;
    }
    rc = identity >= 0 ? remember(state, server, config, host.scope, identity) : 0;
out:
    hc_list_dispose(&names);
    hc_list_dispose(&files);
    return rc;
}

int mod_hotcert_hosts_build(struct mod_hotcert_state *state, server_rec *servers,
                            struct hc_findings *notes, struct hc_error *err)
{
    for (server_rec *server = servers; server != NULL; server = server->next) {
        if (build_host(state, server, notes, err) != 0) {
            return -1;
        }
    }
    return hc_conf_finish(state->conf, err) == 0
               ? mod_hotcert_listeners_check(state, servers, notes, err)
               : -1;
}

struct mod_hotcert_host *mod_hotcert_host_of(const struct mod_hotcert_state *state,
                                             const server_rec *server)
{
    return apr_hash_get(state->hosts, &server, sizeof(server_rec *));
}
