/*
 * An owner of ACME orders for tests against real HTTP: keeps the account and the orders' states in
 * memory, runs the event loop, judges what comes out.
 */
#ifndef HC_T_ACME_OWNER_H
#define HC_T_ACME_OWNER_H

#include "acme/acme.h"
#include "fake_solver.h"
#include "pebble.h"
#include "pki/pair.h"
#include "tap.h"

struct owner {
    struct hc_loop *loop;
    struct hc_http *http;
    struct hc_acme *acme;
    struct hc_issuer issuer;
    struct hc_list contacts;
    EVP_PKEY *account_key;
    char account_url[256];
    int accounts_stored;
    char log[65536];
};

struct job {
    struct owner *owner;
    struct hc_order *order;
    struct hc_list names;
    struct hc_order_handler handler;
    struct hc_order_state state;
    struct hc_error error;
    int persisted;
    struct fake_solver fake;
    int done;
    bool good;
    bool dead;
    char serial[80];
};

static inline void log_line(void *self, enum hc_level level, const char *text)
{
    struct owner *o = self;
    size_t used = strlen(o->log);

    if (level <= HC_LOG_NOTICE) {
        printf("# %s\n", text);
    }
    snprintf(o->log + used, sizeof(o->log) - used, "%s\n", text);
}

static inline int store_account(void *self, const struct hc_acme_account *account,
                                struct hc_error *err HC_UNUSED)
{
    struct owner *o = self;

    EVP_PKEY_up_ref(account->key);
    EVP_PKEY_free(o->account_key);
    o->account_key = account->key;
    snprintf(o->account_url, sizeof(o->account_url), "%s",
             account->url != NULL ? account->url : "");
    o->accounts_stored++;
    return 0;
}

static inline int persist(void *self, const struct hc_order_state *state,
                          struct hc_error *err HC_UNUSED)
{
    struct job *j = self;

    free(j->state.order_url);
    EVP_PKEY_free(j->state.key);
    EVP_PKEY_up_ref(state->key);
    j->state.key = state->key;
    j->state.order_url = strdup(state->order_url);
    j->persisted++;
    return 0;
}

static inline void order_done(void *self, const struct hc_order_result *result)
{
    struct job *j = self;
    struct hc_pair *pair = NULL;
    struct hc_findings findings = {0};
    struct hc_error err;

    hc_error_init(&err);
    j->done++;
    j->error = result->error;
    j->dead = result->order_dead;
    if (!hc_error_is_set(&result->error) &&
        hc_pair_from_key(result->key, result->chain_pem, "order", &pair, &findings, &err) == 0) {
        j->good = hc_pair_covers(pair, &j->names) == j->names.count;
        snprintf(j->serial, sizeof(j->serial), "%s", hc_pair_serial(pair));
    }
    hc_pair_free(pair);
    hc_findings_dispose(&findings);
    hc_order_free(j->order);
    j->order = NULL;
}

static inline const struct hc_list *methods_of(void *self, const char *name HC_UNUSED)
{
    return &((struct job *)self)->fake.methods;
}

static inline void owner_open(struct owner *o, const struct pebble *p)
{
    struct hc_acme_options options = {0};
    struct hc_acme_account account = {o->account_key, o->account_url[0] ? o->account_url : NULL};
    static struct hc_log log = {NULL, HC_LOG_DEBUG, log_line};
    static char name[] = "pebble";
    struct hc_error err;

    hc_error_init(&err);
    log.self = o;
    o->issuer.name = name;
    free(o->issuer.directory_url);
    free(o->issuer.ca_bundle);
    o->issuer.directory_url = strdup(p->url);
    o->issuer.ca_bundle = strdup(p->roots);
    o->issuer.terms_agreed = 1;
    options.issuer = &o->issuer;
    options.contacts = &o->contacts;
    options.clock = &hc_clock_system;
    options.random = &hc_random_system;
    options.log = &log;
    options.self = o;
    options.store_account = store_account;
    if (hc_loop_new(&hc_clock_system, &o->loop, &err) != 0 ||
        hc_http_new(o->loop, "hotcert-test", &o->http, &err) != 0) {
        abort();
    }
    options.http = hc_http_port(o->http);
    if (hc_acme_new(&options, &account, &o->acme, &err) != 0) {
        abort();
    }
}

static inline void owner_close(struct owner *o)
{
    hc_acme_free(o->acme);
    hc_http_free(o->http);
    hc_loop_free(o->loop);
    o->acme = NULL;
    o->http = NULL;
}

static inline void owner_dispose(struct owner *o)
{
    EVP_PKEY_free(o->account_key);
    free(o->issuer.directory_url);
    free(o->issuer.ca_bundle);
    hc_list_dispose(&o->contacts);
}

static inline void job_start(struct job *j, struct owner *o, const struct hc_order_state *resume)
{
    struct hc_order_options options = {0};
    struct hc_error err;

    hc_error_init(&err);
    j->owner = o;
    j->handler = (struct hc_order_handler){
        .self = j, .persist = persist, .methods = methods_of, .done = order_done};
    options.names = &j->names;
    options.key_type = HC_KEY_ECDSA_256;
    options.resume = resume;
    options.handler = &j->handler;
    fake_solver_open(&j->fake);
    options.solvers = &j->fake.set;
    hc_error_init(&j->error);
    j->done = 0;
    j->good = false;
    if (hc_order_start(o->acme, &options, &j->order, &err) != 0) {
        abort();
    }
}

static inline void job_dispose(struct job *j)
{
    hc_order_free(j->order);
    j->order = NULL;
    free(j->state.order_url);
    EVP_PKEY_free(j->state.key);
    hc_list_dispose(&j->names);
}

static inline void step(struct owner *o)
{
    struct hc_error err;
    int64_t wait = hc_acme_run_timers(o->acme, hc_now_ms(&hc_clock_system));

    hc_error_init(&err);
    if (hc_loop_pass(o->loop, wait < 0 || wait > 1000 ? 1000 : (int)wait, &err) != 0) {
        printf("# %s\n", err.detail);
    }
}

/* count orders of one name each, `parallel` at a time, waiting ones not counted. */
static inline int run_many(struct owner *o, struct job *jobs, int count, int parallel)
{
    int next = 0;
    int good = 0;
    int64_t until = hc_now_ms(&hc_clock_system) + 120000;

    for (;;) {
        int busy = 0;
        int left = 0;

        for (int i = 0; i < next; i++) {
            busy += jobs[i].order != NULL && !hc_order_waiting(jobs[i].order);
            left += jobs[i].order != NULL;
        }
        while (next < count && busy < parallel) {
            job_start(&jobs[next++], o, NULL);
            busy++;
            left++;
        }
        if (left == 0 || hc_now_ms(&hc_clock_system) > until) {
            break;
        }
        step(o);
    }
    for (int i = 0; i < count; i++) {
        good += jobs[i].good && jobs[i].done == 1;
        if (!jobs[i].good) {
            char text[2048];

            printf("# order %d: %s\n", i, hc_error_format(&jobs[i].error, text, sizeof(text)));
        }
    }
    return good;
}

static inline void name_jobs(struct job *jobs, int count, const char *suffix)
{
    for (int i = 0; i < count; i++) {
        char name[64];

        memset(&jobs[i], 0, sizeof(jobs[i]));
        snprintf(name, sizeof(name), "host%d.%s", i, suffix);
        if (hc_list_add(&jobs[i].names, name, NULL) != 0) {
            abort();
        }
    }
}

#endif
