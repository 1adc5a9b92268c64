/*
 * What `hotcert check` and `hotcert diagnose` print: one layout and one set of words for both, as
 * text for people and as JSON for programs; other commands wrap long lines as these do.
 *
 *   www.example.org                                                         <- hc_report_heading()
 *     chain                                                                 <- hc_report_section()
 *     `-- certificate 1  www.example.org                                    <- hc_report_branch()
 *         `-- root  Some Root
 *     flaws                                                                 <- hc_report_findings()
 *       chain-incomplete  certificate 1 (www.example.org)
 *         an intermediate certificate is missing: its issuer, R11, is ..
 *         -> use the CA's full chain file ..
 *   flawed: 1 flaw, 2 remarks                                               <- hc_report_closing()
 *
 * Plain ASCII. Colours only where out is a terminal (and NO_COLOR is not set, TERM not "dumb").
 * Text that is handed in must be ours or escaped (hc_escape(); findings are). One thread.
 */
#ifndef HC_CMD_REPORT_H
#define HC_CMD_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "base/finding.h"

enum hc_tint { HC_TINT_NONE, HC_TINT_GOOD, HC_TINT_WARN, HC_TINT_BAD, HC_TINT_DIM, HC_TINT_BOLD };

struct hc_report {
    FILE *out; /* borrowed */
    bool colour;
};

void hc_report_init(struct hc_report *r, FILE *out);

/* The tint of a rank: bad, warn, none. */
enum hc_tint hc_report_tint(enum hc_class rank);

/* Formatted text in a tint, no newline. */
void hc_report_put(struct hc_report *r, enum hc_tint tint, const char *fmt, ...) HC_FORMAT(3, 4);

/* The first line of what is reported about one thing. */
void hc_report_heading(struct hc_report *r, const char *subject);

/* An indented sub-heading. */
void hc_report_section(struct hc_report *r, const char *title);

/*
 * A line of a tree: depth 0 stands below the section; last: no sibling follows; open is a bit per
 * smaller depth where a sibling still follows (bit 0: depth 0). The text follows with
 * hc_report_put(), then hc_report_end().
 */
void hc_report_branch(struct hc_report *r, unsigned depth, unsigned open, bool last);
void hc_report_end(struct hc_report *r);

/* first, then the text in lines of at most 100 characters; those that follow are indented by the
 * length of first. */
void hc_report_wrapped(struct hc_report *r, enum hc_tint tint, const char *first, const char *raw);

/*
 * The findings, worst rank first, each with sentence and hint; nothing if there are none. clients:
 * what clients say is added below flaws.
 */
void hc_report_findings(struct hc_report *r, const struct hc_findings *findings, bool clients);

/* The one closing line: "verdict: 1 unusable, 2 flaws, 3 remarks". */
void hc_report_closing(struct hc_report *r, const char *verdict, enum hc_tint tint,
                       const struct hc_findings *findings);

/* An error that kept us from checking, to stderr: "hotcert: ...". */
void hc_report_error(const struct hc_error *err);

/* [{"slug":..,"rank":..,"subject":..,"message":..,"hint":..}, ..]; the caller's. NULL: memory. */
json_t *hc_report_findings_json(const struct hc_findings *findings);

/* One value on one line; takes the reference. -1 with err if it cannot be made or written. */
int hc_report_json(FILE *out, json_t *take, struct hc_error *err) HC_MUST_USE;

#endif
