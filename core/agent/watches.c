/* Watched files; see watches.h. */
#include "agent/watches.h"

#include <stdlib.h>
#include <string.h>

#include "agent/reading.h"
#include "conf/name.h"
#include "loop/timer.h"

#define CHECKS 4 /* under way at once: the keeper answers one question after the other */

/* A check that is under way. */
struct check {
    struct hc_watches *watches;
    struct hc_watch *watch; /* NULL: none is */
    struct hc_reading *reading;
    bool hurried;           /* it was waited for before it began */
    enum hc_problem before; /* why the files could not be taken then */
};

struct hc_watches {
    struct hc_watches_options o;
    struct hc_watch_env e;
    struct hc_watch *items;
    size_t count;
    size_t *first; /* the number of each identity's first */
    struct check checks[CHECKS];
    size_t next;    /* the one whose turn it is to be asked whether a check is due */
    size_t hurried; /* so many checks are waited for */
    struct hc_timer due;
    struct hc_timer loads; /* of copies, after the store was opened */
    size_t next_load;
};

/* ---- when ---- */

/* Why the files cannot be taken; HC_P_NONE: they can. */
static enum hc_problem refused_by(const struct hc_watch *watch)
{
    return hc_watch_is_refused(watch) ? watch->last.error.problem : HC_P_NONE;
}

static void end_check(struct check *check)
{
    struct hc_watch *watch = check->watch;
    struct hc_watches *watches = check->watches;
    enum hc_problem now = refused_by(watch);
    struct hc_event event = {.kind = HC_EVENT_FILES_CHECKED,
                             .index = watch->index,
                             .problem = now != check->before ? now : HC_P_NONE};

    hc_reading_free(check->reading);
    check->reading = NULL;
    check->watch = NULL;
    watch->checking = false;
    if (check->hurried) {
        watches->hurried--;
        watch->hurried = false;
    }
    hc_timer_within(&watches->due, 0);
    hc_events_raise(watches->o.env->events, &event);
}

static void start_reading(struct check *check, bool content);

static void on_read(void *self, int rc, struct hc_files *files, const struct hc_error *err)
{
    struct check *check = self;

    hc_watch_take(check->watch, &check->watches->e, rc, files, err);
    end_check(check);
}

static void on_stamped(void *self, int rc, struct hc_files *files,
                       const struct hc_error *err HC_UNUSED)
{
    struct check *check = self;

    if (rc <= 0 || hc_files_mark(files->stamps) != check->watch->mark) {
        start_reading(check, true); /* which finds the same fault, if there is one */
        return;
    }
    hc_watch_unchanged(check->watch, &check->watches->e, files->stamps);
    end_check(check);
}

static void start_reading(struct check *check, bool content)
{
    const struct hc_watches_options *o = &check->watches->o;
    struct hc_reading_options options = {
        .loop = o->env->loop,
        .asker = o->keeper,
        .conf = o->env->conf,
        .watched = check->watch->files,
        .name = "watched files",
        .content = content,
        .self = check,
        .done = content ? on_read : on_stamped,
    };
    struct hc_files none;
    struct hc_error err;

    memset(&none, 0, sizeof(none));
    hc_error_init(&err);
    hc_reading_free(check->reading);
    check->reading = NULL;
    if (hc_reading_start(&options, &check->reading, &err) != 0) {
        hc_watch_take(check->watch, &check->watches->e, -1, &none, &err);
        end_check(check);
    }
}

/* False: there is no room for one more check. */
static bool start_check(struct hc_watches *watches, struct hc_watch *watch)
{
    const struct hc_env *env = watches->o.env;
    struct check *check = NULL;
    size_t i = 0;

    while (i < CHECKS && watches->checks[i].watch != NULL) {
        i++;
    }
    if (i == CHECKS) {
        return false;
    }
    check = &watches->checks[i];
    check->watches = watches;
    check->watch = watch;
    check->hurried = watch->hurried;
    check->before = refused_by(watch);
    watch->checking = true;
    watch->next_ms = hc_env_ms(env) + hc_env_interval_ms(env);
    if (watch->read_once && !hc_publisher_needs_files(watches->o.publisher, watch->index)) {
        end_check(check);
    } else {
        start_reading(check, !watch->read_once || hc_watch_is_refused(watch) ||
                                 hc_env_now(env) >= watch->copy.judge_at);
    }
    return true;
}

/* Checks that somebody waits for come first. False: there is no room for all of them. */
static bool start_hurried(struct hc_watches *watches)
{
    for (size_t i = 0; i < watches->count && watches->hurried > 0; i++) {
        struct hc_watch *watch = &watches->items[i];

        if (watch->hurried && !watch->checking && !start_check(watches, watch)) {
            return false;
        }
    }
    return true;
}

