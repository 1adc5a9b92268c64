/*
 * core/solve/txts.c, txt.c, dns01.c: TXT values from the challenge to their removal. DNS, the
 * writer and the store are the test's; time goes by when it says so.
 */
#include "solve/txts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "conf/build.h"
#include "conf/settings.h"
#include "conf_lib.h"
#include "solve/dns01.h"
#include "tap.h"

#define TOKEN   "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ"
#define MOST    4096
#define SERVERS 3

/* ---- the world ---- */

struct value {
    char name[300], value[64];
    unsigned servers; /* a bit each: it has it */
};

struct stored {
    char writer[32], name[300], zone[300], value[64], alias[300], domain[300], memo[64];
    bool has_zone;
};

struct change {
    enum hc_writer_change what;
    const struct hc_txt_value *value;
    hc_writer_done *tell;
    void *arg;
};

struct question {
    struct hc_dns_question is;
    unsigned server; /* 0: the resolvers */
    uint64_t id;
    hc_dns_done *tell;
    void *arg;
};

static struct {
    int64_t ms;
    struct hc_loop *loop;
    struct hc_conf *conf;
    struct value values[MOST];
    size_t value_count;
    struct stored stored[MOST];
    size_t stored_count;
    struct change changes[MOST]; /* under way */
    size_t change_count, most_changes;
    struct question questions[MOST];
    size_t question_count;
    uint64_t last_id;
    /* what it does */
    unsigned lags;     /* servers that do not get what is written */
    unsigned silent;   /* servers that do not answer */
    bool writer_waits; /* changes stay under way */
    enum hc_problem fails_adding, fails_removing;
    bool knows;                 /* the writer says that all servers have it */
    bool lost;                  /* what it is told to add fails, but stands */
    const char *alias, *target; /* a CNAME */
    bool store_full;
    int adds, removes, asks;
    size_t parallel;
    hc_written_found *found;
    void *found_arg;
    char log[65536];
} w;

static int64_t now_s(void *self HC_UNUSED)
{
    return 1000000 + w.ms / 1000;
}

static int64_t now_ms(void *self HC_UNUSED)
{
    return 1000 + w.ms;
}

static const struct hc_clock test_clock = {NULL, now_s, now_ms};

static void keep_line(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *line)
{
    size_t used = strlen(w.log);

    (void)snprintf(w.log + used, sizeof(w.log) - used, "%s\n", line);
}

static const struct hc_log test_log = {NULL, HC_LOG_DEBUG, keep_line};

static struct value *find_value(const char *name, const char *value)
{
    for (size_t i = 0; i < w.value_count; i++) {
        if (strcmp(w.values[i].name, name) == 0 && strcmp(w.values[i].value, value) == 0) {
            return &w.values[i];
        }
    }
    return NULL;
}

/* ---- the writer ---- */

static void do_change(const struct change *c)
{
    struct value *v = find_value(c->value->name, c->value->value);

    if (c->what == HC_WRITER_REMOVE) {
        if (v != NULL) {
            *v = w.values[--w.value_count];
        }
        return;
    }
    if (v == NULL) {
        v = &w.values[w.value_count++];
        memset(v, 0, sizeof(*v));
        hc_copy(v->name, sizeof(v->name), c->value->name);
        hc_copy(v->value, sizeof(v->value), c->value->value);
    }
    v->servers = ~w.lags;
}

static void writer_change(void *self HC_UNUSED, enum hc_writer_change what,
                          const struct hc_txt_value *value, hc_writer_done *tell, void *arg)
{
    w.changes[w.change_count++] = (struct change){what, value, tell, arg};
    w.most_changes = w.change_count > w.most_changes ? w.change_count : w.most_changes;
    for (size_t i = 0; i + 1 < w.change_count; i++) {
        if (strcmp(w.changes[i].value->name, value->name) == 0) {
            ok(false, "one change of a name at a time");
        }
    }
    w.adds += what == HC_WRITER_ADD;
    w.removes += what == HC_WRITER_REMOVE;
}

static void writer_cancel(void *self HC_UNUSED, const void *arg)
{
    for (size_t i = 0; i < w.change_count; i++) {
        if (w.changes[i].arg == arg) {
            do_change(&w.changes[i]); /* it may have been made */
            w.changes[i--] = w.changes[--w.change_count];
        }
    }
}

