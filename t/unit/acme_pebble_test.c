/* Orders against a real CA: Pebble, with 30 % of all nonces refused. */
#include <openssl/x509.h>
#include <sys/resource.h>

#include "acme/acme.h"
#include "pebble.h"
#include "pki/pair.h"
#include "tap.h"

#define ORDERS_MOST 200

struct owner {
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
    int presented;
    int withdrawn;
    int done;
    bool good;
    bool dead;
    char serial[80];
};

static void log_line(void *self, enum hc_level level, const char *text)
{
    struct owner *o = self;
    size_t used = strlen(o->log);

    if (level <= HC_LOG_NOTICE) {
        printf("# %s\n", text);
    }
    snprintf(o->log + used, sizeof(o->log) - used, "%s\n", text);
}

static int store_account(void *self, const struct hc_acme_account *account,
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

static int persist(void *self, const struct hc_order_state *state, struct hc_error *err HC_UNUSED)
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

static int present(void *self, const char *name HC_UNUSED, const char *token, const char *keyauth,
                   struct hc_error *err HC_UNUSED)
{
    struct job *j = self;

    j->presented += strncmp(keyauth, token, strlen(token)) == 0 && keyauth[strlen(token)] == '.';
    return 0;
}

static bool presented(void *self HC_UNUSED)
{
    return true;
}

static void withdraw(void *self, const char *token HC_UNUSED)
{
    ((struct job *)self)->withdrawn++;
}

static void order_done(void *self, const struct hc_order_result *result)
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

static void owner_open(struct owner *o, const struct pebble *p)
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
    if (hc_http_new("hotcert-test", &o->http, &err) != 0) {
        abort();
    }
    options.http = hc_http_port(o->http);
    if (hc_acme_new(&options, &account, &o->acme, &err) != 0) {
        abort();
    }
}

static void owner_close(struct owner *o)
{
    hc_acme_free(o->acme);
    hc_http_free(o->http);
    o->acme = NULL;
    o->http = NULL;
}

static void owner_dispose(struct owner *o)
{
    EVP_PKEY_free(o->account_key);
    free(o->issuer.directory_url);
    free(o->issuer.ca_bundle);
    hc_list_dispose(&o->contacts);
}

static void job_start(struct job *j, struct owner *o, const struct hc_order_state *resume)
{
    struct hc_order_options options = {0};
    struct hc_error err;

    hc_error_init(&err);
    j->owner = o;
    j->handler = (struct hc_order_handler){j, persist, present, presented, withdraw, order_done};
    options.names = &j->names;
    options.key_type = HC_KEY_ECDSA_256;
    options.resume = resume;
    options.handler = &j->handler;
    hc_error_init(&j->error);
    j->done = 0;
    j->good = false;
    if (hc_order_start(o->acme, &options, &j->order, &err) != 0) {
        abort();
    }
}

static void job_dispose(struct job *j)
{
    hc_order_free(j->order);
    j->order = NULL;
    free(j->state.order_url);
    EVP_PKEY_free(j->state.key);
    hc_list_dispose(&j->names);
}

static void step(struct owner *o)
{
    struct hc_error err;
    int64_t wait = hc_acme_run_timers(o->acme, hc_now_ms(&hc_clock_system));

    hc_error_init(&err);
    if (hc_http_step(o->http, NULL, 0, wait < 0 || wait > 1000 ? 1000 : (int)wait, &err) != 0) {
        printf("# %s\n", err.detail);
    }
}

/* count orders of one name each, `parallel` at a time, waiting ones not counted. */
static int run_many(struct owner *o, struct job *jobs, int count, int parallel)
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

static void name_jobs(struct job *jobs, int count, const char *suffix)
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

