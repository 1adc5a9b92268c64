/* Until every server has it: each address is asked by itself, round after round. */
#include "dns/spread.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tap.h"

#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

static int64_t now_ms = 1000000;

static int64_t fake_now(void *self)
{
    (void)self;
    return now_ms / 1000;
}

static int64_t fake_ms(void *self)
{
    (void)self;
    return now_ms;
}

static const struct hc_clock fake_clock = {NULL, fake_now, fake_ms};
static struct hc_loop *loop;
static struct hc_dname name;

/*
 * What an address says, a letter for each round, the last one from then on: "h"as the value, has
 * "o"thers, "n"o such name, "r"efuses, is no "a"uthority, "s"ilent. The address 0 is the resolvers.
 */
static const char *script[HC_ZONE_SERVERS + 1];
static unsigned rounds[HC_ZONE_SERVERS + 1];

struct question {
    uint64_t id;
    size_t who;
    hc_dns_done *done;
    void *arg;
    int64_t until;
};
static struct question asked[64];
static size_t asked_count;
static uint64_t last_id;

static int fake_ask(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                    uint64_t *id, struct hc_error *err)
{
    const struct sockaddr_in *in =
        ask->servers != NULL ? (const struct sockaddr_in *)(const void *)&ask->servers[0].addr
                             : NULL;
    size_t who = in != NULL ? ntohl(in->sin_addr.s_addr) & 0xff : 0;

    (void)self;
    (void)err;
    if (ask->question.type != HC_DNS_TXT || !hc_dname_equal(&ask->question.name, &name) ||
        ask->question.recurse != (who == 0)) {
        abort();
    }
    *id = ++last_id;
    asked[asked_count++] = (struct question){*id, who, done, arg, ask->deadline_ms};
    return 0;
}

static void fake_cancel(void *self, uint64_t id)
{
    (void)self;
    for (size_t i = 0; i < asked_count; i++) {
        if (asked[i].id == id) {
            asked[i] = asked[--asked_count];
            return;
        }
    }
}

static const struct hc_dns_port fake_dns = {NULL, fake_ask, fake_cancel};

static char letter(size_t who)
{
    const char *text = script[who] != NULL ? script[who] : "s";
    size_t len = strlen(text);

    return text[rounds[who] < len ? rounds[who] : len - 1];
}

static void reply_to(const struct question *q, char what)
{
    static uint8_t data[64];
    struct hc_dns_record record = {&name, HC_DNS_TXT, 300, 1 + sizeof(VALUE) - 1, data};
    struct hc_dns_server from = {.len = sizeof(struct sockaddr_in)};
    struct hc_dns_reply reply = {.authoritative = q->who != 0 && what != 'a',
                                 .records = &record,
                                 .owners = &name,
                                 .owner_count = 1};
    struct hc_error err;

    from.addr.ss_family = AF_INET;
    rounds[q->who]++;
    hc_error_init(&err);
    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
    data[0] = sizeof(VALUE) - 1;
    memcpy(data + 1, VALUE, sizeof(VALUE) - 1);
    data[1] = what == 'o' ? 'X' : data[1];
    reply.answers = what == 'h' || what == 'o' || what == 'a';
    reply.rcode = what == 'n' ? HC_DNS_NXDOMAIN : what == 'r' ? HC_DNS_REFUSED : HC_DNS_NOERROR;
    (q->done)(q->arg, what == 's' ? NULL : &reply, what == 's' ? NULL : &from,
              what == 's' ? &err : NULL);
}

static void pump(void)
{
    for (size_t i = 0; i < asked_count;) {
        struct question q = asked[i];
        char what = letter(q.who);

        if (what == 's' && now_ms < q.until) {
            i++;
            continue;
        }
        asked[i] = asked[--asked_count];
        reply_to(&q, what);
        i = 0;
    }
}

struct got {
    unsigned calls, have, silent;
    enum hc_problem problem;
    char detail[300];
    int64_t took;
};

static void on_done(void *arg, const struct hc_dns_spread_result *result)
{
    struct got *got = arg;

    got->calls++;
    got->have = result->have;
    got->silent = result->silent;
    got->problem = result->err != NULL ? result->err->problem : HC_P_NONE;
    (void)hc_copy(got->detail, sizeof(got->detail), result->err != NULL ? result->err->detail : "");
}

static void begin(struct hc_dns_spread *spread, size_t servers, int64_t limit_ms, struct got *got)
{
    struct hc_dns_server list[HC_ZONE_SERVERS] = {{.len = 0}};
    struct hc_dns_spread_options options = {.loop = loop,
                                            .dns = &fake_dns,
                                            .name = &name,
                                            .value = VALUE,
                                            .servers = list,
                                            .server_count = servers,
                                            .limit_ms = limit_ms};

    for (size_t i = 0; i < servers; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_addr = {htonl(0x09090900u + (unsigned)i + 1)}};

        memcpy(&list[i].addr, &in, sizeof(in));
        list[i].len = sizeof(in);
    }
    memset(rounds, 0, sizeof(rounds));
    memset(got, 0, sizeof(*got));
    hc_dns_spread_begin(spread, &options, on_done, got);
}

