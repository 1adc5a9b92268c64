/*
 * The few words of SMTP before TLS (RFC 5321, RFC 3207): greeting, EHLO, STARTTLS. Reads what a
 * stranger's server sends: bounded, byte by byte, pure.
 */
#ifndef HC_CMD_SMTP_H
#define HC_CMD_SMTP_H

#include "base/compiler.h"
#include "base/error.h"

#define HC_SMTP_LINE_MAX  1024 /* RFC 5321 has 512 */
#define HC_SMTP_LINES_MAX 100

enum hc_smtp_step { HC_SMTP_GREETING, HC_SMTP_EHLO, HC_SMTP_STARTTLS, HC_SMTP_READY };

/* Zeroed memory is the start. */
struct hc_smtp {
    enum hc_smtp_step step;
    char line[HC_SMTP_LINE_MAX];
    size_t len;
    size_t lines;
    bool offered; /* STARTTLS was among the extensions */
};

/*
 * Takes one byte. 0: give me more; 1: a reply is whole: send *answer (a constant), or start TLS if
 * the step is HC_SMTP_READY now; -1: no TLS to be had here, err says why.
 */
int hc_smtp_take(struct hc_smtp *smtp, unsigned char byte, const char **answer,
                 struct hc_error *err) HC_MUST_USE;

#endif
