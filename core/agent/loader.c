/* The loader; see loader.h. */
#include "agent/loader.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "agent/best.h"
#include "agent/confine.h"
#include "agent/files.h"
#include "agent/first.h"
#include "agent/judge.h"
#include "agent/named_roots.h"
#include "agent/verdict.h"
#include "base/crew.h"
#include "store/answer.h"

#define CHECK_MS    1500 /* for all full checks: a start does not wait, the agent makes the rest */
#define CHALLENGE_S 120  /* a challenge is answered for this long; then the agent says */

/* Hosts are loaded side by side on all processors. */
struct loader {
    const struct hc_loader_options *o;
    pthread_mutex_t mutex; /* guards keeper and inventory */
    struct hc_keeper_client keeper;
    struct hc_store *store; /* NULL: there is none, or it cannot be read */
    struct hc_inventory inventory;
    struct hc_judge judge; /* has all roots before there are threads */
    int64_t now;
    int64_t check_until_ms;
    atomic_size_t remembered; /* pairs that were not judged again */
};

/* ---- the store ---- */

static int get_secret(struct loader *loader, unsigned char secret[HC_SECRET_SIZE],
                      struct hc_error *err)
{
    if (loader->o->secret != NULL) {
        memcpy(secret, loader->o->secret, HC_SECRET_SIZE);
        return 0;
    }
    return hc_keeper_secret(&loader->keeper, false, secret, err);
}

/* A store that cannot be read holds no start back. */
static void open_store(struct loader *loader)
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
        hc_log_error(loader->o->log, HC_LOG_ERROR, "nothing can be loaded from the store", &err);
        hc_store_close(loader->store);
        loader->store = NULL;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
}

/* ---- the table ---- */

static void publish(struct loader *loader, const struct hc_identity *identity,
                    const struct hc_bundle *bundle)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (loader->o->table == NULL) {
        return;
    }
    if (hc_bundle_encode(bundle, &encoded, &err) != 0 ||
        hc_table_publish(loader->o->table, identity->id, hc_bytes_of(&encoded), HC_PUBLISH_ADD,
                         &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "publishing", &err);
    }
    hc_buf_dispose(&encoded);
}

/* What the store has for it, or NULL. own: by lines of its own in every key type. */
static struct hc_bundle *read_obtained(struct loader *loader, const struct hc_identity *identity,
                                       bool *own)
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
    hc_select(source.conf, identity, source.inventory, source.now, NULL, NULL, &selection);
    if (hc_best_bundle(&source, identity, &selection, &bundle, &err) < 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "loading", &err);
    }
    pthread_mutex_unlock(&loader->mutex);
    *own = hc_selection_is_own(&selection, identity);
    return bundle;
}

/* An upgrade or a second server in the middle of an order: the CA may ask it at once. */
static void load_answers(struct loader *loader)
{
    struct hc_list files = {NULL, 0, 0};
    struct hc_answer answer = {0};
    struct hc_error err;

    hc_error_init(&err);
    if (loader->o->table == NULL || loader->store == NULL) {
        return;
    }
    if (hc_store_answer_list(loader->store, &files, &err) != 0) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "loading", &err);
    }
    for (size_t i = 0; i < files.count; i++) {
        if (!hc_store_answer_read(loader->store, files.items[i], &answer)) {
            continue;
        }
        if (answer.expires > loader->now + CHALLENGE_S) {
            answer.expires = loader->now + CHALLENGE_S;
        }
        if (answer.expires > loader->now && hc_answer_kind_is_served(answer.kind) &&
            hc_table_answer_put(loader->o->table, &answer, &err) != 0) {
            hc_log_error(loader->o->log, HC_LOG_ERROR, "loading the answer to a challenge", &err);
            hc_error_init(&err);
        }
        hc_answer_dispose(&answer);
    }
    hc_list_dispose(&files);
}

/* ---- watched files ---- */

