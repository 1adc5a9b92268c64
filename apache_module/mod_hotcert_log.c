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

bool mod_hotcert_log_is_early(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

/* Without a time, and without the server, whose log is not there yet. */
static int early(void)
{
    return mod_hotcert_log_is_early() ? APLOG_STARTUP : 0;
}

static void reading_line(void *self, enum hc_level level, const char *text)
{
    const struct mod_hotcert_state *state = self;

    ap_log_error(APLOG_MARK, httpd_level(level) | early(), 0, early() ? NULL : state->server,
                 "HotCert: %s", text);
}

struct hc_log mod_hotcert_log_reading(struct mod_hotcert_state *state)
{
    return (struct hc_log){state, HC_LOG_NOTICE, reading_line};
}

void mod_hotcert_log_refusal(const struct mod_hotcert_state *state, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    ap_log_error(APLOG_MARK, APLOG_EMERG | early(), 0, early() ? NULL : state->server,
                 "HotCert: %s", hc_error_show(err, text, sizeof(text)));
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
