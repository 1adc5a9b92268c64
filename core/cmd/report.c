/* Reports; see report.h. */
#include "cmd/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/idn.h"
#include "base/log.h"
#include "base/str.h"
#include "pki/clients.h"

#define WRAP 100

static const char *const tints[] = {
    [HC_TINT_NONE] = "",        [HC_TINT_GOOD] = "\033[32m", [HC_TINT_WARN] = "\033[33m",
    [HC_TINT_BAD] = "\033[31m", [HC_TINT_DIM] = "\033[2m",   [HC_TINT_BOLD] = "\033[1m",
};

void hc_report_init(struct hc_report *r, FILE *out)
{
    const char *term = getenv("TERM");
    const char *none = getenv("NO_COLOR");

    r->out = out;
    r->colour = isatty(fileno(out)) == 1 && (none == NULL || none[0] == '\0') && term != NULL &&
                strcmp(term, "dumb") != 0;
}

enum hc_tint hc_report_tint(enum hc_class rank)
{
    return rank == HC_CLASS_UNUSABLE ? HC_TINT_BAD
           : rank == HC_CLASS_FLAWED ? HC_TINT_WARN
                                     : HC_TINT_NONE;
}

static void put_v(struct hc_report *r, enum hc_tint tint, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void put_v(struct hc_report *r, enum hc_tint tint, const char *fmt, va_list args)
{
    bool tinted = r->colour && tint != HC_TINT_NONE;
    char text[HC_LOG_LINE];
    char shown[HC_LOG_LINE * 2];

    if (tinted) {
        (void)fputs(tints[tint], r->out);
    }
    (void)vsnprintf(text, sizeof(text), fmt, args);
    (void)fputs(hc_idn_show(text, shown, sizeof(shown)), r->out);
    if (tinted) {
        (void)fputs("\033[0m", r->out);
    }
}

void hc_report_put(struct hc_report *r, enum hc_tint tint, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_v(r, tint, fmt, args);
    va_end(args);
}

void hc_report_end(struct hc_report *r)
{
    (void)fputc('\n', r->out);
}

void hc_report_heading(struct hc_report *r, const char *subject)
{
    hc_report_put(r, HC_TINT_BOLD, "%s", subject);
    hc_report_end(r);
}

void hc_report_section(struct hc_report *r, const char *title)
{
    hc_report_put(r, HC_TINT_NONE, "  ");
    hc_report_put(r, HC_TINT_DIM, "%s", title);
    hc_report_end(r);
}

void hc_report_branch(struct hc_report *r, unsigned depth, unsigned open, bool last)
{
    hc_report_put(r, HC_TINT_NONE, "  ");
    for (unsigned i = 0; i < depth; i++) {
        hc_report_put(r, HC_TINT_DIM, "%s", (open >> i & 1u) != 0 ? "|   " : "    ");
    }
    hc_report_put(r, HC_TINT_DIM, "%s", last ? "`-- " : "|-- ");
}

void hc_report_wrapped(struct hc_report *r, enum hc_tint tint, const char *first, const char *raw)
{
    char shown[HC_LOG_LINE * 2];
    const char *text = hc_idn_show(raw, shown, sizeof(shown));
    size_t indent = strlen(first);

    for (bool start = true; *text != '\0'; start = false) {
        size_t len = strlen(text);
        size_t room = WRAP - indent;

        if (len > room) {
            for (len = room; len > 0 && text[len] != ' '; len--) {
            }
            len = len > 0 ? len : strcspn(text, " "); /* one long word: an URL, a record */
        }
        if (start) {
            hc_report_put(r, HC_TINT_NONE, "%s", first);
        } else {
            hc_report_put(r, HC_TINT_NONE, "%*s", (int)indent, "");
        }
        hc_report_put(r, tint, "%.*s", (int)len, text);
        hc_report_end(r);
        text += len;
        text += strspn(text, " ");
    }
}

static void put_clients(struct hc_report *r, enum hc_problem p)
{
    for (int c = 0; c < HC_CLIENT_COUNT; c++) {
        const char *says = hc_client_says(p, (enum hc_client)c);
        char first[32];

        if (says != NULL) {
            snprintf(first, sizeof(first), "      %-9s ", hc_client_name((enum hc_client)c));
            hc_report_wrapped(r, HC_TINT_DIM, first, says);
        }
    }
}

static void put_finding(struct hc_report *r, const struct hc_finding *f, bool clients)
{
    const struct hc_problem_row *row = hc_problem_row(f->problem);
    struct hc_finding_text text;
    char sentence[HC_FOREIGN_MAX * 3];

    hc_finding_render(f, &text);
    hc_report_put(r, HC_TINT_NONE, "    ");
    hc_report_put(r, hc_report_tint(f->rank), "%s", row->slug);
    hc_report_put(r, HC_TINT_NONE, "%s%s", text.subject[0] != '\0' ? "  " : "", text.subject);
    hc_report_end(r);
    snprintf(sentence, sizeof(sentence), "%s%s%s", row->sentence,
             text.message[0] != '\0' ? ": " : "", text.message);
    hc_report_wrapped(r, HC_TINT_NONE, "      ", sentence);
    hc_report_wrapped(r, HC_TINT_GOOD, "      -> ", text.hint);
    if (clients && f->rank == HC_CLASS_FLAWED) {
        put_clients(r, f->problem);
    }
}

static size_t count_rank(const struct hc_findings *findings, enum hc_class rank)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++) {
        count += findings->items[i].rank == rank;
    }
    return count;
}

