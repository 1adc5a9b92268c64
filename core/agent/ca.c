/*
 * One issuer at run time: its connection with the account, its breaker, and which names failed
 * there. The account is registered under a lock, so that two agents on one store make one account;
 * what they learn of the CA they take over from each other's records.
 */
#include <openssl/sha.h>
#include <stdlib.h>

#include "agent/account.h"
#include "agent/state.h"

#define STORE_EVERY_MS   1000 /* a record that changes often is written this seldom */
#define ACCOUNT_AGAIN_MS 500
#define DIRECTORY_MS     10000
#define KNOWN_S          86400
#define UNKNOWN_S        300 /* a directory that could not be read is read again after this */

/* What about an issuer makes old failures meaningless when it changes. */
static void mark_of(const struct hc_conf *conf, const struct hc_issuer *issuer,
                    char mark[2 * HC_ID_SIZE + 1])
{
    const struct hc_list *contacts =
        issuer->contacts.count > 0 ? &issuer->contacts : &conf->contacts;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct hc_buf text = HC_BUF_INIT((size_t)1 << 20);
    struct hc_error err;

    hc_error_init(&err);
    memset(digest, 0, sizeof(digest));
    if (hc_buf_printf(&text, &err, "%s\n%s\n%d\n%d\n%lld\n", issuer->directory_url,
                      issuer->ca_bundle != NULL ? issuer->ca_bundle : "", (int)issuer->network,
                      issuer->terms_agreed, (long long)issuer->http_port) == 0) {
        for (size_t i = 0; i < contacts->count; i++) {
            if (hc_buf_printf(&text, &err, "%s\n", contacts->items[i]) != 0) {
                break;
            }
        }
        (void)SHA256(text.data, text.len, digest);
    }
    hc_hex(mark, digest, sizeof(digest));
    hc_buf_dispose(&text);
}

int hc_cas_new(struct hc_agent *agent, struct hc_error *err)
{
    const struct hc_conf *conf = agent->conf;

    if (conf->issuer_count == 0) {
        return 0;
    }
    agent->cas = calloc(conf->issuer_count, sizeof(*agent->cas));
    if (agent->cas == NULL) {
        return hc_error_nomem(err);
    }
    agent->ca_count = conf->issuer_count;
    for (size_t i = 0; i < agent->ca_count; i++) {
        struct hc_ca *ca = &agent->cas[i];

        ca->agent = agent;
        ca->issuer = &conf->issuers[i];
        if (ca->issuer->directory_url != NULL) {
            mark_of(conf, ca->issuer, ca->record.mark);
        }
    }
    return 0;
}

void hc_cas_free(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        struct hc_ca *ca = &agent->cas[i];

        hc_issuer_record_dispose(&ca->record);
        hc_list_dispose(&ca->caa);
        hc_directory_fetch_cancel(&ca->caa_fetch);
    }
    free(agent->cas);
    agent->cas = NULL;
    agent->ca_count = 0;
}

/* Reads the record into *record, zeroed memory, unless the store has the one that was seen last. */
static bool read_record(struct hc_ca *ca, struct hc_issuer_record *record)
{
    struct hc_agent *agent = ca->agent;
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_error err;
    hc_said seen = 0;
    bool there = false;

    hc_error_init(&err);
    if (hc_store_get(hc_agent_store(agent), "issuer", ca->issuer->directory_url, &text, &err) ==
        0) {
        seen = hc_text_hash(hc_buf_text(&text));
        there = seen != ca->seen &&
                hc_issuer_record_decode(hc_bytes_of(&text), hc_agent_now(agent), record, &err) == 0;
        ca->seen = seen;
    }
    if (hc_error_is_set(&err) && err.problem != HC_P_STORE_EMPTY) {
        hc_log_error(agent->o.log, HC_LOG_WARN, "what was known of an issuer is lost", &err);
    }
    hc_buf_dispose(&text);
    return there;
}

static void load_one(struct hc_agent *agent, struct hc_ca *ca)
{
    char mark[sizeof(ca->record.mark)];

    mark_of(agent->conf, ca->issuer, mark);
    hc_issuer_record_dispose(&ca->record);
    ca->seen = 0;
    (void)read_record(ca, &ca->record);
    if (ca->record.mark[0] != '\0' && strcmp(ca->record.mark, mark) != 0 &&
        hc_schedule_take_reset(ca->record.resets, hc_agent_now(agent))) {
        hc_ca_reset(ca, NULL);
    }
    hc_copy(ca->record.mark, sizeof(ca->record.mark), mark);
}

