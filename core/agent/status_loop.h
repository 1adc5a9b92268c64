/* What `hotcert list --json` tells of the loop: who held it, and how long the disk was waited for.
 */
#ifndef HC_AGENT_STATUS_LOOP_H
#define HC_AGENT_STATUS_LOOP_H

#include <jansson.h>

#include "loop/activity.h"

/*
 * {"over_10ms":N, "worst":NAME, "worst_ms":X, "disk":{"waits":N, "worst_ms":X, "in_all_ms":X},
 * "activities":[{"name":.., "runs":N, "over_10ms":N, "worst_ms":X, "in_all_ms":X}]}; the caller's
 * to decref. NULL: no memory.
 */
json_t *hc_status_loop(const struct hc_activities *all);

#endif
