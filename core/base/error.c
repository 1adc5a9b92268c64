/* hc_error; see error.h. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/libc.h"
#include "base/spelling.h"
#include "base/str.h"

void hc_error_init(struct hc_error *err)
{
    memset(err, 0, sizeof(*err));
}

int hc_error_vset(struct hc_error *err, enum hc_problem p, const char *subject, const char *reason,
                  const char *fmt, va_list args)
{
    char raw[HC_ERROR_DETAIL] = "";
    size_t used = 0;

    if (err == NULL || err->problem != HC_P_NONE) {
        return -1;
    }
    err->problem = p;
    if (subject != NULL) {
        hc_escape(err->subject, sizeof(err->subject), subject, strlen(subject));
    }
    if (fmt != NULL) {
        vsnprintf(raw, sizeof(raw), fmt, args);
    }
    used = strlen(raw);
    if (reason != NULL && reason[0] != '\0') {
        snprintf(raw + used, sizeof(raw) - used, "%s%s", used > 0 ? ": " : "", reason);
    }
    hc_escape(err->detail, sizeof(err->detail), raw, strlen(raw));
    return -1;
}

int hc_error_set(struct hc_error *err, enum hc_problem p, const char *subject, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    hc_error_vset(err, p, subject, NULL, fmt, args);
    va_end(args);
    return -1;
}

int hc_error_set_errno(struct hc_error *err, enum hc_problem p, const char *subject, int errnum,
                       const char *fmt, ...)
{
    char room[128];
    const char *reason = hc_libc_strerror(errnum, room, sizeof(room));
    va_list args;

    va_start(args, fmt);
    hc_error_vset(err, p == HC_P_NONE ? HC_P_SYSTEM : p, subject, reason, fmt, args);
    va_end(args);
    return -1;
}

int hc_error_during(struct hc_error *err, const char *fmt, ...)
{
    char raw[sizeof(err->activity)];
    va_list args;

    if (err == NULL || err->activity[0] != '\0') {
        return -1;
    }
    va_start(args, fmt);
    vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    hc_escape(err->activity, sizeof(err->activity), raw, strlen(raw));
    return -1;
}

int hc_error_hint(struct hc_error *err, const char *fmt, ...)
{
    char raw[sizeof(err->hint)];
    va_list args;

    if (err == NULL || err->problem == HC_P_NONE || err->hint[0] != '\0') {
        return -1;
    }
    va_start(args, fmt);
    vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    hc_escape(err->hint, sizeof(err->hint), raw, strlen(raw));
    return -1;
}

const char *hc_error_hint_of(const struct hc_error *err)
{
    return err->hint[0] != '\0' ? err->hint : hc_problem_row(err->problem)->hint;
}

int hc_error_nomem(struct hc_error *err)
{
    return hc_error_set(err, HC_P_OUT_OF_MEMORY, NULL, NULL);
}

char *hc_error_format(const struct hc_error *err, char *dst, size_t cap)
{
    const struct hc_problem_row *row = hc_problem_row(err->problem);
    bool activity = err->activity[0] != '\0';
    char text[HC_ERROR_LINE];

    snprintf(text, sizeof(text), "%s%s%s%s%s (%s; %s%s%s%s)", err->subject,
             err->subject[0] != '\0' ? ": " : "", row->sentence, err->detail[0] != '\0' ? ": " : "",
             err->detail, row->slug, activity ? "while " : "", err->activity, activity ? "; " : "",
             hc_error_hint_of(err));
    return hc_spell(text, dst, cap);
}

enum hc_class hc_error_class(const struct hc_error *err)
{
    return hc_problem_row(err->problem)->cls;
}
