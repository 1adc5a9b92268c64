/*
 * An error that outlives the call that reported it: of a job, a name, a look-up. The value is two
 * words; its texts are in one heap block of just their size, which is shared by copies and never
 * changes. Without memory the problem is kept and its texts are not: "out of memory" is no reason
 * to lose what is wrong.
 *
 * Zeroed memory is no error. Copies are made by hc_kept_error_copy(), not by assignment; who keeps
 * one disposes of it. One thread for all copies of one.
 */
#ifndef HC_BASE_KEPT_ERROR_H
#define HC_BASE_KEPT_ERROR_H

#include "base/error.h"

struct hc_kept_text;

struct hc_kept_error {
    enum hc_problem problem;   /* HC_P_NONE: no error */
    struct hc_kept_text *text; /* all else; NULL: there is no more to say */
};

/* Keeps err (which may be no error) instead of what was kept before. */
void hc_kept_error_set(struct hc_kept_error *kept, const struct hc_error *err);

/* The error again, whole; *err is overwritten. */
void hc_kept_error_get(const struct hc_kept_error *kept, struct hc_error *err);

/* dst may hold another, or be src. */
void hc_kept_error_copy(struct hc_kept_error *dst, const struct hc_kept_error *src);

/* No error any more. Safe on zeroed memory and twice. */
void hc_kept_error_dispose(struct hc_kept_error *kept);

static inline bool hc_kept_error_is_set(const struct hc_kept_error *kept)
{
    return kept->problem != HC_P_NONE;
}

#endif
