/* The copy of a watched pair in the store; see copy.h. */
#include "agent/copy.h"

#include <string.h>

#include "agent/verdict.h"
#include "store/line.h"

void hc_copy_commit(struct hc_copy *copy, const struct hc_copy_env *e, const char *path,
                    struct hc_pair *pair)
{
    struct hc_line_info info;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    if (copy->committed || pair == NULL || !hc_storage_ready(e->storage)) {
        return;
    }
    memcpy(info.line, copy->line, HC_ID_SIZE);
    info.mode = HC_MODE_WATCH;
    info.key_type = hc_pair_key_type(pair);
    if (hc_strdup("", &info.issuer, &err) != 0 || hc_strdup("", &info.issuer_name, &err) != 0 ||
        hc_list_copy(&info.names, hc_pair_names(pair), &err) != 0 ||
        hc_storage_commit(e->storage, &info, pair, &err) != 0) {
        hc_error_during(&err, "storing a copy of %s", path);
        hc_storage_failed(e->storage, &err);
    } else {
        copy->committed = true;
    }
    hc_line_info_dispose(&info);
}

void hc_copy_remember(struct hc_copy *copy, const struct hc_copy_env *e,
                      const struct hc_identity *identity, const struct hc_watched *watched,
                      const struct hc_candidate *candidate)
{
    struct hc_store *store = hc_storage_store(e->storage);
    struct hc_verdict_case c = {.conf = e->env->conf,
                                .identity = identity,
                                .watched = watched,
                                .files = &candidate->files,
                                .roots = hc_judge_roots(e->judge, identity)};
    int64_t now = hc_env_now(e->env);
    struct hc_judge_case how = {.identity = identity, .now = now};
    struct hc_findings findings = {NULL, 0, 0};
    unsigned char key[HC_DIGEST_SIZE];
    struct hc_pair *known = NULL;
    int64_t until = 0;

    copy->judge_at = now + HC_VERDICT_S / 2;
    if (!copy->committed || !hc_storage_ready(e->storage) || !hc_verdict_key(&c, key)) {
        return;
    }
    known = hc_verdict_pair(store, copy->line, key, now, &until);
    if (known != NULL && now < until - HC_VERDICT_S / 2) {
        copy->judge_at = until - HC_VERDICT_S / 2;
    } else if (candidate->judged ||
               (hc_judge_pair(e->judge, &how, candidate->pair, &findings, NULL) == 0 &&
                hc_findings_worst(&findings) != HC_CLASS_UNUSABLE)) {
        (void)!hc_verdict_keep(store, copy->line, key, candidate->pair, now, NULL);
    }
    hc_pair_free(known);
    hc_findings_dispose(&findings);
}

void hc_copy_load(struct hc_copy *copy, const struct hc_copy_env *e, struct hc_pair **pair)
{
    struct hc_pair *stored = NULL;
    struct hc_error err;

    hc_error_init(&err);
    copy->committed = false;
    copy->judge_at = 0;
    if (hc_store_current(hc_storage_store(e->storage), copy->line, &stored, NULL, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(e->env->log, HC_LOG_WARN, "cannot read the last good copy", &err);
        }
        return;
    }
    if (*pair == NULL) {
        *pair = stored;
        copy->committed = true;
        return;
    }
    copy->committed = hc_pair_equal(*pair, stored);
    hc_pair_free(stored);
}
