/*
 * What `hotcert list` and `hotcert wait` want to know, from the agent's state, as JSON. Also used
 * by `list` when no agent runs, from the store alone.
 */
#ifndef HC_AGENT_STATUS_H
#define HC_AGENT_STATUS_H

#include <jansson.h>

#include "agent/inventory.h"
#include "agent/parts.h"

struct hc_watch;

/* An array with an object for each key type that is obtained and each watched pair; the caller's
 * to json_decref(). NULL without memory. */
json_t *hc_status_certificates(const struct hc_parts *parts);

/* The object of one watched pair. */
json_t *hc_status_of_watch(const struct hc_parts *parts, const struct hc_watch *watch);

/* One object for a line of the store that no agent spoke of. */
json_t *hc_status_of_info(const struct hc_line_info *info, int64_t now);

/* The word for what a job (enum hc_job_wait) waits for. */
const char *hc_status_word(unsigned wait);

/* Why the identity is not served yet: "failed, tried again 03:37:30Z"; at most cap bytes. */
void hc_status_describe(const struct hc_parts *parts, size_t identity, char *dst, size_t cap);

/* True if the identity's own, current pairs of every key type are what is served. */
bool hc_status_is_served(const struct hc_parts *parts, size_t identity);

#endif
