/* What spares an order; see takeover.h. */
#include "agent/takeover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/select.h"
#include "store/line.h"

/*
 * An order whose certificate was committed, by whomever, is over, even if its state is still in the
 * record: going on with it would only give the same certificate again.
 */
static void drop_finished_order(const struct hc_takeover *t, struct hc_job *job)
{
    const struct hc_line_info *info = hc_job_info(t->jobs, job);

    if (job->record.order != NULL && info != NULL && info->version > job->record.order->base) {
        hc_job_record_forget_order(&job->record);
    }
}

/* Under the lock: what other agents did meanwhile. 1: the order is not needed, 0: it is. */
int hc_takeover_refresh(const struct hc_takeover *t, struct hc_job *job, struct hc_error *err)
{
    const struct hc_line_info *known = hc_job_info(t->jobs, job);
    struct hc_line_info info;
    struct hc_pair *pair = NULL;
    struct hc_error why;
    struct hc_event found = {.kind = HC_EVENT_LINE_FOUND};
    int rc = -1;

    hc_error_init(&why);
    memset(&info, 0, sizeof(info));
    if (hc_store_current(hc_storage_store(t->storage), job->line, &pair, &info, &why) == 0 &&
        info.hidden) {
        rc = hc_error_set(err, HC_P_STORE_UNSAFE, hc_job_name(job, (char[HC_JOB_NAME]){0}),
                          "a version newer than %" PRIu64 " is another user's", info.version);
        goto out;
    }
    if (pair != NULL &&
        (known == NULL || known->version != info.version || known->committed != info.committed)) {
        if (hc_inventory_put(hc_storage_inventory(t->storage), &info, err) != 0) {
            goto out;
        }
        found.line = &info;
        found.pair = pair;
        hc_events_raise(t->env->events, &found);
    } else if (why.problem == HC_P_STORE_DAMAGED) {
        hc_log_error(t->env->log, HC_LOG_ERROR, NULL, &why);
        hc_inventory_drop(hc_storage_inventory(t->storage), job->line);
    } else if (why.problem == HC_P_STORE_EMPTY) {
        hc_inventory_drop(hc_storage_inventory(t->storage), job->line);
    } else if (hc_error_is_set(&why)) {
        hc_error_chain(err, &why);
        goto out;
    }
    if (hc_job_load(t->jobs, job, err) != 0) {
        if (err->problem != HC_P_STORE_DAMAGED) {
            goto out;
        }
        hc_log_error(t->env->log, HC_LOG_WARN, "saved order state is unreadable; starting fresh",
                     err);
        hc_error_init(err);
    }
    drop_finished_order(t, job);
    rc = hc_job_due(t->jobs, job) > hc_env_now(t->env);
out:
    hc_line_info_dispose(&info);
    hc_pair_free(pair);
    return rc;
}

/* A pair of the same names, key type and an issuer in use becomes the line's own. 1: done. */
int hc_takeover_adopt(const struct hc_takeover *t, struct hc_job *job, struct hc_error *err)
{
    const struct hc_line_info *found = NULL;
    struct hc_line_info info;
    struct hc_pair *pair = NULL;
    char subject[HC_SUBJECT];
    int rc = 0;

    memset(&info, 0, sizeof(info));
    if (job->record.order != NULL || hc_job_info(t->jobs, job) != NULL) {
        return 0;
    }
    found = hc_select_adoptable(t->env->conf, job->identity, job->key_type,
                                hc_storage_inventory(t->storage), hc_env_now(t->env));
    if (found == NULL ||
        hc_store_current(hc_storage_store(t->storage), found->line, &pair, &info, err) != 0) {
        hc_error_init(err);
        goto out;
    }
    memcpy(info.line, job->line, HC_ID_SIZE);
    free(info.serial);
    info.serial = NULL;
    if (hc_storage_commit(t->storage, &info, pair, err) != 0) {
        rc = -1;
        goto out;
    }
    hc_logf(t->env->log, HC_LOG_NOTICE, "%s: using stored certificate %s; no order needed",
            hc_identity_subject(job->identity, subject), info.serial);
    rc = hc_job_due(t->jobs, job) > hc_env_now(t->env);
out:
    hc_line_info_dispose(&info);
    hc_pair_free(pair);
    return rc;
}
