/*
 * What the CA said of a name when it refused, beside what we see: the problem mapped to the slugs
 * of the preflight (RFC 8555 section 6.7), and one sentence of both.
 */
#ifndef HC_PREFLIGHT_REFUSAL_H
#define HC_PREFLIGHT_REFUSAL_H

#include "preflight/preflight.h"

/*
 * The slug of our own that is nearest to the CA's refusal of a name (hc_order_name.error);
 * HC_P_NONE if it is about nothing that a preflight checks. Any thread.
 */
enum hc_problem hc_refusal_problem(const struct hc_error *said);

/*
 * "the CA says: .. (slug); from here: ..": seen is a preflight of this name made after the refusal,
 * or NULL. Where there is no finding the CA's problem gives the hint. One line for the log, at most
 * cap bytes; returns dst.
 */
char *hc_refusal_describe(const struct hc_error *said, const struct hc_preflight_name *seen,
                          char *dst, size_t cap);

#endif