static void writer_close(void *self HC_UNUSED)
{
}

static int writer_open(const struct hc_dns_block *block HC_UNUSED,
                       const struct hc_writer_env *env HC_UNUSED, struct hc_dns_writer *out,
                       struct hc_error *err HC_UNUSED)
{
    *out = (struct hc_dns_writer){.parallel = w.parallel,
                                  .change = writer_change,
                                  .cancel = writer_cancel,
                                  .identity = "the test",
                                  .close = writer_close};
    return 0;
}

static void end_changes(void)
{
    while (w.change_count > 0) {
        struct change c = w.changes[0];
        enum hc_problem p = c.what == HC_WRITER_ADD ? w.fails_adding : w.fails_removing;
        struct hc_writer_result result = {.spread = w.knows, .memo = "how it went"};
        struct hc_error err;

        hc_error_init(&err);
        memmove(w.changes, w.changes + 1, --w.change_count * sizeof(w.changes[0]));
        if (p == HC_P_NONE || w.lost) {
            do_change(&c);
        }
        if (p != HC_P_NONE) {
            hc_error_set(&err, p, c.value->name, "the test says no");
            result.err = &err;
        }
        c.tell(c.arg, &result);
    }
}

/* ---- the store ---- */

static struct stored *find_stored(const struct hc_txt_value *value)
{
    for (size_t i = 0; i < w.stored_count; i++) {
        if (strcmp(w.stored[i].alias, value->alias) == 0 &&
            strcmp(w.stored[i].value, value->value) == 0) {
            return &w.stored[i];
        }
    }
    return NULL;
}

static int on_put(void *self HC_UNUSED, const char *writer, const struct hc_txt_value *value,
                  struct hc_error *err)
{
    struct stored *s = find_stored(value);

    if (w.store_full) {
        return hc_error_set(err, HC_P_STORE_WRITE, "store", "full");
    }
    if (s == NULL) {
        s = &w.stored[w.stored_count++];
    }
    memset(s, 0, sizeof(*s));
    hc_copy(s->writer, sizeof(s->writer), writer);
    hc_copy(s->name, sizeof(s->name), value->name);
    hc_copy(s->zone, sizeof(s->zone), value->zone != NULL ? value->zone : "");
    s->has_zone = value->zone != NULL;
    hc_copy(s->value, sizeof(s->value), value->value);
    hc_copy(s->alias, sizeof(s->alias), value->alias);
    hc_copy(s->domain, sizeof(s->domain), value->domain);
    hc_copy(s->memo, sizeof(s->memo), value->memo);
    return 0;
}

static void on_drop(void *self HC_UNUSED, const char *writer HC_UNUSED,
                    const struct hc_txt_value *value)
{
    struct stored *s = find_stored(value);

    if (s != NULL) {
        *s = w.stored[--w.stored_count];
    }
}

static void on_listen(void *self HC_UNUSED, hc_written_found *found, void *arg)
{
    w.found = found;
    w.found_arg = arg;
    for (size_t i = 0; found != NULL && i < w.stored_count; i++) {
        struct stored s = w.stored[i];
        struct hc_txt_value value = {.name = s.name,
                                     .zone = s.has_zone ? s.zone : NULL,
                                     .value = s.value,
                                     .alias = s.alias,
                                     .domain = s.domain,
                                     .token = "",
                                     .keyauth = "",
                                     .memo = s.memo};

        found(arg, s.writer, &value);
    }
}

static const struct hc_written_port written = {NULL, on_put, on_drop, on_listen};

/* ---- DNS ---- */

static int on_ask(void *self HC_UNUSED, const struct hc_dns_ask *ask, hc_dns_done *tell, void *arg,
                  uint64_t *id, struct hc_error *err HC_UNUSED)
{
    struct question *q = &w.questions[w.question_count++];
    struct sockaddr_in sin;

    *q = (struct question){ask->question, 0, ++w.last_id, tell, arg};
    if (ask->servers != NULL) {
        memcpy(&sin, &ask->servers[0].addr, sizeof(sin));
        q->server = ntohl(sin.sin_addr.s_addr) & 255u;
    }
    *id = q->id;
    w.asks += ask->question.type == HC_DNS_TXT;
    return 0;
}

