/* From inside: what Route 53 is sent and answers, 2013-04-01; hostile, bounded. */
#ifndef HC_SOLVE_ROUTE53_TEXT_H
#define HC_SOLVE_ROUTE53_TEXT_H

#include "base/str.h"

#define HC_ROUTE53_ID 40 /* of a zone or a change, with its NUL */

/* The public zones of one name in a list of them. */
struct hc_route53_zones {
    const char *name; /* wanted; without the dot at its end */
    size_t count;
    char id[HC_ROUTE53_ID]; /* of the first */
};

/* All TXT values of one name: a record set, and how it stands there. Zeroed memory is an empty one.
 */
struct hc_route53_set {
    struct hc_list values; /* as they are written: quoted */
    int64_t ttl;           /* seconds */
    bool there;
    bool plain; /* no routing policy, no alias: it can be written */
};
void hc_route53_set_dispose(struct hc_route53_set *set);

/* Fills in count and id. HC_P_FETCH_FAILED: the reply cannot be read; the same below. */
int hc_route53_take_zones(struct hc_bytes body, struct hc_route53_zones *zones,
                          struct hc_error *err) HC_MUST_USE;
/* The set of this name, if it is the first of the list. */
int hc_route53_take_set(struct hc_bytes body, const char *name, struct hc_route53_set *set,
                        struct hc_error *err) HC_MUST_USE;
struct hc_route53_change {
    char id[HC_ROUTE53_ID];
    bool in_sync;
};
int hc_route53_take_change(struct hc_bytes body, struct hc_route53_change *out,
                           struct hc_error *err) HC_MUST_USE;

/* A value as Route 53 has it: in quotes, cut in strings of 255 octets. */
int hc_route53_quote(const char *value, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/*
 * A request that makes of the TXT set of this name, as it was read, what it is to be: both steps in
 * one batch, which is made whole, or refused where the set is not any more as it was. A set without
 * values is none.
 */
int hc_route53_put_change(struct hc_buf *out, const char *name, const struct hc_route53_set *was,
                          const struct hc_route53_set *next, struct hc_error *err) HC_MUST_USE;

#endif
