/* Findings; see finding.h. */
#include "base/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "base/str.h"
#include "base/vec.h"

static int make_room(struct hc_findings *list, struct hc_error *err)
{
    struct hc_finding *items =
        hc_vec_room(list->items, list->count, &list->cap, sizeof(*items), err);

    list->items = items != NULL ? items : list->items;
    return items != NULL ? 0 : -1;
}

static void finding_dispose(struct hc_finding *f)
{
    free(f->subject);
    free(f->message);
    free(f->hint);
    memset(f, 0, sizeof(*f));
}

void hc_finding_render(const struct hc_finding *f, struct hc_finding_text *text)
{
    char *(*escape)(char *dst, size_t cap, const char *src, size_t len) =
        f->presented ? hc_escape_rest : hc_escape;
    char spelled[HC_FOREIGN_MAX];

    hc_escape(text->subject, sizeof(text->subject), f->subject, strlen(f->subject));
    hc_spell(f->message, spelled, sizeof(spelled));
    escape(text->message, sizeof(text->message), spelled, strlen(spelled));
    hc_spell(f->hint, spelled, sizeof(spelled));
    hc_escape(text->hint, sizeof(text->hint), spelled, strlen(spelled));
}

char *hc_finding_format(const struct hc_finding *f, char *dst, size_t cap)
{
    const struct hc_problem_row *row = hc_problem_row(f->problem);
    struct hc_finding_text text;

    hc_finding_render(f, &text);
    snprintf(dst, cap, "%s: %s: %s (%s; %s)", text.subject, row->sentence, text.message, row->slug,
             text.hint);
    return dst;
}

/* what: the problem, how it is presented and what its subject is; the texts are made here. */
HC_FORMAT(5, 0)
static int add(struct hc_findings *list, const struct hc_finding *what, const char *subject,
               struct hc_error *err, const char *fmt, va_list args)
{
    const struct hc_problem_row *row = hc_problem_row(what->problem);
    char message[HC_FOREIGN_MAX];
    struct hc_finding f = *what;

    f.rank = row->cls;
    subject = subject != NULL ? subject : "";
    if (list->count >= HC_FINDINGS_MAX || hc_findings_find(list, f.problem, subject) != NULL) {
        return 0;
    }
    vsnprintf(message, sizeof(message), fmt, args);
    if (make_room(list, err) != 0 || hc_strdup(subject, &f.subject, err) != 0 ||
        hc_strdup(message, &f.message, err) != 0 || hc_strdup(row->hint, &f.hint, err) != 0) {
        finding_dispose(&f);
        return -1;
    }
    list->items[list->count++] = f;
    return 0;
}

int hc_findings_add(struct hc_findings *list, enum hc_problem p, const char *subject,
                    struct hc_error *err, const char *fmt, ...)
{
    const struct hc_finding what = {.problem = p};
    va_list args;
    int rc = 0;

    va_start(args, fmt);
    rc = add(list, &what, subject, err, fmt, args);
    va_end(args);
    return rc;
}

int hc_findings_add_of(struct hc_findings *list, enum hc_problem p,
                       const struct hc_subject *subject, struct hc_error *err, const char *fmt, ...)
{
    const struct hc_finding what = {.problem = p, .kind = subject->kind, .number = subject->number};
    va_list args;
    int rc = 0;

    va_start(args, fmt);
    rc = add(list, &what, subject->text, err, fmt, args);
    va_end(args);
    return rc;
}

int hc_findings_add_presented(struct hc_findings *list, enum hc_problem p, const char *subject,
                              struct hc_error *err, const char *fmt, ...)
{
    const struct hc_finding what = {.problem = p, .presented = true};
    va_list args;
    int rc = 0;

    va_start(args, fmt);
    rc = add(list, &what, subject, err, fmt, args);
    va_end(args);
    return rc;
}

struct hc_subject hc_subject_of(enum hc_subject_kind kind, const char *text)
{
    struct hc_subject subject = {.kind = kind};

    snprintf(subject.text, sizeof(subject.text), "%s", text);
    return subject;
}

int hc_findings_hint(struct hc_findings *list, struct hc_error *err, const char *fmt, ...)
{
    char text[HC_FOREIGN_MAX];
    char *hint = NULL;
    va_list args;

    if (list->count == 0) {
        return 0;
    }
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (hc_strdup(text, &hint, err) != 0) {
        return -1;
    }
    free(list->items[list->count - 1].hint);
    list->items[list->count - 1].hint = hint;
    list->items[list->count - 1].own_hint = true;
    return 0;
}

int hc_findings_take(struct hc_findings *dst, struct hc_findings *src, struct hc_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < src->count; i++) {
        struct hc_finding *f = &src->items[i];

        if (rc == 0 && dst->count < HC_FINDINGS_MAX &&
            hc_findings_find(dst, f->problem, f->subject) == NULL) {
            rc = make_room(dst, err);
            if (rc == 0) {
                dst->items[dst->count++] = *f;
                memset(f, 0, sizeof(*f));
            }
        }
        finding_dispose(f);
    }
    src->count = 0;
    hc_findings_dispose(src);
    return rc;
}

const struct hc_finding *hc_findings_find(const struct hc_findings *list, enum hc_problem p,
                                          const char *subject)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].problem == p &&
            (subject == NULL || strcmp(list->items[i].subject, subject) == 0)) {
            return &list->items[i];
        }
    }
    return NULL;
}

enum hc_class hc_findings_worst(const struct hc_findings *list)
{
    enum hc_class worst = HC_CLASS_REMARK;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].rank < worst) {
            worst = list->items[i].rank;
        }
    }
    return worst;
}

const char *hc_verdict_name(enum hc_class worst)
{
    return worst == HC_CLASS_UNUSABLE ? "unusable" : worst == HC_CLASS_FLAWED ? "flawed" : "fit";
}

int hc_finding_hint_error(const struct hc_finding *f, struct hc_error *err)
{
    if (err == NULL || err->problem != f->problem || !f->own_hint) {
        return -1;
    }
    return hc_error_hint(err, "%s", f->hint);
}

int hc_findings_to_error(const struct hc_findings *list, enum hc_class at_least,
                         struct hc_error *err)
{
    enum hc_class worst = hc_findings_worst(list);

    for (size_t i = 0; i < list->count; i++) {
        const struct hc_finding *f = &list->items[i];

        if (f->rank == worst && f->rank <= at_least) {
            hc_error_set(err, f->problem, f->subject, "%s", f->message);
            return hc_finding_hint_error(f, err);
        }
    }
    return 0;
}

void hc_findings_dispose(struct hc_findings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        finding_dispose(&list->items[i]);
    }
    free(list->items);
    list->items = NULL;
    list->count = list->cap = 0;
}