static struct got run(size_t servers, int64_t limit_ms)
{
    static struct hc_dns_spread spread;
    int64_t start = now_ms;
    struct got got;

    begin(&spread, servers, limit_ms, &got);
    for (int i = 0; i < 20000 && got.calls == 0; i++) {
        (void)!hc_loop_pass(loop, 0, NULL);
        pump();
        now_ms += 10;
    }
    got.took = now_ms - start;
    is_int(got.calls, 1, "it ends, once");
    is_int(asked_count, 0, "with nothing in flight");
    ok(!spread.running, "and does not run any more");
    hc_dns_spread_stop(&spread);
    return got;
}

static void set(const char *a, const char *b, const char *c, const char *resolvers)
{
    script[1] = a;
    script[2] = b;
    script[3] = c;
    script[0] = resolvers;
}

static void test_rounds(void)
{
    struct got got;

    set("h", "h", "h", NULL);
    got = run(3, 60000);
    is_int(got.have, 3, "all have it at once");
    is_int(got.problem, HC_P_NONE, "well");
    ok(got.took < 500, "without a pause");
    set("h", "oonh", "nh", NULL);
    got = run(3, 60000);
    is_int(got.have, 3, "some have it later");
    is_int(rounds[1], 1, "who has it is asked no more");
    is_int(rounds[2], 4, "the others are, until they have");
    set("h", "o", "h", NULL);
    got = run(3, 20000);
    is_int(got.problem, HC_P_DNS_NOT_SPREAD, "one never gets it");
    ok(strstr(got.detail, "9.9.9.2") != NULL && strstr(got.detail, "2 of 3 addresses") != NULL,
       "it is named, with how many have it");
    ok(got.took <= 21000, "within the limit");
}

static void test_silence(void)
{
    struct got got;

    set("h", "s", "h", NULL);
    got = run(3, 60000);
    is_int(got.problem, HC_P_NONE, "one that is down");
    is_int(got.have, 2, "is not waited for");
    is_int(got.silent, 1, "but counted");
    ok(got.took < 20000, "for long");
    set("h", "r", "a", NULL);
    got = run(3, 60000);
    is_int(got.have, 1, "a refusal, or a word without authority");
    is_int(got.silent, 2, "are no answer");
    set("h", "sssh", "h", NULL);
    got = run(3, 60000);
    is_int(got.problem, HC_P_NONE, "one that comes back late changes nothing");
}

static void test_resolvers(void)
{
    struct got got;

    set("s", "s", NULL, "nnh");
    got = run(2, 120000);
    is_int(got.problem, HC_P_NONE, "no server can be reached: the resolvers are asked");
    is_int(got.have, 1, "and have it");
    set("s", "s", NULL, "o");
    got = run(2, 20000);
    is_int(got.problem, HC_P_NONE, "resolvers that do not have it may remember");
    is_int(got.have, 0, "which is no failure, and no word of anybody's");
    set(NULL, NULL, NULL, "h");
    got = run(0, 20000);
    is_int(got.have, 1, "without servers the resolvers are asked at once");
    is_int(rounds[0], 1, "one round");
    set("s", NULL, NULL, "s");
    got = run(1, 60000);
    is_int(got.have, 0, "where nobody answers at all");
    is_int(got.problem, HC_P_NONE, "the CA may still see it");
}

static void test_stop(void)
{
    static struct hc_dns_spread spread;
    struct got got;

    set("s", "s", NULL, NULL);
    begin(&spread, 2, 60000, &got);
    for (int i = 0; i < 10; i++) {
        (void)!hc_loop_pass(loop, 0, NULL);
        pump();
        now_ms += 10;
    }
    ok(asked_count > 0, "questions are under way");
    hc_dns_spread_stop(&spread);
    is_int(asked_count, 0, "stopped, none is");
    now_ms += 120000;
    (void)!hc_loop_pass(loop, 0, NULL);
    is_int(got.calls, 0, "and nobody is told");
    hc_dns_spread_stop(&spread);
}

int main(void)
{
    if (hc_loop_new(&fake_clock, &loop, NULL) != 0 ||
        hc_dname_from_host("_acme-challenge.zone.net", &name, NULL) != 0) {
        return 99;
    }
    test_rounds();
    test_silence();
    test_resolvers();
    test_stop();
    hc_loop_free(loop);
    return done();
}
