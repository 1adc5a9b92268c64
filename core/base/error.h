/*
 * hc_error: what went wrong, for whom, while doing what, and what to do about it.
 *
 * A plain value of bounded size: nobody owns a part of it, it is copied by assignment, and
 * reporting a failure needs no memory. The caller has it on its stack, zero-initialises it (or
 * hc_error_init) and passes it down; whoever finds the cause fills it. What outlives the call is
 * kept in a few bytes: see base/kept_error.h.
 *
 * The first specific error wins: a filled error is never overwritten, so a caller may call
 * hc_error_set() without looking and does not bury the cause. Functions that take an hc_error
 * return 0, or -1 with the error filled.
 *
 * It stays data until it is shown: its texts are what came in, byte by byte, capped, and are
 * escaped once, where they go out (hc_error_format, hc_error_render). Nobody decides anything by
 * its texts; that is what problem and foreign are for.
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

#define HC_ERROR_TYPE  64
#define HC_ERROR_NAMES 512

/* What another party (a CA, a resolver, a web server) said of it, as data. Zeroed: nothing. */
struct hc_foreign {
    char type[HC_ERROR_TYPE]; /* "rateLimited": the last part of its problem's type; may be "" */
    int http_status;          /* of its reply; 0: there was none */
    enum hc_problem means;    /* what its words add to the type, as a problem of ours; or NONE */
    int64_t retry_after;      /* seconds that it asked for; 0: it did not */
    /* the host names that it speaks of, in its words or its subproblems, as hc_name_normalise()
     * writes them: each between two blanks, as many as fit */
    char names[HC_ERROR_NAMES];
};

struct hc_error {
    enum hc_problem problem;        /* HC_P_NONE: no error */
    char subject[HC_ERROR_SUBJECT]; /* which name, file, directive, record; may be "" */
    char activity[128];           /* what was being done, "creating the account at U"; may be "" */
    char detail[HC_ERROR_DETAIL]; /* this case's own sentence; may be "" */
    size_t detail_len;            /* its NUL follows; others may be in it, from foreign bytes */
    char hint[HC_ERROR_HINT];     /* this case's own hint; "": the one of the problem's row */
    struct hc_foreign foreign;
};

void hc_error_init(struct hc_error *err);

/*
 * Fills err unless it is filled already. subject and the formatted detail are kept as they are, and
 * capped; what is cut ends in "..". Either may be NULL. err may be NULL. Always returns -1, so that
 * `return hc_error_set(...)` reads well.
 */
int hc_error_set(struct hc_error *err, enum hc_problem p, const char *subject, const char *fmt, ...)
    HC_FORMAT(4, 5);

/* As hc_error_set(); the detail is any bytes, NUL included. */
int hc_error_set_bytes(struct hc_error *err, enum hc_problem p, const char *subject,
                       const void *detail, size_t len);

/* Hands on what an inner call reported in an error of its own: err = inner, unless err is filled
 * already or NULL. Returns -1. */
int hc_error_chain(struct hc_error *err, const struct hc_error *inner);

/* As hc_error_set(); the detail ends with strerror(errnum). HC_P_SYSTEM if p is HC_P_NONE. */
int hc_error_set_errno(struct hc_error *err, enum hc_problem p, const char *subject, int errnum,
                       const char *fmt, ...) HC_FORMAT(5, 6);

/* As hc_error_set(); the detail ends with the reason, in another's words. For wrappers. */
int hc_error_vset(struct hc_error *err, enum hc_problem p, const char *subject, const char *reason,
                  const char *fmt, va_list args) HC_FORMAT(5, 0);

/* Says what was being done, if nobody nearer to the cause said so. Returns -1. */
int hc_error_during(struct hc_error *err, const char *fmt, ...) HC_FORMAT(2, 3);

/* Adds to a filled error's detail, as far as there is room. Returns -1. */
int hc_error_add(struct hc_error *err, const char *fmt, ...) HC_FORMAT(2, 3);

/* Another subject: for whoever knows better which name or file it is. Returns -1. */
int hc_error_of(struct hc_error *err, const char *subject);

/* Gives a filled error a hint of this case's own, if it has none yet. Returns -1. */
int hc_error_hint(struct hc_error *err, const char *fmt, ...) HC_FORMAT(2, 3);

/* The hint in force: its own, or the one of its problem's row. */
const char *hc_error_hint_of(const struct hc_error *err);

/* Out of memory; -1. */
int hc_error_nomem(struct hc_error *err);

/* Its texts escaped (control and non-ASCII bytes as \xHH) and capped: for a line, JSON or HTML. */
struct hc_error_text {
    char subject[HC_ERROR_SUBJECT];
    char activity[128];
    char detail[HC_ERROR_DETAIL];
    char hint[HC_ERROR_HINT]; /* its own; may be "" */
};
void hc_error_render(const struct hc_error *err, struct hc_error_text *text);

/*
 * The reverse, for texts that another process or run rendered: err is filled anew with p and these
 * (each may be NULL). Texts that hc_error_render() would not have written are kept as they are.
 */
void hc_error_restore(struct hc_error *err, enum hc_problem p, const char *subject,
                      const char *activity, const char *detail, const char *hint);

/*
 * One line: "subject: sentence: detail (slug; while activity; hint)", escaped, with directives in
 * the spelling of base/spelling.h. Writes at most cap bytes with the terminating NUL, returns dst.
 */
char *hc_error_format(const struct hc_error *err, char *dst, size_t cap);
/* The same for a person: names in both forms (base/idn.h), as hc_logf() writes them. */
char *hc_error_show(const struct hc_error *err, char *dst, size_t cap);

static inline bool hc_error_is_set(const struct hc_error *err)
{
    return err->problem != HC_P_NONE;
}

enum hc_class hc_error_class(const struct hc_error *err);

#endif