static void on_cancel(void *self HC_UNUSED, uint64_t id)
{
    for (size_t i = 0; i < w.question_count; i++) {
        if (w.questions[i].id == id) {
            memmove(&w.questions[i], &w.questions[i + 1],
                    (--w.question_count - i) * sizeof(w.questions[0]));
            return;
        }
    }
}

static const struct hc_dns_port dns = {NULL, on_ask, on_cancel};

static struct hc_dname dname(const char *text)
{
    struct hc_dname name = {0};

    if (hc_dname_from_host(text, &name, NULL) != 0) {
        abort();
    }
    return name;
}

/* One record of one owner is all that any reply here has, or several TXT values. */
static void answer(const struct question *q)
{
    static struct hc_dname owners[1];
    static struct hc_dns_record records[64];
    static uint8_t pool[64][300];
    struct hc_dns_reply reply = {.authoritative = q->server != 0,
                                 .recursive = true,
                                 .records = records,
                                 .owners = owners,
                                 .owner_count = 1};
    struct hc_dns_server from = {.len = 0};
    char name[HC_DNAME_TEXT];
    struct hc_dname target;

    hc_dname_format(&q->is.name, name);
    name[strlen(name) - 1] = '\0';
    owners[0] = q->is.name;
    if (q->is.type == HC_DNS_CNAME && w.alias != NULL && strcmp(name, w.alias) == 0) {
        target = dname(w.target);
        memcpy(pool[0], target.wire, target.len);
        records[0] = (struct hc_dns_record){owners, HC_DNS_CNAME, 60, target.len, pool[0]};
        reply.answers = 1;
    } else if (q->is.type == HC_DNS_SOA) {
        owners[0] = dname(strstr(name, "b.test") != NULL ? "b.test" : "a.test");
        records[0] = (struct hc_dns_record){owners, HC_DNS_SOA, 60, 2, pool[0]};
        reply.authorities = 1;
    } else if (q->is.type == HC_DNS_NS) {
        for (size_t i = 0; i < SERVERS; i++) {
            char server[32];

            (void)snprintf(server, sizeof(server), "ns%zu.test", i);
            target = dname(server);
            memcpy(pool[i], target.wire, target.len);
            records[i] = (struct hc_dns_record){owners, HC_DNS_NS, 60, target.len, pool[i]};
        }
        reply.answers = SERVERS;
    } else if (q->is.type == HC_DNS_A && strncmp(name, "ns", 2) == 0) {
        memcpy(pool[0], (const uint8_t[]){192, 0, 2, (uint8_t)(name[2] - '0' + 1)}, 4);
        records[0] = (struct hc_dns_record){owners, HC_DNS_A, 60, 4, pool[0]};
        reply.answers = 1;
    } else if (q->is.type == HC_DNS_TXT) {
        for (size_t i = 0; i < w.value_count && reply.answers < 64; i++) {
            size_t len = strlen(w.values[i].value);

            if (strcmp(w.values[i].name, name) == 0 &&
                (q->server == 0 || (w.values[i].servers & 1u << q->server) != 0)) {
                pool[reply.answers][0] = (uint8_t)len;
                memcpy(pool[reply.answers] + 1, w.values[i].value, len);
                records[reply.answers] = (struct hc_dns_record){
                    owners, HC_DNS_TXT, 60, (uint16_t)(len + 1), pool[reply.answers]};
                reply.answers++;
            }
        }
    }
    q->tell(q->arg, &reply, &from, NULL);
}

static void answer_all(void)
{
    size_t count = w.question_count;

    while (count-- > 0 && w.question_count > 0) {
        struct question q = w.questions[0];
        struct hc_error err;

        on_cancel(NULL, q.id);
        if ((w.silent & 1u << q.server) != 0 && q.is.type == HC_DNS_TXT) {
            hc_error_init(&err);
            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
            q.tell(q.arg, NULL, NULL, &err);
        } else {
            answer(&q);
        }
    }
}

/* ---- the tests' steps ---- */

static struct hc_txts *txts;
static struct hc_solver dns01, account01;

