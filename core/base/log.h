/*
 * Port: the log. Whoever runs the core gives it one (nginx's error log, httpd's, stderr, a test's
 * list). A line is complete text without a newline, foreign text already escaped, never key
 * material, a token or an authorization value.
 */
#ifndef HC_BASE_LOG_H
#define HC_BASE_LOG_H

#include "base/compiler.h"
#include "base/error.h"

enum hc_level { HC_LOG_ERROR, HC_LOG_WARN, HC_LOG_NOTICE, HC_LOG_INFO, HC_LOG_DEBUG };

/* The longest line, in bytes with its NUL; longer ones are cut. */
#define HC_LOG_LINE 2048

struct hc_log {
    void *self;
    enum hc_level most; /* lines above this level are not made */
    void (*line)(void *self, enum hc_level level, const char *text);
};

/* log may be NULL: nothing is logged. */
void hc_logf(const struct hc_log *log, enum hc_level level, const char *fmt, ...) HC_FORMAT(3, 4);

/* The error as one line (hc_error_format), with text before it: "prefix: ...". prefix may be NULL.
 */
void hc_log_error(const struct hc_log *log, enum hc_level level, const char *prefix,
                  const struct hc_error *err);

/* "error", "warn", "notice", "info", "debug". */
const char *hc_level_name(enum hc_level level);

#endif