void hc_ca_refresh(struct hc_ca *ca)
{
    struct hc_issuer_record record;
    struct hc_error err;

    hc_error_init(&err);
    memset(&record, 0, sizeof(record));
    if (read_record(ca, &record) &&
        hc_issuer_record_merge(&ca->record, &record, hc_agent_now(ca->agent), &err) != 0) {
        hc_log_error(ca->agent->o.log, HC_LOG_WARN, ca->issuer->name, &err);
    }
    hc_issuer_record_dispose(&record);
}

void hc_cas_load(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        if (agent->cas[i].issuer->directory_url != NULL) {
            load_one(agent, &agent->cas[i]);
        }
    }
}

void hc_cas_mend(struct hc_agent *agent, int64_t now)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        hc_issuer_record_mend(&agent->cas[i].record, now);
        agent->cas[i].dirty = agent->cas[i].issuer->directory_url != NULL;
    }
}

struct hc_ca *hc_ca_find(struct hc_agent *agent, const char *directory_url)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        const char *url = agent->cas[i].issuer->directory_url;

        if (url != NULL && strcmp(url, directory_url) == 0) {
            return &agent->cas[i];
        }
    }
    return NULL;
}

struct hc_ca *hc_ca_named(struct hc_agent *agent, const char *issuer_name)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        if (agent->cas[i].issuer->directory_url != NULL &&
            strcmp(agent->cas[i].issuer->name, issuer_name) == 0) {
            return &agent->cas[i];
        }
    }
    return NULL;
}

/* ---- the account ---- */

/* 0: read, or there is none (account stays empty); -1: the store failed. */
static int load_account(struct hc_ca *ca, struct hc_acme_account *account, struct hc_error *err)
{
    struct hc_agent *agent = ca->agent;
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    struct hc_error why;
    int rc = 0;

    hc_error_init(&why);
    if (hc_store_get(hc_agent_store(agent), "account", ca->issuer->directory_url, &text, &why) !=
            0 ||
        hc_account_decode(hc_bytes_of(&text), account, &why) != 0) {
        if (why.problem == HC_P_STORE_DAMAGED) {
            hc_log_error(agent->o.log, HC_LOG_ERROR,
                         "the account's file cannot be used; a new account is registered", &why);
        } else if (why.problem != HC_P_STORE_EMPTY) {
            *err = why;
            rc = -1;
        }
    }
    hc_buf_dispose(&text);
    return rc;
}

static int store_account(void *self, const struct hc_acme_account *account, struct hc_error *err)
{
    struct hc_ca *ca = self;
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    int rc = -1;

    if (hc_account_encode(account, &text, err) == 0) {
        rc = hc_store_put(hc_agent_store(ca->agent), "account", ca->issuer->directory_url,
                          hc_bytes_of(&text), err);
    }
    hc_buf_dispose(&text);
    return rc == 0 ? 0 : hc_error_during(err, "storing the account");
}

static int open_acme(struct hc_ca *ca, const struct hc_acme_account *account, struct hc_error *err)
{
    struct hc_agent *agent = ca->agent;
    struct hc_acme_options options = {
        .issuer = ca->issuer,
        .contacts = ca->issuer->contacts.count > 0 ? &ca->issuer->contacts : &agent->conf->contacts,
        .http = agent->o.http,
        .clock = agent->o.clock,
        .random = agent->o.random,
        .log = agent->o.log,
        .self = ca,
        .store_account = store_account,
    };

    return agent->o.authority->open(&options, account->key != NULL ? account : NULL, &ca->acme,
                                    err);
}

static void close_acme(struct hc_ca *ca)
{
    if (ca->acme != NULL) {
        ca->agent->o.authority->close(ca->acme);
        ca->acme = NULL;
    }
    hc_store_unlock(ca->account_lock);
    ca->account_lock = NULL;
}

int hc_ca_open(struct hc_ca *ca, struct hc_error *err)
{
    struct hc_agent *agent = ca->agent;
    struct hc_acme_account account = {NULL, NULL};
    int rc = -1;

    if (ca->account_stale && ca->running > 1) {
        return 0; /* orders that began under the old account end first */
    }
    if (ca->account_stale) {
        close_acme(ca);
        ca->account_stale = false;
    }
    if (ca->acme != NULL) {
        return 1;
    }
    if (hc_agent_ms(agent) < ca->account_next_ms) {
        return 0;
    }
    if (hc_store_lock(hc_agent_store(agent), "account", ca->issuer->directory_url,
                      &ca->account_lock, err) != 0) {
        if (err->problem == HC_P_LOCKED) {
            hc_error_init(err);
            ca->account_next_ms = hc_agent_ms(agent) + ACCOUNT_AGAIN_MS;
            rc = 0;
        }
        goto out;
    }
    if (load_account(ca, &account, err) != 0 || open_acme(ca, &account, err) != 0) {
        goto out;
    }
    rc = 1;
out:
    if (rc != 1 || account.url != NULL) {
        hc_store_unlock(ca->account_lock);
        ca->account_lock = NULL;
    }
    hc_account_dispose(&account);
    return rc;
}

