/* The report of `hotcert diagnose`; see diagnose_report.h. */
#include "cmd/diagnose_report.h"

#include <string.h>

/* Adds value under key; a failure is noted, as memory has run out. */
static void put(struct hc_diagnose_report *report, json_t *object, const char *key, json_t *value)
{
    report->out_of_memory = json_object_set_new(object, key, value) != 0 || report->out_of_memory;
}

static json_t *finding_of(struct hc_diagnose_report *report, const struct hc_finding *f)
{
    json_t *object = json_object();

    put(report, object, "slug", json_string(hc_problem_row(f->problem)->slug));
    put(report, object, "rank", json_string(hc_class_name(f->rank)));
    put(report, object, "subject", json_string(f->subject));
    put(report, object, "message", json_string(f->message));
    put(report, object, "hint", json_string(f->hint));
    return object;
}

static void add_name(struct hc_diagnose_report *report, const struct hc_preflight_name *name)
{
    json_t *object = json_object();
    json_t *looks = json_array();
    json_t *findings = json_array();
    char text[HC_FOREIGN_MAX];

    if (report->names == NULL) {
        report->names = json_array();
    }
    for (size_t i = 0; i < name->looks.count; i++) {
        report->out_of_memory =
            json_array_append_new(looks, json_string(name->looks.items[i])) != 0 ||
            report->out_of_memory;
    }
    for (size_t i = 0; i < name->findings.count; i++) {
        report->out_of_memory =
            json_array_append_new(findings, finding_of(report, &name->findings.items[i])) != 0 ||
            report->out_of_memory;
    }
    put(report, object, "name",
        json_string(hc_escape(text, sizeof(text), name->name, strlen(name->name))));
    put(report, object, "verdict", json_string(hc_preflight_verdict_name(name->verdict)));
    put(report, object, "looks", looks);
    put(report, object, "findings", findings);
    report->out_of_memory =
        json_array_append_new(report->names, object) != 0 || report->out_of_memory;
    report->ready += name->verdict == HC_PREFLIGHT_READY;
    report->would_fail += name->verdict == HC_PREFLIGHT_WOULD_FAIL;
    report->unknown += name->verdict == HC_PREFLIGHT_UNKNOWN;
}

void hc_diagnose_take(struct hc_diagnose_report *report, const struct hc_preflight_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        add_name(report, &result->names[i]);
    }
    report->complete = true;
}

void hc_diagnose_refuse(struct hc_diagnose_report *report, const char *name,
                        const struct hc_error *why)
{
    struct hc_preflight_name entry = {.name = name, .verdict = HC_PREFLIGHT_WOULD_FAIL};
    struct hc_error err = {0};

    if (hc_findings_add(&entry.findings, HC_P_NAME_INVALID, name, &err, "%s", why->detail) != 0) {
        report->out_of_memory = true;
    }
    for (size_t i = 0; i < entry.findings.count; i++) {
        entry.findings.items[i].rank = HC_CLASS_FLAWED;
    }
    add_name(report, &entry);
    hc_findings_dispose(&entry.findings);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static void print_finding(const json_t *f, FILE *to)
{
    enum hc_problem p = hc_problem_by_slug(text_of(f, "slug"));

    fprintf(to, "|- %s: %s: %s\n", text_of(f, "rank"), text_of(f, "slug"),
            hc_problem_row(p)->sentence);
    fprintf(to, "|     %s\n", text_of(f, "message"));
    fprintf(to, "|     %s\n", text_of(f, "hint"));
}

static const char *closing(const char *verdict)
{
    if (strcmp(verdict, "ready") == 0) {
        return "ready: nothing that was looked at stands against it";
    }
    if (strcmp(verdict, "unknown") == 0) {
        return "unknown: it could not be looked at in full";
    }
    return "would fail: a CA that sees the same refuses it";
}

static void print_name(const json_t *name, FILE *to)
{
    const json_t *looks = json_object_get(name, "looks");
    const json_t *findings = json_object_get(name, "findings");

    fprintf(to, "%s\n", text_of(name, "name"));
    for (size_t i = 0; i < json_array_size(looks); i++) {
        fprintf(to, "|- %s\n", json_string_value(json_array_get(looks, i)));
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        print_finding(json_array_get(findings, i), to);
    }
    fprintf(to, "`- %s\n", closing(text_of(name, "verdict")));
}

static void print_json(const struct hc_diagnose_report *report, FILE *to)
{
    for (size_t i = 0; i < json_array_size(report->names); i++) {
        (void)json_object_del(json_array_get(report->names, i), "looks");
    }
    (void)json_dumpf(report->names, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fputc('\n', to);
}

void hc_diagnose_print(const struct hc_diagnose_report *report, bool json, FILE *to)
{
    if (json) {
        print_json(report, to);
        return;
    }
    for (size_t i = 0; i < json_array_size(report->names); i++) {
        print_name(json_array_get(report->names, i), to);
    }
    fprintf(to, "%zu ready, %zu would fail, %zu unknown\n", report->ready, report->would_fail,
            report->unknown);
}

void hc_diagnose_report_dispose(struct hc_diagnose_report *report)
{
    json_decref(report->names);
    memset(report, 0, sizeof(*report));
}
