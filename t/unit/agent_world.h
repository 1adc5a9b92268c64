/*
 * A world for the agent: a store and a table of its own, a clock that the test moves, and a CA that
 * does what the test says. struct hc_acme and struct hc_order are this CA's own here: the agent
 * sees them through its port only.
 */
#ifndef HC_T_AGENT_WORLD_H
#define HC_T_AGENT_WORLD_H

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/control.h"
#include "agent/follow.h"
#include "agent/garbage.h"
#include "agent/queue.h"
#include "agent/status.h"
#include "agent/watches.h"
#include "conf/build.h"
#include "conf/issuer.h"
#include "conf_lib.h"
#include "forge.h"
#include "loop/timer.h"
#include "store/line.h"
#include "store/record.h"

#define DAY INT64_C(86400)

__attribute__((noreturn)) static inline void stop_here(int line)
{
    fprintf(stderr, "agent_world.h:%d: cannot go on\n", line);
    exit(99);
}

/* ---- the CA ---- */

struct fake_ca {
    const char *issuer;     /* its name in the configuration */
    bool down;              /* nobody answers */
    int64_t retry_after;    /* and asks for this */
    bool stuck;             /* orders are placed and never go on */
    const char *bad_name;   /* fails its validation */
    bool wrong_names;       /* certifies something else */
    const char *stranger;   /* certifies this name as well */
    bool as_ca;             /* its certificates may sign others */
    long future;            /* its certificates start so many days from now */
    bool no_chain;          /* leaves the intermediate out */
    const char *poison;     /* orders with this name are placed, and then always fail .. */
    enum hc_problem how;    /* .. like this, as if the CA did */
    int poisoned;           /* so often */
    enum hc_problem shut;   /* it cannot even be opened */
    enum hc_problem no;     /* refuses what is ordered as a whole, naming no name */
    enum hc_problem not_us; /* refuses all of this account's, whatever it is */
    int orders, resumed, accounts;
    int asked;          /* orders that reached it, placed or not */
    char replaces[100]; /* what the last of them said; "": nothing */
};

struct hc_acme {
    struct hc_acme_options o;
    struct fake_ca *ca;
    char *url;
    EVP_PKEY *key;
    struct hc_timer due;
};

struct hc_order {
    struct hc_acme *acme;
    struct hc_list names;
    const struct hc_order_handler *handler;
    enum hc_key_type type;
    EVP_PKEY *key;
    int step;
    bool resumed;
    const struct hc_solver *solver;
    struct hc_answer answer; /* presented */
    struct hc_error failed;
};

#define FAKE_ORDERS 64
static struct fake_ca cas[2];
static struct hc_order *fake_orders[FAKE_ORDERS];
static struct forged root, mid;
static int64_t clock_now; /* UTC, seconds; the monotonic clock goes with it */
static time_t clock_start;
static int last_line_count;
static char log_text[200000];
static int tokens_made;
static unsigned long clock_reads; /* how much is done can be counted by how often it is asked */

static inline int64_t fake_now(void *self HC_UNUSED)
{
    clock_reads++;
    return clock_now;
}

static int64_t clock_ms;
static inline int64_t fake_ms(void *self HC_UNUSED)
{
    return clock_ms;
}

static inline int fake_bytes(void *self HC_UNUSED, unsigned char *dst, size_t len)
{
    memset(dst, 0, len);
    return 0;
}

static const struct hc_clock fake_clock = {NULL, fake_now, fake_ms};
static const struct hc_random fake_random = {NULL, fake_bytes};

static inline void ca_run(void *self);

static inline int ca_open(const struct hc_acme_options *options,
                          const struct hc_acme_account *account, struct hc_acme **out,
                          struct hc_error *err)
{
    struct hc_acme *acme = calloc(1, sizeof(*acme));

    acme->o = *options;
    for (size_t i = 0; i < HC_COUNT(cas); i++) {
        if (cas[i].issuer != NULL && strcmp(cas[i].issuer, options->issuer->name) == 0) {
            acme->ca = &cas[i];
        }
    }
    if (acme->ca->shut != HC_P_NONE) {
        hc_error_set(err, acme->ca->shut, "", "as the test says");
        free(acme);
        return -1;
    }
    if (account != NULL && account->url != NULL) {
        acme->url = strdup(account->url);
    }
    if (account != NULL && account->key != NULL) {
        EVP_PKEY_up_ref(account->key);
        acme->key = account->key;
    }
    hc_timer_init(&acme->due, options->loop, "authorities", ca_run, acme);
    hc_timer_in(&acme->due, 0);
    *out = acme;
    return 0;
}

