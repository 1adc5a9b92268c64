/* Watched files; see watches.h. */
#include "agent/watches.h"

#include <stdlib.h>
#include <string.h>

#include "agent/candidate.h"
#include "agent/copy.h"
#include "agent/said.h"
#include "conf/name.h"

#define QUICK_LOOKS 10
#define QUICK_MS    1000
#define CHANGING_MS 200
#define LOOKS_US    5000 /* of CPU for looks in one pass; the others come in the next */

/* One watched pair of files. */
struct watch {
    struct hc_watch is;
    const struct hc_identity *identity;
    struct hc_copy copy;
    struct hc_file_stamp stamps[HC_FILES_PARTS]; /* of what was read last */
    bool read_once;
    unsigned torn_looks; /* quick looks since it is torn */
    hc_said said;
    hc_said said_stale;
};

struct hc_watches {
    struct hc_watches_options o;
    struct hc_copy_env copies;
    struct watch *items;
    size_t count;
    size_t *first; /* the number of each identity's first */
};

static const char *path_of(const struct hc_watches *watches, const struct watch *watch)
{
    return watches->o.env->conf->files.items[watch->is.files->certificate];
}

static bool is_torn(const struct watch *watch)
{
    return watch->is.state == HC_WATCH_BROKEN || watch->is.state == HC_WATCH_HELD;
}

/* Its place among those of its identity. */
static size_t which(const struct watch *watch)
{
    return (size_t)(watch->is.files - watch->identity->watched);
}

static void offer(struct hc_watches *watches, struct watch *watch)
{
    hc_publisher_offer(watches->o.publisher, watch->is.index, which(watch), watch->is.pair);
}

static void load_copy(struct hc_watches *watches, struct watch *watch)
{
    bool had = watch->is.pair != NULL;

    hc_copy_load(&watch->copy, &watches->copies, &watch->is.pair);
    if (!had && watch->is.pair != NULL) {
        hc_publisher_hold(watches->o.publisher, watch->is.index, which(watch), watch->is.pair);
    }
}

/* ---- looking ---- */

/* held: it could be served, but the one that serves is better. */
static void set_torn(struct hc_watches *watches, struct watch *watch, bool held,
                     const struct hc_error *err)
{
    char holds[128];
    const char *what = watch->is.pair == NULL ? watch->identity->mode == HC_MODE_ON
                                                    ? "certificate lines beside `hotcert on`"
                                                    : "there is no good pair"
                       : held                 ? holds
                                              : "still serving the last good pair";
    /* under `on` there will be another */
    enum hc_level level = watch->identity->mode == HC_MODE_ON ? HC_LOG_WARN : HC_LOG_ERROR;
    bool fresh = false;

    (void)snprintf(holds, sizeof(holds),
                   "holding back a new pair, since the current one has time left (`hotcert_accept "
                   "%s` accepts it)",
                   hc_problem_row(err->problem)->slug);
    fresh = hc_say_once(watches->o.env->log, &watch->said, level, what, err);
    watch->torn_looks = fresh ? 0 : watch->torn_looks + 1;
    watch->is.state = held ? HC_WATCH_HELD : HC_WATCH_BROKEN;
    if (!watch->read_once) {
        watch->read_once = true;
        offer(watches, watch); /* the other pairs of this host waited for us */
    }
    hc_last_error_set(&watch->is.last, err, fresh ? hc_env_now(watches->o.env) : watch->is.last.at);
    if (watch->torn_looks < QUICK_LOOKS && QUICK_MS < hc_env_interval_ms(watches->o.env)) {
        watch->is.next_ms = hc_env_ms(watches->o.env) + QUICK_MS;
    }
}

static void set_whole(struct hc_watches *watches, struct watch *watch)
{
    if (is_torn(watch) && watch->said != 0) {
        hc_logf(watches->o.env->log, HC_LOG_NOTICE, "%s: certificate and key match again",
                path_of(watches, watch));
    }
    watch->is.state = HC_WATCH_OK;
    watch->is.stale = false;
    watch->said_stale = 0;
    watch->torn_looks = 0;
    watch->said = 0;
    watch->read_once = true;
    hc_last_error_clear(&watch->is.last);
}

static void keep(struct hc_watches *watches, struct watch *watch, struct hc_pair *pair)
{
    bool same = watch->is.pair != NULL && hc_pair_equal(watch->is.pair, pair);

    if (!same) {
        hc_pair_free(watch->is.pair);
        watch->is.pair = hc_pair_ref(pair);
        watch->copy.committed = false;
    }
    hc_copy_commit(&watch->copy, &watches->copies, path_of(watches, watch), watch->is.pair);
    offer(watches, watch);
}

/*
 * At the first look of a pair that was not told from its fellows in the table: the served one that
 * it would replace, or NULL. A reference of the caller's.
 */