/* Says what is wrong with the pair; -1 if it can never be served. */
static int check_pair(struct loader *loader, const struct hc_identity *identity,
                      const struct hc_watched *watched, const struct hc_files *files,
                      const struct hc_pair *pair, struct hc_findings *findings,
                      struct hc_error *err)
{
    const struct hc_conf *conf = loader->o->conf;
    struct hc_judge_case c = {.identity = identity,
                              .key_path = conf->files.items[watched->key],
                              .key_stamp = &files->stamps[HC_FILES_KEY],
                              .now = loader->now};

    if (hc_now_ms(loader->o->clock) < loader->check_until_ms &&
        hc_judge_pair(&loader->judge, &c, pair, findings, err) != 0) {
        return -1;
    }
    if (loader->o->table == NULL) {
        /* the agent says it when it runs; the configuration test has no agent */
        hc_judge_say(loader->o->log, conf->files.items[watched->certificate],
                     &identity->set->accept, findings, HC_LOG_WARN, HC_LOG_WARN);
    }
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].rank == HC_CLASS_UNUSABLE) {
            return hc_files_fault(conf, watched, &findings->items[i], err);
        }
    }
    return 0;
}

/*
 * The pair that the agent judged when the files were the same. A test of the configuration, which
 * says all that is wrong, judges anew.
 */
static bool is_remembered(struct loader *loader, const struct hc_identity *identity,
                          const struct hc_watched *watched, const struct hc_files *files,
                          struct hc_pair **pair)
{
    struct hc_verdict_case c = {.conf = loader->o->conf,
                                .identity = identity,
                                .watched = watched,
                                .files = files,
                                .roots = hc_judge_roots(&loader->judge, identity)};
    unsigned char key[HC_DIGEST_SIZE];
    unsigned char line[HC_ID_SIZE];

    if (loader->o->table == NULL || loader->store == NULL || !hc_verdict_key(&c, key)) {
        return false;
    }
    hc_watched_line(loader->o->conf, watched, line);
    *pair = hc_verdict_pair(loader->store, line, key, loader->now, NULL);
    loader->remembered += *pair != NULL;
    return *pair != NULL;
}

static int read_files(struct loader *loader, const struct hc_identity *identity,
                      const struct hc_watched *watched, struct hc_pair **pair, struct hc_error *err)
{
    struct hc_files files;
    struct hc_findings findings = {NULL, 0, 0};
    int rc = 0;

    memset(&files, 0, sizeof(files));
    pthread_mutex_lock(&loader->mutex);
    /* a renewal that is under way right now gets a few chances to be over */
    for (int tries = 0; rc == 0 && tries < 5; tries++) {
        rc = hc_files_read(&loader->keeper, loader->o->conf, watched, &files, err);
    }
    pthread_mutex_unlock(&loader->mutex);
    if (rc == 0) {
        hc_error_set(err, HC_P_FILE_UNREADABLE, loader->o->conf->files.items[watched->certificate],
                     "it changes all the time");
        rc = -1;
    }
    if (rc > 0 && is_remembered(loader, identity, watched, &files, pair)) {
        goto out;
    }
    if (rc < 0 || hc_files_pair(&files, loader->o->conf, watched, pair, &findings, err) != 0 ||
        check_pair(loader, identity, watched, &files, *pair, &findings, err) != 0) {
        hc_pair_free(*pair);
        *pair = NULL;
        rc = -1;
    }
out:
    hc_findings_dispose(&findings);
    hc_files_dispose(&files);
    return rc < 0 ? -1 : 0;
}