static inline void ca_close(struct hc_acme *acme)
{
    hc_timer_stop(&acme->due);
    EVP_PKEY_free(acme->key);
    free(acme->url);
    free(acme);
}

static inline const char *ca_account_url(const struct hc_acme *acme)
{
    return acme->url;
}

static inline int ca_order(struct hc_acme *acme, const struct hc_order_options *options,
                           struct hc_order **out, struct hc_error *err)
{
    struct hc_order *order = calloc(1, sizeof(*order));

    order->acme = acme;
    order->type = options->key_type;
    order->handler = options->handler;
    order->solver = &options->solvers->items[0];
    order->resumed = options->resume != NULL;
    acme->ca->asked++;
    snprintf(acme->ca->replaces, sizeof(acme->ca->replaces), "%s",
             options->replaces != NULL ? options->replaces : "");
    if (hc_list_copy(&order->names, options->names, err) != 0) {
        stop_here(__LINE__);
    }
    if (options->resume != NULL) {
        EVP_PKEY_up_ref(options->resume->key);
        order->key = options->resume->key;
        acme->ca->resumed++;
    }
    for (size_t i = 0; i < FAKE_ORDERS; i++) {
        if (fake_orders[i] == NULL) {
            fake_orders[i] = order;
            *out = order;
            hc_timer_within(&acme->due, 0);
            return 0;
        }
    }
    stop_here(__LINE__);
}

static inline void ca_cancel(struct hc_order *order)
{
    for (size_t i = 0; i < FAKE_ORDERS; i++) {
        if (fake_orders[i] == order) {
            fake_orders[i] = NULL;
        }
    }
    if (order->answer.memory != NULL) {
        order->solver->withdraw(order->solver->self, &order->answer, NULL, NULL);
        hc_answer_dispose(&order->answer);
    }
    hc_list_dispose(&order->names);
    EVP_PKEY_free(order->key);
    free(order);
}

static inline void ca_leave(struct hc_order *order)
{
    if (order->answer.memory != NULL) {
        order->solver->leave(order->solver->self, &order->answer);
        hc_answer_dispose(&order->answer);
    }
    ca_cancel(order);
}

static inline const char *ca_activity(const struct hc_order *order HC_UNUSED)
{
    return "being tested";
}

static inline bool ca_waiting(const struct hc_order *order HC_UNUSED)
{
    return false;
}

static inline void ca_certify(struct hc_order *order, struct hc_buf *pem)
{
    char sans[4096] = "";
    long from = (long)((clock_now - clock_start) / DAY) + order->acme->ca->future;
    struct forged leaf;

    for (size_t i = 0; i < order->names.count; i++) {
        snprintf(sans + strlen(sans), sizeof(sans) - strlen(sans), "%sDNS:%s", i > 0 ? "," : "",
                 order->acme->ca->wrong_names ? "other.example" : order->names.items[i]);
    }
    if (order->acme->ca->stranger != NULL) {
        snprintf(sans + strlen(sans), sizeof(sans) - strlen(sans), ",DNS:%s",
                 order->acme->ca->stranger);
    }
    leaf = forge(&(struct forge){.name = "leaf",
                                 .sans = sans,
                                 .ca = order->acme->ca->as_ca,
                                 .by = &mid,
                                 .with_key = order->key,
                                 .from = from - 1,
                                 .days = from + 89});
    forge_chain_pem(pem, leaf.cert, order->acme->ca->no_chain ? NULL : mid.cert, NULL);
    forged_free(&leaf);
}

static inline void ca_fail(struct hc_order *order, enum hc_problem p, const char *name,
                           bool ca_wide, bool dead)
{
    struct hc_order_name blamed = {.name = name};
    struct hc_order_result result = {.ca_wide = ca_wide, .order_dead = dead};

    hc_error_set(&result.error, p, name != NULL ? name : "", "as the test says");
    if (name != NULL) {
        hc_kept_error_set(&blamed.error, &result.error);
        result.names = &blamed;
        result.name_count = 1;
    }
    result.error.foreign.retry_after = order->acme->ca->retry_after; /* for all names */
    order->handler->done(order->handler->self, &result);
    hc_kept_error_dispose(&blamed.error);
}

