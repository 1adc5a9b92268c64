/* The watched files of a start; see loader_run.h. */
#include <string.h>

#include "agent/loader_run.h"
#include "agent/select.h"

/* A test of the configuration says all that is wrong, so that it judges all of it. */
static bool is_test(const struct hc_loader_run *loader)
{
    return loader->o->table == NULL && loader->o->prior < 0;
}

/*
 * A test judges all, while there is time. For a start it is enough that the pair can be served:
 * what else there is to say of it the agent says, which judges it next.
 */
static int judge_pair(struct hc_loader_run *loader, const struct hc_verdict_case *v,
                      const struct hc_pair *pair, struct hc_findings *findings, bool *judged,
                      struct hc_error *err)
{
    struct hc_judge_case c = {.identity = v->identity,
                              .key_path = v->conf->files.items[v->watched->key],
                              .key_stamp = &v->files->stamps[HC_FILES_KEY],
                              .now = loader->now};

    *judged = true;
    if (!is_test(loader)) {
        return hc_check_usable(pair, v->identity->security_level, findings, err);
    }
    *judged = hc_now_ms(loader->o->clock) < loader->check_until_ms;
    return *judged ? hc_judge_pair(&loader->judge, &c, pair, findings, err) : 0;
}

/* Says what is wrong with the pair; -1 if it can never be served. */
static int check_pair(struct hc_loader_run *loader, const struct hc_verdict_case *v,
                      const struct hc_pair *pair, struct hc_findings *findings, bool *judged,
                      struct hc_error *err)
{
    if (judge_pair(loader, v, pair, findings, judged, err) != 0) {
        return -1;
    }
    if (loader->o->table == NULL) {
        /* the agent says it when it runs; the configuration test has no agent */
        hc_judge_say(loader->o->log, v->conf->files.items[v->watched->certificate],
                     &v->identity->set->accept, findings, HC_LOG_WARN, HC_LOG_WARN);
    }
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].rank == HC_CLASS_UNUSABLE) {
            return hc_files_fault(v->conf, v->watched, &findings->items[i], err);
        }
    }
    return 0;
}

static struct hc_verdict_case case_of(struct hc_loader_run *loader,
                                      const struct hc_identity *identity,
                                      const struct hc_watched *watched,
                                      const struct hc_files *files)
{
    return (struct hc_verdict_case){.conf = loader->o->conf,
                                    .identity = identity,
                                    .watched = watched,
                                    .files = files,
                                    .roots = hc_judge_roots(&loader->judge, identity)};
}

/*
 * The pair that the agent judged when the files were the same. Only of a key that is encrypted:
 * whether a pair can be served shows sooner than its copy is read and unsealed, but for what
 * it takes to make a key of a pass phrase.
 */
static bool take_remembered(struct hc_loader_run *loader, const struct hc_watched *watched,
                            const unsigned char key[HC_DIGEST_SIZE], struct hc_pair **pair)
{
    unsigned char line[HC_ID_SIZE];

    if (is_test(loader) || loader->store == NULL || watched->passphrase < 0) {
        return false;
    }
    hc_watched_line(loader->o->conf, watched, line);
    *pair = hc_verdict_pair(loader->store, line, key, loader->now, NULL);
    loader->remembered += *pair != NULL;
    return *pair != NULL;
}

static int read_steady(struct hc_loader_run *loader, const struct hc_watched *watched,
                       struct hc_files *files, struct hc_error *err)
{
    int rc = 0;

    memset(files, 0, sizeof(*files));
    pthread_mutex_lock(&loader->mutex);
    /* a renewal that is under way right now gets a few chances to be over */
    for (int tries = 0; rc == 0 && tries < 5; tries++) {
        rc = hc_files_read(&loader->keeper, loader->o->conf, watched, files, err);
    }
    pthread_mutex_unlock(&loader->mutex);
    if (rc == 0) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE,
                            loader->o->conf->files.items[watched->certificate],
                            "it changes all the time");
    }
    return rc < 0 ? -1 : 0;
}

static int read_files(struct hc_loader_run *loader, const struct hc_identity *identity,
                      const struct hc_watched *watched, struct hc_loader_seen *seen,
                      struct hc_pair **pair, struct hc_error *err)
{
    struct hc_files files;
    struct hc_verdict_case v = case_of(loader, identity, watched, &files);
    struct hc_findings findings = {NULL, 0, 0};
    unsigned char key[HC_DIGEST_SIZE] = {0};
    bool judged = false;
    bool known = false;
    int rc = read_steady(loader, watched, &files, err);

