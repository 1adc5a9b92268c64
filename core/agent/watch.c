/*
 * Watched files: looked at on the timer, read when they changed, checked, stored, published. A
 * pair that cannot be taken leaves the last good one serving; one line says so for each state, and
 * a few quick looks catch the moment when the other file arrives.
 */
#include <stdlib.h>

#include "agent/files.h"
#include "agent/state.h"
#include "pki/swap.h"

#define QUICK_LOOKS 10
#define QUICK_MS    1000
#define CHANGING_MS 200

static const char *path_of(const struct hc_agent *agent, const struct hc_watch *watch)
{
    return agent->conf->files.items[watch->files->certificate];
}

/*
 * What the table has of these files is what the loader read at the start, or an agent before this
 * one took: the operator's word, and what a candidate is compared with. Pairs and files are in one
 * order; where two files have keys of one kind, or one has no pair, it does not say which is whose.
 */
static void adopt_served(struct hc_agent *agent, size_t index)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_watch *watches = agent->watches_at[index];
    struct hc_bundle *bundle = hc_publisher_served(agent->publisher, index);

    for (size_t i = 0; bundle != NULL && hc_bundle_count(bundle) == identity->watched_count &&
                       i < identity->watched_count;
         i++) {
        watches[i].pair = hc_pair_ref(hc_bundle_pair(bundle, i));
        hc_publisher_hold(agent->publisher, index, i, watches[i].pair);
    }
    hc_bundle_free(bundle);
}

int hc_watches_new(struct hc_agent *agent, struct hc_error *err)
{
    const struct hc_conf *conf = agent->conf;
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        count += conf->identities[i].watched_count;
    }
    if (count == 0) {
        return 0;
    }
    agent->watches = calloc(count, sizeof(*agent->watches));
    agent->watches_at = calloc(conf->identity_count, sizeof(struct hc_watch *));
    if (agent->watches == NULL || agent->watches_at == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        if (identity->watched_count > 0) {
            agent->watches_at[i] = &agent->watches[agent->watch_count];
        }
        for (size_t k = 0; k < identity->watched_count; k++) {
            struct hc_watch *watch = &agent->watches[agent->watch_count++];

            watch->identity = identity;
            watch->index = i;
            watch->files = &identity->watched[k];
            hc_watched_line(conf, watch->files, watch->line);
        }
        if (identity->mode == HC_MODE_WATCH) {
            adopt_served(agent, i); /* under `on` the table may have what was obtained */
        }
    }
    return 0;
}

struct hc_watch *hc_watches_of(const struct hc_agent *agent, size_t index, size_t *count)
{
    struct hc_watch *watches = agent->watches_at != NULL ? agent->watches_at[index] : NULL;

    *count = watches != NULL ? agent->conf->identities[index].watched_count : 0;
    return watches;
}

void hc_watches_free(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->watch_count; i++) {
        hc_pair_free(agent->watches[i].pair);
    }
    free(agent->watches);
    free(agent->watches_at);
    agent->watches_at = NULL;
    agent->watches = NULL;
    agent->watch_count = 0;
}

/* Its place among those of its identity. */
static size_t which(const struct hc_watch *watch)
{
    return (size_t)(watch->files - watch->identity->watched);
}

static void offer(struct hc_agent *agent, struct hc_watch *watch)
{
    hc_publisher_offer(agent->publisher, watch->index, which(watch), watch->pair);
}

/* ---- the copy in the store ---- */

/* A copy for the time when the files are broken at a start; its failure holds nothing back. */
static void commit(struct hc_agent *agent, struct hc_watch *watch)
{
    struct hc_line_info info;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    if (watch->committed || watch->pair == NULL || !hc_storage_ready(agent->storage)) {
        return;
    }
    memcpy(info.line, watch->line, HC_ID_SIZE);
    info.mode = HC_MODE_WATCH;
    info.key_type = hc_pair_key_type(watch->pair);
    if (hc_strdup("", &info.issuer, &err) != 0 || hc_strdup("", &info.issuer_name, &err) != 0 ||
        hc_list_copy(&info.names, hc_pair_names(watch->pair), &err) != 0 ||
        hc_storage_commit(agent->storage, &info, watch->pair, &err) != 0) {
        hc_error_during(&err, "storing a copy of %s", path_of(agent, watch));
        hc_storage_failed(agent->storage, &err);
    } else {
        watch->committed = true;
    }
    hc_line_info_dispose(&info);
}