static inline void ca_register(struct hc_acme *acme)
{
    struct hc_acme_account account;
    struct hc_error err = {0};

    if (acme->url != NULL) {
        return;
    }
    if (acme->key == NULL) {
        acme->key = forge_key(NULL);
    }
    account = (struct hc_acme_account){acme->key, NULL};
    if (acme->o.store_account(acme->o.self, &account, &err) != 0) {
        stop_here(__LINE__);
    }
    acme->url = strdup("https://ca.example/account/1");
    account.url = acme->url;
    if (acme->o.store_account(acme->o.self, &account, &err) != 0) {
        stop_here(__LINE__);
    }
    acme->ca->accounts++;
}

static inline EVP_PKEY *ca_key(enum hc_key_type type)
{
    return forge_key(hc_key_type_is_rsa(type) ? "RSA:2048" : NULL);
}

static inline void ca_presented(void *arg, const struct hc_error *err)
{
    struct hc_order *order = arg;

    if (err != NULL) {
        order->failed = *err;
    }
}

/* newOrder: a URL that must be kept. */
static inline bool ca_place(struct hc_order *order)
{
    char url[] = "https://ca.example/order/1";
    struct hc_order_state state = {url, NULL};
    struct hc_error err = {0};
    char token[64];
    const struct hc_challenge_case c = {order->names.items[0], token, "thumbprint", NULL, NULL};

    ca_register(order->acme);
    if (!order->resumed) {
        order->key = ca_key(order->type);
        order->acme->ca->orders++;
        state.key = order->key;
        if (order->handler->persist(order->handler->self, &state, &err) != 0) {
            struct hc_order_result result = {.error = err, .ca_wide = true};

            order->handler->done(order->handler->self, &result);
            return false;
        }
    }
    snprintf(token, sizeof(token), "token-%d-of-22-characters", ++tokens_made);
    if (order->solver->answer(order->solver->self, &c, &order->answer, &err) != 0) {
        stop_here(__LINE__);
    }
    order->solver->present(order->solver->self, &order->answer, ca_presented, order);
    if (hc_error_is_set(&order->failed)) {
        fprintf(stderr, "%s %s\n", order->failed.subject, order->failed.detail);
        stop_here(__LINE__);
    }
    return true;
}

static inline void ca_finish(struct hc_order *order)
{
    struct hc_buf pem = HC_BUF_INIT(100000);
    struct hc_order_result result = {.key = order->key};
    struct fake_ca *ca = order->acme->ca;

    order->solver->withdraw(order->solver->self, &order->answer, NULL, NULL);
    hc_answer_dispose(&order->answer);
    if (ca->bad_name != NULL && hc_list_has(&order->names, ca->bad_name)) {
        ca_fail(order, HC_P_VALIDATION, ca->bad_name, false, true);
        return;
    }
    ca_certify(order, &pem);
    result.chain_pem = hc_bytes_of(&pem);
    order->handler->done(order->handler->self, &result);
    hc_buf_dispose(&pem);
}

static inline void ca_step(struct hc_order *order)
{
    if (order->acme->ca->down) {
        ca_fail(order, HC_P_CA_UNREACHABLE, NULL, true, false);
        return;
    }
    if (order->acme->ca->poison != NULL && (order->step > 0 || order->resumed) &&
        hc_list_has(&order->names, order->acme->ca->poison)) {
        order->acme->ca->poisoned++;
        ca_fail(order, order->acme->ca->how, NULL, true, false);
        return;
    }
    if (order->acme->ca->no != HC_P_NONE) {
        ca_fail(order, order->acme->ca->no, NULL, false, true);
        return;
    }
    if (order->acme->ca->not_us != HC_P_NONE && order->step == 0) {
        ca_register(order->acme);
        ca_fail(order, order->acme->ca->not_us, NULL, true, true);
        return;
    }
    switch (order->step) {
    case 0:
        order->step = ca_place(order) ? 1 : order->step;
        break;
    case 1:
        order->step = 2;
        break;
    default:
        if (!order->acme->ca->stuck &&
            order->solver->ready(order->solver->self, &order->answer, NULL) > 0) {
            ca_finish(order);
        }
    }
}

/* All orders at this CA go on by a step. */
static inline void ca_run(void *self)
{
    struct hc_acme *acme = self;

    for (size_t i = 0; i < FAKE_ORDERS; i++) {
        if (fake_orders[i] != NULL && fake_orders[i]->acme == acme) {
            hc_timer_in(&acme->due, 10);
            ca_step(fake_orders[i]);
        }
    }
}

static const struct hc_authority fake_authority = {
    .open = ca_open,
    .close = ca_close,
    .account_url = ca_account_url,
    .order = ca_order,
    .cancel = ca_cancel,
    .leave = ca_leave,
    .activity = ca_activity,
    .waiting = ca_waiting,
};

