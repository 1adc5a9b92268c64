/*
 * What `hotcert diagnose` prints: a tree for each name, or JSON. Collects what the preflight hands
 * out, so that names which are none stand beside the others.
 */
#ifndef HC_CMD_DIAGNOSE_REPORT_H
#define HC_CMD_DIAGNOSE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "dns/preflight.h"

/* Zeroed memory is an empty one. */
struct hc_diagnose_report {
    json_t *names; /* array of {name, verdict, looks, findings}: what both forms are printed from */
    size_t ready;
    size_t would_fail;
    size_t unknown;
    bool complete; /* the preflight is done */
    bool out_of_memory;
};

/* The preflight's result. */
void hc_diagnose_take(struct hc_diagnose_report *report, const struct hc_preflight_result *result);

/* A name that is none: would fail. */
void hc_diagnose_refuse(struct hc_diagnose_report *report, const char *name,
                        const struct hc_error *why);

void hc_diagnose_print(const struct hc_diagnose_report *report, bool json, FILE *to);

void hc_diagnose_report_dispose(struct hc_diagnose_report *report);

#endif
