/* The configuration's life: issuers, scopes, defaults, the check of the whole. See conf.h. */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "base/vec.h"
#include "conf/block.h"
#include "conf/issuer.h"
#include "conf/settings.h"

static const struct {
    const char *name, *directory_url, *caa_domain, *terms;
} built_in[] = {
    {"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", "letsencrypt.org",
     "https://letsencrypt.org/repository/"},
    {"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory",
     "letsencrypt.org", "https://letsencrypt.org/repository/"},
};

static const char *const key_type_names[] = {
    [HC_KEY_NONE] = "none",           [HC_KEY_ECDSA_256] = "ecdsa:256",
    [HC_KEY_ECDSA_384] = "ecdsa:384", [HC_KEY_RSA_2048] = "rsa:2048",
    [HC_KEY_RSA_3072] = "rsa:3072",   [HC_KEY_RSA_4096] = "rsa:4096",
    [HC_KEY_OTHER] = "other",
};

const char *hc_key_type_name(enum hc_key_type type)
{
    return (size_t)type < HC_COUNT(key_type_names) ? key_type_names[type] : "none";
}

enum hc_key_type hc_key_type_parse(const char *name)
{
    for (size_t i = HC_KEY_ECDSA_256; i < HC_KEY_OTHER; i++) {
        if (strcmp(name, key_type_names[i]) == 0) {
            return (enum hc_key_type)i;
        }
    }
    return HC_KEY_NONE;
}

bool hc_key_type_is_rsa(enum hc_key_type type)
{
    return type == HC_KEY_RSA_2048 || type == HC_KEY_RSA_3072 || type == HC_KEY_RSA_4096;
}

static void scope_dispose(struct hc_scope *scope)
{
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (hc_directive_is_hosts(&hc_directives_main[i])) {
            hc_field_dispose(&hc_directives_main[i].field, scope);
        }
    }
}

const char *hc_identity_label(const struct hc_identity *identity)
{
    return identity->lead != NULL      ? identity->lead
           : identity->names.count > 0 ? identity->names.items[0]
           : identity->where.count > 0 ? identity->where.items[0]
                                       : "a host";
}

void hc_identity_dispose(struct hc_identity *identity)
{
    free(identity->lead);
    hc_list_dispose(&identity->names);
    hc_list_dispose(&identity->where);
    free(identity->watched);
    memset(identity, 0, sizeof(*identity));
}

int hc_conf_make_room(struct hc_conf *conf, struct hc_error *err)
{
    struct hc_identity *grown =
        hc_vec_room(conf->identities, conf->identity_count, NULL, sizeof(*grown), err);

    conf->identities = grown != NULL ? grown : conf->identities;
    return grown != NULL ? 0 : -1;
}

void hc_server_speak(enum hc_server server)
{
    static const enum hc_spelling spellings[] = {[HC_SERVER_NGINX] = HC_SPELLING_NGINX,
                                                 [HC_SERVER_HTTPD] = HC_SPELLING_HTTPD,
                                                 [HC_SERVER_NONE] = HC_SPELLING_BOTH};

    hc_spelling_use(spellings[server]);
}

static int add_built_in(struct hc_conf *conf, struct hc_error *err)
{
    for (size_t i = 0; i < HC_COUNT(built_in); i++) {
        void *block = NULL;
        struct hc_issuer *issuer = NULL;

        if (hc_block_add(conf, &hc_block_issuer, built_in[i].name, "built in", &block, err) != 0) {
            return -1;
        }
        issuer = block;
        if (hc_strdup(built_in[i].directory_url, &issuer->directory_url, err) != 0 ||
            hc_list_add(&issuer->caa_domains, built_in[i].caa_domain, err) != 0) {
            return -1;
        }
    }
    return 0;
}

struct hc_conf *hc_conf_new(enum hc_server server, struct hc_error *err)
{
    struct hc_conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    conf->server = server;
    if (add_built_in(conf, err) != 0 ||
        hc_settings_preset(conf, HC_PRESET_HOSTS, &conf->presets, err) != 0) {
        hc_conf_free(conf);
        return NULL;
    }
    return conf;
}

void hc_conf_free(struct hc_conf *conf)
{
    if (conf == NULL) {
        return;
    }
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        const struct hc_directive *row = &hc_directives_main[i];

        if (row->opens == NULL && !hc_directive_is_hosts(row)) {
            hc_field_dispose(&row->field, conf);
        }
    }
    scope_dispose(&conf->main);
    scope_dispose(&conf->presets);
    hc_blocks_dispose(conf);
    for (size_t i = 0; i < conf->identity_count; i++) {
        hc_identity_dispose(&conf->identities[i]);
    }
    for (size_t i = 0; i < conf->set_count; i++) {
        hc_scope_free(conf->sets[i]);
    }
    free(conf->identities);
    free(conf->sets);
    hc_list_dispose(&conf->files);
    hc_buf_dispose(&conf->kept);
    hc_list_dispose(&conf->unknown);
    hc_index_dispose(&conf->file_index);
    hc_index_dispose(&conf->identity_index);
    hc_index_dispose(&conf->set_index);
    free(conf->user);
    free(conf->from);
    free(conf);
}

