#include "glue/remark.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

#define like(text, part, name)   ok(strstr((text), (part)) != NULL, name)
#define unlike(text, part, name) ok(strstr((text), (part)) == NULL, name)

struct lines {
    size_t count;
    enum hc_level level;
    char last[HC_LOG_LINE];
};

static void take(void *self, enum hc_level level, const char *text)
{
    struct lines *lines = self;

    lines->count++;
    lines->level = level;
    (void)snprintf(lines->last, sizeof(lines->last), "%s", text);
}

/* What the operator of a server reads. */
static const char *told(enum hc_server server, struct lines *lines,
                        int (*remark)(const char *where, struct hc_findings *notes,
                                      struct hc_error *err))
{
    struct hc_log log = {lines, HC_LOG_DEBUG, take};
    struct hc_findings notes = {0};
    struct hc_error err;

    hc_error_init(&err);
    hc_server_speak(server);
    ok(remark("x.conf:7", &notes, &err) == 0, "it is noted");
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    return lines->last;
}

static int left_alone(const char *where, struct hc_findings *notes, struct hc_error *err)
{
    return hc_remark_left_alone(where, "an obstacle", notes, err);
}

static const char *refusal(enum hc_server server, char *text, size_t cap)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_server_speak(server);
    ok(hc_refuse_unfollowed("x.conf:7", "data:", false, &err) == -1, "refused");
    return hc_error_format(&err, text, cap);
}

int main(void)
{
    struct lines lines = {0};
    char text[HC_LOG_LINE];

    like(told(HC_SERVER_NGINX, &lines, hc_remark_stapling), "ssl_stapling has no effect here",
         "nginx's operator reads nginx's directive");
    like(told(HC_SERVER_HTTPD, &lines, hc_remark_stapling), "SSLUseStapling has no effect here",
         "httpd's reads httpd's");
    unlike(lines.last, "ssl_stapling", "alone");
    ok(lines.level == HC_LOG_WARN, "what has no effect is a warning");
    like(told(HC_SERVER_HTTPD, &lines, left_alone), "it inherits `HotCert watch`",
         "words in backquotes too");
    unlike(lines.last, "hotcert watch", "and in the hint");
    ok(lines.level == HC_LOG_NOTICE, "what is as configured is a notice");
    ok(lines.count == 3, "each is told once");
    like(refusal(HC_SERVER_NGINX, text, sizeof(text)), "set `hotcert off`", "so are refusals");
    like(refusal(HC_SERVER_HTTPD, text, sizeof(text)), "set `HotCert off`", "on both");
    return done();
}
