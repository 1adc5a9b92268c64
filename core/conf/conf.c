/* The configuration's life: issuers, scopes, defaults, the check of the whole. See conf.h. */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "conf/issuer.h"
#include "live/table.h"

#define DEFAULT_STORE    "/var/lib/hotcert/store"
#define DEFAULT_SECRET   "/var/lib/hotcert/secret"
#define DEFAULT_AGENT    "/usr/sbin/hotcert"
#define DEFAULT_INTERVAL 60
#define DEFAULT_PARALLEL 8

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

static void issuer_dispose(struct hc_issuer *issuer)
{
    free(issuer->name);
    free(issuer->directory_url);
    hc_list_dispose(&issuer->contacts);
    hc_list_dispose(&issuer->caa_domains);
    free(issuer->ca_bundle);
    free(issuer->where);
}

static void scope_dispose(struct hc_scope *scope)
{
    hc_list_dispose(&scope->names);
    hc_list_dispose(&scope->use);
    hc_list_dispose(&scope->challenges);
    hc_list_dispose(&scope->files);
    hc_list_dispose(&scope->accept);
    free(scope->trusted_certificate);
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
    hc_scope_free(identity->set);
    hc_list_dispose(&identity->where);
    free(identity->watched);
    memset(identity, 0, sizeof(*identity));
}

static int add_issuer(struct hc_conf *conf, const char *name, const char *directory_url,
                      const char *where, struct hc_issuer **out, struct hc_error *err)
{
    struct hc_issuer *issuers = realloc(conf->issuers, (conf->issuer_count + 1) * sizeof(*issuers));
    struct hc_issuer *issuer = NULL;

    if (issuers == NULL) {
        return hc_error_nomem(err);
    }
    conf->issuers = issuers;
    issuer = &issuers[conf->issuer_count];
    memset(issuer, 0, sizeof(*issuer));
    issuer->terms_agreed = -1;
    if (hc_strdup(name, &issuer->name, err) != 0 || hc_strdup(where, &issuer->where, err) != 0 ||
        (directory_url != NULL && hc_strdup(directory_url, &issuer->directory_url, err) != 0)) {
        issuer_dispose(issuer);
        return -1;
    }
    conf->issuer_count++;
    if (out != NULL) {
        *out = issuer;
    }
    return 0;
}

void hc_server_speak(enum hc_server server)
{
    static const enum hc_spelling spellings[] = {[HC_SERVER_NGINX] = HC_SPELLING_NGINX,
                                                 [HC_SERVER_HTTPD] = HC_SPELLING_HTTPD,
                                                 [HC_SERVER_NONE] = HC_SPELLING_BOTH};

    hc_spelling_use(spellings[server]);
}

struct hc_conf *hc_conf_new(enum hc_server server, struct hc_error *err)
{
    struct hc_conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    conf->server = server;
    conf->terms_agreed = -1;
    for (size_t i = 0; i < HC_COUNT(built_in); i++) {
        struct hc_issuer *issuer = NULL;

        if (add_issuer(conf, built_in[i].name, built_in[i].directory_url, "built in", &issuer,
                       err) != 0 ||
            hc_list_add(&issuer->caa_domains, built_in[i].caa_domain, err) != 0) {
            hc_conf_free(conf);
            return NULL;
        }
    }
    return conf;
}

void hc_conf_free(struct hc_conf *conf)
{
    if (conf == NULL) {
        return;
    }
    scope_dispose(&conf->main);
    for (size_t i = 0; i < conf->issuer_count; i++) {
        issuer_dispose(&conf->issuers[i]);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        hc_identity_dispose(&conf->identities[i]);
    }
    free(conf->issuers);
    free(conf->identities);
    hc_list_dispose(&conf->files);
    hc_buf_dispose(&conf->kept);
    hc_list_dispose(&conf->contacts);
    hc_list_dispose(&conf->resolvers);
    free(conf->store);
    free(conf->secret);
    free(conf->agent);
    free(conf->control);
    free(conf->user);
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

static struct hc_issuer *find_issuer(const struct hc_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->issuer_count; i++) {
        if (strcmp(conf->issuers[i].name, name) == 0) {
            return &conf->issuers[i];
        }
    }
    return NULL;
}

const struct hc_issuer *hc_conf_issuer(const struct hc_conf *conf, const char *name)
{
    return find_issuer(conf, name);
}

int hc_conf_issuer_begin(struct hc_conf *conf, const char *name, const char *where,
                         struct hc_issuer **issuer, struct hc_error *err)
{
    struct hc_issuer *known = find_issuer(conf, name);

    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_.") != strlen(name)) {
        return hc_error_set(err, HC_P_BAD_VALUE, name,
                            "an issuer's name has letters, digits, '-', '_' and '.'");
    }
    if (known == NULL) {
        return add_issuer(conf, name, NULL, where, issuer, err);
    }
    if (strcmp(known->where, "built in") != 0) {
        return hc_error_set(err, HC_P_DUPLICATE, name, "this issuer is defined at %s already",
                            known->where);
    }
    /* a block for a built-in issuer adds to it: contact, terms, another ca_bundle */
    free(known->where);
    known->where = NULL;
    *issuer = known;
    return hc_strdup(where, &known->where, err);
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

static int default_text(char **field, const char *value, struct hc_error *err)
{
    return *field != NULL ? 0 : hc_strdup(value, field, err);
}

static int fill_defaults(struct hc_conf *conf, struct hc_error *err)
{
    const char *control =
        conf->server == HC_SERVER_HTTPD ? "/run/hotcert/httpd.sock" : "/run/hotcert/nginx.sock";

    if (default_text(&conf->store, DEFAULT_STORE, err) != 0 ||
        default_text(&conf->secret, DEFAULT_SECRET, err) != 0 ||
        default_text(&conf->agent, DEFAULT_AGENT, err) != 0 ||
        default_text(&conf->control, control, err) != 0) {
        return -1;
    }
    conf->check_interval = conf->check_interval > 0 ? conf->check_interval : DEFAULT_INTERVAL;
    conf->parallel = conf->parallel > 0 ? conf->parallel : DEFAULT_PARALLEL;
    conf->table_size = conf->table_size > 0 ? conf->table_size : (int64_t)HC_TABLE_SIZE_DEFAULT;
    for (size_t i = 0; i < conf->issuer_count; i++) {
        struct hc_issuer *issuer = &conf->issuers[i];

        issuer->http_port = issuer->http_port > 0 ? issuer->http_port : 80;
        issuer->tls_port = issuer->tls_port > 0 ? issuer->tls_port : 443;
        if (issuer->terms_agreed < 0) {
            issuer->terms_agreed = conf->terms_agreed;
        }
        if (issuer->contacts.count == 0 &&
            hc_list_copy(&issuer->contacts, &conf->contacts, err) != 0) {
            return -1;
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
        const struct hc_issuer *issuer = find_issuer(conf, identity->set->use.items[i]);

        if (issuer == NULL || issuer->directory_url == NULL) {
            return hc_error_set(err, HC_P_UNKNOWN_ISSUER, identity->set->use.items[i],
                                "used by the host at %s%s", identity->where.items[0],
                                issuer != NULL ? "; its block has no directory_url" : "");
        }
        if (issuer->terms_agreed != 1) {
            return refuse_terms(issuer, identity->where.items[0], err);
        }
    }
    return 0;
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
        if (check_used_issuers(conf, &conf->identities[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}
