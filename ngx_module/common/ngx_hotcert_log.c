/* The core's log port and errors in nginx's error log. */
#include "ngx_hotcert.h"

static ngx_uint_t nginx_level(enum hc_level level)
{
    switch (level) {
    case HC_LOG_ERROR:
        return NGX_LOG_ERR;
    case HC_LOG_WARN:
        return NGX_LOG_WARN;
    case HC_LOG_NOTICE:
        return NGX_LOG_NOTICE;
    case HC_LOG_INFO:
        return NGX_LOG_INFO;
    case HC_LOG_DEBUG:
        return NGX_LOG_DEBUG;
    }
    return NGX_LOG_ERR;
}

static void log_line(void *self, enum hc_level level, const char *text)
{
    ngx_log_error(nginx_level(level), (ngx_log_t *)self, 0, "hotcert: %s", text);
}

struct hc_log ngx_hotcert_log(ngx_log_t *log)
{
    struct hc_log port = {log, HC_LOG_DEBUG, log_line};

    return port;
}

void ngx_hotcert_log_error(ngx_uint_t level, ngx_log_t *log, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    ngx_log_error(level, log, 0, "hotcert: %s", hc_error_show(err, text, sizeof(text)));
}

char *ngx_hotcert_conf_error(ngx_conf_t *cf, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "hotcert: %s", hc_error_show(err, text, sizeof(text)));
    return NGX_CONF_ERROR;
}

/* True if a line of this level goes anywhere. A debug level has its bits above the others. */
static bool shows(const ngx_log_t *log, ngx_uint_t level)
{
    for (; log != NULL; log = log->next) {
        if (log->log_level >= level) {
            return true;
        }
    }
    return false;
}

void ngx_hotcert_tell_of_level(const ngx_cycle_t *cycle)
{
    const ngx_open_file_t *file = cycle->log->file;
    bool named = file != NULL && file->name.len > 0;
    ngx_str_t name = named ? file->name : (ngx_str_t)ngx_string("stderr");

    if (!shows(cycle->log, NGX_LOG_NOTICE)) {
        ngx_log_stderr(0,
                       "hotcert: the error log shows no notices, so neither orders nor swaps: to "
                       "see them, write \"error_log %V notice;\" at the main level, outside "
                       "http{}; `hotcert list` always shows the served certificates",
                       &name);
    }
}
