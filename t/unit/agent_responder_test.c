/*
 * core/agent/responder.c with core/dns/udp.c, tcp.c: the part alone, on sockets of loopback, with
 * a store and the clock of the test's own.
 */
#include "agent/responder.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_part.h"
#include "dns/tcp.h"
#include "store/answer.h"
#include "tap.h"

#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
#define TXT   16

static struct bench b;
static struct hc_answers *answers;
static struct hc_responder *responder;
static int sockets[2]; /* UDP, TCP */
static struct sockaddr_in places[2];

/* ---- the part ---- */

static int bound(int type, struct sockaddr_in *place)
{
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(*place);

    *place = (struct sockaddr_in){.sin_family = AF_INET};
    place->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (const struct sockaddr *)place, len) != 0 ||
        getsockname(fd, (struct sockaddr *)place, &len) != 0 ||
        (type == SOCK_STREAM && listen(fd, 64) != 0)) {
        stop_here(__LINE__);
    }
    return fd;
}

static void new_agent(void)
{
    struct hc_answers_options a = {&b.env, b.storage, b.server.table};
    struct hc_responder_options r = {&b.env, NULL, sockets, 2};
    struct hc_error err = {0};

    if (hc_answers_new(&a, &answers, &err) != 0) {
        stop_here(__LINE__);
    }
    r.answers = answers;
    if (hc_responder_new(&r, &responder, &err) != 0) {
        stop_here(__LINE__);
    }
}

static void end_agent(void)
{
    hc_responder_free(responder);
    hc_answers_free(answers);
}

static void begin(void)
{
    static const char *const lines[] = {"hotcert on", "hotcert_use one", NULL};
    static const char *const hosts[] = {"a.example", "b.example", NULL};

    new_bench(&b, lines, hosts);
    sockets[0] = bound(SOCK_DGRAM, &places[0]);
    sockets[1] = bound(SOCK_STREAM, &places[1]);
    new_agent();
    (void)hc_storage_run(b.storage);
}

static void end(void)
{
    end_agent();
    close(sockets[0]);
    close(sockets[1]);
    end_bench(&b);
}

/* Gives the loop what it has to do, until there is nothing. */
static void turn(void)
{
    struct hc_error err = {0};

    for (int i = 0; i < 20; i++) {
        (void)hc_responder_run(responder);
        (void)!hc_loop_pass(b.loop, 1, &err);
    }
}

static void the_store_is_read(void)
{
    struct hc_error err = {0};

    if (hc_answers_follow(answers, &err) != 0) {
        stop_here(__LINE__);
    }
}

static void give(const char *owner, const char *value)
{
    const struct hc_answer_port *port = hc_answers_port(answers);
    struct hc_answer answer = {HC_ANSWER_TXT, "a.example", owner, value, hc_env_now(&b.env) + 600,
                               NULL};
    struct hc_error err = {0};

    if (port->give(port->self, &answer, &err) != 0) {
        stop_here(__LINE__);
    }
}

/* ---- who asks ---- */

static size_t query(uint8_t *out, const char *name, uint8_t id)
{
    size_t at = 12;

    memset(out, 0, 12);
    out[1] = id;
    out[5] = 1;
    while (*name != '\0') {
        size_t label = strcspn(name, ".");

        out[at] = (uint8_t)label;
        memcpy(out + at + 1, name, label);
        at += label + 1;
        name += label + (name[label] == '.');
    }
    memcpy(out + at, "\0\0\20\0\1", 5);
    return at + 5;
}

static int caller(int which)
{
    int fd = socket(AF_INET, (which == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&places[which], sizeof(places[0])) != 0) {
        stop_here(__LINE__);
    }
    return fd;
}

static void put(int fd, const void *data, size_t len)
{
    if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len) {
        stop_here(__LINE__);
    }
}

/* Octets that came within a moment of the loop's; 0: closed, -1: nothing. */
static ssize_t get(int fd, uint8_t *in, size_t cap)
{
    for (int i = 0; i < 100; i++) {
        ssize_t n = recv(fd, in, cap, MSG_DONTWAIT);

        if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
            return n < 0 ? 0 : n;
        }
        turn();
    }
    return -1;
}

/* The response code over UDP and the number of answers, as code * 100 + answers; -1: silence. */
static int ask(const char *name)
{
    uint8_t out[300];
    uint8_t in[600];
    size_t len = query(out, name, 7);
    int fd = caller(0);
    ssize_t n = 0;

    put(fd, out, len);
    n = get(fd, in, sizeof(in));
    close(fd);
    return n < 12 ? -1 : (in[3] & 15) * 100 + in[7];
}

/* ---- facts ---- */