static double cpu_ms(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

static void orders_side_by_side(struct owner *o)
{
    static struct job jobs[ORDERS_MOST];
    const char *asked = getenv("HC_ORDERS");
    int count = asked != NULL ? atoi(asked) : 12;
    double cpu = cpu_ms();
    int64_t start = hc_now_ms(&hc_clock_system);
    int presented_all = 0;
    int withdrawn_all = 0;

    count = count > 0 && count <= ORDERS_MOST ? count : 12;
    name_jobs(jobs, count, "side.test");
    is_int(run_many(o, jobs, count, 8), count, "orders side by side end with sound certificates");
    printf("# %d orders: %.1f s, %.2f ms of CPU each\n", count,
           (double)(hc_now_ms(&hc_clock_system) - start) / 1e3, (cpu_ms() - cpu) / count);
    for (int i = 0; i < count; i++) {
        presented_all += jobs[i].presented;
        withdrawn_all += jobs[i].withdrawn;
        job_dispose(&jobs[i]);
    }
    is_int(presented_all, count, "each answer was presented once");
    is_int(withdrawn_all, count, "and withdrawn once");
    is_int(o->accounts_stored, 2, "the account was stored with its key, then with its URL");
}

static void many_names_in_one_order(struct owner *o)
{
    struct job j = {0};
    int64_t start = hc_now_ms(&hc_clock_system);

    for (int i = 0; i < 40; i++) {
        char name[64];

        snprintf(name, sizeof(name), "n%d.many.test", i);
        if (hc_list_add(&j.names, name, NULL) != 0) {
            abort();
        }
    }
    if (hc_list_add(&j.names, "127.0.0.1", NULL) != 0 || hc_list_add(&j.names, "::1", NULL) != 0) {
        abort();
    }
    is_int(run_many(o, &j, 1, 1), 1, "an order of 40 names and two IP addresses ends well");
    is_int(j.presented, 42, "each name's answer was presented");
    printf("# 42 names: %lld ms\n", (long long)(hc_now_ms(&hc_clock_system) - start));
    job_dispose(&j);
}

static void wildcard_has_no_challenge(struct owner *o)
{
    struct job j = {0};

    if (hc_list_add(&j.names, "*.wild.test", NULL) != 0) {
        abort();
    }
    is_int(run_many(o, &j, 1, 1), 0, "a wildcard cannot be had by http-01");
    is_int(j.error.problem, HC_P_NO_CHALLENGE, "and that is what is said");
    is_str(j.error.subject, "*.wild.test", "of the wildcard");
    job_dispose(&j);
}

/* The process dies in the middle, at more and more events, and goes on from what it stored. */
static void killed_and_resumed(struct owner *o, const struct pebble *p)
{
    int bad = 0;
    int resumed = 0;

    for (int events = 1; events < 40; events += 3) {
        struct job j = {0};
        char url[256] = "";

        name_jobs(&j, 1, "resume.test");
        job_start(&j, o, NULL);
        for (int i = 0; i < events && j.done == 0; i++) {
            step(o);
        }
        hc_order_free(j.order);
        j.order = NULL;
        owner_close(o);
        owner_open(o, p);
        if (j.done == 0) {
            int64_t until = hc_now_ms(&hc_clock_system) + 30000;

            resumed += j.state.order_url != NULL;
            snprintf(url, sizeof(url), "%s", j.state.order_url != NULL ? j.state.order_url : "");
            job_start(&j, o, j.state.order_url != NULL ? &j.state : NULL);
            while (j.done == 0 && hc_now_ms(&hc_clock_system) < until) {
                step(o);
            }
            bad += url[0] != '\0' && strcmp(url, j.state.order_url) != 0;
        }
        bad += !j.good;
        job_dispose(&j);
    }
    is_int(bad, 0, "orders cut off anywhere go on, without a second order");
    ok(resumed > 3, "and several of them were in the middle");
}

static void database_lost(struct owner *o, struct pebble *p)
{
    static struct job jobs[8];
    EVP_PKEY *key = o->account_key;
    int64_t until = 0;
    int left = 8;
    int good = 0;

    EVP_PKEY_up_ref(key);
    name_jobs(jobs, 8, "lost.test");
    for (int i = 0; i < 8; i++) {
        job_start(&jobs[i], o, NULL);
    }
    for (int i = 0; i < 12; i++) {
        step(o);
    }
    pebble_stop(p);
    pebble_start(p);
    o->log[0] = '\0';
    until = hc_now_ms(&hc_clock_system) + 60000;
    while (left > 0 && hc_now_ms(&hc_clock_system) < until) {
        step(o);
        left = 0;
        for (int i = 0; i < 8; i++) {
            left += jobs[i].done == 0;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (!jobs[i].good) {
            char text[2048];

            printf("# %s\n", hc_error_format(&jobs[i].error, text, sizeof(text)));
        }
        good += jobs[i].good;
        job_dispose(&jobs[i]);
    }
    is_int(good, 8, "orders whose CA lost its database in the middle all end well");
    ok(EVP_PKEY_eq(key, o->account_key) == 1, "with the account's old key");
    ok(strstr(o->log, "does not know the account") != NULL, "and the log says so");
    EVP_PKEY_free(key);
}

int main(void)
{
    struct owner o = {0};
    struct pebble p;

    if (pebble_missing()) {
        printf("1..0 # SKIP %s is not there (make deps)\n", pebble_program());
        return 0;
    }
    setenv("PEBBLE_VA_ALWAYS_VALID", "1", 1);
    setenv("PEBBLE_VA_NOSLEEP", "1", 1);
    setenv("PEBBLE_AUTHZREUSE", "0", 1);
    setenv("PEBBLE_WFE_NONCEREJECT", "30", 0);
    pebble_make(&p, 1);
    pebble_start(&p);
    owner_open(&o, &p);
    orders_side_by_side(&o);
    many_names_in_one_order(&o);
    wildcard_has_no_challenge(&o);
    killed_and_resumed(&o, &p);
    database_lost(&o, &p);
    owner_close(&o);
    owner_dispose(&o);
    pebble_dispose(&p);
    return done();
}
