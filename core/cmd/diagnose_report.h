/*
 * What `hotcert diagnose` prints, in the words and layout of cmd/report.h: for each name a tree of
 * what was seen, the findings, a closing line; or JSON. Collects what the preflight hands out, so
 * that names which are none stand beside the others.
 */
#ifndef HC_CMD_DIAGNOSE_REPORT_H
#define HC_CMD_DIAGNOSE_REPORT_H

#include "cmd/report.h"
#include "preflight/preflight.h"

struct hc_diagnosed {
    char *name; /* escaped */
    enum hc_preflight_verdict verdict;
    struct hc_findings findings;
    enum hc_dnssec dnssec;
    struct hc_list seen;
};

/* Zeroed memory is an empty one. */
struct hc_diagnose_report {
    struct hc_diagnosed *names;
    size_t count;
    bool complete;         /* the preflight is done */
    struct hc_error error; /* out of memory while collecting */
};

/* The preflight's result; its findings and lines are taken from it. */
void hc_diagnose_take(struct hc_diagnose_report *report, const struct hc_preflight_result *result);

/* A name that is none: would fail. */
void hc_diagnose_refuse(struct hc_diagnose_report *report, const char *name,
                        const struct hc_error *why);

/* True if a name has this verdict. */
bool hc_diagnose_any(const struct hc_diagnose_report *report, enum hc_preflight_verdict verdict);

void hc_diagnose_print(struct hc_diagnose_report *report, FILE *to);
/* [{"name":..,"verdict":..,"dnssec":..,"findings":[..]}, ..] */
int hc_diagnose_print_json(const struct hc_diagnose_report *report, FILE *to,
                           struct hc_error *err) HC_MUST_USE;

void hc_diagnose_report_dispose(struct hc_diagnose_report *report);

#endif