/* Gives the lock back once there is an account, or nobody of ours is waiting for one. */
static void settle_account(struct hc_ca *ca)
{
    if (ca->account_stale && ca->running == 0) {
        close_acme(ca);
        ca->account_stale = false;
        return;
    }
    if (ca->account_lock == NULL) {
        return;
    }
    if (ca->agent->o.authority->account_url(ca->acme) != NULL) {
        hc_store_unlock(ca->account_lock);
        ca->account_lock = NULL;
    } else if (ca->running == 0) {
        close_acme(ca); /* whoever comes first the next time reads what there is then */
    }
}

int hc_ca_new_account(struct hc_ca *ca, struct hc_error *err)
{
    struct hc_store *store = hc_agent_store(ca->agent);
    enum hc_problem p = ca->record.last.error.problem;
    struct hc_store_lock *lock = NULL;
    int rc = -1;

    if (ca->record.breaker.failures == 0 ||
        (p != HC_P_ACCOUNT_DEACTIVATED && p != HC_P_ACCOUNT_REFUSED)) {
        return 0;
    }
    if (!hc_storage_ready(ca->agent->storage)) {
        return hc_error_set(err, HC_P_STORE_UNUSABLE, ca->agent->conf->store,
                            "the account's record cannot be removed");
    }
    if (hc_store_lock(store, "account", ca->issuer->directory_url, &lock, err) != 0 ||
        hc_store_delete(store, "account", ca->issuer->directory_url, err) != 0) {
        hc_error_during(err, "giving up the account at %s", ca->issuer->name);
        goto out;
    }
    ca->account_stale = true;
    hc_logf(ca->agent->o.log, HC_LOG_NOTICE,
            "issuer %s: the account that the CA refused is given up, as was asked for; the next "
            "order registers another one",
            ca->issuer->name);
    hc_ca_reset(ca, NULL);
    rc = 1;
out:
    hc_store_unlock(lock);
    return rc;
}

/* ---- what it calls itself ---- */

/* A directory that cannot be read is the order's to complain of. */
static void on_directory(void *arg, struct hc_directory *directory,
                         const struct hc_error *err HC_UNUSED)
{
    struct hc_ca *ca = arg;

    ca->caa_at = hc_agent_now(ca->agent);
    if (directory != NULL) {
        hc_list_dispose(&ca->caa);
        ca->caa = directory->caa;
        directory->caa = (struct hc_list){NULL, 0, 0};
    } else {
        ca->caa_at -= KNOWN_S - UNKNOWN_S;
    }
    ca->agent->jobs_dirty = true;
}

bool hc_ca_is_known(struct hc_ca *ca)
{
    struct hc_agent *agent = ca->agent;
    int64_t now = hc_agent_now(agent);
    struct hc_error err;

    hc_error_init(&err);
    if (agent->o.http == NULL || ca->issuer->caa_domains.count > 0 ||
        (ca->caa_at > 0 && ca->caa_at <= now && now - ca->caa_at < KNOWN_S)) {
        return true;
    }
    if (ca->caa_fetch.id != 0) {
        return false;
    }
    ca->caa_fetch = (struct hc_directory_fetch){
        .http = agent->o.http,
        .url = ca->issuer->directory_url,
        .ca_bundle = ca->issuer->ca_bundle,
        .timeout_ms = DIRECTORY_MS,
        .done = on_directory,
        .arg = ca,
    };
    return hc_directory_fetch_start(&ca->caa_fetch, &err) != 0;
}

/* ---- failures ---- */

bool hc_ca_is_final(enum hc_problem p, unsigned times)
{
    static const struct {
        enum hc_problem problem;
        unsigned times;
    } list[] = {
        {HC_P_CA_MOVED, 1},        {HC_P_EAB_REQUIRED, 1},    {HC_P_ACCOUNT_DEACTIVATED, 1},
        {HC_P_CA_SAYS_TERMS, 1},   {HC_P_CA_SAYS_CONTACT, 1}, {HC_P_CA_PAUSED, 1},
        {HC_P_ACCOUNT_REFUSED, 3}, {HC_P_CA_URL, 3},
    };

    for (size_t i = 0; i < HC_COUNT(list); i++) {
        if (list[i].problem == p) {
            return times >= list[i].times;
        }
    }
    return false;
}

