/* The issuers at run time; see cas.h. */
#include "agent/cas.h"

#include <stdlib.h>
#include <string.h>

#include "agent/ca_account.h"
#include "agent/ca_directory.h"
#include "agent/ca_mark.h"
#include "agent/said.h"
#include "conf/issuer.h"
#include "loop/timer.h"
#include "store/record.h"

#define STORE_EVERY_MS 1000 /* a record that changes often is written this seldom */

/* One issuer at run time. */
struct hc_ca {
    struct hc_cas *cas;
    const struct hc_issuer *issuer;
    struct hc_issuer_record record;
    bool dirty;        /* the record is to be stored */
    int64_t stored_ms; /* when it was stored last */
    hc_said seen;      /* the text that the store had last; 0: none yet */
    struct hc_ca_directory directory;
    struct hc_ca_account account;
    size_t running;    /* orders under way */
    int64_t worked_ms; /* when it did its part last; 0: not yet */
    bool said_failed;  /* and not yet that it answers again */
};

struct hc_cas {
    struct hc_cas_options o;
    struct hc_ca *items; /* as conf->issuers */
    size_t count;
    struct hc_timer due;
};

/* ---- what is known of one ---- */

struct hc_ca *hc_cas_at(const struct hc_cas *cas, size_t i)
{
    return &cas->items[i];
}

struct hc_ca *hc_cas_named(const struct hc_cas *cas, const char *issuer_name)
{
    for (size_t i = 0; i < cas->count; i++) {
        if (cas->items[i].issuer->directory_url != NULL &&
            strcmp(cas->items[i].issuer->name, issuer_name) == 0) {
            return &cas->items[i];
        }
    }
    return NULL;
}

const struct hc_issuer *hc_ca_issuer(const struct hc_ca *ca)
{
    return ca->issuer;
}

const struct hc_issuer_record *hc_ca_record(const struct hc_ca *ca)
{
    return &ca->record;
}

bool hc_ca_is_failing(const struct hc_ca *ca)
{
    return ca->record.breaker.failures > 0;
}

int64_t hc_ca_worked_ms(const struct hc_ca *ca)
{
    return ca->worked_ms;
}

bool hc_ca_ensure_known(struct hc_ca *ca)
{
    return hc_ca_directory_ensure(&ca->directory);
}

const struct hc_list *hc_ca_caa_domains(const struct hc_ca *ca)
{
    return hc_ca_directory_names(&ca->directory);
}

bool hc_ca_renewal_info(struct hc_ca *ca, const char **url)
{
    bool known = hc_ca_directory_ensure_read(&ca->directory);

    *url = ca->directory.renewal_info;
    return known;
}

const char *hc_ca_account_url(const struct hc_ca *ca)
{
    return hc_ca_account_url_of(&ca->account);
}

void hc_ca_look_for_account(struct hc_ca *ca)
{
    hc_ca_account_look(&ca->account);
}

/* ---- the record ---- */

/* Reads the record into *record, zeroed memory, unless the store has the one that was seen last. */
static bool read_record(struct hc_ca *ca, struct hc_issuer_record *record)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_error err;
    hc_said seen = 0;
    bool there = false;

    hc_error_init(&err);
    if (hc_store_get(hc_storage_store(ca->cas->o.storage), "issuer", ca->issuer->directory_url,
                     &text, &err) == 0) {
        seen = hc_text_hash(hc_buf_text(&text));
        there = seen != ca->seen &&
                hc_issuer_record_decode(hc_bytes_of(&text), hc_env_now(ca->cas->o.env), record,
                                        &err) == 0;
        ca->seen = seen;
    }
    if (hc_error_is_set(&err) && err.problem != HC_P_STORE_EMPTY) {
        hc_log_error(ca->cas->o.env->log, HC_LOG_WARN,
                     "saved issuer state is unreadable; starting fresh", &err);
    }
    hc_buf_dispose(&text);
    return there;
}