/* What the store has: the last good pair if we have none, or proof that ours is there. */
static void load_one(struct hc_agent *agent, struct hc_watch *watch)
{
    struct hc_pair *stored = NULL;
    struct hc_error err;

    hc_error_init(&err);
    watch->committed = false;
    if (hc_store_current(hc_agent_store(agent), watch->line, &stored, NULL, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(agent->o.log, HC_LOG_WARN, "the last good copy cannot be read", &err);
        }
        return;
    }
    if (watch->pair == NULL) {
        watch->pair = stored;
        watch->committed = true;
        hc_publisher_hold(agent->publisher, watch->index, which(watch), stored);
        return;
    }
    watch->committed = hc_pair_equal(watch->pair, stored);
    hc_pair_free(stored);
}

void hc_watches_load(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->watch_count; i++) {
        load_one(agent, &agent->watches[i]);
    }
}

void hc_watches_look_again(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->watch_count; i++) {
        struct hc_watch *watch = &agent->watches[i];

        if (watch->identity->set->repair == HC_REPAIR_AIA) {
            memset(watch->stamps, 0, sizeof(watch->stamps));
            watch->next_ms = 0;
        }
    }
}

/* ---- looking ---- */

static void is_torn(struct hc_agent *agent, struct hc_watch *watch, const struct hc_error *err)
{
    const char *what = watch->pair == NULL ? watch->identity->mode == HC_MODE_ON
                                                 ? "certificate lines beside `hotcert on`"
                                                 : "there is no good pair"
                       : watch->held
                           ? "a new pair is held back, since the one that serves has time left"
                           : "the last good pair keeps serving";
    /* under `on` there will be another */
    enum hc_level level = watch->identity->mode == HC_MODE_ON ? HC_LOG_WARN : HC_LOG_ERROR;
    bool fresh = hc_say_once(agent->o.log, &watch->said, level, what, err);

    watch->torn_looks = fresh ? 0 : watch->torn_looks + 1;
    watch->torn = true;
    if (!watch->read_once) {
        watch->read_once = true;
        offer(agent, watch); /* the other pairs of this host waited for us */
    }
    watch->last.error = *err;
    if (fresh) {
        watch->last.at = hc_agent_now(agent);
    }
    if (watch->torn_looks < QUICK_LOOKS && QUICK_MS < hc_agent_interval_ms(agent)) {
        watch->next_ms = hc_agent_ms(agent) + QUICK_MS;
    }
}

static void is_whole(struct hc_agent *agent, struct hc_watch *watch)
{
    if (watch->torn && watch->said != 0) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: the files are a pair again",
                path_of(agent, watch));
    }
    watch->torn = watch->held = watch->stale = false;
    watch->said_stale = 0;
    watch->torn_looks = 0;
    watch->said = 0;
    watch->read_once = true;
    memset(&watch->last, 0, sizeof(watch->last));
}

static void take(struct hc_agent *agent, struct hc_watch *watch, struct hc_pair *pair)
{
    bool same = watch->pair != NULL && hc_pair_equal(watch->pair, pair);

    if (!same) {
        hc_pair_free(watch->pair);
        watch->pair = hc_pair_ref(pair);
        watch->committed = false;
    }
    commit(agent, watch);
    offer(agent, watch);
}

/*
 * At the first look of a pair that was not told from its fellows in the table: the served one that
 * it would replace, or NULL. A reference of the caller's.
 */
static struct hc_pair *served_like(const struct hc_agent *agent, const struct hc_watch *watch,
                                   const struct hc_pair *pair)
{
    bool asked = !watch->read_once && watch->identity->mode == HC_MODE_WATCH;
    struct hc_bundle *bundle = asked ? hc_publisher_served(agent->publisher, watch->index) : NULL;
    struct hc_pair *found = NULL;

    for (size_t i = 0; bundle != NULL && found == NULL && i < hc_bundle_count(bundle); i++) {
        if (hc_pair_algorithm(hc_bundle_pair(bundle, i)) == hc_pair_algorithm(pair)) {
            found = hc_pair_ref(hc_bundle_pair(bundle, i));
        }
    }
    hc_bundle_free(bundle);
    return found;
}

/*
 * May this pair take the place of the one that serves? By the rule of pki/swap.h. 0: it may, -1:
 * err is what speaks against it.
 */
static int decide(struct hc_agent *agent, struct hc_watch *watch, const struct hc_pair *pair,
                  const struct hc_file_stamp *key_stamp, struct hc_findings *findings,
                  struct hc_error *err)
{
    const struct hc_identity *identity = watch->identity;
    const char *key_path = agent->conf->files.items[watch->files->key];
    int64_t now = hc_agent_now(agent);
    struct hc_findings current = {NULL, 0, 0};
    struct hc_pair *serving =
        watch->pair != NULL ? hc_pair_ref(watch->pair) : served_like(agent, watch, pair);
    /* what the operator starts with counts; a reload or a new agent is no such word */
    struct hc_swap_case c = {.candidate = findings,
                             .accept = &identity->set->accept,
                             .operator_stated = serving != NULL && hc_pair_equal(serving, pair)};
    const struct hc_finding *why = NULL;
    int rc = -1;