static int read_copy(struct loader *loader, const struct hc_watched *watched, struct hc_pair **pair)
{
    unsigned char line[HC_ID_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    if (loader->store == NULL) {
        return -1;
    }
    hc_watched_line(loader->o->conf, watched, line);
    if (hc_store_current(loader->store, line, pair, NULL, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(loader->o->log, HC_LOG_ERROR, "the last good copy cannot be read", &err);
        }
        return -1;
    }
    return 0;
}

/* The error of a start that is refused: the file at fault, the reason, and the pair it breaks. */
static int refuse(const struct hc_conf *conf, const struct hc_watched *watched,
                  const struct hc_error *why, struct hc_error *err)
{
    const char *certificate = conf->files.items[watched->certificate];

    hc_error_set(err, why->problem, why->subject[0] != '\0' ? why->subject : certificate,
                 "%s%sthe pair of %s and %s cannot be served, and the store has no copy of an "
                 "earlier one",
                 why->detail, why->detail[0] != '\0' ? "; " : "", certificate,
                 conf->files.items[watched->key]);
    return why->hint[0] != '\0' ? hc_error_hint(err, "%s", why->hint) : -1;
}

/* hotcert_repair: the copy of the same certificate may have the issuers that the file lacks. */
static void prefer_mended(struct loader *loader, const struct hc_identity *identity,
                          const struct hc_watched *watched, struct hc_pair **pair)
{
    struct hc_pair *copy = NULL;

    if (identity->set->repair != HC_REPAIR_AIA || read_copy(loader, watched, &copy) != 0) {
        return;
    }
    if (X509_cmp(hc_pair_leaf(copy), hc_pair_leaf(*pair)) == 0 &&
        sk_X509_num(hc_pair_chain(copy)) > sk_X509_num(hc_pair_chain(*pair))) {
        hc_pair_free(*pair);
        *pair = hc_pair_ref(copy);
    }
    hc_pair_free(copy);
}

/* A test of the configuration asks nobody for passphrases; the start does, before it loads. */
static bool is_unasked(struct loader *loader, const struct hc_watched *watched,
                       const struct hc_error *why)
{
    const struct hc_conf *conf = loader->o->conf;
    struct hc_file_stamp stamp = {0};
    struct hc_error unsaid;
    int rc = -1;

    hc_error_init(&unsaid);
    if (loader->o->table != NULL || why->problem != HC_P_KEY_ENCRYPTED || watched->passphrase < 0 ||
        strcmp(conf->files.items[watched->passphrase], HC_KEPT_FILE) != 0) {
        return false;
    }
    pthread_mutex_lock(&loader->mutex);
    rc = hc_keeper_stamp(&loader->keeper, watched->passphrase, &stamp, &unsaid);
    pthread_mutex_unlock(&loader->mutex);
    return rc == 0 && stamp.size == 0;
}

/*
 * The files' pair, or the last good copy; -1: there is neither, err says so. Under `on` the agent,
 * which reads the files next, tells what is wrong with them; the configuration test has no agent.
 */
static int load_pair(struct loader *loader, const struct hc_identity *identity,
                     const struct hc_watched *watched, struct hc_pair **pair, struct hc_error *err)
{
    bool first = identity->mode == HC_MODE_ON;
    struct hc_error why;

    hc_error_init(&why);
    if (read_files(loader, identity, watched, pair, &why) == 0) {
        prefer_mended(loader, identity, watched, pair);
        return 0;
    }
    if (is_unasked(loader, watched, &why)) {
        hc_logf(loader->o->log, HC_LOG_NOTICE,
                "%s: the key is encrypted, and a test does not run " HC_KEPT_FILE ": the pair "
                "was not looked at",
                loader->o->conf->files.items[watched->key]);
        return 0;
    }
    if (first && loader->o->table == NULL) {
        hc_log_error(loader->o->log, HC_LOG_WARN, "certificate lines beside `hotcert on`", &why);
    }
    if (read_copy(loader, watched, pair) != 0) {
        return refuse(loader->o->conf, watched, &why, err);
    }
    if (!first) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "the last good pair serves instead", &why);
    }
    return 0;
}

/* Of two with keys of one kind the later counts. */
static size_t place_pair(struct hc_pair **pairs, size_t count, struct hc_pair *pair)
{
    size_t at = 0;

    while (at < count && hc_pair_algorithm(pairs[at]) != hc_pair_algorithm(pair)) {
        at++;
    }
    if (at == HC_BUNDLE_PAIRS) {
        hc_pair_free(pair);
        return count;
    }
    hc_pair_free(pairs[at]);
    pairs[at] = pair;
    return at == count ? count + 1 : count;
}

