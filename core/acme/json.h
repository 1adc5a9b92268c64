/*
 * Reading JSON that a CA sent: hostile, so bounded and typed. Errors say which member is wrong and
 * never quote the text (it may hold a token).
 */
#ifndef HC_ACME_JSON_H
#define HC_ACME_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define HC_JSON_TEXT_MAX 4096 /* the longest string that is taken from a reply */

/*
 * A JSON object; *out is the caller's to json_decref(). subject: the URL it came from.
 * HC_P_CA_REPLY for anything else, and for duplicate members.
 */
int hc_json_object(struct hc_bytes text, const char *subject, json_t **out,
                   struct hc_error *err) HC_MUST_USE;

/* A member's text, borrowed from object; NULL if absent, null, not a string, or too long. */
const char *hc_json_text(const json_t *object, const char *member);

/* As hc_json_text(), but it must be there and not be empty: HC_P_CA_REPLY. */
int hc_json_need_text(const json_t *object, const char *member, const char *subject,
                      const char **out, struct hc_error *err) HC_MUST_USE;

/* A member that is an array, borrowed; NULL if absent or something else. */
json_t *hc_json_array(const json_t *object, const char *member);

/* The object as compact text in a buffer. */
int hc_json_write(const json_t *object, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
