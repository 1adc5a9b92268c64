/* What is asked of the configuration; see conf.h. */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "base/vec.h"

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

bool hc_conf_orders(const struct hc_conf *conf)
{
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].mode == HC_MODE_ON) {
            return true;
        }
    }
    return false;
}
