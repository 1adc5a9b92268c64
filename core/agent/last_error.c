/* The last error; see last_error.h. */
#include "agent/last_error.h"

void hc_last_error_set(struct hc_last_error *last, const struct hc_error *err, int64_t at)
{
    hc_kept_error_set(&last->error, err);
    last->at = at;
}

void hc_last_error_clear(struct hc_last_error *last)
{
    hc_kept_error_dispose(&last->error);
    last->at = 0;
}
