/*
 * What other modules' directives say. mod_ssl exports nothing of it (is TLS on, which files) before
 * its post_config, which is too late to refuse a configuration; httpd gives a directive to every
 * module that lists it, so this one lists them too and takes notes.
 */
#include <string.h>

#include "mod_hotcert.h"

static struct mod_hotcert_server *config_of(const cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, &hotcert_module);
}

static const char *observe_engine(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    const char *word = ap_getword_conf(cmd->temp_pool, &args);

    config_of(cmd)->engine = strcasecmp(word, "on") == 0 ? MOD_HOTCERT_ON : MOD_HOTCERT_OFF;
    return NULL;
}

bool mod_hotcert_is_no_file(const char *name)
{
    return strncmp(name, "pkcs11:", 7) == 0;
}

static const char *observe_path(cmd_parms *cmd, const char *args)
{
    const char *name = ap_getword_conf(cmd->pool, &args);

    return mod_hotcert_is_no_file(name) ? name : ap_server_root_relative(cmd->pool, name);
}

static const char *observe_certificate(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    *(const char **)apr_array_push(config_of(cmd)->certificates) = observe_path(cmd, args);
    return NULL;
}

static const char *observe_key(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    *(const char **)apr_array_push(config_of(cmd)->keys) = observe_path(cmd, args);
    return NULL;
}

static const char *observe_chain(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    config_of(cmd)->chain = observe_path(cmd, args);
    return NULL;
}

static const char *observe_ca_file(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    config_of(cmd)->ca_file = observe_path(cmd, args);
    return NULL;
}

static const char *observe_ca_folder(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    config_of(cmd)->ca_folder = observe_path(cmd, args);
    return NULL;
}

/* OpenSSL's own commands: those that bring a certificate, or say where its issuers are. */
static const char *observe_command(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    struct mod_hotcert_server *config = config_of(cmd);
    const char *word = ap_getword_conf(cmd->pool, &args);

    if (strcasecmp(word, "Certificate") == 0 || strcasecmp(word, "PrivateKey") == 0) {
        config->command = word;
    } else if (strcasecmp(word, "ServerInfoFile") == 0) {
        config->server_info = true;
    } else if (strcasecmp(word, "ChainCAFile") == 0) {
        config->chain_ca_file = observe_path(cmd, args);
    } else if (strcasecmp(word, "ChainCAPath") == 0) {
        config->chain_ca_folder = observe_path(cmd, args);
    }
    return NULL;
}

static const char *observe_dialog(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    config_of(cmd)->dialog = ap_getword_conf(cmd->pool, &args);
    return NULL;
}

static const char *observe_name(cmd_parms *cmd, void *unused HC_UNUSED, const char *args HC_UNUSED)
{
    config_of(cmd)->named = true;
    return NULL;
}

static const char *observe_stapling(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    const char *word = ap_getword_conf(cmd->temp_pool, &args);

    config_of(cmd)->stapling = strcasecmp(word, "on") == 0 ? MOD_HOTCERT_ON : MOD_HOTCERT_OFF;
    return NULL;
}

static const char *observe_proxy_protocol(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    config_of(cmd)->proxy_protocol = strcasecmp(ap_getword_conf(cmd->temp_pool, &args), "on") == 0;
    return NULL;
}

static const char mod_ssl[] = "ssl";
static const char mod_remoteip[] = "remoteip";
static const char mod_md[] = "md";

