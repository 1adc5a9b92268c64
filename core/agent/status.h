/*
 * The model as JSON: what `hotcert list --json` prints (docs/operations.md). Also used by `list`
 * when no agent runs, from the store alone. Objects are the caller's to json_decref().
 */
#ifndef HC_AGENT_STATUS_H
#define HC_AGENT_STATUS_H

#include <jansson.h>

#include "agent/inventory.h"
#include "agent/model.h"

/* The whole snapshot. */
json_t *hc_status_of(const struct hc_model *model);

/* One certificate of it. */
json_t *hc_status_certificate(const struct hc_model_certificate *c);

/* One object for a line of the store that no agent spoke of. */
json_t *hc_status_of_info(const struct hc_line_info *info, int64_t now);

/* A state that something waits in: "failed, tried again 03:37:30Z"; at most cap bytes. */
void hc_status_describe(const char *state, int64_t next, int64_t now, char *dst, size_t cap);

#endif
