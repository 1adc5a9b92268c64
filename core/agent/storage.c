/*
 * The store as the agent lives with it: it may not be there, belong to somebody else, be full, be
 * sealed under another secret, or be replaced by a backup. What serves goes on serving; orders wait
 * until it is well, which is looked at once a tick.
 */
#include <openssl/crypto.h>
#include <sys/stat.h>

#include "agent/state.h"

bool hc_storage_problem(enum hc_problem p)
{
    return p == HC_P_STORE_UNUSABLE || p == HC_P_STORE_WRITE || p == HC_P_STORE_UNSAFE ||
           p == HC_P_STORE_VERSION || p == HC_P_SECRET_MISSING || p == HC_P_SECRET_OTHER ||
           p == HC_P_SECRET_UNSAFE || p == HC_P_SYSTEM;
}

bool hc_storage_ready(const struct hc_agent *agent)
{
    return agent->storage.store != NULL && agent->storage.writable;
}

static int64_t retry_ms(const struct hc_agent *agent)
{
    int64_t interval = hc_agent_interval_ms(agent);

    return interval < 60000 ? interval : 60000;
}

void hc_storage_failed(struct hc_agent *agent, const struct hc_error *err)
{
    agent->storage.writable = false;
    agent->storage.next_try_ms = hc_agent_ms(agent) + retry_ms(agent);
    agent->storage.last.error = *err;
    agent->storage.last.at = hc_agent_now(agent);
    if (hc_conf_orders(agent->conf)) {
        hc_say_once(agent, &agent->storage.said, HC_LOG_ERROR,
                    "no orders until the store can be used; what is served goes on", err);
    } else {
        hc_say_once(agent, &agent->storage.said, HC_LOG_WARN,
                    "the last good pairs are not kept for the next start until the store can be "
                    "used",
                    err);
    }
}

int hc_storage_commit(struct hc_agent *agent, struct hc_line_info *info, const struct hc_pair *pair,
                      struct hc_error *err)
{
    if (hc_store_commit(agent->storage.store, info, pair, hc_agent_now(agent), err) != 0 ||
        hc_inventory_put(&agent->inventory, info, err) != 0) {
        return -1;
    }
    hc_follow_committed(agent);
    return 0;
}

static void well_again(struct hc_agent *agent)
{
    agent->storage.writable = true;
    agent->jobs_dirty = true;
    if (agent->storage.said != 0) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: the store can be used again", agent->conf->store);
    }
    agent->storage.said = 0;
}

/* The secret; one is made only for a store that holds nothing sealed yet. */
static int get_secret(struct hc_agent *agent, unsigned char secret[HC_SECRET_SIZE],
                      struct hc_error *err)
{
    bool empty = false;

    if (agent->o.secret != NULL) {
        memcpy(secret, agent->o.secret, HC_SECRET_SIZE);
        return 0;
    }
    if (hc_store_is_empty(agent->conf->store, &empty, err) != 0) {
        return -1;
    }
    return hc_keeper_secret(&agent->keeper, empty, secret, err);
}

static void remember_folder(struct hc_agent *agent)
{
    struct stat st;

    if (stat(agent->conf->store, &st) == 0) {
        agent->storage.device = (uint64_t)st.st_dev;
        agent->storage.inode = (uint64_t)st.st_ino;
    }
}

static int open_store(struct hc_agent *agent, struct hc_error *err)
{
    unsigned char secret[HC_SECRET_SIZE];
    int rc = -1;

    if (get_secret(agent, secret, err) != 0) {
        goto out;
    }
    rc = hc_store_open(agent->conf->store, HC_STORE_DRIVE, secret, agent->o.log,
                       &agent->storage.store, err);
out:
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

/* Takes over what a store that was just opened has. */
static int take_over(struct hc_agent *agent, struct hc_error *err)
{
    if (hc_follow_start(agent, err) != 0 ||
        hc_inventory_read(&agent->inventory, agent->storage.store, err) != 0) {
        return -1;
    }
    hc_clock_load(agent);
    hc_cas_load(agent);
    hc_jobs_load(agent);
    hc_outlooks_load(agent);
    hc_publish_all(agent);
    hc_watches_load(agent);
    return 0;
}

/* Another server's secret took the store over: what is in it from now on is not ours to read. */
static bool is_still_ours(struct hc_agent *agent)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_store_recheck(agent->storage.store, &err) == 0) {
        return true;
    }
    hc_storage_close(agent);
    hc_storage_failed(agent, &err);
    return false;
}

/* Whether all that an order needs of the store can be had again: writing, and locks. */
static int probe(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_store_lock *lock = NULL;
    struct hc_error own;

    hc_error_init(&own);
    if (hc_store_probe(agent->storage.store, err) != 0) {
        return -1;
    }
    if (hc_store_lock(agent->storage.store, "line", "probe", &lock, &own) != 0 &&
        own.problem != HC_P_LOCKED) {
        *err = own;
        return -1;
    }
    hc_store_unlock(lock);
    return 0;
}

void hc_storage_run(struct hc_agent *agent)
{
    struct hc_storage *storage = &agent->storage;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_ready(agent) || hc_agent_ms(agent) < storage->next_try_ms) {
        return;
    }
    if (storage->store != NULL && !is_still_ours(agent)) {
        return;
    }
    if (storage->store != NULL) {
        if (probe(agent, &err) == 0) {
            well_again(agent);
        } else {
            hc_storage_failed(agent, &err);
        }
        return;
    }
    if (open_store(agent, &err) != 0 || hc_store_probe(storage->store, &err) != 0 ||
        take_over(agent, &err) != 0) {
        hc_storage_failed(agent, &err);
        if (storage->store != NULL) {
            hc_storage_close(agent);
        }
        return;
    }
    remember_folder(agent);
    well_again(agent);
}

void hc_storage_tick(struct hc_agent *agent)
{
    struct hc_storage *storage = &agent->storage;
    struct stat st;

    if (storage->store == NULL) {
        return;
    }
    if (stat(agent->conf->store, &st) == 0 && (uint64_t)st.st_dev == storage->device &&
        (uint64_t)st.st_ino == storage->inode) {
        (void)is_still_ours(agent);
        return;
    }
    hc_logf(agent->o.log, HC_LOG_WARN, "%s: the store was moved or replaced; it is opened anew",
            agent->conf->store);
    hc_storage_close(agent);
    storage->next_try_ms = 0;
}

void hc_storage_close(struct hc_agent *agent)
{
    hc_jobs_halt(agent);
    hc_outlooks_halt(agent);
    hc_cas_close(agent);
    hc_follow_stop(agent);
    hc_store_close(agent->storage.store);
    agent->storage.store = NULL;
    agent->storage.writable = false;
}
