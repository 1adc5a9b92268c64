/*
 * hotcert_repair aia, from the agent's side: what is read or obtained with an incomplete chain is
 * mended before it is judged, with issuers that are at hand (repair.h); when one arrives, and every
 * hour, what is incomplete is looked at again. Issuers are kept in the store.
 */
#include <stdlib.h>

#include "agent/repair.h"
#include "agent/state.h"

#define KIND     "issuer-certificate"
#define EVERY_MS 3600000

struct question {
    struct hc_agent *agent;
    const struct hc_identity *identity;
};

static bool incomplete(void *arg, const struct hc_pair *pair)
{
    struct question *q = arg;
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_error err;
    bool found = false;

    hc_error_init(&err);
    if (hc_judge_pair(&q->agent->judge, q->identity, pair, NULL, NULL, NULL, hc_agent_now(q->agent),
                      &findings, &err) == 0) {
        /* where only the network tells a missing intermediate from an unknown root, it is asked */
        found = hc_findings_find(&findings, HC_P_CHAIN_INCOMPLETE, NULL) != NULL ||
                hc_findings_find(&findings, HC_P_UNTRUSTED_ROOT, NULL) != NULL;
    }
    hc_findings_dispose(&findings);
    return found;
}

void hc_mend(struct hc_agent *agent, const struct hc_identity *identity, struct hc_pair **pair)
{
    struct question q = {agent, identity};
    struct hc_pair *better = NULL;

    if (agent->repairs == NULL || identity->set->repair != HC_REPAIR_AIA) {
        return;
    }
    better = hc_repairs_mend(agent->repairs, *pair, incomplete, &q);
    if (better != NULL) {
        hc_pair_free(*pair);
        *pair = better;
    }
}

/* ---- the issuers in the store ---- */

static bool load(void *self, const char *url, struct hc_buf *out)
{
    struct hc_agent *agent = self;
    struct hc_error err;

    hc_error_init(&err);
    /* absent, damaged, or no store: it is fetched */
    return hc_agent_store(agent) != NULL &&
           hc_store_get(hc_agent_store(agent), KIND, url, out, &err) == 0;
}

static void keep(void *self, const char *url, struct hc_bytes bytes)
{
    struct hc_agent *agent = self;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_ready(agent->storage) &&
        hc_store_put(hc_agent_store(agent), KIND, url, bytes, &err) != 0) {
        hc_error_during(&err, "storing the issuer that was fetched from %s", url);
        hc_storage_failed(agent->storage, &err);
    }
}

/* ---- what is there already ---- */

/* A stored pair with the issuers that it lacked is the line's next version. */
static void mend_stored(struct hc_agent *agent, const struct hc_job *job)
{
    struct hc_line_info info;
    struct hc_pair *pair = NULL;
    struct hc_pair *before = NULL;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    if (hc_store_current(hc_agent_store(agent), job->line, &pair, &info, &err) != 0) {
        goto out;
    }
    before = hc_pair_ref(pair);
    hc_mend(agent, job->identity, &pair);
    if (pair == before) {
        goto out;
    }
    if (hc_storage_commit(agent->storage, &info, pair, &err) != 0) {
        hc_error_during(&err, "storing a certificate with its chain mended");
        hc_storage_failed(agent->storage, &err);
        goto out;
    }
    hc_publish_after(agent, &info, pair);
out:
    hc_pair_free(before);
    hc_pair_free(pair);
    hc_line_info_dispose(&info);
}

static void look_again(void *self)
{
    struct hc_agent *agent = self;

    for (size_t i = 0; i < agent->watch_count; i++) {
        struct hc_watch *watch = &agent->watches[i];

        if (watch->identity->set->repair == HC_REPAIR_AIA) {
            memset(watch->stamps, 0, sizeof(watch->stamps));
            watch->next_ms = 0;
        }
    }
    for (size_t i = 0; i < agent->job_count && hc_storage_ready(agent->storage); i++) {
        const struct hc_job *job = &agent->jobs[i];

        if (job->identity->set->repair == HC_REPAIR_AIA && hc_job_info(agent, job) != NULL) {
            mend_stored(agent, job);
        }
    }
}

int64_t hc_mend_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);
    int64_t next = 0;

    if (agent->repairs == NULL) {
        return -1;
    }
    if (now >= agent->mend_ms && hc_storage_ready(agent->storage)) {
        agent->mend_ms = now + EVERY_MS;
        look_again(agent);
    }
    next = hc_repairs_run(agent->repairs);
    return next;
}

static bool is_wanted(const struct hc_conf *conf)
{
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].set->repair == HC_REPAIR_AIA) {
            return true;
        }
    }
    return false;
}

int hc_mend_new(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_repairs_options options = {
        .dns = agent->o.dns,
        .web = agent->o.web,
        .clock = agent->o.clock,
        .log = agent->o.log,
        .self = agent,
        .load = load,
        .keep = keep,
        .arrived = look_again,
    };

    if (agent->o.dns == NULL || agent->o.web == NULL || !is_wanted(agent->conf)) {
        return 0;
    }
    return hc_repairs_new(&options, &agent->repairs, err);
}

void hc_mend_free(struct hc_agent *agent)
{
    hc_repairs_free(agent->repairs);
    agent->repairs = NULL;
}