static void test_begins_with_the_store(void)
{
    uint8_t out[300];
    uint8_t in[600];
    size_t len = query(out, "_acme-challenge.a.example", 7);
    int fd = 0;

    begin();
    fd = caller(0);
    put(fd, out, len);
    is_int(get(fd, in, sizeof(in)), -1, "before the store was read nothing is answered");
    give("_acme-challenge.a.example", VALUE);
    the_store_is_read();
    ok(get(fd, in, sizeof(in)) > 12 && in[7] == 1, "what waited is answered then");
    close(fd);
    is_int(ask("_acme-challenge.a.example"), 1, "a value");
    is_int(ask("_acme-challenge.b.example"), 0, "another host's label is there, and empty");
    is_int(ask("_x._acme-challenge.b.example"), 300, "below it is nothing");
    is_int(ask("a.example"), 500, "the name is somebody else's");
    pass_time(601);
    is_int(ask("_acme-challenge.a.example"), 0, "what is over is not given");
    end();
}

/* A datagram of octets; its answer is read, if there is one. */
static void send_octets(const char *octets, size_t len)
{
    uint8_t in[600];
    int fd = caller(0);

    put(fd, (const uint8_t *)octets, len);
    (void)get(fd, in, sizeof(in));
    close(fd);
}

static void test_counts(void)
{
    const struct hc_dns_counts *counts = NULL;
    char text[64];

    begin();
    the_store_is_read();
    for (int i = 0; i < 12; i++) { /* too many for 512 octets */
        (void)snprintf(text, sizeof(text), "%02d-a-value-of-as-many-octets-as-all-have-", i);
        give("_acme-challenge.a.example", text);
    }
    is_int(ask("_acme-challenge.a.example"), 0, "half a set is none");
    is_int(ask("_acme-challenge.b.example"), 0, "an empty one");
    is_int(ask("of.somebody.else"), 500, "one that is refused");
    send_octets("\0\1\0\0\0\1\0\0\0\0\0\0\77abc", 16);
    send_octets("\0\1\200\0\0\1\0\0\0\0\0\0", 12);
    send_octets("short", 5);
    counts = hc_responder_counts(responder);
    is_int((int)counts->questions, 4, "questions");
    is_int((int)counts->truncated, 1, "of them without room");
    is_int((int)counts->refused, 1, "of them refused");
    is_int((int)counts->malformed, 1, "of them malformed");
    is_int((int)counts->limited, 0, "none came too often");
    is_int((int)counts->dropped, 2, "and what was no question");
    end();
}

static void test_unknown(void)
{
    begin();
    pass_time(6);
    is_int(ask("_acme-challenge.a.example"), 200, "a store that is not read in time: SERVFAIL");
    the_store_is_read();
    is_int(ask("_acme-challenge.a.example"), 0, "until it is");
    end();
}

static void test_next_agent(void)
{
    const struct hc_answer_port *port = NULL;
    struct hc_answer left = {HC_ANSWER_TXT,  "a.example", "_acme-challenge.a.example",
                             "left-to-them", 0,           NULL};

    begin();
    the_store_is_read();
    left.expires = hc_env_now(&b.env) + 600;
    give("_acme-challenge.a.example", "of-one-that-was-killed");
    port = hc_answers_port(answers);
    if (port->give(port->self, &left, NULL) != 0) {
        stop_here(__LINE__);
    }
    is_int(ask("_acme-challenge.a.example"), 2, "two values of this agent's");
    port->leave(port->self, &left);
    hc_answers_unfollow(answers);
    is_int(ask("_acme-challenge.a.example"), 2, "both are given while the store is away");
    end_agent();
    new_agent();
    the_store_is_read();
    is_int(ask("_acme-challenge.a.example"), 2, "and by the next agent on the same sockets");
    end();
}

static void test_many(void)
{
    int through = 0;
    int truncated = 0;
    int fd = 0;

    begin();
    the_store_is_read();
    turn();
    fd = caller(0);
    for (int i = 0; i < 300; i++) {
        uint8_t out[300];
        uint8_t in[600];

        put(fd, out, query(out, "_acme-challenge.a.example", (uint8_t)i));
        if (get(fd, in, sizeof(in)) >= 12) {
            through += (in[2] & 2) == 0;
            truncated += (in[2] & 2) != 0;
        }
    }
    close(fd);
    is_int(through, HC_DNS_LIMIT_BURST, "so many at once are answered");
    is_int(truncated, 300 - HC_DNS_LIMIT_BURST,
           "the others are told to come over TCP, not dropped");
    is_int((int)hc_responder_counts(responder)->questions, 300, "all are counted");
    is_int((int)hc_responder_counts(responder)->limited, truncated,
           "and those that were sent away");
    end();
}

/* ---- TCP ---- */

