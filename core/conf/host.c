/*
 * From a virtual host to an identity, or to why it has none: see conf.h. The parts are in host.h.
 */
#include <string.h>

#include "conf/conf.h"
#include "conf/host.h"
#include "conf/settings.h"

static int build_identity(struct hc_conf *conf, const struct hc_host *host,
                          struct hc_identity *identity, struct hc_findings *notes,
                          struct hc_error *err)
{
    if (hc_host_names(conf, host, identity, notes, err) != 0 ||
        hc_list_add(&identity->where, host->where, err) != 0 ||
        hc_settings_resolve(conf, host->scope, identity->mode, &identity->set, err) != 0) {
        return -1;
    }
    if (identity->mode == HC_MODE_WATCH) {
        return hc_host_files(conf, host, identity, err) == 0
                   ? hc_identity_compute_id(conf, identity, err)
                   : -1;
    }
    /* the lines are no part of what it is: it stays the same when they are taken away */
    return hc_identity_compute_id(conf, identity, err) == 0
               ? hc_host_add_lines(conf, host, identity, err)
               : -1;
}

bool hc_conf_leaves_host(const struct hc_conf *conf, const struct hc_scope *scope,
                         bool own_certificate, bool has_files)
{
    bool inherited = scope == NULL || scope->mode == HC_MODE_UNSET;

    if (!inherited || (scope != NULL && scope->files.count > 0)) {
        return false;
    }
    return conf->main.mode == HC_MODE_WATCH ? !has_files
                                            : conf->main.mode == HC_MODE_ON && own_certificate;
}

enum hc_level hc_note_level(const struct hc_finding *note)
{
    bool as_configured =
        note->problem == HC_P_NOT_INHERITED || note->problem == HC_P_HOST_LEFT_ALONE;

    return as_configured ? HC_LOG_NOTICE : HC_LOG_WARN;
}

int hc_conf_add_host(struct hc_conf *conf, const struct hc_host *host, int *index,
                     struct hc_findings *notes, struct hc_error *err)
{
    struct hc_identity identity;

    memset(&identity, 0, sizeof(identity));
    *index = -1;
    identity.mode = hc_scope_mode(conf, host->scope);
    identity.security_level = host->security_level;
    identity.is_default = host->is_default;
    if (identity.mode == HC_MODE_OFF) {
        return 0;
    }
    if (!host->tls) {
        /* inherited from http{}, it means the TLS hosts only: nothing to say */
        bool own = host->scope != NULL && host->scope->mode == identity.mode;

        return own ? hc_findings_add(notes, HC_P_NO_TLS, host->where, err,
                                     "hotcert does nothing here")
                   : 0;
    }
    if (hc_conf_leaves_host(conf, host->scope, host->own_certificate,
                            host->files != NULL && host->files->count > 0)) {
        return identity.mode == HC_MODE_ON
                   ? hc_findings_add(
                         notes, HC_P_HOST_LEFT_ALONE, host->where, err,
                         "it inherits `hotcert on`, and it names a certificate of its own")
                   : 0;
    }
    if ((host->rejects || host->has_certificate) &&
        hc_conf_orders_nothing(conf, host->scope, host->names)) {
        return hc_findings_add(notes, HC_P_CATCH_ALL, host->where, err, "%s",
                               host->has_certificate
                                   ? "the server uses the certificate of its lines"
                                   : "it refuses handshakes for unknown names, "
                                     "as with `ssl_reject_handshake on`");
    }
    if (identity.mode == HC_MODE_WATCH && host->scope != NULL && host->scope->files.count > 0 &&
        host->own_certificate) {
        return hc_error_set(err, HC_P_CONFLICT, host->where,
                            "hotcert_files and ssl_certificate both name what to watch: remove one "
                            "of them");
    }
    if (identity.mode == HC_MODE_ON && host->scope != NULL && host->scope->files.count > 0) {
        return hc_error_set(err, HC_P_CONFLICT, host->where,
                            "hotcert_files needs `hotcert watch`, and this host has `hotcert on`; "
                            "remove one of them");
    }
    if (host->not_inherited != NULL && hc_findings_add(notes, HC_P_NOT_INHERITED, host->where, err,
                                                       "%s", host->not_inherited) != 0) {
        return -1;
    }
    if (build_identity(conf, host, &identity, notes, err) != 0 ||
        hc_identity_place(conf, &identity, index, err) != 0) {
        hc_identity_dispose(&identity);
        return -1;
    }
    return 0;
}
