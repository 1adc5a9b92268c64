/* What the files of the store share; see internal.h. */
#include "store/internal.h"

#include <stdio.h>

#define WARNED_MAX 1000

void hc_store_warn(struct hc_store *store, const char *subject, const struct hc_error *why,
                   const char *what)
{
    char line[HC_LOG_LINE];
    bool fresh = false;

    pthread_mutex_lock(&store->mutex);
    fresh = !hc_list_has(&store->warned, subject) && store->warned.count < WARNED_MAX &&
            hc_list_add(&store->warned, subject, NULL) == 0;
    pthread_mutex_unlock(&store->mutex);
    if (!fresh) {
        return;
    }
    if (why == NULL) {
        hc_logf(store->log, HC_LOG_WARN, "%s: %s: %s", store->path, subject, what);
        return;
    }
    (void)snprintf(line, sizeof(line), "%s: %s", store->path, what);
    hc_log_error(store->log, HC_LOG_WARN, line, why);
}

int hc_store_need_secret(const struct hc_store *store, struct hc_error *err)
{
    if (!store->has_secret) {
        return hc_error_set(err, HC_P_SECRET_MISSING, store->path, NULL);
    }
    return 0;
}

int hc_store_need_drive(const struct hc_store *store, struct hc_error *err)
{
    if (store->use != HC_STORE_DRIVE) {
        return hc_error_set(err, HC_P_STORE_WRITE, store->path, "it is open for reading only");
    }
    return 0;
}
