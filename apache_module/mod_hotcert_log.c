/* The core's log port on httpd's error log; see mod_hotcert.h. */
#include "mod_hotcert.h"

static int httpd_level(enum hc_level level)
{
    switch (level) {
    case HC_LOG_ERROR:
        return APLOG_ERR;
    case HC_LOG_WARN:
        return APLOG_WARNING;
    case HC_LOG_NOTICE:
        return APLOG_NOTICE;
    case HC_LOG_INFO:
        return APLOG_INFO;
    case HC_LOG_DEBUG:
        return APLOG_DEBUG;
    }
    return APLOG_ERR;
}

static void line(void *self, enum hc_level level, const char *text)
{
    const struct mod_hotcert_state *state = self;

    ap_log_error(APLOG_MARK, httpd_level(level), 0, state->server, "%s", text);
}

void mod_hotcert_log_init(struct mod_hotcert_state *state)
{
    enum hc_level most = HC_LOG_ERROR;

    while (most < HC_LOG_DEBUG &&
           (state->server == NULL || APLOG_IS_LEVEL(state->server, httpd_level(most + 1)))) {
        most++;
    }
    state->log.self = state;
    state->log.most = most;
    state->log.line = line;
}