void hc_report_findings(struct hc_report *r, const struct hc_findings *findings, bool clients)
{
    static const struct {
        enum hc_class rank;
        const char *title;
    } ranks[] = {{HC_CLASS_UNUSABLE, "can never be served"},
                 {HC_CLASS_FLAWED, "flaws: some or all clients fail"},
                 {HC_CLASS_REMARK, "remarks: works, but should be fixed"}};

    for (size_t i = 0; i < HC_COUNT(ranks); i++) {
        if (count_rank(findings, ranks[i].rank) == 0) {
            continue;
        }
        hc_report_section(r, ranks[i].title);
        for (size_t j = 0; j < findings->count; j++) {
            if (findings->items[j].rank == ranks[i].rank) {
                put_finding(r, &findings->items[j], clients);
            }
        }
    }
}

void hc_report_closing(struct hc_report *r, const char *verdict, enum hc_tint tint,
                       const struct hc_findings *findings)
{
    size_t unusable = count_rank(findings, HC_CLASS_UNUSABLE);
    size_t flaws = count_rank(findings, HC_CLASS_FLAWED);
    size_t remarks = count_rank(findings, HC_CLASS_REMARK);

    hc_report_put(r, tint, "%s", verdict);
    if (unusable + flaws + remarks == 0) {
        hc_report_put(r, HC_TINT_NONE, ": nothing to fix");
    } else {
        hc_report_put(r, HC_TINT_NONE, ": ");
        if (unusable > 0) {
            hc_report_put(r, HC_TINT_NONE, "%zu unusable, ", unusable);
        }
        hc_report_put(r, HC_TINT_NONE, "%zu flaw%s, %zu remark%s", flaws, flaws == 1 ? "" : "s",
                      remarks, remarks == 1 ? "" : "s");
    }
    hc_report_end(r);
}

void hc_report_error(const struct hc_error *err)
{
    char line[HC_LOG_LINE];

    (void)fprintf(stderr, "hotcert: %s\n", hc_error_show(err, line, sizeof(line)));
}

json_t *hc_report_findings_json(const struct hc_findings *findings)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < findings->count; i++) {
        const struct hc_finding *f = &findings->items[i];
        const struct hc_problem_row *row = hc_problem_row(f->problem);
        struct hc_finding_text text;
        json_t *one = NULL;

        hc_finding_render(f, &text);
        one = json_pack("{s:s, s:s, s:s, s:s, s:s}", "slug", row->slug, "rank",
                        hc_class_name(f->rank), "subject", text.subject, "message",
                        text.message[0] != '\0' ? text.message : row->sentence, "hint", text.hint);

        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

int hc_report_json(FILE *out, json_t *take, struct hc_error *err)
{
    char *text = take != NULL ? json_dumps(take, JSON_COMPACT) : NULL;
    int rc = -1;

    json_decref(take);
    if (text == NULL) {
        hc_error_nomem(err);
    } else if (fputs(text, out) == EOF || fputc('\n', out) == EOF) {
        hc_error_set_errno(err, HC_P_SYSTEM, "standard output", errno, "writing");
    } else {
        rc = 0;
    }
    free(text);
    return rc;
}
