/*
 * What no log may show: tokens of challenges, key authorizations, thumbprints. Whoever brings such
 * a text up adds it, and removes it when it is of no use to anybody any more; several may have
 * added the same one. Looking through a text costs the same however many there are. One thread.
 */
#ifndef HC_BASE_REDACTION_H
#define HC_BASE_REDACTION_H

#include "base/buf.h"
#include "base/log.h"

#define HC_REDACTED       "[..]"
#define HC_REDACTED_LEAST 8   /* shorter ones are no secrets, and words would lose their letters */
#define HC_REDACTED_MOST  512 /* longer ones are not listed */

struct hc_redaction;

int hc_redaction_new(struct hc_redaction **out, struct hc_error *err) HC_MUST_USE;
void hc_redaction_free(struct hc_redaction *redaction); /* NULL is fine */

/* redaction may be NULL in all of these: nothing is listed. */
int hc_redaction_add(struct hc_redaction *redaction, const char *text,
                     struct hc_error *err) HC_MUST_USE;
/* One that was not added is fine. */
void hc_redaction_remove(struct hc_redaction *redaction, const char *text);

/* The length of the longest that text begins with; 0: of none. */
size_t hc_redaction_match(struct hc_redaction *redaction, const char *text);

/* Appends the bytes with HC_REDACTED for each that they have, without white space at the end. */
int hc_redaction_clean(struct hc_redaction *redaction, struct hc_bytes bytes, struct hc_buf *out,
                       struct hc_error *err) HC_MUST_USE;

/*
 * A log whose lines go to this one, with HC_REDACTED for each that they have. Valid as long as
 * both.
 */
const struct hc_log *hc_redaction_log(struct hc_redaction *redaction, const struct hc_log *log);

#endif