    if (hc_judge_pair(&agent->judge, identity, pair, NULL, key_path, key_stamp, now, findings,
                      err) != 0) {
        goto out;
    }
    if (serving != NULL) {
        if (hc_judge_pair(&agent->judge, identity, serving, NULL, NULL, NULL, now, &current, err) !=
            0) {
            goto out;
        }
        c.current = &current;
        c.current_left = hc_pair_not_after(serving) - now;
        c.current_life = hc_pair_not_after(serving) - hc_pair_not_before(serving);
    }
    watch->held = false;
    if (hc_swap_decide(&c, &why) == HC_SWAP_TAKE) {
        rc = 0;
        goto out;
    }
    watch->held = why != NULL && why->rank != HC_CLASS_UNUSABLE;
    if (why != NULL) {
        hc_files_fault(agent->conf, watch->files, why, err);
    }
    hc_error_set(err, HC_P_INTERNAL, key_path, "the rule gave no reason");
out:
    hc_pair_free(serving);
    hc_findings_dispose(&current);
    return rc;
}

/*
 * A file that is bound into a container by itself goes on being the old one when it is replaced by
 * a rename outside. Of what did not change since the look before, so that it is no rename under
 * way.
 */
static void look_for_stale(struct hc_agent *agent, struct hc_watch *watch,
                           const struct hc_file_stamp stamps[HC_FILES_PARTS])
{
    struct hc_error err;

    hc_error_init(&err);
    watch->stale = hc_files_reachable(agent->conf, watch->files, stamps, &err) != 0;
    if (!watch->stale) {
        if (watch->said_stale != 0) {
            memset(&watch->last, 0, sizeof(watch->last));
        }
        watch->said_stale = 0;
        return;
    }
    if (hc_say_once(agent->o.log, &watch->said_stale, HC_LOG_ERROR,
                    "what is served goes on, and no new pair can be seen", &err)) {
        watch->last.error = err;
        watch->last.at = hc_agent_now(agent);
    }
}

static void look(struct hc_agent *agent, struct hc_watch *watch)
{
    struct hc_files files;
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_file_stamp now[HC_FILES_PARTS];
    struct hc_pair *pair = NULL;
    struct hc_error err;
    int rc = 0;

    memset(&files, 0, sizeof(files));
    hc_error_init(&err);
    watch->next_ms = hc_agent_ms(agent) + hc_agent_interval_ms(agent);
    if (watch->read_once && !hc_publisher_needs_files(agent->publisher, watch->index)) {
        return;
    }
    if (watch->read_once && !watch->torn) {
        if (hc_files_stamp(&agent->keeper, agent->conf, watch->files, now, &err) == 0 &&
            hc_files_same(now, watch->stamps)) {
            look_for_stale(agent, watch, now);
            commit(agent, watch);
            return;
        }
        hc_error_init(&err);
    }
    rc = hc_files_read(&agent->keeper, agent->conf, watch->files, &files, &err);
    if (rc == 0) {
        watch->next_ms = hc_agent_ms(agent) + CHANGING_MS;
        goto out;
    }
    if (rc < 0 || hc_files_pair(&files, agent->conf, watch->files, &pair, &findings, &err) != 0) {
        watch->held = false;
        is_torn(agent, watch, &err);
        goto out;
    }
    hc_chains_complete(agent->chains, watch->identity, &pair);
    if ((watch->pair == NULL || !hc_pair_equal(watch->pair, pair)) &&
        decide(agent, watch, pair, &files.stamps[HC_FILES_KEY], &findings, &err) != 0) {
        is_torn(agent, watch, &err);
        goto out;
    }
    memcpy(watch->stamps, files.stamps, sizeof(watch->stamps));
    is_whole(agent, watch);
    take(agent, watch, pair);
out:
    hc_pair_free(pair);
    hc_findings_dispose(&findings);
    hc_files_dispose(&files);
}

int64_t hc_watches_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);
    int64_t wait = -1;

    for (size_t i = 0; i < agent->watch_count; i++) {
        struct hc_watch *watch = &agent->watches[i];
        int64_t left = 0;

        if (now >= watch->next_ms) {
            look(agent, watch);
        }
        left = watch->next_ms > now ? watch->next_ms - now : 0;
        wait = hc_wait_least(wait, left);
    }
    return wait;
}