/* *bundle is NULL if there is none. Only under `on` a pair that cannot be had is done without. */
static int read_watched(struct loader *loader, const struct hc_identity *identity,
                        struct hc_bundle **bundle, struct hc_error *err)
{
    struct hc_pair *pairs[HC_BUNDLE_PAIRS] = {NULL};
    size_t count = 0;
    int rc = -1;

    for (size_t i = 0; i < identity->watched_count; i++) {
        struct hc_pair *pair = NULL;
        struct hc_error why;

        hc_error_init(&why);
        if (load_pair(loader, identity, &identity->watched[i], &pair, &why) == 0) {
            count = pair != NULL ? place_pair(pairs, count, pair) : count; /* NULL: not looked at */
        } else if (identity->mode == HC_MODE_WATCH) {
            hc_error_chain(err, &why);
            goto out;
        }
    }
    if (count > 0 && hc_bundle_new(pairs, count, bundle, err) != 0) {
        goto out;
    }
    count = 0; /* the bundle has them */
    rc = 0;
out:
    for (size_t i = 0; i < count; i++) {
        hc_pair_free(pairs[i]);
    }
    return rc;
}

static int load_watched(struct loader *loader, const struct hc_identity *identity,
                        struct hc_error *err)
{
    struct hc_bundle *bundle = NULL;
    int rc = read_watched(loader, identity, &bundle, err);

    if (bundle != NULL) {
        publish(loader, identity, bundle);
    }
    hc_bundle_free(bundle);
    return rc;
}

/* What was obtained, or the certificate of the host's lines: agent/first.h. Never refuses. */
static void load_on(struct loader *loader, const struct hc_identity *identity)
{
    bool own = false;
    struct hc_bundle *obtained = read_obtained(loader, identity, &own);
    struct hc_bundle *lines = NULL;
    enum hc_first choice = HC_FIRST_OBTAINED;
    bool in_time = hc_now_ms(loader->o->clock) < loader->check_until_ms;
    const struct hc_bundle *best = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (read_watched(loader, identity, &lines, &err) == 0) {
        struct hc_first_case c = {identity, lines, obtained, own, loader->now};

        if (hc_first_choose(in_time ? &loader->judge : NULL, &c, &choice, &err) != 0) {
            choice = HC_FIRST_OBTAINED;
        }
    }
    if (hc_error_is_set(&err)) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "loading", &err);
    }
    best = choice == HC_FIRST_OBTAINED ? obtained : lines;
    if (best != NULL) {
        publish(loader, identity, best);
    }
    hc_bundle_free(obtained);
    hc_bundle_free(lines);
}

static int load_identity(void *arg, size_t index, struct hc_error *err)
{
    struct loader *loader = arg;
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
    struct loader loader = {.o = options, .now = hc_now(options->clock)};
    int rc = hc_named_roots_check(conf, err);

    if (pthread_mutex_init(&loader.mutex, NULL) != 0) {
        return hc_error_nomem(err);
    }
    if (options->confine && options->keeper >= 0) {
        hc_confine(conf, NULL); /* what cannot be, the agent says */
    }
    loader.keeper.fd = options->keeper;
    loader.judge.log = options->log;
    loader.check_until_ms = hc_now_ms(options->clock) + CHECK_MS;
    open_store(&loader);
    load_answers(&loader);
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].watched_count > 0) {
            (void)hc_judge_roots(&loader.judge, &conf->identities[i]);
        }
    }
    if (rc == 0) {
        rc = hc_crew_run(conf->identity_count, 0, load_identity, &loader, err);
    }
    if (loader.remembered > 0) {
        hc_logf(options->log, HC_LOG_INFO, "watched pairs that are as they were judged before: %zu",
                (size_t)loader.remembered);
    }
    hc_inventory_dispose(&loader.inventory);
    hc_judge_dispose(&loader.judge);
    hc_store_close(loader.store);
    (void)pthread_mutex_destroy(&loader.mutex);
    return rc;
}
