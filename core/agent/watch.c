/* One watched pair of files; see watch.h. */
#include "agent/watch.h"

#include <string.h>

#define QUICK_CHECKS 10
#define QUICK_MS     1000
#define CHANGING_MS  200

static const char *path_of(const struct hc_watch *watch, const struct hc_watch_env *e)
{
    return e->env->conf->files.items[watch->files->certificate];
}

bool hc_watch_is_refused(const struct hc_watch *watch)
{
    return watch->state == HC_WATCH_BROKEN || watch->state == HC_WATCH_HELD;
}

/* Its place among those of its identity. */
static size_t which(const struct hc_watch *watch)
{
    return (size_t)(watch->files - watch->identity->watched);
}

static void offer(struct hc_watch *watch, const struct hc_watch_env *e)
{
    hc_publisher_offer(e->publisher, watch->index, which(watch), watch->pair);
}

void hc_watch_load(struct hc_watch *watch, const struct hc_watch_env *e)
{
    bool had = watch->pair != NULL;

    if (watch->loaded || hc_storage_store(e->copies.storage) == NULL) {
        return;
    }
    watch->loaded = true;
    hc_copy_load(&watch->copy, &e->copies, &watch->pair);
    if (!had && watch->pair != NULL) {
        hc_publisher_hold(e->publisher, watch->index, which(watch), watch->pair);
    }
}

/* held: it could be served, but the one that serves is better. */
static void refuse_files(struct hc_watch *watch, const struct hc_watch_env *e, bool held,
                         const struct hc_error *err)
{
    char holds[128];
    const char *what = watch->pair == NULL ? watch->identity->mode == HC_MODE_ON
                                                 ? "certificate lines beside `hotcert on`"
                                                 : "there is no good pair"
                       : held              ? holds
                                           : "still serving the last good pair";
    /* under `on` there will be another */
    enum hc_level level = watch->identity->mode == HC_MODE_ON ? HC_LOG_WARN : HC_LOG_ERROR;
    bool fresh = false;

    (void)snprintf(holds, sizeof(holds),
                   "holding back a new pair, since the current one has time left (`hotcert_accept "
                   "%s` accepts it)",
                   hc_problem_row(err->problem)->slug);
    fresh = hc_say_once(e->env->log, &watch->said, level, what, err);
    watch->quick_checks = fresh ? 0 : watch->quick_checks + 1;
    watch->state = held ? HC_WATCH_HELD : HC_WATCH_BROKEN;
    if (!watch->read_once) {
        watch->read_once = true;
        offer(watch, e); /* the other pairs of this host waited for us */
    }
    hc_last_error_set(&watch->last, err, fresh ? hc_env_now(e->env) : watch->last.at);
    if (watch->quick_checks < QUICK_CHECKS && QUICK_MS < hc_env_interval_ms(e->env)) {
        watch->next_ms = hc_env_ms(e->env) + QUICK_MS;
    }
}

static void accept_files(struct hc_watch *watch, const struct hc_watch_env *e)
{
    if (hc_watch_is_refused(watch) && watch->said != 0) {
        hc_logf(e->env->log, HC_LOG_NOTICE, "%s: certificate and key match again",
                path_of(watch, e));
    }
    watch->state = HC_WATCH_OK;
    watch->stale = false;
    watch->said_stale = 0;
    watch->quick_checks = 0;
    watch->said = 0;
    watch->read_once = true;
    hc_last_error_clear(&watch->last);
}

static void keep(struct hc_watch *watch, const struct hc_watch_env *e, struct hc_pair *pair)
{
    bool same = watch->pair != NULL && hc_pair_equal(watch->pair, pair);

    if (!same) {
        hc_pair_free(watch->pair);
        watch->pair = hc_pair_ref(pair);
        watch->copy.committed = false;
    }
    hc_copy_commit(&watch->copy, &e->copies, path_of(watch, e), watch->pair);
    offer(watch, e);
}

/*
 * At the first reading of a pair that was not told from its fellows in the table: the served one
 * that it would replace, or NULL. A reference of the caller's.
 */
