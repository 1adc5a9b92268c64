/*
 * Which methods were tried for names at one issuer, and how that went: a value, a part of the
 * issuer's record. What worked comes first the next time; what failed gives way to the next of the
 * list, at the next try. Nothing is kept of a name whose first method works, as nearly all do.
 */
#ifndef HC_AGENT_TRIED_H
#define HC_AGENT_TRIED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

#define HC_TRIED_NAMES 2000 /* that one issuer's record keeps */

struct hc_tried_name {
    char *name;
    char *method; /* the latest */
    bool worked;
    uint64_t list; /* hash of the list that it is of: another list starts anew */
    int64_t at;
};

/* Zeroed memory: nothing. */
struct hc_tried {
    struct hc_tried_name *items; /* sorted */
    size_t count, cap;
};

/* The method of this list was tried. True if that changes anything that is kept. */
bool hc_tried_note(struct hc_tried *tried, const char *name, const struct hc_list *list,
                   const char *method, bool worked, int64_t now);
/* Appends the list's methods in the order in which they are to be tried now. */
int hc_tried_order(const struct hc_tried *tried, const char *name, const struct hc_list *list,
                   struct hc_list *out, struct hc_error *err) HC_MUST_USE;

/* Takes over what is later. */
int hc_tried_merge(struct hc_tried *tried, const struct hc_tried *other, int64_t now,
                   struct hc_error *err) HC_MUST_USE;
/* The clock was set back. */
void hc_tried_pull_back(struct hc_tried *tried, int64_t now);

/* NULL: no memory. The caller's. */
json_t *hc_tried_to_json(const struct hc_tried *tried);
/* What is malformed is passed over; object may be NULL. *tried is zeroed memory. */
int hc_tried_from_json(json_t *object, int64_t now, struct hc_tried *tried,
                       struct hc_error *err) HC_MUST_USE;

void hc_tried_dispose(struct hc_tried *tried);

#endif
