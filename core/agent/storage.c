/* The store as the agent lives with it; see storage.h. */
#include "agent/storage.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/said.h"
#include "loop/activity.h"
#include "loop/timer.h"
#include "store/follower.h"
#include "store/line.h"
#include "store/lock.h"

#define AT_ONCE 64 /* identities whose records are read in one call */

struct hc_storage {
    const struct hc_env *env;
    struct hc_asker *keeper;
    struct hc_asked asked; /* for the secret */
    const unsigned char *secret;
    struct hc_store *store; /* NULL: it cannot be opened now */
    struct hc_store_follower *follower;
    struct hc_inventory inventory;
    struct hc_timer reading; /* the rest of what a store that was just opened has */
    bool is_reading;         /* for the other parts there is no store yet */
    bool lines_known;        /* .. but all of its lines */
    size_t next;             /* .. and what is remembered of the identities before this one */
    bool writable;           /* the last write went well */
    bool tried;
    int64_t next_try_ms;
    int64_t trusted_ms;   /* when what was said is taken back, unless it fails once more */
    struct hc_timer due;  /* the next try */
    struct hc_timer tick; /* is it still the folder that was opened? */
    hc_said said;
    struct hc_last_error last;
    uint64_t device, inode; /* of the folder, to notice that it was replaced */
};

/* ---- what it is ---- */

struct hc_store *hc_storage_store(const struct hc_storage *storage)
{
    return storage->is_reading ? NULL : storage->store;
}

struct hc_store_follower *hc_storage_follower(const struct hc_storage *storage)
{
    return storage->is_reading ? NULL : storage->follower;
}

struct hc_inventory *hc_storage_inventory(struct hc_storage *storage)
{
    return &storage->inventory;
}

const struct hc_last_error *hc_storage_last(const struct hc_storage *storage)
{
    return &storage->last;
}

bool hc_storage_problem(enum hc_problem p)
{
    return p == HC_P_STORE_UNUSABLE || p == HC_P_STORE_WRITE || p == HC_P_STORE_UNSAFE ||
           p == HC_P_STORE_VERSION || p == HC_P_SECRET_MISSING || p == HC_P_SECRET_OTHER ||
           p == HC_P_SECRET_UNSAFE || p == HC_P_SYSTEM;
}

bool hc_storage_ready(const struct hc_storage *storage)
{
    return storage->store != NULL && storage->writable;
}

bool hc_storage_was_tried(const struct hc_storage *storage)
{
    return storage->tried;
}

void hc_storage_failed(struct hc_storage *storage, const struct hc_error *err)
{
    storage->tried = true;
    storage->writable = false;
    storage->next_try_ms = hc_env_ms(storage->env) + hc_env_tick_ms(storage->env);
    hc_timer_at(&storage->due, storage->next_try_ms);
    hc_last_error_set(&storage->last, err, hc_env_now(storage->env));
    if (hc_conf_orders(storage->env->conf)) {
        hc_say_once(
            storage->env->log, &storage->said, HC_LOG_ERROR,
            "placing no orders until the store is usable; still serving the current certificates",
            err);
    } else {
        hc_say_once(storage->env->log, &storage->said, HC_LOG_WARN,
                    "not keeping the last good pairs for the next start until the store is usable",
                    err);
    }
}

int hc_storage_commit(struct hc_storage *storage, struct hc_line_info *info, struct hc_pair *pair,
                      struct hc_error *err)
{
    struct hc_event event = {.kind = HC_EVENT_LINE_COMMITTED, .line = info, .pair = pair};

    int64_t began_us = hc_activity_wall_us();
    int rc = hc_store_commit(storage->store, info, pair, hc_env_now(storage->env), err);

    hc_activity_waited(hc_loop_activities(storage->env->loop), hc_activity_wall_us() - began_us);
    if (rc != 0 || hc_inventory_put(&storage->inventory, info, err) != 0) {
        return -1;
    }
    hc_events_raise(storage->env->events, &event);
    return 0;
}

static void well_again(struct hc_storage *storage)
{
    storage->tried = true;
    storage->writable = true;
    storage->trusted_ms = hc_env_ms(storage->env) + hc_env_tick_ms(storage->env);
    if (storage->said != 0) {
        hc_timer_at(&storage->due, storage->trusted_ms);
    }
    hc_events_tell(storage->env->events, HC_EVENT_STORE_READY);
}

