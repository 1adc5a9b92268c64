/*
 * Findings: what a check says of a pair, a name or a record. Each has a slug and a rank from the
 * table of problems, a subject, this case's own sentence and a hint. A list of them is a verdict.
 * As in an error, texts are kept as they came; they are escaped once, and directives are spelled as
 * the server does, where they are shown: a store may be read by another server's process.
 */
#ifndef HC_BASE_FINDING_H
#define HC_BASE_FINDING_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/problem.h"
#include "base/str.h"

/* What a finding's subject names, for those who decide by it: nobody reads the text for that. */
enum hc_subject_kind {
    HC_SUBJECT_ITSELF,      /* the text says all: a file with a line, a server, a record */
    HC_SUBJECT_NAME,        /* a host name, in a certificate */
    HC_SUBJECT_PAIR,        /* certificate and key together */
    HC_SUBJECT_CERTIFICATE, /* one of a chain: number */
};

struct hc_subject {
    enum hc_subject_kind kind;
    uint64_t number; /* of the certificate, as its maker numbers them; else 0 */
    char text[HC_ERROR_SUBJECT];
};

struct hc_finding {
    enum hc_problem problem;   /* its row gives the slug and the default hint */
    enum hc_class rank;        /* HC_CLASS_UNUSABLE, _FLAWED or _REMARK; usually the row's */
    char *subject;             /* file and line, position in the chain, name */
    enum hc_subject_kind kind; /* of the subject, and its number */
    uint64_t number;
    char *message;  /* this case's sentence; capped at HC_FOREIGN_MAX */
    char *hint;     /* this case's hint, or the row's */
    bool own_hint;  /* the hint is this case's */
    bool presented; /* the message's foreign parts are escaped in a form of their own */
};

/* Zeroed memory is an empty verdict. Owns its findings. At most HC_FINDINGS_MAX are kept. */
#define HC_FINDINGS_MAX 1000
struct hc_findings {
    struct hc_finding *items;
    size_t count;
    size_t cap;
};

/*
 * Adds a finding with the row's rank and hint. The message is formatted and capped.
 * The same problem of the same subject is added once. -1 only without memory.
 */
int hc_findings_add(struct hc_findings *list, enum hc_problem p, const char *subject,
                    struct hc_error *err, const char *fmt, ...) HC_FORMAT(5, 6) HC_MUST_USE;

/* As hc_findings_add(), of a subject that is more than its text. */
int hc_findings_add_of(struct hc_findings *list, enum hc_problem p,
                       const struct hc_subject *subject, struct hc_error *err, const char *fmt, ...)
    HC_FORMAT(5, 6) HC_MUST_USE;

/*
 * As hc_findings_add(), for a message whose foreign parts are in an escaped form already, as DNS
 * records in presentation form are: shown, its backslashes stay as they are, all else is escaped.
 */
int hc_findings_add_presented(struct hc_findings *list, enum hc_problem p, const char *subject,
                              struct hc_error *err, const char *fmt, ...)
    HC_FORMAT(5, 6) HC_MUST_USE;

/* Gives the last added finding a hint of its own. -1 only without memory. */
int hc_findings_hint(struct hc_findings *list, struct hc_error *err, const char *fmt, ...)
    HC_FORMAT(3, 4) HC_MUST_USE;

/*
 * Moves src's findings to the end of dst, as they are, but for those that dst has already; src is
 * empty afterwards. -1 only without memory; what was not moved is then lost.
 */
int hc_findings_take(struct hc_findings *dst, struct hc_findings *src,
                     struct hc_error *err) HC_MUST_USE;

/* The finding of this problem (about this subject, if not NULL), or NULL. */
const struct hc_finding *hc_findings_find(const struct hc_findings *list, enum hc_problem p,
                                          const char *subject);

/* A subject of this kind; the text is capped. */
struct hc_subject hc_subject_of(enum hc_subject_kind kind, const char *text);

/* Its texts spelled, escaped and capped: for a line, JSON or HTML. */
struct hc_finding_text {
    char subject[HC_FOREIGN_MAX];
    char message[HC_FOREIGN_MAX * 2];
    char hint[HC_FOREIGN_MAX * 2];
};
void hc_finding_render(const struct hc_finding *f, struct hc_finding_text *text);

/* "subject: sentence: message (slug; hint)", escaped, at most cap bytes. Returns dst. */
char *hc_finding_format(const struct hc_finding *f, char *dst, size_t cap);

/* The worst rank: HC_CLASS_UNUSABLE before HC_CLASS_FLAWED before HC_CLASS_REMARK (also if empty).
 */
enum hc_class hc_findings_worst(const struct hc_findings *list);

/* "fit", "flawed", "unusable". */
const char *hc_verdict_name(enum hc_class worst);

/* Hands the finding's own hint to the error that was made of it, if it has one. Returns -1. */
int hc_finding_hint_error(const struct hc_finding *f, struct hc_error *err);

/* Turns the worst finding into an error, if it is at least flawed; else 0. */
int hc_findings_to_error(const struct hc_findings *list, enum hc_class at_least,
                         struct hc_error *err);

void hc_findings_dispose(struct hc_findings *list);

#endif