static void start(void)
{
    struct hc_txts_options options = {.env = {.conf = w.conf,
                                              .clock = &test_clock,
                                              .random = &hc_random_system,
                                              .log = &test_log,
                                              .loop = w.loop,
                                              .dns = &dns},
                                      .written = &written,
                                      .open = writer_open};
    struct hc_solver_env env = {.conf = w.conf, .clock = &test_clock, .log = &test_log};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_txts_new(&options, &txts, &err) != 0) {
        printf("Bail out! %s\n", err.detail);
        exit(1);
    }
    env.txts = txts;
    if (hc_dns01_open(&env, &dns01, &err) != 0 ||
        hc_dns_account01_open(&env, &account01, &err) != 0) {
        exit(1);
    }
}

/* As a kill -9 does: nobody is told. */
static void die(void)
{
    dns01.close(dns01.self);
    account01.close(account01.self);
    hc_txts_free(txts);
    w.question_count = w.change_count = 0;
}

static void begin(void)
{
    static const char *const lines[] = {"hotcert on", "hotcert_terms_agreed on",
                                        "hotcert_dns_use own"};
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err;
    void *block = NULL;
    int index = 0;

    hc_error_init(&err);
    memset(&w, 0, sizeof(w));
    w.parallel = 4;
    w.conf = hc_conf_new(HC_SERVER_NGINX, &err);
    for (size_t i = 0; i < HC_COUNT(lines); i++) {
        if (say(w.conf, NULL, NULL, lines[i], &err) != 0) {
            exit(1);
        }
    }
    if (hc_block_begin(w.conf, &hc_block_dns, "own", "test.conf:1", &block, &err) != 0) {
        exit(1);
    }
    ((struct hc_dns_block *)block)->type = strdup("rfc2136");
    ((struct hc_dns_block *)block)->server = strdup("192.0.2.1");
    if (add_host(w.conf, NULL, "a.test *.a.test www.a.test mail.a.test b.test", "", &notes, &index,
                 &err) != 0 ||
        hc_conf_finish(w.conf, &err) != 0 || hc_loop_new(&test_clock, &w.loop, &err) != 0) {
        printf("Bail out! %s %s\n", err.subject, err.detail);
        exit(1);
    }
    hc_findings_dispose(&notes);
    start();
}

static void end(void)
{
    die();
    hc_loop_free(w.loop);
    hc_conf_free(w.conf);
}

struct order {
    struct hc_answer answer;
    int told, failed;
    struct hc_error error;
};

static void on_told(void *arg, const struct hc_error *err)
{
    struct order *o = arg;

    o->told++;
    if (err != NULL) {
        o->failed++;
        o->error = *err;
    }
}

static void make(struct hc_solver *s, const char *name, const char *token, struct order *o)
{
    const struct hc_challenge_case c = {name, token, "print",
                                        "https://example.com/acme/acct/ExampleAccount", NULL};
    struct hc_error err;

    hc_error_init(&err);
    memset(o, 0, sizeof(*o));
    if (s->answer(s->self, &c, &o->answer, &err) != 0) {
        printf("Bail out! %s %s\n", err.subject, err.detail);
        exit(1);
    }
}

static void present(struct hc_solver *s, const char *name, const char *token, struct order *o)
{
    make(s, name, token, o);
    s->present(s->self, &o->answer, on_told, o);
}

/* One step of everything. */
static void step(int64_t ms)
{
    w.ms += ms;
    (void)!hc_loop_pass(w.loop, 0, NULL);
    answer_all();
    if (!w.writer_waits) {
        end_changes();
    }
}

static void settle(void)
{
    for (int i = 0; i < 60; i++) {
        step(10);
    }
}

static void wait_s(int s)
{
    for (int i = 0; i < 4 * s; i++) {
        step(250);
    }
}

static size_t standing(const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < w.value_count; i++) {
        count += strcmp(w.values[i].name, name) == 0;
    }
    return count;
}

static int is_ready(struct order *o)
{
    struct hc_error err;

    hc_error_init(&err);
    return dns01.ready(dns01.self, &o->answer, &err);
}

/* ---- facts ---- */