static const struct {
    const char *name;
    mod_hotcert_directive *take;
    const char *module; /* whose directive it is; NULL: httpd's own */
} observed[] = {
    // clang-format off
    {"SSLEngine", observe_engine, mod_ssl},
    {"SSLCertificateFile", observe_certificate, mod_ssl},
    {"SSLCertificateKeyFile", observe_key, mod_ssl},
    {"SSLCertificateChainFile", observe_chain, mod_ssl},
    {"SSLCACertificateFile", observe_ca_file, mod_ssl},
    {"SSLCACertificatePath", observe_ca_folder, mod_ssl},
    {"SSLOpenSSLConfCmd", observe_command, mod_ssl},
    {"SSLPassPhraseDialog", observe_dialog, mod_ssl},
    {"SSLUseStapling", observe_stapling, mod_ssl},
    {"RemoteIPProxyProtocol", observe_proxy_protocol, mod_remoteip},
    {"ServerName", observe_name, NULL},
    {"MDomain", mod_hotcert_managed_observe, mod_md},
    {"<MDomainSet", mod_hotcert_managed_observe, mod_md},
    {"<MDomain", mod_hotcert_managed_observe, mod_md},
    {"MDMember", mod_hotcert_members_observe, mod_md},
    {"MDMembers", mod_hotcert_members_observe, mod_md},
    // clang-format on
};

const char *mod_hotcert_observed(size_t i)
{
    return i < HC_COUNT(observed) ? observed[i].name : NULL;
}

/* Listing a module's directive must not make it known where that module is not loaded. */
const char *mod_hotcert_observe(cmd_parms *cmd, void *unused, const char *args)
{
    for (size_t i = 0; i < HC_COUNT(observed); i++) {
        const char *module = observed[i].module;

        if (strcasecmp(observed[i].name, cmd->cmd->name) != 0) {
            continue;
        }
        if (module != NULL &&
            ap_find_linked_module(apr_psprintf(cmd->temp_pool, "mod_%s.c", module)) == NULL) {
            return apr_psprintf(cmd->pool,
                                "%s is a directive of mod_%s, which is not loaded: a2enmod %s, or "
                                "LoadModule %s_module",
                                cmd->cmd->name, module, module, module);
        }
        return observed[i].take(cmd, unused, args);
    }
    return NULL;
}

/* ---- as mod_ssl merges them ---- */

/* That many files of a host replace those of the main server, one by one; the rest is added. */
#define SSL_REPLACED 3

static apr_array_header_t *merge_files(apr_pool_t *pool, const apr_array_header_t *base,
                                       const apr_array_header_t *add)
{
    apr_array_header_t *merged = apr_array_make(pool, 4, sizeof(const char *));
    int i = 0;

    for (; i < add->nelts && i < SSL_REPLACED; i++) {
        *(const char **)apr_array_push(merged) = APR_ARRAY_IDX(add, i, const char *);
    }
    for (; i < base->nelts; i++) {
        *(const char **)apr_array_push(merged) = APR_ARRAY_IDX(base, i, const char *);
    }
    for (i = SSL_REPLACED; i < add->nelts; i++) {
        *(const char **)apr_array_push(merged) = APR_ARRAY_IDX(add, i, const char *);
    }
    return merged;
}

static void inherit(const char **own, const char *from)
{
    *own = *own != NULL ? *own : from;
}

void *mod_hotcert_server_merge(apr_pool_t *pool, void *base, void *add)
{
    const struct mod_hotcert_server *from = base;
    struct mod_hotcert_server *merged = apr_pmemdup(pool, add, sizeof(*merged));

    if (merged->engine == MOD_HOTCERT_UNSET) {
        merged->engine = from->engine;
    }
    if (merged->stapling == MOD_HOTCERT_UNSET) {
        merged->stapling = from->stapling;
    }
    merged->own_command = merged->command != NULL;
    inherit(&merged->chain, from->chain);
    inherit(&merged->ca_file, from->ca_file);
    inherit(&merged->ca_folder, from->ca_folder);
    inherit(&merged->chain_ca_file, from->chain_ca_file);
    inherit(&merged->chain_ca_folder, from->chain_ca_folder);
    inherit(&merged->command, from->command);
    merged->server_info = merged->server_info || from->server_info;
    merged->certificates = merge_files(pool, from->certificates, merged->certificates);
    merged->keys = merge_files(pool, from->keys, merged->keys);
    return merged;
}
