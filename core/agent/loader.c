/* The loader; see loader.h. */
#include "agent/loader.h"

#include <openssl/crypto.h>
#include <string.h>

#include "agent/best.h"
#include "agent/confine.h"
#include "agent/first.h"
#include "agent/loader_answers.h"
#include "agent/loader_programs.h"
#include "agent/loader_run.h"
#include "agent/loader_secrets.h"
#include "agent/named_roots.h"
#include "base/crew.h"

#define CHECK_MS 1500 /* for all full checks: nobody waits longer, the agent makes the rest */

/* ---- the store ---- */

static int get_secret(struct hc_loader_run *loader, unsigned char secret[HC_SECRET_SIZE],
                      struct hc_error *err)
{
    if (loader->o->secret != NULL) {
        memcpy(secret, loader->o->secret, HC_SECRET_SIZE);
        return 0;
    }
    return hc_keeper_secret(&loader->keeper, false, secret, err);
}

/* A store that cannot be read holds no start back. */
static void open_store(struct hc_loader_run *loader)
{
    unsigned char secret[HC_SECRET_SIZE];
    bool empty = false;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_store_is_empty(loader->o->conf->store, &empty, &err) == 0 && empty) {
        return;
    }
    if (hc_error_is_set(&err) || get_secret(loader, secret, &err) != 0 ||
        hc_store_open(loader->o->conf->store, HC_STORE_READ, secret, loader->o->log, &loader->store,
                      &err) != 0 ||
        hc_inventory_read(&loader->inventory, loader->store, &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "cannot load certificates from the store", &err);
        hc_store_close(loader->store);
        loader->store = NULL;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
}

/* ---- the table ---- */

static void publish_encoded(struct hc_loader_run *loader, const struct hc_identity *identity,
                            struct hc_bytes encoded)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_table_publish(loader->o->table, identity->id, encoded, HC_PUBLISH_ADD, &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "publishing", &err);
    }
}

static void publish(struct hc_loader_run *loader, const struct hc_identity *identity,
                    const struct hc_bundle *bundle)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (loader->o->table == NULL) {
        return;
    }
    if (hc_bundle_encode(bundle, &encoded, &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "publishing", &err);
    } else {
        publish_encoded(loader, identity, hc_bytes_of(&encoded));
    }
    hc_buf_dispose(&encoded);
}

/* What the store has for it, or NULL. own: by lines of its own in every key type. */
static struct hc_bundle *read_obtained(struct hc_loader_run *loader,
                                       const struct hc_identity *identity, bool *own)
{
    struct hc_best_source source = {
        .conf = loader->o->conf,
        .store = loader->store,
        .inventory = &loader->inventory,
        .log = loader->o->log,
        .now = loader->now,
    };
    struct hc_selection selection;
    struct hc_bundle *bundle = NULL;
    struct hc_error err;

    hc_error_init(&err);
    *own = false;
    if (loader->store == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&loader->mutex);
    hc_best_select(&source, identity, &selection);
    if (hc_best_bundle(&source, identity, &selection, &bundle, &err) < 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "loading", &err);
    }
    pthread_mutex_unlock(&loader->mutex);
    *own = hc_selection_is_own(&selection, identity);
    return bundle;
}

/* ---- what the examination of this start found ---- */

static void begin_seen(struct hc_loader_seen *seen)
{
    hc_digest_begin(&seen->digest);
    seen->judged = true;
}

/* For the loader of this start; what has no room is judged again. */
static void pass_on(struct hc_loader_run *loader, const struct hc_bundle *bundle,
                    const unsigned char key[HC_DIGEST_SIZE])
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);

    pthread_mutex_lock(&loader->mutex);
    if (hc_bundle_encode(bundle, &encoded, NULL) == 0) {
        (void)!hc_prior_add(loader->prior, key, hc_bytes_of(&encoded), NULL);
    }
    pthread_mutex_unlock(&loader->mutex);
    hc_buf_dispose(&encoded);
}

/* True: the identity's files are those that were examined, and their pairs are published. */
static bool load_prior(struct hc_loader_run *loader, const struct hc_identity *identity)
{
    unsigned char key[HC_DIGEST_SIZE];
    struct hc_bytes found = {NULL, 0};
    struct hc_loader_seen seen;
    bool good = false;

    if (loader->o->table == NULL || loader->prior == NULL) {
        return false;
    }
    begin_seen(&seen);
    good = hc_loader_see(loader, identity, &seen);
    if (hc_digest_end(&seen.digest, key, NULL) == 0 && good) {
        found = hc_prior_get(loader->prior, key);
    }
    if (found.len > 0) {
        publish_encoded(loader, identity, found);
        loader->remembered += identity->watched_count;
    }
    return found.len > 0;
}