static void remember_folder(struct hc_storage *storage)
{
    struct stat st;

    if (stat(storage->env->conf->store, &st) == 0) {
        storage->device = (uint64_t)st.st_dev;
        storage->inode = (uint64_t)st.st_ino;
    }
}

/* False: there are more; or it failed, and the store is closed. */
static bool read_lines(struct hc_storage *storage)
{
    size_t changed = 0;
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_inventory_refresh(&storage->inventory, storage->store, true, &changed, &err);
    if (rc > 0) {
        hc_timer_in(&storage->reading, 0);
    } else if (rc < 0) {
        hc_storage_failed(storage, &err);
        hc_storage_close(storage);
    }
    storage->lines_known = rc == 0;
    return rc == 0;
}

/* Some at a time: each reads records of its own. False: there are more. */
static bool read_identities(struct hc_storage *storage)
{
    struct hc_event event = {.kind = HC_EVENT_STORE_IDENTITY};
    size_t count = storage->env->conf->identity_count;
    size_t end = count - storage->next > AT_ONCE ? storage->next + AT_ONCE : count;
    int64_t began_us = hc_activity_cpu_us();

    storage->is_reading = false; /* for who reads now */
    while (storage->next < end && hc_activity_cpu_us() - began_us < HC_LOOP_SLICE_US) {
        event.index = storage->next++;
        hc_events_raise(storage->env->events, &event);
    }
    storage->is_reading = storage->next < count;
    if (storage->is_reading) {
        hc_timer_in(&storage->reading, 0);
    }
    return !storage->is_reading;
}

/* What parts remember is read when the lines are known. */
static void read_all(void *self)
{
    struct hc_storage *storage = self;

    storage->is_reading = true;
    if ((!storage->lines_known && !read_lines(storage)) || !read_identities(storage)) {
        return;
    }
    hc_events_tell(storage->env->events, HC_EVENT_STORE_OPENED);
    remember_folder(storage);
    well_again(storage);
}

/*
 * False: another server's secret took the store over; what is in it from now on is not ours to
 * read.
 */
static bool close_unless_ours(struct hc_storage *storage)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_store_recheck(storage->store, &err) == 0) {
        return true;
    }
    hc_storage_close(storage);
    hc_storage_failed(storage, &err);
    return false;
}

/*
 * Takes back what was said once the store has been taking writes for a while: a test does not see
 * all that an order needs, and the next one may fail as the last one did.
 */
static void take_back(struct hc_storage *storage)
{
    if (storage->said != 0 && hc_env_ms(storage->env) >= storage->trusted_ms) {
        hc_logf(storage->env->log, HC_LOG_NOTICE, "%s: the store is usable again",
                storage->env->conf->store);
        storage->said = 0;
    }
}

/* Whether all that an order needs of the store can be had again: writing, and locks. */
static int probe(struct hc_storage *storage, struct hc_error *err)
{
    return hc_store_probe(storage->store, err) == 0 ? hc_store_probe_locks(storage->store, err)
                                                    : -1;
}

static void open_store(struct hc_storage *storage, const unsigned char secret[HC_SECRET_SIZE])
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_store_open(storage->env->conf->store, HC_STORE_DRIVE, secret, storage->env->log,
                      &storage->store, &err) != 0 ||
        hc_store_probe(storage->store, &err) != 0 ||
        hc_store_follow(storage->store, &storage->follower, &err) != 0) {
        hc_storage_failed(storage, &err);
        hc_storage_close(storage);
        return;
    }
    hc_inventory_dispose(&storage->inventory);
    storage->lines_known = false;
    storage->next = 0;
    read_all(storage);
}