/* Starts checks whose time has come; the end of a check goes on where there was no room. */
static void on_due(void *self)
{
    struct hc_watches *watches = self;
    int64_t now = hc_env_ms(watches->o.env);
    int64_t soonest = now + hc_env_interval_ms(watches->o.env);

    if (watches->count == 0 || !start_hurried(watches)) {
        return;
    }
    for (size_t i = 0; i < watches->count; i++) {
        struct hc_watch *watch = &watches->items[watches->next];

        if (!watch->checking && now >= watch->next_ms && !start_check(watches, watch)) {
            return;
        }
        if (!watch->checking && watch->next_ms < soonest) {
            soonest = watch->next_ms;
        }
        watches->next = (watches->next + 1) % watches->count;
    }
    hc_timer_within(&watches->due, soonest - now);
}

/* ---- what is told ---- */

static void check_incomplete(struct hc_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        struct hc_watch *watch = &watches->items[i];

        if (watch->identity->set->repair == HC_REPAIR_AIA) {
            watch->mark = 0;
            watch->next_ms = 0;
            hc_timer_within(&watches->due, 0);
        }
    }
}

/* A few at a time; a check that comes first asks for its own. */
static void load_some(void *self)
{
    struct hc_watches *watches = self;
    int64_t began_us = hc_activity_cpu_us();

    while (watches->next_load < watches->count) {
        if (hc_activity_cpu_us() - began_us > HC_LOOP_SLICE_US) {
            hc_timer_in(&watches->loads, 0);
            return;
        }
        hc_watch_load(&watches->items[watches->next_load++], &watches->e);
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_watches *watches = self;

    if (event->kind == HC_EVENT_STORE_OPENED) {
        for (size_t i = 0; i < watches->count; i++) {
            watches->items[i].loaded = false;
        }
        watches->next_load = 0;
        load_some(watches);
    } else if (event->kind == HC_EVENT_ISSUER_ARRIVED) {
        check_incomplete(watches);
    }
}

void hc_watches_hurry(struct hc_watches *watches, const bool *chosen)
{
    for (size_t i = 0; i < watches->count; i++) {
        struct hc_watch *watch = &watches->items[i];

        if (chosen[watch->index] && !watch->hurried) {
            watch->hurried = true;
            watches->hurried++;
            hc_timer_within(&watches->due, 0);
        }
    }
}

bool hc_watches_are_hurried(const struct hc_watches *watches, const bool *chosen)
{
    for (size_t i = 0; i < watches->count && watches->hurried > 0; i++) {
        if (chosen[watches->items[i].index] && watches->items[i].hurried) {
            return true;
        }
    }
    return false;
}

/* ---- what is asked ---- */

size_t hc_watches_count(const struct hc_watches *watches)
{
    return watches->count;
}

const struct hc_watch *hc_watches_at(const struct hc_watches *watches, size_t i)
{
    return &watches->items[i];
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
        const struct hc_pair *pair = watches->items[i].pair;

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
    struct hc_watch *items = &watches->items[watches->first[index]];
    struct hc_bundle *bundle = hc_publisher_served(watches->o.publisher, index);

    for (size_t i = 0; bundle != NULL && hc_bundle_count(bundle) == identity->watched_count &&
                       i < identity->watched_count;
         i++) {
        items[i].pair = hc_pair_ref(hc_bundle_pair(bundle, i));
        hc_publisher_hold(watches->o.publisher, index, i, items[i].pair);
    }
    hc_bundle_free(bundle);
}

static void add_identity(struct hc_watches *watches, size_t index)
{
    const struct hc_conf *conf = watches->o.env->conf;
    const struct hc_identity *identity = &conf->identities[index];

    watches->first[index] = watches->count;
    for (size_t i = 0; i < identity->watched_count; i++) {
        struct hc_watch *watch = &watches->items[watches->count++];

        watch->identity = identity;
        watch->index = index;
        watch->files = &identity->watched[i];
        hc_watched_line(conf, watch->files, watch->copy.line);
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
    hc_timer_init(&watches->due, options->env->loop, "watched files", on_due, watches);
    hc_timer_init(&watches->loads, options->env->loop, "watched copies", load_some, watches);
    hc_timer_in(&watches->due, 0);
    watches->e = (struct hc_watch_env){
        .env = options->env,
        .judge = options->judge,
        .chains = options->chains,
        .publisher = options->publisher,
        .copies = {options->env, options->storage, options->judge},
    };
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
    hc_timer_stop(&watches->due);
    hc_timer_stop(&watches->loads);
    for (size_t i = 0; i < CHECKS; i++) {
        hc_reading_free(watches->checks[i].reading);
    }
    for (size_t i = 0; watches->items != NULL && i < watches->count; i++) {
        hc_watch_dispose(&watches->items[i]);
    }
    free(watches->items);
    free(watches->first);
    free(watches);
}