static void labels_and_values_are_those_of_the_documents(void)
{
    struct order o;

    begin();
    make(&dns01, "*.a.test", TOKEN, &o);
    is_str(o.answer.key, "_acme-challenge.a.test", "dns-01: below the name without its wildcard");
    is_int(strlen(o.answer.value), 43, "32 bytes in base64url");
    hc_answer_dispose(&o.answer);
    make(&account01, "a.test", TOKEN, &o);
    is_str(o.answer.key, "_ujmmovf2vn55tgye._acme-challenge.a.test",
           "dns-account-01: with the account's label");
    hc_answer_dispose(&o.answer);
    ok(dns01.supports(dns01.self, "*.a.test") && !dns01.supports(dns01.self, "192.0.2.1") &&
           !dns01.supports(dns01.self, "c.test") && account01.supports(account01.self, "a.test"),
       "names with a writer, no addresses");
    end();
}

static void apex_and_wildcard_have_a_value_each(void)
{
    struct order apex, wild;

    begin();
    present(&dns01, "a.test", TOKEN "1", &apex);
    present(&dns01, "*.a.test", TOKEN "2", &wild);
    settle();
    ok(apex.told == 1 && wild.told == 1 && apex.failed + wild.failed == 0, "both are presented");
    is_int(standing("_acme-challenge.a.test"), 2, "at one name");
    ok(is_ready(&apex) == 1 && is_ready(&wild) == 1, "and ready");
    is_int(w.stored_count, 2, "both are in the store");
    dns01.withdraw(dns01.self, &apex.answer, on_told, &apex);
    settle();
    is_int(apex.told, 2, "withdrawn");
    is_int(standing("_acme-challenge.a.test"), 1, "the other stays");
    ok(is_ready(&apex) == 0 && is_ready(&wild) == 1, "and is ready still");
    dns01.withdraw(dns01.self, &wild.answer, NULL, NULL);
    settle();
    ok(w.value_count == 0 && w.stored_count == 0, "nothing is left, nor in the store");
    ok(strstr(w.log, TOKEN) == NULL, "no log has a token");
    hc_answer_dispose(&apex.answer);
    hc_answer_dispose(&wild.answer);
    end();
}

static void aliases_are_followed(void)
{
    struct order o;

    begin();
    w.alias = "_acme-challenge.www.a.test";
    w.target = "www.acme.b.test";
    present(&dns01, "www.a.test", TOKEN, &o);
    settle();
    is_int(o.told - o.failed, 1, "presented");
    is_int(standing("www.acme.b.test"), 1, "where the CNAME leads");
    is_str(w.stored[0].zone, "b.test", "in that name's zone");
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    settle();
    is_int(w.value_count, 0, "and is removed there");
    hc_answer_dispose(&o.answer);
    w.alias = w.target = "_acme-challenge.www.a.test";
    present(&dns01, "www.a.test", TOKEN, &o);
    settle();
    ok(o.failed == 1 && o.error.problem == HC_P_DNS_FAILED && w.adds == 1, "a loop is none");
    hc_answer_dispose(&o.answer);
    end();
}

static void every_server_is_waited_for(void)
{
    struct order o;

    begin();
    w.lags = 1u << 2;
    present(&dns01, "a.test", TOKEN, &o);
    wait_s(20);
    is_int(o.told, 0, "one server lacks it: not yet");
    is_int(is_ready(&o), 0, "nor is it ready");
    w.values[0].servers = ~0u;
    wait_s(6);
    ok(o.told == 1 && o.failed == 0, "it has it: now");
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    settle();
    hc_answer_dispose(&o.answer);

    present(&dns01, "a.test", TOKEN, &o);
    wait_s(130);
    ok(o.failed == 1 && o.error.problem == HC_P_DNS_NOT_SPREAD, "for so long, not longer");
    ok(strstr(o.error.detail, "192.0.2.2 answers without") != NULL, "the server is named");
    settle();
    ok(w.value_count == 0 && w.stored_count == 0, "and what was written is removed");
    hc_answer_dispose(&o.answer);
    end();
}