static void on_secret(void *self, const struct hc_asker_answer *answer)
{
    struct hc_storage *storage = self;
    unsigned char secret[HC_SECRET_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    if (answer->err != NULL) {
        hc_storage_failed(storage, answer->err);
    } else if (hc_asker_secret(answer, secret, &err) != 0) {
        hc_storage_failed(storage, &err);
    } else {
        open_store(storage, secret);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
}

/* The secret comes first; one is made only for a store that holds nothing sealed yet. */
static void begin_to_open(struct hc_storage *storage)
{
    struct hc_error err;

    hc_error_init(&err);
    if (storage->secret != NULL) {
        open_store(storage, storage->secret);
    } else if (hc_store_is_empty(storage->env->conf->store, &storage->asked.create, &err) != 0) {
        hc_storage_failed(storage, &err);
    } else {
        hc_ask(storage->keeper, &storage->asked);
    }
}

/* Opens it, or tests whether the one that is open is well again. */
static void try_again(struct hc_storage *storage)
{
    struct hc_error err;

    hc_error_init(&err);
    if (storage->store == NULL) {
        begin_to_open(storage);
    } else if (!close_unless_ours(storage)) {
        return;
    } else if (probe(storage, &err) == 0) {
        well_again(storage);
    } else {
        hc_storage_failed(storage, &err);
    }
}

static bool is_opening(const struct hc_storage *storage)
{
    return storage->asked.asker != NULL || storage->is_reading;
}

int64_t hc_storage_run(struct hc_storage *storage)
{
    int64_t left = 0;

    if (!hc_storage_ready(storage) && hc_env_ms(storage->env) >= storage->next_try_ms &&
        !is_opening(storage)) {
        try_again(storage);
    }
    if (is_opening(storage)) {
        return -1; /* the answer, or the timer, goes on */
    }
    if (hc_storage_ready(storage)) {
        take_back(storage);
    }
    if (hc_storage_ready(storage) && storage->said == 0) {
        return -1;
    }
    left = hc_storage_ready(storage) ? storage->trusted_ms : storage->next_try_ms;
    left -= hc_env_ms(storage->env);
    return left > 0 ? left : 0;
}

void hc_storage_tick(struct hc_storage *storage)
{
    struct stat st;

    if (hc_storage_store(storage) == NULL) {
        return;
    }
    if (stat(storage->env->conf->store, &st) == 0 && (uint64_t)st.st_dev == storage->device &&
        (uint64_t)st.st_ino == storage->inode) {
        (void)close_unless_ours(storage);
        return;
    }
    hc_logf(storage->env->log, HC_LOG_WARN, "%s: the store was moved or replaced; reopening it",
            storage->env->conf->store);
    hc_storage_close(storage);
    storage->next_try_ms = 0;
    hc_timer_in(&storage->due, 0);
}

void hc_storage_close(struct hc_storage *storage)
{
    if (storage->store == NULL) {
        return;
    }
    hc_timer_stop(&storage->reading);
    storage->is_reading = false;
    hc_events_tell(storage->env->events, HC_EVENT_STORE_CLOSING);
    hc_store_unfollow(storage->follower);
    storage->follower = NULL;
    hc_store_close(storage->store);
    storage->store = NULL;
    storage->writable = false;
}

/* ---- life ---- */

static void on_due(void *self)
{
    struct hc_storage *storage = self;

    hc_timer_in(&storage->due, hc_storage_run(storage));
}

static void on_tick(void *self)
{
    struct hc_storage *storage = self;

    hc_storage_tick(storage);
    hc_timer_in(&storage->tick, hc_env_tick_ms(storage->env));
}

int hc_storage_new(const struct hc_env *env, struct hc_asker *keeper, const unsigned char *secret,
                   struct hc_storage **out, struct hc_error *err)
{
    struct hc_storage *storage = calloc(1, sizeof(*storage));

    if (storage == NULL) {
        return hc_error_nomem(err);
    }
    storage->env = env;
    storage->keeper = keeper;
    storage->secret = secret;
    storage->asked = (struct hc_asked){
        .op = HC_KEEPER_SECRET, .name = "store", .done = on_secret, .self = storage};
    hc_timer_init(&storage->due, env->loop, "store", on_due, storage);
    hc_timer_init(&storage->tick, env->loop, "store", on_tick, storage);
    hc_timer_init(&storage->reading, env->loop, "store", read_all, storage);
    hc_timer_in(&storage->due, 0);
    hc_timer_in(&storage->tick, hc_env_tick_ms(env));
    *out = storage;
    return 0;
}

void hc_storage_free(struct hc_storage *storage)
{
    if (storage == NULL) {
        return;
    }
    hc_ask_stop(&storage->asked);
    hc_timer_stop(&storage->due);
    hc_timer_stop(&storage->reading);
    hc_timer_stop(&storage->tick);
    hc_inventory_dispose(&storage->inventory);
    hc_last_error_clear(&storage->last);
    free(storage);
}