static struct hc_pair *served_like(const struct hc_watch *watch, const struct hc_watch_env *e,
                                   const struct hc_pair *pair)
{
    bool asked = !watch->read_once && watch->identity->mode == HC_MODE_WATCH;
    struct hc_bundle *bundle = asked ? hc_publisher_served(e->publisher, watch->index) : NULL;
    struct hc_pair *found = NULL;

    for (size_t i = 0; bundle != NULL && found == NULL && i < hc_bundle_count(bundle); i++) {
        if (hc_pair_algorithm(hc_bundle_pair(bundle, i)) == hc_pair_algorithm(pair)) {
            found = hc_pair_ref(hc_bundle_pair(bundle, i));
        }
    }
    hc_bundle_free(bundle);
    return found;
}

/* May this pair take the place of the one that serves? 0: it may, -1: err says why not. */
static int weigh(struct hc_watch *watch, const struct hc_watch_env *e,
                 struct hc_candidate *candidate, struct hc_error *err)
{
    struct hc_pair *serving =
        watch->pair != NULL ? hc_pair_ref(watch->pair) : served_like(watch, e, candidate->pair);
    struct hc_candidate_case c = {
        .conf = e->env->conf,
        .judge = e->judge,
        .identity = watch->identity,
        .watched = watch->files,
        .serving = serving,
        .now = hc_env_now(e->env),
    };
    int rc = hc_candidate_weigh(candidate, &c, err);

    hc_pair_free(serving);
    return rc;
}

/*
 * A file that is bound into a container by itself goes on being the old one when it is replaced by
 * a rename outside. Of what did not change since the check before, so that it is no rename under
 * way.
 */
static void find_stale(struct hc_watch *watch, const struct hc_watch_env *e,
                       const struct hc_file_stamp stamps[HC_FILES_PARTS])
{
    struct hc_error err;

    hc_error_init(&err);
    watch->stale = hc_files_reachable(e->env->conf, watch->files, stamps, &err) != 0;
    if (!watch->stale) {
        if (watch->said_stale != 0) {
            hc_last_error_clear(&watch->last);
        }
        watch->said_stale = 0;
        return;
    }
    if (hc_say_once(e->env->log, &watch->said_stale, HC_LOG_ERROR,
                    "still serving the current pair; hotcert cannot see a new one", &err)) {
        hc_last_error_set(&watch->last, &err, hc_env_now(e->env));
    }
}

void hc_watch_unchanged(struct hc_watch *watch, const struct hc_watch_env *e,
                        const struct hc_file_stamp stamps[HC_FILES_PARTS])
{
    hc_watch_load(watch, e);
    find_stale(watch, e, stamps);
    hc_copy_commit(&watch->copy, &e->copies, path_of(watch, e), watch->pair);
}

void hc_watch_take(struct hc_watch *watch, const struct hc_watch_env *e, int rc,
                   struct hc_files *files, const struct hc_error *read_err)
{
    const struct hc_conf *conf = e->env->conf;
    struct hc_candidate candidate = {.files = *files};
    struct hc_error err;

    memset(files, 0, sizeof(*files));
    hc_error_init(&err);
    hc_watch_load(watch, e);
    if (rc == 0) {
        watch->next_ms = hc_env_ms(e->env) + CHANGING_MS;
        goto out;
    }
    if (rc < 0) {
        refuse_files(watch, e, false, read_err);
        goto out;
    }
    if (hc_files_pair(&candidate.files, conf, watch->files, &candidate.pair, &candidate.findings,
                      &err) != 0) {
        refuse_files(watch, e, false, &err);
        goto out;
    }
    hc_chains_complete(e->chains, watch->identity, &candidate.pair);
    if ((watch->pair == NULL || !hc_pair_equal(watch->pair, candidate.pair)) &&
        weigh(watch, e, &candidate, &err) != 0) {
        refuse_files(watch, e, candidate.held, &err);
        goto out;
    }
    watch->mark = hc_files_mark(candidate.files.stamps);
    accept_files(watch, e);
    keep(watch, e, candidate.pair);
    hc_copy_remember(&watch->copy, &e->copies, watch->identity, watch->files, &candidate);
out:
    hc_candidate_dispose(&candidate);
}

void hc_watch_dispose(struct hc_watch *watch)
{
    hc_pair_free(watch->pair);
    watch->pair = NULL;
    hc_last_error_clear(&watch->last);
}