/* Writes a question with its length. */
static size_t framed(uint8_t *out, const char *name, uint8_t id)
{
    size_t len = query(out + 2, name, id);

    out[0] = 0;
    out[1] = (uint8_t)len;
    return len + 2;
}

/* Reads answers until there are count, or no more; how many, in the order of their ids from first.
 */
static int answers_of(int fd, int count, uint8_t first)
{
    static uint8_t in[200000];
    size_t have = 0;
    size_t at = 0;
    int found = 0;

    while (found < count) {
        ssize_t n = get(fd, in + have, sizeof(in) - have);

        if (n <= 0) {
            break;
        }
        have += (size_t)n;
        while (at + 2 <= have && at + 2 + ((size_t)in[at] << 8 | in[at + 1]) <= have) {
            found += in[at + 3] == (uint8_t)(first + found);
            at += 2 + ((size_t)in[at] << 8 | in[at + 1]);
        }
    }
    return found;
}

static bool is_closed(int fd)
{
    uint8_t in[16];

    return get(fd, in, sizeof(in)) == 0;
}

static void test_tcp(void)
{
    uint8_t out[300 * 60];
    size_t len = 0;
    int fd = 0;

    begin();
    the_store_is_read();
    give("_acme-challenge.a.example", VALUE);
    fd = caller(1);
    for (int i = 0; i < 250; i++) {
        len += framed(out + len, "_acme-challenge.a.example", (uint8_t)i);
    }
    put(fd, out, len);
    is_int(answers_of(fd, 250, 0), 250, "250 questions one behind the other, in their order");
    len = framed(out, "_acme-challenge.a.example", 9);
    for (size_t i = 0; i < len; i++) {
        put(fd, out + i, 1);
        turn();
    }
    is_int(answers_of(fd, 1, 9), 1, "one octet by octet");
    put(fd, out, len);
    (void)shutdown(fd, SHUT_WR);
    is_int(answers_of(fd, 1, 9), 1, "who has closed his side is answered");
    ok(is_closed(fd), "and then closed");
    close(fd);
    fd = caller(1);
    put(fd, "\xff\xff", 2);
    ok(is_closed(fd), "a question of 64 KiB is none");
    close(fd);
    fd = caller(1);
    put(fd, "\0\0", 2);
    put(fd, out, len);
    is_int(answers_of(fd, 1, 9), 1, "one without an octet is passed over");
    close(fd);
    end();
}

static void test_slow(void)
{
    uint8_t out[300];
    size_t len = framed(out, "_acme-challenge.a.example", 1);
    int slow[HC_DNS_TCP_CLIENTS];
    int fd = 0;

    begin();
    the_store_is_read();
    for (size_t i = 0; i < HC_DNS_TCP_CLIENTS; i++) {
        slow[i] = caller(1);
        put(slow[i], "\0", 1);
        turn();
    }
    pass_time(1);
    fd = caller(1);
    put(fd, out, len);
    is_int(answers_of(fd, 1, 1), 1, "with all places taken the next is still answered");
    pass_time(10);
    turn();
    for (size_t i = 0; i < HC_DNS_TCP_CLIENTS; i++) {
        if (!is_closed(slow[i])) {
            ok(false, "a slow one is left");
        }
        close(slow[i]);
    }
    ok(is_closed(fd), "who says nothing for ten seconds is cut off");
    close(fd);
    end();
}

static void test_reads_nothing(void)
{
    static uint8_t out[60 * 1000];
    size_t len = 0;
    size_t sent = 0;
    int fd = 0;

    begin();
    the_store_is_read();
    for (int i = 0; i < 8; i++) {
        char value[8];

        snprintf(value, sizeof(value), "v%d", i);
        give("_acme-challenge.a.example", value);
    }
    for (int i = 0; i < 1000; i++) {
        len += framed(out + len, "_acme-challenge.a.example", (uint8_t)i);
    }
    fd = caller(1);
    for (int i = 0; i < 400; i++) {
        ssize_t n = send(fd, out + sent % len, len - sent % len, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        turn();
        if (n < 0 && i > 20) {
            break;
        }
    }
    ok(sent < 400 * len, "who reads nothing is not listened to for ever");
    is_int(ask("_acme-challenge.a.example"), 8, "others are answered meanwhile");
    pass_time(11);
    turn();
    pass_time(11);
    turn();
    is_int(send(fd, out, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 || is_closed(fd) ||
               recv(fd, out, 1, MSG_DONTWAIT) >= 0,
           1, "and is cut off");
    close(fd);
    end();
}

int main(void)
{
    test_begins_with_the_store();
    test_counts();
    test_unknown();
    test_next_agent();
    test_many();
    test_tcp();
    test_slow();
    test_reads_nothing();
    return done();
}