struct hc_scope *hc_scope_new(struct hc_error *err)
{
    struct hc_scope *scope = calloc(1, sizeof(*scope));

    if (scope == NULL) {
        hc_error_nomem(err);
    }
    return scope;
}

void hc_scope_free(struct hc_scope *scope)
{
    if (scope != NULL) {
        scope_dispose(scope);
        free(scope);
    }
}

enum hc_mode hc_scope_mode(const struct hc_conf *conf, const struct hc_scope *scope)
{
    if (scope != NULL && scope->mode != HC_MODE_UNSET) {
        return scope->mode;
    }
    return conf->main.mode != HC_MODE_UNSET ? conf->main.mode : HC_MODE_OFF;
}

enum hc_bootstrap hc_scope_bootstrap(const struct hc_conf *conf, const struct hc_scope *scope)
{
    if (scope != NULL && scope->bootstrap != HC_BOOTSTRAP_UNSET) {
        return scope->bootstrap;
    }
    return conf->main.bootstrap != HC_BOOTSTRAP_UNSET ? conf->main.bootstrap
                                                      : HC_BOOTSTRAP_SELF_SIGNED;
}

const struct hc_issuer *hc_conf_issuer(const struct hc_conf *conf, const char *name)
{
    return hc_block_find(conf, &hc_block_issuer, name);
}

bool hc_conf_orders(const struct hc_conf *conf)
{
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].mode == HC_MODE_ON) {
            return true;
        }
    }
    return false;
}

static int fill_defaults(struct hc_conf *conf, struct hc_error *err)
{
    const char *control =
        conf->server == HC_SERVER_HTTPD ? "/run/hotcert/httpd.sock" : "/run/hotcert/nginx.sock";

    if (hc_settings_preset(conf, HC_PRESET_MAIN, conf, err) != 0 ||
        (conf->control == NULL && hc_strdup(control, &conf->control, err) != 0)) {
        return -1;
    }
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        for (size_t i = 0; i < hc_block_count(conf, hc_block_kinds[k]); i++) {
            if (hc_block_fill(conf, hc_block_kinds[k], hc_block_at(conf, hc_block_kinds[k], i),
                              err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Says where the terms can be read. */
static int refuse_terms(const struct hc_issuer *issuer, const char *where, struct hc_error *err)
{
    for (size_t i = 0; i < HC_COUNT(built_in); i++) {
        if (strcmp(issuer->directory_url, built_in[i].directory_url) == 0) {
            return hc_error_set(err, HC_P_TERMS, issuer->name,
                                "used by the host at %s; read them at %s", where,
                                built_in[i].terms);
        }
    }
    return hc_error_set(err, HC_P_TERMS, issuer->name,
                        "used by the host at %s; %s names their address as termsOfService", where,
                        issuer->directory_url);
}

static int check_used_issuers(const struct hc_conf *conf, const struct hc_identity *identity,
                              struct hc_error *err)
{
    for (size_t i = 0; i < identity->set->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[i]);

        if (issuer == NULL || issuer->directory_url == NULL) {
            return hc_error_set(err, HC_P_UNKNOWN_ISSUER, identity->set->use.items[i],
                                "used by the host at %s%s", identity->where.items[0],
                                issuer != NULL ? "; its block has no directory_url" : "");
        }
        if (issuer->terms_agreed != HC_SWITCH_ON) {
            return refuse_terms(issuer, identity->where.items[0], err);
        }
    }
    return 0;
}

/* What hosts added is brought into order; a lead that stands first anyway takes no room. */
static void settle_names(struct hc_identity *identity)
{
    hc_list_sort_unique(&identity->names);
    if (identity->lead != NULL && strcmp(identity->lead, identity->names.items[0]) == 0) {
        free(identity->lead);
        identity->lead = NULL;
    }
}

int hc_conf_finish(struct hc_conf *conf, struct hc_error *err)
{
    for (size_t i = 0; i < conf->issuer_count; i++) {
        if (hc_issuer_check(&conf->issuers[i], err) != 0) {
            return -1;
        }
    }
    if (fill_defaults(conf, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        settle_names(&conf->identities[i]);
        if (check_used_issuers(conf, &conf->identities[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}