static void who_does_not_answer_is_passed_over(void)
{
    struct order o;

    begin();
    w.silent = 1u << 3;
    present(&dns01, "a.test", TOKEN, &o);
    wait_s(10);
    ok(o.told == 1 && o.failed == 0, "one is silent, the others have it");
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    settle();
    hc_answer_dispose(&o.answer);
    w.silent = 1u << 1 | 1u << 2 | 1u << 3;
    present(&dns01, "a.test", TOKEN, &o);
    wait_s(10);
    ok(o.told == 1 && o.failed == 0, "all are silent: the resolvers' word counts");
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    settle();
    hc_answer_dispose(&o.answer);
    w.silent |= 1u;
    present(&dns01, "a.test", TOKEN, &o);
    wait_s(130);
    ok(o.told == 1 && o.failed == 0 && strstr(w.log, "cannot ask the name servers") != NULL,
       "nobody can be asked: the CA is told, and the log");
    hc_answer_dispose(&o.answer);
    end();
}

static void a_writer_that_knows_is_believed(void)
{
    struct order o;

    begin();
    w.knows = true;
    w.lags = ~0u;
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    ok(o.told == 1 && o.failed == 0 && w.asks == 0, "nobody is asked");
    is_str(w.stored[0].memo, "how it went", "what it said is kept for the removal");
    hc_answer_dispose(&o.answer);
    end();
}

static void failures_are_told_and_leave_nothing(void)
{
    struct order o;

    begin();
    w.fails_adding = HC_P_DNS_REFUSED;
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    ok(o.told == 1 && o.failed == 1 && o.error.problem == HC_P_DNS_REFUSED, "refused");
    ok(w.removes == 1 && w.stored_count == 0, "it is removed, in case that it stands");
    hc_answer_dispose(&o.answer);

    w.lost = true;
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    ok(o.failed == 1 && w.value_count == 0, "one that failed and stands is removed");
    hc_answer_dispose(&o.answer);

    w.fails_adding = HC_P_NONE;
    w.store_full = true;
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    ok(o.failed == 1 && o.error.problem == HC_P_STORE_WRITE && w.value_count == 0,
       "what cannot be stored is not written");
    hc_answer_dispose(&o.answer);
    end();
}

static void a_removal_that_fails_is_tried_again(void)
{
    struct order o;

    begin();
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    w.fails_removing = HC_P_DNS_WRITE;
    dns01.withdraw(dns01.self, &o.answer, on_told, &o);
    settle();
    ok(o.told == 2 && o.failed == 1, "who waits for it is told");
    wait_s(600);
    ok(w.removes > 3 && w.stored_count == 1, "tried again and again, more and more seldom");
    ok(w.removes < 12, "that is");
    w.fails_removing = HC_P_NONE;
    wait_s(4000);
    ok(w.value_count == 0 && w.stored_count == 0, "until it is done");
    hc_answer_dispose(&o.answer);
    end();
}

/* The agent dies after n steps, wherever that is; the next one leaves nothing. */
static void whoever_dies_leaves_nothing(void)
{
    size_t stood = 0;
    bool clean = true;

    for (int n = 0; n < 40; n++) {
        struct order apex, wild;

        begin();
        present(&dns01, "a.test", TOKEN "1", &apex);
        present(&dns01, "*.a.test", TOKEN "2", &wild);
        for (int i = 0; i < n; i++) {
            step(10);
            if (i == 25) {
                dns01.withdraw(dns01.self, &apex.answer, NULL, NULL);
                dns01.withdraw(dns01.self, &wild.answer, NULL, NULL);
            }
        }
        die();
        stood += w.value_count;
        start();
        wait_s(40);
        clean = clean && w.value_count == 0 && w.stored_count == 0;
        hc_answer_dispose(&apex.answer);
        hc_answer_dispose(&wild.answer);
        end();
    }
    ok(stood > 20, "records stood when it died");
    ok(clean, "none stands after the next one came");
}

