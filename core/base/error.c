/* hc_error; see error.h. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/idn.h"
#include "base/libc.h"
#include "base/spelling.h"

void hc_error_init(struct hc_error *err)
{
    memset(err, 0, sizeof(*err));
}

/* Copies and terminates; a cut is marked. Returns the length in dst. */
static size_t put(char *dst, size_t cap, const void *src, size_t len)
{
    size_t fits = len < cap ? len : cap - 1;

    memcpy(dst, src, fits);
    if (fits < len) {
        memcpy(dst + fits - 2, "..", 2);
    }
    dst[fits] = '\0';
    return fits;
}

/* As put(), of a formatted text. */
HC_FORMAT(3, 0)
static size_t print(char *dst, size_t cap, const char *fmt, va_list args)
{
    int n = vsnprintf(dst, cap, fmt, args);

    if (n < 0) {
        dst[0] = '\0';
        return 0;
    }
    if ((size_t)n >= cap) {
        memcpy(dst + cap - 3, "..", 2);
        return cap - 1;
    }
    return (size_t)n;
}

static bool is_open(const struct hc_error *err)
{
    return err != NULL && err->problem == HC_P_NONE;
}

static void begin(struct hc_error *err, enum hc_problem p, const char *subject)
{
    err->problem = p;
    if (subject != NULL) {
        put(err->subject, sizeof(err->subject), subject, strlen(subject));
    }
}

int hc_error_vset(struct hc_error *err, enum hc_problem p, const char *subject, const char *reason,
                  const char *fmt, va_list args)
{
    if (!is_open(err)) {
        return -1;
    }
    begin(err, p, subject);
    if (fmt != NULL) {
        err->detail_len = print(err->detail, sizeof(err->detail), fmt, args);
    }
    if (reason != NULL && reason[0] != '\0') {
        hc_error_add(err, "%s%s", err->detail_len > 0 ? ": " : "", reason);
    }
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

int hc_error_set_bytes(struct hc_error *err, enum hc_problem p, const char *subject,
                       const void *detail, size_t len)
{
    if (is_open(err)) {
        begin(err, p, subject);
        err->detail_len = put(err->detail, sizeof(err->detail), detail, len);
    }
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

int hc_error_chain(struct hc_error *err, const struct hc_error *inner)
{
    if (is_open(err)) {
        *err = *inner;
    }
    return -1;
}

int hc_error_add(struct hc_error *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL || err->problem == HC_P_NONE || err->detail_len + 3 >= sizeof(err->detail)) {
        return -1;
    }
    va_start(args, fmt);
    err->detail_len +=
        print(err->detail + err->detail_len, sizeof(err->detail) - err->detail_len, fmt, args);
    va_end(args);
    return -1;
}

int hc_error_of(struct hc_error *err, const char *subject)
{
    if (err != NULL) {
        put(err->subject, sizeof(err->subject), subject, strlen(subject));
    }
    return -1;
}

int hc_error_during(struct hc_error *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL || err->activity[0] != '\0') {
        return -1;
    }
    va_start(args, fmt);
    print(err->activity, sizeof(err->activity), fmt, args);
    va_end(args);
    return -1;
}

int hc_error_hint(struct hc_error *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL || err->problem == HC_P_NONE || err->hint[0] != '\0') {
        return -1;
    }
    va_start(args, fmt);
    print(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
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

void hc_error_render(const struct hc_error *err, struct hc_error_text *text)
{
    hc_escape(text->subject, sizeof(text->subject), err->subject, strlen(err->subject));
    hc_escape(text->activity, sizeof(text->activity), err->activity, strlen(err->activity));
    hc_escape(text->detail, sizeof(text->detail), err->detail, err->detail_len);
    hc_escape(text->hint, sizeof(text->hint), err->hint, strlen(err->hint));
}

static size_t take(char *dst, size_t cap, const char *shown)
{
    size_t len = 0;

    if (shown == NULL) {
        return 0;
    }
    return hc_unescape(dst, cap, shown, strlen(shown), &len) ? len
                                                             : put(dst, cap, shown, strlen(shown));
}

void hc_error_restore(struct hc_error *err, enum hc_problem p, const char *subject,
                      const char *activity, const char *detail, const char *hint)
{
    hc_error_init(err);
    err->problem = p;
    take(err->subject, sizeof(err->subject), subject);
    take(err->activity, sizeof(err->activity), activity);
    err->detail_len = take(err->detail, sizeof(err->detail), detail);
    take(err->hint, sizeof(err->hint), hint);
}

char *hc_error_format(const struct hc_error *err, char *dst, size_t cap)
{
    const struct hc_problem_row *row = hc_problem_row(err->problem);
    struct hc_error_text text;
    char line[HC_ERROR_LINE];
    bool activity = err->activity[0] != '\0';

    hc_error_render(err, &text);
    snprintf(line, sizeof(line), "%s%s%s%s%s (%s; %s%s%s%s)", text.subject,
             text.subject[0] != '\0' ? ": " : "", row->sentence, err->detail_len > 0 ? ": " : "",
             text.detail, row->slug, activity ? "while " : "", text.activity, activity ? "; " : "",
             text.hint[0] != '\0' ? text.hint : row->hint);
    return hc_spell(line, dst, cap);
}

char *hc_error_show(const struct hc_error *err, char *dst, size_t cap)
{
    char line[HC_ERROR_LINE];

    return hc_idn_show(hc_error_format(err, line, sizeof(line)), dst, cap);
}

enum hc_class hc_error_class(const struct hc_error *err)
{
    return hc_problem_row(err->problem)->cls;
}