static void open_prior(struct hc_loader_run *loader)
{
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    if (loader->o->prior < 0) {
        return;
    }
    rc = loader->o->table == NULL ? hc_prior_new(&loader->prior, &err)
                                  : hc_prior_read(loader->o->prior, &loader->prior, &err);
    if (rc != 0) {
        hc_log_error(loader->o->log, HC_LOG_WARN, "all pairs are judged again", &err);
    }
}

static void close_prior(struct hc_loader_run *loader)
{
    struct hc_error err;

    hc_error_init(&err);
    if (loader->o->table == NULL && loader->prior != NULL &&
        hc_prior_write(loader->prior, loader->o->prior, &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_WARN, "all pairs are judged again", &err);
    }
    hc_prior_free(loader->prior);
}

/* ---- hosts ---- */

static int load_watched(struct hc_loader_run *loader, const struct hc_identity *identity,
                        struct hc_error *err)
{
    struct hc_bundle *bundle = NULL;
    unsigned char key[HC_DIGEST_SIZE];
    struct hc_loader_seen seen;
    int rc = 0;

    if (load_prior(loader, identity)) {
        return 0;
    }
    begin_seen(&seen);
    rc = hc_loader_watched(loader, identity, &seen, &bundle, err);
    if (hc_digest_end(&seen.digest, key, NULL) == 0 && seen.judged && rc == 0 && bundle != NULL &&
        loader->o->table == NULL && loader->prior != NULL) {
        pass_on(loader, bundle, key);
    }
    if (bundle != NULL) {
        publish(loader, identity, bundle);
    }
    hc_bundle_free(bundle);
    return rc;
}

/* What was obtained, or the certificate of the host's lines: agent/first.h. Never refuses. */
static void load_on(struct hc_loader_run *loader, const struct hc_identity *identity)
{
    bool own = false;
    struct hc_bundle *obtained = read_obtained(loader, identity, &own);
    struct hc_bundle *lines = NULL;
    enum hc_first choice = HC_FIRST_OBTAINED;
    bool in_time = hc_now_ms(loader->o->clock) < loader->check_until_ms;
    const struct hc_bundle *best = NULL;
    unsigned char unused[HC_DIGEST_SIZE];
    struct hc_loader_seen seen;
    struct hc_error err;

    hc_error_init(&err);
    begin_seen(&seen);
    if (hc_loader_watched(loader, identity, &seen, &lines, &err) == 0) {
        struct hc_first_case c = {identity, lines, obtained, own, loader->now};

        if (hc_first_choose(in_time ? &loader->judge : NULL, &c, &choice, &err) != 0) {
            choice = HC_FIRST_OBTAINED;
        }
    }
    if (hc_error_is_set(&err)) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "loading", &err);
    }
    (void)!hc_digest_end(&seen.digest, unused, NULL);
    best = choice == HC_FIRST_OBTAINED ? obtained : lines;
    if (best != NULL) {
        publish(loader, identity, best);
    }
    hc_bundle_free(obtained);
    hc_bundle_free(lines);
}

static int load_identity(void *arg, size_t index, struct hc_error *err)
{
    struct hc_loader_run *loader = arg;
    const struct hc_identity *identity = &loader->o->conf->identities[index];

    if (identity->mode == HC_MODE_ON) {
        load_on(loader, identity);
        return 0;
    }
    return load_watched(loader, identity, err);
}

int hc_load(const struct hc_loader_options *options, struct hc_error *err)
{
    const struct hc_conf *conf = options->conf;
    struct hc_loader_run loader = {.o = options, .now = hc_now(options->clock)};
    int rc = hc_named_roots_check(conf, err);

    if (pthread_mutex_init(&loader.mutex, NULL) != 0) {
        return hc_error_nomem(err);
    }
    if (options->confine && options->keeper >= 0) {
        hc_confine(conf, NULL); /* what cannot be, the agent says */
    }
    loader.keeper.fd = options->keeper;
    loader.keeper.wait_ms = HC_KEEPER_START_MS;
    loader.judge.log = options->log;
    loader.check_until_ms = hc_now_ms(options->clock) + CHECK_MS;
    if (options->table == NULL && options->keeper >= 0) {
        hc_load_check_secrets(options, &loader.keeper); /* the examination, once a start */
    }
    if (options->table == NULL) {
        hc_load_check_programs(options);
    }
    open_store(&loader);
    open_prior(&loader);
    hc_load_answers(options, loader.store);
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].watched_count > 0) {
            (void)hc_judge_roots(&loader.judge, &conf->identities[i]);
        }
    }
    if (rc == 0) {
        rc = hc_crew_run(conf->identity_count, 0, load_identity, &loader, err);
    }
    if (loader.remembered > 0) {
        hc_logf(options->log, HC_LOG_INFO,
                "watched pairs unchanged since they were last judged: %zu",
                (size_t)loader.remembered);
    }
    close_prior(&loader);
    hc_inventory_dispose(&loader.inventory);
    hc_judge_dispose(&loader.judge);
    hc_store_close(loader.store);
    (void)pthread_mutex_destroy(&loader.mutex);
    return rc;
}
