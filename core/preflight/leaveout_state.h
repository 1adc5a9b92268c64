/* The state of the left-out names, for the files of hc_leaveout alone. */
#ifndef HC_PREFLIGHT_LEAVEOUT_STATE_H
#define HC_PREFLIGHT_LEAVEOUT_STATE_H

#include "preflight/leaveout.h"

/* NULL: nothing is known of it. */
struct hc_leaveout_name *hc_leaveout_find(const struct hc_leaveout *state, const char *name);
bool hc_leaveout_any_out(const struct hc_leaveout *state);
void hc_leaveout_drop(struct hc_leaveout *state, struct hc_leaveout_name *n, int64_t now);

#endif
