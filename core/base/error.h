/*
 * hc_error: what went wrong, for whom, while doing what, and what to do about it.
 *
 * The caller owns it, zero-initialises it (or hc_error_init) and passes it down; whoever finds the
 * cause fills it. The first specific error wins: a filled error is never overwritten, so a caller
 * may call hc_error_set() without looking and does not bury the cause. Functions that take an
 * hc_error return 0, or -1 with the error filled.
 *
 * Foreign text (from a CA, DNS, a file, OpenSSL) is escaped and capped when it enters.
 */
#ifndef HC_BASE_ERROR_H
#define HC_BASE_ERROR_H

#include <stdarg.h>

#include "base/compiler.h"
#include "base/problem.h"

#define HC_ERROR_SUBJECT 320
#define HC_ERROR_DETAIL  2048 /* room for an address that a CA wants a person to open */
#define HC_ERROR_HINT    256
#define HC_ERROR_LINE    3072 /* the whole of it as one line */

struct hc_error {
    enum hc_problem problem;        /* HC_P_NONE: no error */
    char subject[HC_ERROR_SUBJECT]; /* which name, file, directive, record; may be "" */
    char activity[128];           /* what was being done, "creating the account at U"; may be "" */
    char detail[HC_ERROR_DETAIL]; /* this case's own sentence; may be "" */
    char hint[HC_ERROR_HINT];     /* this case's own hint; "": the one of the problem's row */
    int64_t retry_after;          /* seconds that the other side asked for; 0: it did not */
};

void hc_error_init(struct hc_error *err);

/*
 * Fills err unless it is filled already. subject and the formatted detail are escaped (control
 * and non-ASCII bytes as \xHH) and capped. Either may be NULL. err may be NULL. Always returns -1,
 * so that `return hc_error_set(...)` reads well.
 */
int hc_error_set(struct hc_error *err, enum hc_problem p, const char *subject, const char *fmt, ...)
    HC_FORMAT(4, 5);

/* As hc_error_set(); the detail ends with strerror(errnum). HC_P_SYSTEM if p is HC_P_NONE. */
int hc_error_set_errno(struct hc_error *err, enum hc_problem p, const char *subject, int errnum,
                       const char *fmt, ...) HC_FORMAT(5, 6);

/* As hc_error_set(); the detail ends with the reason, in another's words. For wrappers. */
int hc_error_vset(struct hc_error *err, enum hc_problem p, const char *subject, const char *reason,
                  const char *fmt, va_list args) HC_FORMAT(5, 0);

/* Says what was being done, if nobody nearer to the cause said so. Returns -1. */
int hc_error_during(struct hc_error *err, const char *fmt, ...) HC_FORMAT(2, 3);

/* Gives a filled error a hint of this case's own, if it has none yet. Returns -1. */
int hc_error_hint(struct hc_error *err, const char *fmt, ...) HC_FORMAT(2, 3);

/* The hint in force: its own, or the one of its problem's row. */
const char *hc_error_hint_of(const struct hc_error *err);

/* Out of memory; -1. */
int hc_error_nomem(struct hc_error *err);

/*
 * One line: "subject: sentence: detail (slug; while activity; hint)", with directives in the
 * spelling of base/spelling.h. Writes at most cap bytes with
 * the terminating NUL, returns dst.
 */
char *hc_error_format(const struct hc_error *err, char *dst, size_t cap);

static inline bool hc_error_is_set(const struct hc_error *err)
{
    return err->problem != HC_P_NONE;
}

enum hc_class hc_error_class(const struct hc_error *err);

#endif
