/* SMTP before TLS; see smtp.h. */
#include "cmd/smtp.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *code;   /* of a good reply */
    const char *answer; /* what is said then */
} steps[] = {
    [HC_SMTP_GREETING] = {"220", "EHLO localhost\r\n"},
    [HC_SMTP_EHLO] = {"250", "STARTTLS\r\n"},
    [HC_SMTP_STARTTLS] = {"220", NULL},
};

static bool is_reply(const char *line, size_t len)
{
    return len >= 3 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
           isdigit((unsigned char)line[2]) && (len == 3 || line[3] == ' ' || line[3] == '-');
}

static int take_line(struct hc_smtp *s, const char **answer, struct hc_error *err)
{
    bool last = s->len == 3 || s->line[3] == ' ';

    if (memcmp(s->line, steps[s->step].code, 3) != 0) {
        return hc_error_set(err, HC_P_HANDSHAKE_FAILED, NULL, "the mail server says: %s", s->line);
    }
    if (s->step == HC_SMTP_EHLO && s->len >= 12 && strncasecmp(s->line + 4, "STARTTLS", 8) == 0) {
        s->offered = true;
    }
    if (!last) {
        return 0;
    }
    if (s->step == HC_SMTP_EHLO && !s->offered) {
        return hc_error_set(err, HC_P_HANDSHAKE_FAILED, NULL, "the mail server offers no STARTTLS");
    }
    *answer = steps[s->step].answer;
    s->step++;
    return 1;
}

int hc_smtp_take(struct hc_smtp *s, unsigned char byte, const char **answer, struct hc_error *err)
{
    int rc = 0;

    *answer = NULL;
    if (s->step == HC_SMTP_READY) {
        return hc_error_set(err, HC_P_HANDSHAKE_FAILED, NULL, "bytes after the last reply");
    }
    if (byte != '\n') {
        if (s->len + 1 >= sizeof(s->line)) {
            return hc_error_set(err, HC_P_HANDSHAKE_FAILED, NULL, "a line longer than %d bytes",
                                HC_SMTP_LINE_MAX);
        }
        s->line[s->len++] = (char)byte;
        return 0;
    }
    while (s->len > 0 && s->line[s->len - 1] == '\r') {
        s->len--;
    }
    s->line[s->len] = '\0';
    if (++s->lines > HC_SMTP_LINES_MAX || !is_reply(s->line, s->len)) {
        return hc_error_set(err, HC_P_HANDSHAKE_FAILED, NULL, "this is not SMTP: %s", s->line);
    }
    rc = take_line(s, answer, err);
    s->len = 0;
    return rc;
}