static struct hc_pair *served_like(const struct hc_watches *watches, const struct watch *watch,
                                   const struct hc_pair *pair)
{
    bool asked = !watch->read_once && watch->identity->mode == HC_MODE_WATCH;
    struct hc_bundle *bundle =
        asked ? hc_publisher_served(watches->o.publisher, watch->is.index) : NULL;
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
static int weigh(struct hc_watches *watches, struct watch *watch, struct hc_candidate *candidate,
                 struct hc_error *err)
{
    struct hc_pair *serving = watch->is.pair != NULL ? hc_pair_ref(watch->is.pair)
                                                     : served_like(watches, watch, candidate->pair);
    struct hc_candidate_case c = {
        .conf = watches->o.env->conf,
        .judge = watches->o.judge,
        .identity = watch->identity,
        .watched = watch->is.files,
        .serving = serving,
        .now = hc_env_now(watches->o.env),
    };
    int rc = hc_candidate_weigh(candidate, &c, err);

    hc_pair_free(serving);
    return rc;
}

/*
 * A file that is bound into a container by itself goes on being the old one when it is replaced by
 * a rename outside. Of what did not change since the look before, so that it is no rename under
 * way.
 */
static void look_for_stale(struct hc_watches *watches, struct watch *watch,
                           const struct hc_file_stamp stamps[HC_FILES_PARTS])
{
    struct hc_error err;

    hc_error_init(&err);
    watch->is.stale = hc_files_reachable(watches->o.env->conf, watch->is.files, stamps, &err) != 0;
    if (!watch->is.stale) {
        if (watch->said_stale != 0) {
            hc_last_error_clear(&watch->is.last);
        }
        watch->said_stale = 0;
        return;
    }
    if (hc_say_once(watches->o.env->log, &watch->said_stale, HC_LOG_ERROR,
                    "still serving the current pair; hotcert cannot see a new one", &err)) {
        hc_last_error_set(&watch->is.last, &err, hc_env_now(watches->o.env));
    }
}

/* True if the files are those that were read last, which was looked after then. */
static bool is_unchanged(struct hc_watches *watches, struct watch *watch)
{
    struct hc_file_stamp now[HC_FILES_PARTS];
    struct hc_error err;

    hc_error_init(&err);
    if (!watch->read_once || is_torn(watch) || hc_env_now(watches->o.env) >= watch->copy.judge_at ||
        hc_files_stamp(watches->o.keeper, watches->o.env->conf, watch->is.files, now, &err) != 0 ||
        !hc_files_same(now, watch->stamps)) {
        return false;
    }
    look_for_stale(watches, watch, now);
    hc_copy_commit(&watch->copy, &watches->copies, path_of(watches, watch), watch->is.pair);
    return true;
}

static void look(struct hc_watches *watches, struct watch *watch)
{
    const struct hc_conf *conf = watches->o.env->conf;
    struct hc_candidate candidate;
    struct hc_error err;
    int rc = 0;

    memset(&candidate, 0, sizeof(candidate));
    hc_error_init(&err);
    watch->is.next_ms = hc_env_ms(watches->o.env) + hc_env_interval_ms(watches->o.env);
    if ((watch->read_once && !hc_publisher_needs_files(watches->o.publisher, watch->is.index)) ||
        is_unchanged(watches, watch)) {
        return;
    }
    rc = hc_files_read(watches->o.keeper, conf, watch->is.files, &candidate.files, &err);
    if (rc == 0) {
        watch->is.next_ms = hc_env_ms(watches->o.env) + CHANGING_MS;
        goto out;
    }
    if (rc < 0 || hc_files_pair(&candidate.files, conf, watch->is.files, &candidate.pair,
                                &candidate.findings, &err) != 0) {
        set_torn(watches, watch, false, &err);
        goto out;
    }
    hc_chains_complete(watches->o.chains, watch->identity, &candidate.pair);
    if ((watch->is.pair == NULL || !hc_pair_equal(watch->is.pair, candidate.pair)) &&
        weigh(watches, watch, &candidate, &err) != 0) {
        set_torn(watches, watch, candidate.held, &err);
        goto out;
    }
    memcpy(watch->stamps, candidate.files.stamps, sizeof(watch->stamps));
    set_whole(watches, watch);
    keep(watches, watch, candidate.pair);
    hc_copy_remember(&watch->copy, &watches->copies, watch->identity, watch->is.files, &candidate);
out:
    hc_candidate_dispose(&candidate);
}

int64_t hc_watches_run(struct hc_watches *watches)
{
    int64_t now = hc_env_ms(watches->o.env);
    int64_t enough_us = hc_activity_cpu_us() + LOOKS_US;
    int64_t wait = -1;

    for (size_t i = 0; i < watches->count; i++) {
        struct watch *watch = &watches->items[i];
        int64_t left = 0;

        if (now >= watch->is.next_ms && hc_activity_cpu_us() < enough_us) {
            look(watches, watch);
        }
        left = watch->is.next_ms > now ? watch->is.next_ms - now : 0;
        wait = hc_wait_least(wait, left);
    }
    return wait;
}

/* ---- what is told ---- */

static void look_again_at_chains(struct hc_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        struct watch *watch = &watches->items[i];

        if (watch->identity->set->repair == HC_REPAIR_AIA) {
            memset(watch->stamps, 0, sizeof(watch->stamps));
            watch->is.next_ms = 0;
        }
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_watches *watches = self;

    if (event->kind == HC_EVENT_STORE_OPENED) {
        for (size_t i = 0; i < watches->count; i++) {
            load_copy(watches, &watches->items[i]);
        }
    } else if (event->kind == HC_EVENT_ISSUER_ARRIVED) {
        look_again_at_chains(watches);
    }
}

void hc_watches_hurry(struct hc_watches *watches, const bool *chosen)
{
    bool any = false;

    for (size_t i = 0; i < watches->count; i++) {
        if (chosen[watches->items[i].is.index]) {
            watches->items[i].is.next_ms = 0;
            any = true;
        }
    }
    if (any) {
        (void)hc_watches_run(watches);
    }
}

/* ---- what is asked ---- */

size_t hc_watches_count(const struct hc_watches *watches)
{
    return watches->count;
}

const struct hc_watch *hc_watches_at(const struct hc_watches *watches, size_t i)
{
    return &watches->items[i].is;
}

size_t hc_watches_first(const struct hc_watches *watches, size_t index)
{
    return watches->first[index];
}

bool hc_watches_name(const struct hc_watches *watches, size_t index, const char *name)
{
    const struct hc_identity *identity = &watches->o.env->conf->identities[index];
    size_t first = watches->first[index];

    if (hc_name_among(&identity->names, name)) {
        return true;
    }
    for (size_t i = first; i < first + identity->watched_count; i++) {
        const struct hc_pair *pair = watches->items[i].is.pair;

        if (pair != NULL && hc_name_among(hc_pair_names(pair), name)) {
            return true;
        }
    }
    return false;
}

bool hc_watches_are_known(const struct hc_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        if (!watches->items[i].read_once) {
            return false;
        }
    }
    return true;
}

