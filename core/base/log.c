/* The log port; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/idn.h"
#include "base/spelling.h"

static const char *const level_names[] = {
    [HC_LOG_ERROR] = "error", [HC_LOG_WARN] = "warn",   [HC_LOG_NOTICE] = "notice",
    [HC_LOG_INFO] = "info",   [HC_LOG_DEBUG] = "debug",
};

const char *hc_level_name(enum hc_level level)
{
    return level_names[level];
}

void hc_logf(const struct hc_log *log, enum hc_level level, const char *fmt, ...)
{
    char line[HC_LOG_LINE];
    char spelled[HC_LOG_LINE];
    va_list args;

    if (log == NULL || level > log->most) {
        return;
    }
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    hc_spell(line, spelled, sizeof(spelled));
    log->line(log->self, level, hc_idn_show(spelled, line, sizeof(line)));
}

void hc_log_error(const struct hc_log *log, enum hc_level level, const char *prefix,
                  const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    hc_error_format(err, text, sizeof(text));
    hc_logf(log, level, "%s%s%s", prefix != NULL ? prefix : "", prefix != NULL ? ": " : "", text);
}
