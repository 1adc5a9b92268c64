/* The report of `hotcert diagnose`; see diagnose_report.h. */
#include "cmd/diagnose_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/vec.h"

/* Room for one more name, or NULL with report->error. */
static struct hc_diagnosed *add_name(struct hc_diagnose_report *report, const char *name)
{
    struct hc_diagnosed *names =
        hc_vec_room(report->names, report->count, NULL, sizeof(*names), &report->error);
    char text[HC_FOREIGN_MAX];
    struct hc_diagnosed *d = NULL;

    if (names == NULL) {
        return NULL;
    }
    report->names = names;
    d = &names[report->count];
    memset(d, 0, sizeof(*d));
    if (hc_strdup(hc_escape(text, sizeof(text), name, strlen(name)), &d->name, &report->error) !=
        0) {
        return NULL;
    }
    report->count++;
    return d;
}

void hc_diagnose_take(struct hc_diagnose_report *report, const struct hc_preflight_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        struct hc_preflight_name *from = &result->names[i];
        struct hc_diagnosed *to = add_name(report, from->name);

        if (to == NULL || hc_findings_take(&to->findings, &from->findings, &report->error) != 0) {
            break;
        }
        to->verdict = from->verdict;
        to->dnssec = from->dnssec;
        to->seen = from->seen;
        memset(&from->seen, 0, sizeof(from->seen));
    }
    report->complete = true;
}

void hc_diagnose_refuse(struct hc_diagnose_report *report, const char *name,
                        const struct hc_error *why)
{
    struct hc_diagnosed *d = add_name(report, name);

    if (d == NULL || hc_findings_add(&d->findings, HC_P_NAME_INVALID, name, &report->error, "%s",
                                     why->detail) != 0) {
        return;
    }
    d->verdict = HC_PREFLIGHT_WOULD_FAIL;
    /* in the configuration it is a wrong value; here it is what a name is judged by */
    d->findings.items[0].rank = HC_CLASS_FLAWED;
}

bool hc_diagnose_any(const struct hc_diagnose_report *report, enum hc_preflight_verdict verdict)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->names[i].verdict == verdict) {
            return true;
        }
    }
    return false;
}

static enum hc_tint tint_of(enum hc_preflight_verdict verdict)
{
    switch (verdict) {
    case HC_PREFLIGHT_READY:
        return HC_TINT_GOOD;
    case HC_PREFLIGHT_WOULD_FAIL:
        return HC_TINT_BAD;
    case HC_PREFLIGHT_UNKNOWN:
        break;
    }
    return HC_TINT_WARN;
}

static void print_name(struct hc_report *r, const struct hc_diagnosed *d)
{
    hc_report_heading(r, d->name);
    if (d->seen.count > 0) {
        hc_report_section(r, "seen from here");
    }
    for (size_t i = 0; i < d->seen.count; i++) {
        hc_report_branch(r, 0, 0, i + 1 == d->seen.count);
        hc_report_put(r, HC_TINT_NONE, "%s", d->seen.items[i]);
        hc_report_end(r);
    }
    hc_report_findings(r, &d->findings, false);
    hc_report_closing(r, hc_preflight_verdict_name(d->verdict), tint_of(d->verdict), &d->findings);
}

void hc_diagnose_print(struct hc_diagnose_report *report, FILE *to)
{
    struct hc_report r;

    hc_report_init(&r, to);
    for (size_t i = 0; i < report->count; i++) {
        if (i > 0) {
            hc_report_end(&r);
        }
        print_name(&r, &report->names[i]);
    }
}

int hc_diagnose_print_json(const struct hc_diagnose_report *report, FILE *to, struct hc_error *err)
{
    json_t *names = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct hc_diagnosed *d = &report->names[i];
        char text[HC_FOREIGN_MAX];
        bool has = hc_idn_to_unicode(d->name, text, sizeof(text));
        json_t *one = json_pack(
            "{s:s, s:s, s:s, s:s, s:o}", "name", d->name, "unicode_name", has ? text : d->name,
            "verdict", hc_preflight_verdict_name(d->verdict), "dnssec", hc_dnssec_name(d->dnssec),
            "findings", hc_report_findings_json(&d->findings));

        if (json_array_append_new(names, one) != 0) {
            json_decref(names);
            return hc_error_nomem(err);
        }
    }
    return hc_report_json(to, names, err);
}

void hc_diagnose_report_dispose(struct hc_diagnose_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->names[i].name);
        hc_findings_dispose(&report->names[i].findings);
        hc_list_dispose(&report->names[i].seen);
    }
    free(report->names);
    memset(report, 0, sizeof(*report));
}