    known = rc == 0 && hc_verdict_key(&v, key);
    hc_digest_bytes(&seen->digest, key, sizeof(key));
    if (known && take_remembered(loader, watched, key, pair)) {
        goto out;
    }
    if (rc < 0 || hc_files_pair(&files, loader->o->conf, watched, pair, &findings, err) != 0 ||
        check_pair(loader, &v, *pair, &findings, &judged, err) != 0) {
        hc_pair_free(*pair);
        *pair = NULL;
        rc = -1;
    }
    seen->judged = seen->judged && known && judged && rc == 0;
out:
    hc_findings_dispose(&findings);
    hc_files_dispose(&files);
    return rc;
}

static int read_copy(struct hc_loader_run *loader, const struct hc_watched *watched,
                     struct hc_pair **pair)
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
            hc_log_error(loader->o->log, HC_LOG_ERROR, "cannot read the last good copy", &err);
        }
        return -1;
    }
    return 0;
}

/* The error of a start that is refused: the file at fault, the reason, and the pair it breaks. */
static int refuse_start(const struct hc_conf *conf, const struct hc_watched *watched,
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
static void prefer_repaired(struct hc_loader_run *loader, const struct hc_identity *identity,
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
static bool is_unasked(struct hc_loader_run *loader, const struct hc_watched *watched,
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

/* That the keeper gave no answer says nothing of the files: no start fails for a busy machine. */
static bool is_unanswered(const struct hc_loader_run *loader, const struct hc_error *why)
{
    return loader->o->keeper >= 0 && why->problem == HC_P_KEEPER_GONE;
}

/*
 * The files' pair, or the last good copy; -1: there is neither, err says so. Under `on` the agent,
 * which reads the files next, tells what is wrong with them; the configuration test has no agent.
 */
static int load_pair(struct hc_loader_run *loader, const struct hc_identity *identity,
                     const struct hc_watched *watched, struct hc_loader_seen *seen,
                     struct hc_pair **pair, struct hc_error *err)
{
    bool first = identity->mode == HC_MODE_ON;
    struct hc_error why;

    hc_error_init(&why);
    if (read_files(loader, identity, watched, seen, pair, &why) == 0) {
        prefer_repaired(loader, identity, watched, pair);
        return 0;
    }
    if (is_unasked(loader, watched, &why)) {
        hc_logf(loader->o->log, HC_LOG_NOTICE,
                "%s: the key is encrypted, and a test does not run " HC_KEPT_FILE
                ", so hotcert did not check the pair",
                loader->o->conf->files.items[watched->key]);
        return 0;
    }
    if (first && loader->o->table == NULL) {
        hc_log_error(loader->o->log, HC_LOG_WARN, "certificate lines beside `hotcert on`", &why);
    }
    if (read_copy(loader, watched, pair) != 0) {
        if (is_unanswered(loader, &why)) {
            hc_log_error(loader->o->log, HC_LOG_ERROR,
                         "starting without a watched pair, which the agent will read", &why);
            return 0;
        }
        return refuse_start(loader->o->conf, watched, &why, err);
    }
    if (!first) {
        hc_log_error(loader->o->log, HC_LOG_ERROR, "serving the last good pair instead", &why);
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
int hc_loader_watched(struct hc_loader_run *loader, const struct hc_identity *identity,
                      struct hc_loader_seen *seen, struct hc_bundle **bundle, struct hc_error *err)
{
    struct hc_pair *pairs[HC_BUNDLE_PAIRS] = {NULL};
    size_t count = 0;
    int rc = -1;

    for (size_t i = 0; i < identity->watched_count; i++) {
        struct hc_pair *pair = NULL;
        struct hc_error why;

        hc_error_init(&why);
        if (load_pair(loader, identity, &identity->watched[i], seen, &pair, &why) == 0) {
            count = pair != NULL ? place_pair(pairs, count, pair) : count; /* NULL: not judged */
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

bool hc_loader_see(struct hc_loader_run *loader, const struct hc_identity *identity,
                   struct hc_loader_seen *seen)
{
    bool good = true;

    for (size_t i = 0; i < identity->watched_count; i++) {
        const struct hc_watched *watched = &identity->watched[i];
        unsigned char key[HC_DIGEST_SIZE] = {0};
        struct hc_files files = {0};
        struct hc_verdict_case v = case_of(loader, identity, watched, &files);

        good = good && read_steady(loader, watched, &files, NULL) == 0 && hc_verdict_key(&v, key);
        hc_digest_bytes(&seen->digest, key, sizeof(key));
        hc_files_dispose(&files);
    }
    return good;
}