static void load_one(struct hc_ca *ca)
{
    hc_issuer_record_dispose(&ca->record);
    ca->seen = 0;
    (void)read_record(ca, &ca->record);
    if (hc_ca_mark_changed(ca->cas->o.env, ca->issuer, &ca->record)) {
        hc_ca_reset(ca, NULL);
    }
}

void hc_ca_refresh(struct hc_ca *ca)
{
    struct hc_issuer_record record;
    struct hc_error err;

    hc_error_init(&err);
    memset(&record, 0, sizeof(record));
    if (read_record(ca, &record) &&
        hc_issuer_record_merge(&ca->record, &record, hc_env_now(ca->cas->o.env), &err) != 0) {
        hc_log_error(ca->cas->o.env->log, HC_LOG_WARN, ca->issuer->name, &err);
    }
    hc_issuer_record_dispose(&record);
}

/* It is stored soon, or when the store takes it again. */
static void set_dirty(struct hc_ca *ca)
{
    ca->dirty = true;
    hc_timer_within(&ca->cas->due, 0);
}

/* ---- failures ---- */

bool hc_ca_is_final(enum hc_problem p, unsigned times)
{
    static const struct {
        enum hc_problem problem;
        unsigned times;
    } list[] = {
        {HC_P_CA_MOVED, 1},      {HC_P_EAB_REQUIRED, 1},
        {HC_P_EAB_REFUSED, 1},   {HC_P_ACCOUNT_DEACTIVATED, 1},
        {HC_P_CA_SAYS_TERMS, 1}, {HC_P_CA_SAYS_CONTACT, 1},
        {HC_P_CA_PAUSED, 1},     {HC_P_ACCOUNT_REFUSED, 3},
        {HC_P_CA_URL, 3},
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
    int64_t now = hc_env_now(ca->cas->o.env);
    bool final = hc_ca_is_final(err->problem, ca->record.breaker.failures + 1);
    char wait[32];
    char text[HC_LOG_LINE];

    /* what was under way and fails for another reason is not why the CA is left alone */
    if (final || !hc_ca_refuses(ca) || now >= ca->record.breaker.until) {
        hc_last_error_set(&ca->record.last, err, now);
    }
    set_dirty(ca);
    ca->account.stale |=
        err->problem == HC_P_ACCOUNT_DEACTIVATED || err->problem == HC_P_ACCOUNT_REFUSED;
    if (!hc_breaker_fail(&ca->record.breaker, now, final ? HC_CA_FINAL_S : err->foreign.retry_after,
                         ca->cas->o.env->random)) {
        return;
    }
    ca->said_failed = true;
    hc_logf(ca->cas->o.env->log, HC_LOG_ERROR, "issuer %s: %s; retrying in %s", ca->issuer->name,
            hc_error_format(err, text, sizeof(text)),
            hc_duration_format(ca->record.breaker.until - now, wait, sizeof(wait)));
}

void hc_ca_worked(struct hc_ca *ca)
{
    bool was_open = hc_breaker_ok(&ca->record.breaker, hc_env_now(ca->cas->o.env));

    ca->worked_ms = hc_env_ms(ca->cas->o.env);
    if (!was_open && !ca->said_failed) { /* `renew` closes the breaker before the CA answers */
        return;
    }
    ca->said_failed = false;
    hc_logf(ca->cas->o.env->log, HC_LOG_NOTICE, "issuer %s: the CA answers again",
            ca->issuer->name);
    hc_last_error_clear(&ca->record.last);
    set_dirty(ca);
    hc_events_tell(ca->cas->o.env->events, HC_EVENT_CA_CHANGED);
}

void hc_ca_reset(struct hc_ca *ca, const struct hc_list *names)
{
    int64_t now = hc_env_now(ca->cas->o.env);

    if (names == NULL) {
        hc_issuer_record_clear_all(&ca->record, now);
    }
    for (size_t i = 0; names != NULL && i < names->count; i++) {
        (void)hc_issuer_record_clear(&ca->record, names->items[i], now);
    }
    (void)hc_breaker_ok(&ca->record.breaker, now);
    hc_last_error_clear(&ca->record.last);
    set_dirty(ca);
    hc_events_tell(ca->cas->o.env->events, HC_EVENT_CA_CHANGED);
}

static void store_record(struct hc_ca *ca, int64_t now_ms)
{
    struct hc_buf text = HC_BUF_INIT(HC_RECORD_MAX);
    struct hc_error err;

    hc_error_init(&err);
    hc_ca_refresh(ca);
    ca->stored_ms = now_ms;
    if (hc_issuer_record_encode(&ca->record, &text, &err) != 0 ||
        hc_store_put(hc_storage_store(ca->cas->o.storage), "issuer", ca->issuer->directory_url,
                     hc_bytes_of(&text), &err) != 0) {
        hc_storage_failed(ca->cas->o.storage, &err);
    } else {
        ca->dirty = false;
        ca->seen = hc_text_hash(hc_buf_text(&text));
    }
    hc_buf_dispose(&text);
}

void hc_ca_store(struct hc_ca *ca)
{
    if (ca->dirty && hc_storage_ready(ca->cas->o.storage)) {
        store_record(ca, hc_env_ms(ca->cas->o.env));
    }
}

int hc_ca_new_account(struct hc_ca *ca, struct hc_error *err)
{
    enum hc_problem p = ca->record.last.error.problem;

    if (ca->record.breaker.failures == 0 ||
        (p != HC_P_ACCOUNT_DEACTIVATED && p != HC_P_ACCOUNT_REFUSED)) {
        return 0;
    }
    if (hc_ca_account_give_up(&ca->account, err) != 0) {
        return -1;
    }
    hc_logf(ca->cas->o.env->log, HC_LOG_NOTICE,
            "issuer %s: giving up the account that the CA refused, as requested; the next order "
            "registers a new one",
            ca->issuer->name);
    hc_ca_reset(ca, NULL);
    return 1;
}

void hc_ca_hold(struct hc_ca *ca, const char *name, int64_t serving_until, int64_t retry_after)
{
    struct hc_ladder *ladder = hc_issuer_record_name(&ca->record, name);

    if (ladder != NULL) {
        hc_ladder_fail(ladder, hc_env_now(ca->cas->o.env), serving_until, retry_after);
    }
    set_dirty(ca);
}

void hc_ca_forgive(struct hc_ca *ca, const char *name)
{
    if (hc_issuer_record_clear(&ca->record, name, hc_env_now(ca->cas->o.env))) {
        set_dirty(ca);
    }
}

int hc_ca_methods(const struct hc_ca *ca, const char *name, const struct hc_scope *set,
                  struct hc_list *out, struct hc_error *err)
{
    return hc_tried_order(&ca->record.tried, name, hc_issuer_methods(ca->issuer, set), out, err);
}

void hc_ca_tried(struct hc_ca *ca, const char *name, const struct hc_scope *set, const char *method,
                 bool worked)
{
    if (hc_tried_note(&ca->record.tried, name, hc_issuer_methods(ca->issuer, set), method, worked,
                      hc_env_now(ca->cas->o.env))) {
        set_dirty(ca);
    }
}

void hc_cas_forgive(struct hc_cas *cas, const struct hc_list *names)
{
    for (size_t i = 0; i < cas->count; i++) {
        for (size_t k = 0; k < names->count; k++) {
            hc_ca_forgive(&cas->items[i], names->items[k]);
        }
    }
}

/* ---- orders ---- */

void hc_ca_begin(struct hc_ca *ca)
{
    ca->running++;
}

void hc_ca_end(struct hc_ca *ca)
{
    ca->running -= ca->running > 0;
    hc_timer_within(&ca->cas->due, 0); /* the account may be settled */
}

int hc_ca_open(struct hc_ca *ca, struct hc_error *err)
{
    return hc_ca_account_open(&ca->account, ca->running, err);
}

int hc_ca_order(struct hc_ca *ca, const struct hc_order_options *options, struct hc_order **out,
                struct hc_error *err)
{
    hc_breaker_take(&ca->record.breaker);
    if (ca->cas->o.authority->order(ca->account.acme, options, out, err) != 0) {
        hc_breaker_give_back(&ca->record.breaker);
        return -1;
    }
    return 0;
}

void hc_ca_give_back(struct hc_ca *ca)
{
    hc_breaker_give_back(&ca->record.breaker);
}

int64_t hc_cas_run(struct hc_cas *cas)
{
    int64_t now = hc_env_ms(cas->o.env);
    bool ready = hc_storage_ready(cas->o.storage);
    int64_t wait = -1;

    for (size_t i = 0; i < cas->count; i++) {
        struct hc_ca *ca = &cas->items[i];

        if (ca->account.acme != NULL) {
            hc_ca_account_settle(&ca->account, ca->running);
        }
        if (ca->dirty && ready) {
            if (now >= ca->stored_ms + STORE_EVERY_MS || ca->stored_ms == 0) {
                store_record(ca, now);
            } else {
                wait = hc_wait_least(wait, ca->stored_ms + STORE_EVERY_MS - now);
            }
        }
    }
    return wait;
}

/* ---- life ---- */

static void on_due(void *self)
{
    struct hc_cas *cas = self;

    hc_timer_in(&cas->due, hc_cas_run(cas));
}

/* The clock was set back: nobody is waited for until a time that it will not show for long. */
static void begin_waits_anew(struct hc_ca *ca)
{
    hc_issuer_record_pull_back(&ca->record, hc_env_now(ca->cas->o.env));
    if (ca->issuer->directory_url != NULL) {
        set_dirty(ca);
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_cas *cas = self;

    if (event->kind == HC_EVENT_STORE_READY) {
        hc_timer_within(&cas->due, 0);
    }
    for (size_t i = 0; i < cas->count; i++) {
        struct hc_ca *ca = &cas->items[i];

        if (event->kind == HC_EVENT_STORE_OPENED && ca->issuer->directory_url != NULL) {
            load_one(ca);
        } else if (event->kind == HC_EVENT_STORE_CLOSING) {
            hc_ca_store(ca);
            hc_ca_account_close(&ca->account);
        } else if (event->kind == HC_EVENT_CLOCK_SET) {
            begin_waits_anew(ca);
        }
    }
}

static void init_ca(struct hc_cas *cas, struct hc_ca *ca, const struct hc_issuer *issuer)
{
    const struct hc_cas_options *o = &cas->o;

    ca->cas = cas;
    ca->issuer = issuer;
    ca->account = (struct hc_ca_account){
        .env = o->env,
        .storage = o->storage,
        .authority = o->authority,
        .http = o->http,
        .secrets = o->secrets,
        .issuer = issuer,
    };
    ca->directory.env = o->env;
    ca->directory.http = o->http;
    ca->directory.issuer = issuer;
    if (issuer->directory_url != NULL) {
        hc_ca_mark(o->env->conf, issuer, ca->record.mark);
    }
}

int hc_cas_new(const struct hc_cas_options *options, struct hc_cas **out, struct hc_error *err)
{
    const struct hc_conf *conf = options->env->conf;
    struct hc_cas *cas = calloc(1, sizeof(*cas));

    if (cas == NULL) {
        return hc_error_nomem(err);
    }
    cas->o = *options;
    hc_timer_init(&cas->due, options->env->loop, "authorities", on_due, cas);
    cas->items = calloc(conf->issuer_count + 1, sizeof(*cas->items));
    if (cas->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (; cas->count < conf->issuer_count; cas->count++) {
        init_ca(cas, &cas->items[cas->count], &conf->issuers[cas->count]);
    }
    if (hc_events_add(options->env->events, on_event, cas, err) != 0) {
        goto failed;
    }
    *out = cas;
    return 0;
failed:
    hc_cas_free(cas);
    return -1;
}

void hc_cas_free(struct hc_cas *cas)
{
    if (cas == NULL) {
        return;
    }
    hc_events_remove(cas->o.env->events, cas);
    hc_timer_stop(&cas->due);
    for (size_t i = 0; i < cas->count; i++) {
        hc_issuer_record_dispose(&cas->items[i].record);
        hc_ca_directory_dispose(&cas->items[i].directory);
        free(cas->items[i].account.known);
    }
    free(cas->items);
    free(cas);
}
