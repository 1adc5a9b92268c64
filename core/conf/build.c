/* The configuration's life: built-in issuers, defaults, the check of the whole. See build.h. */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conf/block.h"
#include "conf/issuer.h"
#include "conf/method.h"
#include "conf/settings.h"
#include "conf/writer.h"

static const struct built_in {
    const char *name, *directory_url, *caa_domain;
    const char *terms;           /* where to read them; NULL: the directory says */
    const char *address_profile; /* or NULL */
    const char *binding; /* where customers get the key of their external account; or NULL */
} built_in[] = {
    {"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", "letsencrypt.org",
     "https://letsencrypt.org/repository/", "shortlived", NULL},
    {"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory",
     "letsencrypt.org", "https://letsencrypt.org/repository/", "shortlived", NULL},
    {"zerossl", "https://acme.zerossl.com/v2/DV90", "sectigo.com", "https://zerossl.com/terms/",
     NULL, "https://app.zerossl.com/developer"},
    {"google", "https://dv.acme-v02.api.pki.goog/directory", "pki.goog",
     "https://pki.goog/repository/", NULL,
     "https://cloud.google.com/certificate-manager/docs/public-ca-tutorial"},
    {"sslcom", "https://acme.ssl.com/sslcom-dv-ecc", "ssl.com", "https://www.ssl.com/repository/",
     NULL, "https://www.ssl.com (api credentials)"},
    {"actalis", "https://acme-api.actalis.com/acme/directory", "actalis.it", NULL, NULL,
     "https://www.actalis.com (customer area)"},
};

static const struct built_in *built_in_of(const struct hc_issuer *issuer)
{
    for (size_t i = 0; i < HC_COUNT(built_in); i++) {
        if (strcmp(issuer->directory_url, built_in[i].directory_url) == 0) {
            return &built_in[i];
        }
    }
    return NULL;
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
            (built_in[i].address_profile != NULL &&
             hc_strdup(built_in[i].address_profile, &issuer->address_profile, err) != 0) ||
            hc_list_add(&issuer->caa_domains, built_in[i].caa_domain, err) != 0) {
            return -1;
        }
    }
    return 0;
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
    hc_scope_dispose(&conf->main);
    hc_scope_dispose(&conf->presets);
    hc_blocks_dispose(conf);
    for (size_t i = 0; i < conf->identity_count; i++) {
        hc_identity_dispose(&conf->identities[i]);
    }
    for (size_t i = 0; i < conf->set_count; i++) {
        hc_scope_free(conf->sets[i]);
    }
    free(conf->identities);
    free(conf->sets);
    hc_list_dispose(&conf->dns_methods);
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

struct hc_conf *hc_conf_new(enum hc_server server, struct hc_error *err)
{
    struct hc_conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    conf->server = server;
    if (add_built_in(conf, err) != 0 ||
        hc_settings_preset(conf, HC_PRESET_HOSTS, &conf->presets, err) != 0 ||
        hc_methods_copy_written(&conf->dns_methods, err) != 0) {
        hc_conf_free(conf);
        return NULL;
    }
    return conf;
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
    const struct built_in *known = built_in_of(issuer);

    if (known != NULL && known->terms != NULL) {
        return hc_error_set(err, HC_P_TERMS, issuer->name,
                            "used by the host at %s; read them at %s", where, known->terms);
    }
    return hc_error_set(err, HC_P_TERMS, issuer->name,
                        "used by the host at %s; %s names their address as termsOfService", where,
                        issuer->directory_url);
}

/* A CA that is known to take only customers says so in vain later. */
static int check_binding_needed(const struct hc_issuer *issuer, const char *where,
                                struct hc_error *err)
{
    const struct built_in *known = built_in_of(issuer);

    if (known == NULL || known->binding == NULL || issuer->eab_kid != NULL) {
        return 0;
    }
    return hc_error_set(err, HC_P_EAB_REQUIRED, issuer->name,
                        "used by the host at %s; see %s for them", where, known->binding);
}

/* Where blocks stand that hosts refer to. */
static const char *place_of_blocks(const struct hc_conf *conf)
{
    static const char *const places[] = {
        [HC_SERVER_NGINX] = "in the http block",
        [HC_SERVER_HTTPD] = "outside the virtual hosts",
        [HC_SERVER_NONE] = "outside the hosts",
    };

    return places[conf->server];
}

static int refuse_unknown_issuer(const struct hc_conf *conf, const char *name, const char *where,
                                 struct hc_error *err)
{
    struct hc_list known = {NULL, 0, 0};
    char names[160];

    for (size_t i = 0; i < conf->issuer_count; i++) {
        if (conf->issuers[i].directory_url != NULL &&
            hc_list_add(&known, conf->issuers[i].name, err) != 0) {
            goto out;
        }
    }
    hc_error_set(err, HC_P_UNKNOWN_ISSUER, name, "used by the host at %s", where);
    hc_error_hint(err, "define it with hotcert_issuer %s, or use one of these: %s",
                  place_of_blocks(conf), hc_list_format(&known, names, sizeof(names)));
out:
    hc_list_dispose(&known);
    return -1;
}

static int check_used_issuers(const struct hc_conf *conf, const struct hc_identity *identity,
                              struct hc_error *err)
{
    for (size_t i = 0; i < identity->set->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[i]);

