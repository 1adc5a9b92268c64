/* The last error of a job, an issuer or a pair of files, and when it was: a value. */
#ifndef HC_AGENT_LAST_ERROR_H
#define HC_AGENT_LAST_ERROR_H

#include "base/kept_error.h"

/* The last thing that went wrong, and when. problem HC_P_NONE: nothing. */
struct hc_last_error {
    struct hc_kept_error error;
    int64_t at;
};

void hc_last_error_set(struct hc_last_error *last, const struct hc_error *err, int64_t at);
void hc_last_error_clear(struct hc_last_error *last);

#endif
