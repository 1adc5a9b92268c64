/* Virtual hosts to hosts of the core, and those to the identities that they are served. */
#include <string.h>

#include "mod_hotcert.h"

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

/* What stands beside our directives in a host that hotcert serves. */
static int check_beside(const struct mod_hotcert_state *state,
                        const struct mod_hotcert_server *config, const struct hc_host *host,
                        int identity, struct hc_findings *notes, struct hc_error *err)
{
    if (check_mod_ssl(state, config, host, notes, err) != 0) {
        return -1;
    }
    return state->conf->identities[identity].mode == HC_MODE_ON
               ? mod_hotcert_managed_check(state, host, notes, err)
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
                           "it inherits `HotCert watch` and has SSLEngine on, but no certificate");
}

static int build_host(struct mod_hotcert_state *state, server_rec *server,
                      struct hc_findings *notes, struct hc_error *err)
{
    const struct mod_hotcert_server *config =
        ap_get_module_config(server->module_config, &hotcert_module);
    struct hc_list names = {0};
    struct hc_list files = {0};
    struct hc_host host = {
        .scope = config->owner == server ? config->scope : NULL,
        .where = server_where(state->pool, server),
        .names = &names,
        .tls = mod_hotcert_has_tls(server, config),
        .is_default = mod_hotcert_is_first(state, server),
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
    mod_hotcert_firsts_note(state, servers);
    mod_hotcert_managed_extend(state, servers);
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