        if (issuer == NULL) {
            return refuse_unknown_issuer(conf, identity->set->use.items[i],
                                         identity->where.items[0], err);
        }
        if (issuer->directory_url == NULL) {
            hc_error_set(err, HC_P_INCOMPLETE, issuer->name,
                         "its hotcert_issuer (at %s) has no directory_url, and the host at %s "
                         "uses it",
                         issuer->where, identity->where.items[0]);
            return hc_error_hint(err, "set directory_url there to the URL of the CA's directory");
        }
        if (issuer->terms_agreed != HC_SWITCH_ON) {
            return refuse_terms(issuer, identity->where.items[0], err);
        }
        if (check_binding_needed(issuer, identity->where.items[0], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_used_dns(const struct hc_conf *conf, const struct hc_identity *identity,
                          struct hc_error *err)
{
    const char *name = identity->set->dns_use;
    const char *method = hc_methods_written(&identity->set->challenges);

    if (name != NULL && hc_conf_dns(conf, name) == NULL) {
        hc_error_set(err, HC_P_UNKNOWN_DNS, name, "used by the host at %s",
                     identity->where.items[0]);
        return hc_error_hint(err, "define it with hotcert_dns %s", place_of_blocks(conf));
    }
    if (name == NULL && identity->mode == HC_MODE_ON && method != NULL) {
        return hc_error_set(err, HC_P_INCOMPLETE, identity->where.items[0],
                            "hotcert_challenge has %s, which needs hotcert_dns_use", method);
    }
    return 0;
}

/* The keeper opens what is in conf->files, and nothing else. */
static int add_dns_files(struct hc_conf *conf, const struct hc_dns_block *block,
                         struct hc_error *err)
{
    struct hc_list paths = {NULL, 0, 0};
    int index = 0;
    int rc = hc_dns_block_files(block, &paths, err);

    for (size_t i = 0; i < paths.count && rc == 0; i++) {
        rc = hc_conf_file_index(conf, paths.items[i], &index, err);
    }
    hc_list_dispose(&paths);
    return rc;
}

/* The keeper opens eab_key, too. */
static int check_bindings(struct hc_conf *conf, struct hc_error *err)
{
    int index = 0;

    for (size_t i = 0; i < conf->issuer_count; i++) {
        const struct hc_issuer *issuer = &conf->issuers[i];

        if ((issuer->eab_kid == NULL) != (issuer->eab_key == NULL)) {
            return hc_error_set(err, HC_P_INCOMPLETE, issuer->name,
                                "it has %s but not %s, which it also needs (at %s)",
                                issuer->eab_kid != NULL ? "eab_kid" : "eab_key",
                                issuer->eab_kid != NULL ? "eab_key" : "eab_kid", issuer->where);
        }
        if (issuer->eab_key != NULL &&
            hc_conf_file_index(conf, issuer->eab_key, &index, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_writers(struct hc_conf *conf, struct hc_error *err)
{
    for (size_t i = 0; i < conf->dns_count; i++) {
        if (hc_dns_block_check(conf, &conf->dns[i], err) != 0 ||
            add_dns_files(conf, &conf->dns[i], err) != 0) {
            return -1;
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

/* What the responder has room for: else no agent would start. */
static int check_dns_ns(const struct hc_conf *conf, struct hc_error *err)
{
    struct hc_address address;
    size_t names = 0;
    size_t addresses = 0;

    for (size_t i = 0; i < conf->dns_ns.count; i++) {
        bool is_address = hc_address_parse(conf->dns_ns.items[i], &address) == 0;

        names += is_address ? 0 : 1;
        addresses = is_address ? addresses + 1 : 0;
        if (names > HC_DNS_NS_MAX || addresses > HC_DNS_NS_ADDRESS_MAX) {
            return hc_error_set(
                err, HC_P_BAD_VALUE, conf->dns_ns.items[i],
                "hotcert_dns_ns takes at most %d names, each followed by at most %d addresses",
                HC_DNS_NS_MAX, HC_DNS_NS_ADDRESS_MAX);
        }
    }
    return 0;
}

/* A name server in the zone that it serves is found by nothing but the address that it is said to
 * have. */
static int check_dns(const struct hc_conf *conf, struct hc_error *err)
{
    size_t zone = conf->dns_zone != NULL ? strlen(conf->dns_zone) : 0;
    struct hc_address address;

    for (size_t i = 0; zone > 0 && i < conf->dns_ns.count; i++) {
        const char *name = conf->dns_ns.items[i];
        size_t len = strlen(name);
        bool inside = len >= zone && strcmp(name + len - zone, conf->dns_zone) == 0 &&
                      (len == zone || name[len - zone - 1] == '.');

        if (inside && (i + 1 == conf->dns_ns.count ||
                       hc_address_parse(conf->dns_ns.items[i + 1], &address) != 0)) {
            return hc_error_set(
                err, HC_P_BAD_VALUE, name,
                "a name server in the zone %s needs its addresses after it in hotcert_dns_ns",
                conf->dns_zone);
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
    if (check_bindings(conf, err) != 0 || check_writers(conf, err) != 0 ||
        fill_defaults(conf, err) != 0 || check_dns_ns(conf, err) != 0 ||
        check_dns(conf, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        settle_names(&conf->identities[i]);
        if (check_used_issuers(conf, &conf->identities[i], err) != 0 ||
            check_used_dns(conf, &conf->identities[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}
