/*
 * One pass over a PEM file from inside: pem.c reads the lines and blocks, pem_report.c says what is
 * odd or wrong about them. All return 0, or -1 without memory.
 */
#ifndef HC_PKI_PEM_SCAN_H
#define HC_PKI_PEM_SCAN_H

#include "pki/pem_load.h"

#define HC_PEM_BEGIN     "-----BEGIN "
#define HC_PEM_LABEL_MAX 64

/* One pass over a file. */
struct hc_pem_scan {
    struct hc_bytes text;
    size_t at;      /* where the next line starts */
    size_t line_no; /* of the line read last, from 1 */
    const char *subject;
    const struct hc_list *passphrases;
    unsigned want;
    struct hc_pem *out;
    struct hc_pem_stop stop; /* where the reader of certificates gave up */
    struct hc_findings *findings;
    struct hc_error *err;
    size_t blocks;          /* that were whole enough to have a BEGIN line */
    size_t certs;           /* blocks of certificates */
    bool certs_explained;   /* why the reader of certificates gave up was found, */
    bool key_explained;     /* and why that of the key did */
    const char *stray_what; /* of the first stray line, or NULL */
    size_t stray_line;
    size_t text_lines; /* outside of blocks */
    size_t text_line;  /* the first of them */
    size_t indented_line;
    bool cr;
};

struct hc_pem_block {
    char label[HC_PEM_LABEL_MAX];
    size_t line; /* of BEGIN */
    const char *data;
    size_t len; /* from BEGIN up to and with the END line */
};

/* A block that is not whole: the servers' readers end there, if they come that far. */
int hc_pem_damaged(struct hc_pem_scan *s, size_t line, const char *what);
/*
 * A line that is no part of a block for the servers' readers, though it was meant to be. Whether
 * anything is missing because of it is known at the end; the first one waits for that.
 */
int hc_pem_stray(struct hc_pem_scan *s, size_t line, const char *what);
/* Why the key in this block is not used. */
int hc_pem_key_fault(struct hc_pem_scan *s, const struct hc_pem_block *b, enum hc_problem p,
                     const char *why);

/* At the end: no block at all, a file that is too large, and all else. */
int hc_pem_report_absence(struct hc_pem_scan *s);
int hc_pem_report_size(const struct hc_pem_scan *s);
int hc_pem_report(struct hc_pem_scan *s, bool bom);

#endif
