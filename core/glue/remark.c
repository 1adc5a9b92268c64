/* Remarks on the server's own directives; see remark.h. */
#include "glue/remark.h"

void hc_remarks_log(const struct hc_findings *notes, const struct hc_log *log)
{
    char line[HC_LOG_LINE];

    for (size_t i = 0; i < notes->count; i++) {
        const struct hc_finding *note = &notes->items[i];

        hc_logf(log, hc_note_level(note), "%s", hc_finding_format(note, line, sizeof(line)));
    }
}

int hc_remark_stapling(const char *where, struct hc_findings *notes, struct hc_error *err)
{
    return hc_findings_add(
        notes, HC_P_NO_EFFECT, where, err,
        "ssl_stapling has no effect here: hotcert serves its certificates without an OCSP staple");
}

int hc_remark_left_alone(const char *where, const char *obstacle, struct hc_findings *notes,
                         struct hc_error *err)
{
    return hc_findings_add(notes, HC_P_HOST_LEFT_ALONE, where, err,
                           "it inherits `hotcert watch`, which cannot follow `%s`", obstacle);
}

bool hc_remark_inherits_watch(const struct hc_conf *conf, const struct hc_scope *scope)
{
    bool inherits = scope == NULL || (scope->mode == HC_MODE_UNSET && scope->files.count == 0);

    return inherits && hc_scope_mode(conf, scope) == HC_MODE_WATCH;
}

int hc_refuse_unfollowed(const char *where, const char *name, bool has_variables,
                         struct hc_error *err)
{
    return hc_error_set(err, HC_P_CONFLICT, where,
                        "`hotcert watch` follows files, and %s is none%s: set `hotcert off` in "
                        "this host to let the server use it unchanged",
                        name, has_variables ? ", since it has variables" : "");
}

int hc_remark_unfollowed(const char *where, const char *name, struct hc_findings *notes,
                         struct hc_error *err)
{
    return hc_findings_add(notes, HC_P_NO_EFFECT, where, err,
                           "hotcert cannot follow %s, so the server does not use this pair until "
                           "hotcert obtains a certificate",
                           name);
}

int hc_refuse_command(const char *where, const char *command, struct hc_error *err)
{
    return hc_error_set(
        err, HC_P_CONFLICT, where,
        "`%s` names a certificate or key that the server would not use beside hotcert: name it "
        "with ssl_certificate and ssl_certificate_key under `hotcert "
        "watch`, or set `hotcert off` in this host",
        command);
}
