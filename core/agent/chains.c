/* Chains that lack an issuer; see chains.h. */
#include "agent/chains.h"

#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"
#include "store/line.h"
#include "store/record.h"

#define KIND     "issuer-certificate"
#define EVERY_MS 3600000

struct hc_chains {
    struct hc_chains_options o;
    struct hc_repairs *repairs; /* NULL: hotcert_repair is off everywhere */
    int64_t next_ms;            /* the next try at incomplete chains */
    struct hc_timer due;
};

struct question {
    struct hc_chains *chains;
    const struct hc_identity *identity;
};

static bool incomplete(void *arg, const struct hc_pair *pair)
{
    struct question *q = arg;
    const struct hc_chains_options *o = &q->chains->o;
    struct hc_judge_case c = {.identity = q->identity, .now = hc_env_now(o->env)};
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_error err;
    bool found = false;

    hc_error_init(&err);
    if (hc_judge_pair(o->judge, &c, pair, &findings, &err) == 0) {
        /* where only the network tells a missing intermediate from an unknown root, it is asked */
        found = hc_findings_find(&findings, HC_P_CHAIN_INCOMPLETE, NULL) != NULL ||
                hc_findings_find(&findings, HC_P_UNTRUSTED_ROOT, NULL) != NULL;
    }
    hc_findings_dispose(&findings);
    return found;
}

void hc_chains_complete(struct hc_chains *chains, const struct hc_identity *identity,
                        struct hc_pair **pair)
{
    struct question q = {chains, identity};
    struct hc_pair *better = NULL;

    if (chains->repairs == NULL || identity->set->repair != HC_REPAIR_AIA) {
        return;
    }
    better = hc_repairs_complete(chains->repairs, *pair, incomplete, &q);
    if (better != NULL) {
        hc_pair_free(*pair);
        *pair = better;
    }
}

/* ---- the issuers in the store ---- */

static bool load(void *self, const char *url, struct hc_buf *out)
{
    struct hc_chains *chains = self;
    struct hc_store *store = hc_storage_store(chains->o.storage);
    struct hc_error err;

    hc_error_init(&err);
    /* absent, damaged, or no store: it is fetched */
    return store != NULL && hc_store_get(store, KIND, url, out, &err) == 0;
}

static void keep(void *self, const char *url, struct hc_bytes bytes)
{
    struct hc_chains *chains = self;
    struct hc_storage *storage = chains->o.storage;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_ready(storage) &&
        hc_store_put(hc_storage_store(storage), KIND, url, bytes, &err) != 0) {
        hc_error_during(&err, "storing the issuer fetched from %s", url);
        hc_storage_failed(storage, &err);
    }
}

/* ---- what is there already ---- */

/* A stored pair with the issuers that it lacked is the line's next version. */
static void complete_stored(struct hc_chains *chains, const struct hc_identity *identity,
                            const unsigned char line[HC_ID_SIZE])
{
    struct hc_storage *storage = chains->o.storage;
    struct hc_line_info info;
    struct hc_pair *pair = NULL;
    struct hc_pair *before = NULL;
    struct hc_error err;

    hc_error_init(&err);
    memset(&info, 0, sizeof(info));
    if (hc_store_current(hc_storage_store(storage), line, &pair, &info, &err) != 0) {
        goto out;
    }
    before = hc_pair_ref(pair);
    hc_chains_complete(chains, identity, &pair);
    if (pair != before && hc_storage_commit(storage, &info, pair, &err) != 0) {
        hc_error_during(&err, "storing a certificate with its repaired chain");
        hc_storage_failed(storage, &err);
    }
out:
    hc_pair_free(before);
    hc_pair_free(pair);
    hc_line_info_dispose(&info);
}

static void retry_identity(struct hc_chains *chains, const struct hc_identity *identity)
{
    for (size_t i = 0; i < identity->set->key_types.count && hc_storage_ready(chains->o.storage);
         i++) {
        unsigned char line[HC_ID_SIZE];

        hc_line_of(identity->id, identity->set->key_types.items[i], line);
        if (hc_inventory_find(hc_storage_inventory(chains->o.storage), line) != NULL) {
            complete_stored(chains, identity, line);
        }
    }
}

static void retry_all(void *self)
{
    struct hc_chains *chains = self;
    const struct hc_conf *conf = chains->o.env->conf;

    hc_events_tell(chains->o.env->events, HC_EVENT_ISSUER_ARRIVED);
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (conf->identities[i].mode == HC_MODE_ON &&
            conf->identities[i].set->repair == HC_REPAIR_AIA) {
            retry_identity(chains, &conf->identities[i]);
        }
    }
}

int64_t hc_chains_run(struct hc_chains *chains)
{
    int64_t now = hc_env_ms(chains->o.env);

    if (chains->repairs == NULL) {
        return -1;
    }
    if (now >= chains->next_ms && hc_storage_ready(chains->o.storage)) {
        chains->next_ms = now + EVERY_MS;
        retry_all(chains);
    }
    return hc_repairs_run(chains->repairs);
}

/* ---- life ---- */

static void on_due(void *self)
{
    struct hc_chains *chains = self;
    int64_t wait = hc_chains_run(chains);
    int64_t left = chains->next_ms - hc_env_ms(chains->o.env);

    hc_timer_in(&chains->due, hc_wait_least(wait, left > 0 ? left : -1)); /* or STORE_READY */
}

/* A fetch is to begin, or has ended. */
static void on_stirred(void *self)
{
    struct hc_chains *chains = self;

    hc_timer_within(&chains->due, 0);
}

static void on_event(void *self, const struct hc_event *event)
{
    if (event->kind == HC_EVENT_STORE_READY) {
        on_stirred(self);
    }
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

int hc_chains_new(const struct hc_chains_options *options, struct hc_chains **out,
                  struct hc_error *err)
{
    struct hc_chains *chains = calloc(1, sizeof(*chains));
    struct hc_repairs_options repairs = {
        .dns = options->dns,
        .web = options->web,
        .clock = options->env->clock,
        .log = options->env->log,
        .self = chains,
        .load = load,
        .keep = keep,
        .arrived = retry_all,
        .stirred = on_stirred,
    };

    if (chains == NULL) {
        return hc_error_nomem(err);
    }
    chains->o = *options;
    hc_timer_init(&chains->due, options->env->loop, "chains", on_due, chains);
    if (options->dns != NULL && options->web != NULL && is_wanted(options->env->conf) &&
        hc_repairs_new(&repairs, &chains->repairs, err) != 0) {
        free(chains);
        return -1;
    }
    if (chains->repairs != NULL &&
        hc_events_add(options->env->events, on_event, chains, err) != 0) {
        hc_chains_free(chains);
        return -1;
    }
    *out = chains;
    return 0;
}

void hc_chains_free(struct hc_chains *chains)
{
    if (chains == NULL) {
        return;
    }
    hc_events_remove(chains->o.env->events, chains);
    hc_timer_stop(&chains->due);
    hc_repairs_free(chains->repairs);
    free(chains);
}