/* ---- the rest of the world ---- */

/* The DNS, of a test that has one; else cannot check names before an order. */
static const struct hc_dns_port *world_dns;
static int64_t (*world_dns_run)(void *self);  /* answers what was asked; in each pass */
static const struct hc_http_port *world_http; /* of a test that has one */
static int64_t world_built;                   /* when the program was built */
static const unsigned char *world_secret;     /* of a test that has another */
static int world_keeper = -1; /* of a test that has one, which is asked for the secret, too */

static inline void keep_line(void *self HC_UNUSED, enum hc_level level, const char *text)
{
    size_t used = strlen(log_text);

    snprintf(log_text + used, sizeof(log_text) - used, "%s: %s\n", hc_level_name(level), text);
    last_line_count++;
}

static const struct hc_log fake_log = {NULL, HC_LOG_INFO, keep_line};

static inline int count_in_log(const char *what)
{
    int count = 0;

    for (const char *at = strstr(log_text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

static char folder[64];
static unsigned char secret[HC_SECRET_SIZE] = {1, 2, 3};

/* One server with its agent. */
struct server {
    int table_fd;
    struct hc_table *table;
    struct hc_loop *loop;
    struct hc_agent *agent;
};

static inline struct hc_conf *new_conf(const char *const *lines)
{
    struct hc_error err = {0};
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, &err);
    struct hc_issuer *issuer = NULL;
    char line[200];

    for (size_t i = 0; i < HC_COUNT(cas); i++) {
        if (cas[i].issuer == NULL) {
            continue;
        }
        snprintf(line, sizeof(line), "directory_url https://%s.example/dir", cas[i].issuer);
        if (begin_issuer(conf, cas[i].issuer, "test.conf:1", &issuer, &err) != 0 ||
            say(conf, NULL, issuer, line, &err) != 0 ||
            (world_dns != NULL && say(conf, NULL, issuer, "caa_domain ca.example", &err) != 0)) {
            stop_here(__LINE__);
        }
    }
    snprintf(line, sizeof(line), "hotcert_store %s/store", folder);
    if (say(conf, NULL, NULL, line, &err) != 0 ||
        say(conf, NULL, NULL, "hotcert_terms_agreed on", &err) != 0 ||
        (world_dns == NULL && say(conf, NULL, NULL, "hotcert_preflight off", &err) != 0) ||
        say(conf, NULL, NULL, "hotcert_accept untrusted-root", &err) != 0) {
        stop_here(__LINE__);
    }
    for (; *lines != NULL; lines++) {
        if (say(conf, NULL, NULL, *lines, &err) != 0) {
            fprintf(stderr, "%s: %s\n", *lines, err.detail);
            stop_here(__LINE__);
        }
    }
    return conf;
}

static inline void add_hosts(struct hc_conf *conf, const char *const *hosts, const char *files)
{
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    int index = 0;

    for (; *hosts != NULL; hosts++) {
        if (add_host(conf, NULL, *hosts, files, &notes, &index, &err) != 0) {
            fprintf(stderr, "%s: %s\n", *hosts, err.detail);
            stop_here(__LINE__);
        }
    }
    if (hc_conf_finish(conf, &err) != 0) {
        fprintf(stderr, "%s %s\n", err.subject, err.detail);
        stop_here(__LINE__);
    }
    hc_findings_dispose(&notes);
}

static inline void free_agent(struct server *server)
{
    hc_agent_free(server->agent);
    hc_loop_free(server->loop);
    server->agent = NULL;
    server->loop = NULL;
}

/* One pass, without waiting. */
static inline bool pass(struct server *server)
{
    if (world_dns_run != NULL) {
        (void)world_dns_run(NULL);
    }
    return hc_agent_pass(server->agent, 0);
}

static inline void start_agent(struct server *server, struct hc_conf *conf, int control)
{
    struct hc_error err = {0};
    struct hc_agent_options options = {
        .conf = conf,
        .table = server->table,
        .keeper = world_keeper,
        .supervise = -1,
        .control = control,
        .signals = -1,
        .http = world_http,
        .built = world_built,
        .dns = world_dns,
        .secret = world_keeper >= 0      ? NULL
                  : world_secret != NULL ? world_secret
                                         : secret,
        .clock = &fake_clock,
        .random = &fake_random,
        .log = &fake_log,
        .authority = &fake_authority,
    };

    if (hc_loop_new(&fake_clock, &server->loop, &err) != 0) {
        stop_here(__LINE__);
    }
    options.loop = server->loop;
    if (hc_agent_new(&options, &server->agent, &err) != 0) {
        stop_here(__LINE__);
    }
}

static inline void new_table(struct server *server)
{
    struct hc_table *readable = NULL;
    struct hc_error err = {0};

    memset(server, 0, sizeof(*server));
    if (hc_table_create((size_t)8 << 20, &server->table_fd, &readable, &err) != 0 ||
        hc_table_attach(server->table_fd, true, &server->table, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_table_detach(readable);
}

static inline void new_server(struct server *server, const char *const *lines,
                              const char *const *hosts)
{
    struct hc_conf *conf = new_conf(lines);

    add_hosts(conf, hosts, "");
    new_table(server);
    start_agent(server, conf, -1);
}

/* The agent is killed; its table stays. */
static inline void kill_agent(struct server *server)
{
    free_agent(server);
}

static inline void end_server(struct server *server)
{
    free_agent(server);
    hc_table_detach(server->table);
    close(server->table_fd);
    memset(server, 0, sizeof(*server));
}

/* A reload: another configuration, the same table. */
static inline void reload(struct server *server, const char *const *lines, const char *const *hosts)
{
    struct hc_conf *conf = new_conf(lines);

    kill_agent(server);
    add_hosts(conf, hosts, "");
    start_agent(server, conf, -1);
}

static inline void pass_time(int64_t seconds)
{
    clock_now += seconds;
    clock_ms += seconds * 1000;
}

/* Lets the agents work for a while of little time. */
static inline void work(struct server *a, struct server *b)
{
    for (int i = 0; i < 60; i++) {
        (void)pass(a);
        if (b != NULL) {
            (void)pass(b);
        }
        clock_ms += 20;
    }
}

/* The bundle that is served for an identity, or NULL; the caller's. */
static inline struct hc_bundle *served(struct server *server, size_t identity)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    const unsigned char *id = hc_agent_parts(server->agent)->env.conf->identities[identity].id;
    int64_t slot = hc_table_find(server->table, id);
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};
    uint64_t value = 0;

    if (slot >= 0 && hc_table_read(server->table, slot, id, &value, &out, &err) == 1 &&
        hc_bundle_decode(out.data, out.len, &bundle, &err) != 0) {
        bundle = NULL;
    }
    hc_buf_dispose(&out);
    return bundle;
}

/* The serial of the first pair that is served, "" if there is none. */
static inline const char *serial(struct server *server, size_t identity)
{
    static char texts[8][100];
    static int next;
    struct hc_bundle *bundle = served(server, identity);
    char *text = texts[next++ % 8];

    text[0] = '\0';
    if (bundle != NULL) {
        hc_copy(text, sizeof(texts[0]), hc_pair_serial(hc_bundle_pair(bundle, 0)));
    }
    hc_bundle_free(bundle);
    return text;
}

static inline bool is_served(struct server *server, size_t identity)
{
    return hc_model_is_served(hc_agent_parts(server->agent), identity);
}

/* All certificates, as `list` tells them; the caller's. */
static inline json_t *listed(struct server *server)
{
    struct hc_model *model = NULL;
    json_t *whole = NULL;
    json_t *all = NULL;

    if (hc_model_new(hc_agent_parts(server->agent), &model, NULL) != 0) {
        stop_here(__LINE__);
    }
    whole = hc_status_of(model);
    all = json_incref(json_object_get(whole, "certificates"));
    json_decref(whole);
    hc_model_free(model);
    return all;
}

/* The state of the first certificate, as `list` tells it. */
static inline const char *listed_state(struct server *server)
{
    static char text[40];
    json_t *all = listed(server);
    const char *word = json_string_value(json_object_get(json_array_get(all, 0), "state"));

    hc_copy(text, sizeof(text), word != NULL ? word : "none at all");
    json_decref(all);
    return text;
}

static inline void new_world(void)
{
    struct forge how = {.name = "Test Root", .ca = true, .from = -400, .days = 4000};

    memset(cas, 0, sizeof(cas));
    cas[0].issuer = "one";
    cas[1].issuer = "two";
    log_text[0] = '\0';
    clock_start = time(NULL);
    clock_now = clock_start;
    clock_ms = 1000000;
    if (root.cert == NULL) {
        root = forge(&how);
        how.name = "Test Intermediate";
        how.by = &root;
        mid = forge(&how);
    }
    hc_copy(folder, sizeof(folder), "/tmp/hotcert-agent-XXXXXX");
    if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0) {
        stop_here(__LINE__);
    }
}

static inline void end_world(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s stays\n", folder);
    }
}

#endif