static void the_next_process_goes_on(void)
{
    struct order o, again;

    begin();
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    dns01.leave(dns01.self, &o.answer);
    dns01.cancel(dns01.self, &o);
    die();
    is_int(w.value_count, 1, "left, it stays");
    start();
    wait_s(20);
    is_int(w.value_count, 1, "for a while");
    present(&dns01, "a.test", TOKEN, &again);
    settle();
    ok(again.told == 1 && again.failed == 0, "presented again by the next process");
    wait_s(100);
    is_int(w.value_count, 1, "it is nobody else's to remove");
    dns01.withdraw(dns01.self, &again.answer, NULL, NULL);
    settle();
    ok(w.value_count == 0 && w.stored_count == 0, "and goes when that is done");
    hc_answer_dispose(&o.answer);
    hc_answer_dispose(&again.answer);

    present(&dns01, "a.test", TOKEN, &o);
    settle();
    dns01.leave(dns01.self, &o.answer);
    wait_s(90);
    ok(w.value_count == 0 && w.stored_count == 0, "what nobody comes back for is removed");
    hc_answer_dispose(&o.answer);
    end();
}

static void two_orders_may_share_a_value(void)
{
    struct order first, second;

    begin();
    present(&dns01, "a.test", TOKEN, &first);
    present(&dns01, "a.test", TOKEN, &second);
    settle();
    ok(first.told == 1 && second.told == 1 && w.adds == 1, "it is written once");
    dns01.withdraw(dns01.self, &first.answer, NULL, NULL);
    settle();
    is_int(w.value_count, 1, "it stays for the second");
    dns01.withdraw(dns01.self, &second.answer, NULL, NULL);
    settle();
    is_int(w.value_count, 0, "and goes with it");
    dns01.withdraw(dns01.self, &second.answer, on_told, &second);
    settle();
    is_int(second.told, 2, "once more is fine");
    hc_answer_dispose(&first.answer);
    hc_answer_dispose(&second.answer);
    end();
}

static void withdrawn_on_the_way_it_goes(void)
{
    struct order o, again;

    begin();
    w.writer_waits = true;
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    is_int(w.change_count, 1, "it is being written");
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    w.writer_waits = false;
    settle();
    ok(o.told == 0, "who withdrew it is not told");
    ok(w.value_count == 0 && w.stored_count == 0, "it is removed after it was written");
    hc_answer_dispose(&o.answer);

    present(&dns01, "a.test", TOKEN, &o);
    settle();
    w.writer_waits = true;
    dns01.withdraw(dns01.self, &o.answer, NULL, NULL);
    settle();
    present(&dns01, "a.test", TOKEN, &again);
    w.writer_waits = false;
    wait_s(5);
    ok(again.told == 1 && again.failed == 0 && w.value_count == 1,
       "wanted again while it is removed, it is written again");
    hc_answer_dispose(&o.answer);
    hc_answer_dispose(&again.answer);
    end();
}

static void turns_are_kept(void)
{
    static const char *const names[] = {"a.test", "*.a.test", "www.a.test", "mail.a.test",
                                        "b.test"};
    struct order orders[HC_COUNT(names)];
    int told = 0;

    begin();
    w.parallel = 2;
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        present(&dns01, names[i], TOKEN, &orders[i]);
    }
    wait_s(5);
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        told += orders[i].told - orders[i].failed;
        hc_answer_dispose(&orders[i].answer);
    }
    is_int(told, 4 + 1, "all are presented");
    ok(w.most_changes <= 2, "no more at once than the writer takes");
    end();
}

static void a_writer_that_is_gone_is_named(void)
{
    struct order o;

    begin();
    present(&dns01, "a.test", TOKEN, &o);
    settle();
    die();
    hc_copy(w.stored[0].writer, sizeof(w.stored[0].writer), "former");
    start();
    ok(strstr(w.log, "former, which is no longer configured") != NULL &&
           strstr(w.log, "_acme-challenge.a.test") != NULL && w.stored_count == 0,
       "what nobody can remove is named, once");
    hc_answer_dispose(&o.answer);
    end();
}

int main(void)
{
    labels_and_values_are_those_of_the_documents();
    apex_and_wildcard_have_a_value_each();
    aliases_are_followed();
    every_server_is_waited_for();
    who_does_not_answer_is_passed_over();
    a_writer_that_knows_is_believed();
    failures_are_told_and_leave_nothing();
    a_removal_that_fails_is_tried_again();
    whoever_dies_leaves_nothing();
    the_next_process_goes_on();
    two_orders_may_share_a_value();
    withdrawn_on_the_way_it_goes();
    turns_are_kept();
    a_writer_that_is_gone_is_named();
    return done();
}