/* ---- life ---- */

/*
 * What the table has of these files is what the loader read at the start, or an agent before this
 * one took: the operator's word, and what a candidate is compared with. Pairs and files are in one
 * order; where two files have keys of one kind, or one has no pair, it does not say which is whose.
 */
static void adopt_served(struct hc_watches *watches, size_t index)
{
    const struct hc_identity *identity = &watches->o.env->conf->identities[index];
    struct watch *items = &watches->items[watches->first[index]];
    struct hc_bundle *bundle = hc_publisher_served(watches->o.publisher, index);

    for (size_t i = 0; bundle != NULL && hc_bundle_count(bundle) == identity->watched_count &&
                       i < identity->watched_count;
         i++) {
        items[i].is.pair = hc_pair_ref(hc_bundle_pair(bundle, i));
        hc_publisher_hold(watches->o.publisher, index, i, items[i].is.pair);
    }
    hc_bundle_free(bundle);
}

static void add_identity(struct hc_watches *watches, size_t index)
{
    const struct hc_conf *conf = watches->o.env->conf;
    const struct hc_identity *identity = &conf->identities[index];

    watches->first[index] = watches->count;
    for (size_t i = 0; i < identity->watched_count; i++) {
        struct watch *watch = &watches->items[watches->count++];

        watch->identity = identity;
        watch->is.index = index;
        watch->is.files = &identity->watched[i];
        hc_watched_line(conf, watch->is.files, watch->copy.line);
    }
    if (identity->mode == HC_MODE_WATCH) {
        adopt_served(watches, index); /* under `on` the table may have what was obtained */
    }
}

int hc_watches_new(const struct hc_watches_options *options, struct hc_watches **out,
                   struct hc_error *err)
{
    const struct hc_conf *conf = options->env->conf;
    struct hc_watches *watches = calloc(1, sizeof(*watches));
    size_t count = 0;

    if (watches == NULL) {
        return hc_error_nomem(err);
    }
    watches->o = *options;
    watches->copies = (struct hc_copy_env){options->env, options->storage, options->judge};
    for (size_t i = 0; i < conf->identity_count; i++) {
        count += conf->identities[i].watched_count;
    }
    watches->items = calloc(count + 1, sizeof(*watches->items));
    watches->first = calloc(conf->identity_count + 1, sizeof(*watches->first));
    if (watches->items == NULL || watches->first == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        add_identity(watches, i);
    }
    if (hc_events_add(options->env->events, on_event, watches, err) != 0) {
        goto failed;
    }
    *out = watches;
    return 0;
failed:
    hc_watches_free(watches);
    return -1;
}

void hc_watches_free(struct hc_watches *watches)
{
    if (watches == NULL) {
        return;
    }
    hc_events_remove(watches->o.env->events, watches);
    for (size_t i = 0; watches->items != NULL && i < watches->count; i++) {
        hc_pair_free(watches->items[i].is.pair);
        hc_last_error_clear(&watches->items[i].is.last);
    }
    free(watches->items);
    free(watches->first);
    free(watches);
}