bool hc_ca_refuses(const struct hc_ca *ca)
{
    return ca->record.breaker.failures > 0 &&
           hc_ca_is_final(ca->record.last.error.problem, ca->record.breaker.failures);
}

void hc_ca_failed(struct hc_ca *ca, const struct hc_error *err)
{
    struct hc_agent *agent = ca->agent;
    int64_t now = hc_agent_now(agent);
    bool final = hc_ca_is_final(err->problem, ca->record.breaker.failures + 1);
    char wait[32];
    char text[HC_LOG_LINE];

    /* what was under way and fails for another reason is not why the CA is left alone */
    if (final || !hc_ca_refuses(ca) || now >= ca->record.breaker.until) {
        ca->record.last.error = *err;
        ca->record.last.at = now;
    }
    ca->dirty = true;
    ca->account_stale |=
        err->problem == HC_P_ACCOUNT_DEACTIVATED || err->problem == HC_P_ACCOUNT_REFUSED;
    if (!hc_breaker_fail(&ca->record.breaker, now, final ? HC_CA_FINAL_S : err->foreign.retry_after,
                         agent->o.random)) {
        return;
    }
    ca->said_failed = true;
    hc_logf(agent->o.log, HC_LOG_ERROR, "issuer %s: %s; the CA is asked again in %s",
            ca->issuer->name, hc_error_format(err, text, sizeof(text)),
            hc_duration_format(ca->record.breaker.until - now, wait, sizeof(wait)));
}

void hc_ca_worked(struct hc_ca *ca)
{
    bool was_open = hc_breaker_ok(&ca->record.breaker, hc_agent_now(ca->agent));

    ca->worked_ms = hc_agent_ms(ca->agent);
    if (!was_open && !ca->said_failed) { /* `renew` closes the breaker before the CA answers */
        return;
    }
    ca->said_failed = false;
    hc_logf(ca->agent->o.log, HC_LOG_NOTICE, "issuer %s: the CA answers again", ca->issuer->name);
    memset(&ca->record.last, 0, sizeof(ca->record.last));
    ca->dirty = true;
    ca->agent->jobs_dirty = true;
}

void hc_ca_reset(struct hc_ca *ca, const struct hc_list *names)
{
    int64_t now = hc_agent_now(ca->agent);

    if (names == NULL) {
        hc_issuer_record_clear_all(&ca->record, now);
    }
    for (size_t i = 0; names != NULL && i < names->count; i++) {
        (void)hc_issuer_record_clear(&ca->record, names->items[i], now);
    }
    (void)hc_breaker_ok(&ca->record.breaker, now);
    memset(&ca->record.last, 0, sizeof(ca->record.last));
    ca->dirty = true;
    ca->agent->jobs_dirty = true;
}

/* ---- the loop ---- */

static void store_record(struct hc_ca *ca, int64_t now_ms)
{
    struct hc_agent *agent = ca->agent;
    struct hc_buf text = HC_BUF_INIT(HC_RECORD_MAX);
    struct hc_error err;

    hc_error_init(&err);
    hc_ca_refresh(ca);
    ca->stored_ms = now_ms;
    if (hc_issuer_record_encode(&ca->record, &text, &err) != 0 ||
        hc_store_put(hc_agent_store(agent), "issuer", ca->issuer->directory_url, hc_bytes_of(&text),
                     &err) != 0) {
        hc_storage_failed(agent->storage, &err);
    } else {
        ca->dirty = false;
        ca->seen = hc_text_hash(hc_buf_text(&text));
    }
    hc_buf_dispose(&text);
}

void hc_ca_store(struct hc_ca *ca)
{
    if (ca->dirty && hc_storage_ready(ca->agent->storage)) {
        store_record(ca, hc_agent_ms(ca->agent));
    }
}

int64_t hc_cas_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);
    int64_t wait = -1;

    for (size_t i = 0; i < agent->ca_count; i++) {
        struct hc_ca *ca = &agent->cas[i];

        if (ca->acme != NULL) {
            wait = hc_wait_least(wait, agent->o.authority->run_timers(ca->acme, now));
            settle_account(ca);
        }
        if (ca->dirty && hc_storage_ready(agent->storage)) {
            if (now >= ca->stored_ms + STORE_EVERY_MS || ca->stored_ms == 0) {
                store_record(ca, now);
            } else {
                wait = hc_wait_least(wait, ca->stored_ms + STORE_EVERY_MS - now);
            }
        }
    }
    return wait;
}

void hc_cas_close(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->ca_count; i++) {
        hc_ca_store(&agent->cas[i]);
        close_acme(&agent->cas[i]);
    }
}
