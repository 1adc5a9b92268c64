/* The resolver: addresses of servers, resolv.conf, and look-ups over real sockets on loopback. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/resolver.h"
#include "dns/server.h"
#include "tap.h"

static int64_t later_ms; /* the clock of the test is that much ahead */

static int64_t test_now_ms(void *self HC_UNUSED)
{
    return hc_now_ms(&hc_clock_system) + later_ms;
}

static const struct hc_clock test_clock = {.monotonic_ms = test_now_ms};
static struct hc_loop *loop;

static void test_servers(void)
{
    static const struct {
        const char *text;
        const char *back; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:53", "192.0.2.1"},
        {"192.0.2.1:5353", "192.0.2.1:5353"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:5353", "[2001:db8::1]:5353"},
        {"::1", "::1"},
        {"192.0.2.1:0", NULL},
        {"192.0.2.1:65536", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:53x", NULL},
        {"192.0.2.1:-1", NULL},
        {"192.0.2.256", NULL},
        {"[2001:db8::1", NULL},
        {"[2001:db8::1]x", NULL},
        {"[2001:db8::1]:", NULL},
        {"dns.example", NULL},
        {"", NULL},
        {":53", NULL},
        {"[]:53", NULL},
        {"2001:db8::1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f", NULL},
    };
    struct hc_dns_server server;
    char text[HC_DNS_SERVER_TEXT];

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error err = {0};
        int rc = hc_dns_server_parse(rows[i].text, &server, &err);

        is_int(rc, rows[i].back == NULL ? -1 : 0, rows[i].text);
        if (rc == 0) {
            is_str(hc_dns_server_format(&server, text), rows[i].back, "and back");
        } else {
            is_int(err.problem, HC_P_BAD_VALUE, "is a bad value");
        }
    }
}

static size_t servers_of(const char *content, struct hc_dns_server out[3])
{
    char path[] = "/tmp/hotcert-resolv-XXXXXX";
    int fd = mkstemp(path);
    size_t n = 0;

    if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content)) {
        printf("Bail out! no temporary file\n");
        exit(1);
    }
    close(fd);
    n = hc_dns_servers_of_system(path, out, 3);
    unlink(path);
    return n;
}

static void test_system(void)
{
    struct hc_dns_server out[3];
    char text[HC_DNS_SERVER_TEXT];

    is_int(servers_of("# nameserver 192.0.2.9\nsearch test\nnameserver 192.0.2.1\n"
                      "nameserver\t2001:db8::1 \nnameserver nonsense\nnameservers 192.0.2.8\n",
                      out),
           2, "two servers are named");
    is_str(hc_dns_server_format(&out[0], text), "192.0.2.1", "the first");
    is_str(hc_dns_server_format(&out[1], text), "2001:db8::1", "the second");
    is_int(servers_of("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
                      "nameserver 192.0.2.4\n",
                      out),
           3, "no more than there is room for");
    is_int(servers_of("options edns0\n", out), 1, "without any");
    is_str(hc_dns_server_format(&out[0], text), "127.0.0.1", "it is this machine");
    is_int(hc_dns_servers_of_system("/nonexistent/resolv.conf", out, 3), 1, "and without a file");
}

/* A socket that answers when it is told to. */
struct server {
    int fd;
    char text[HC_DNS_SERVER_TEXT];
    struct sockaddr_in peer;
    uint8_t query[512];
    ssize_t len;
};

static void server_open(struct server *s)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(sin);

    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&sin, &len) != 0) {
        printf("Bail out! no socket\n");
        exit(1);
    }
    snprintf(s->text, sizeof(s->text), "127.0.0.1:%u", ntohs(sin.sin_port));
}

static bool server_heard(struct server *s)
{
    socklen_t len = sizeof(s->peer);

    s->len = recvfrom(s->fd, s->query, sizeof(s->query), 0, (struct sockaddr *)&s->peer, &len);
    return s->len > 12;
}

/* Says this response code, without records; with another id if it is a forgery. */
static void server_say(const struct server *s, unsigned rcode, bool forged)
{
    uint8_t reply[512];

    memcpy(reply, s->query, (size_t)s->len);
    reply[0] ^= forged ? 0x55 : 0;
    reply[2] = 0x81;
    reply[3] = (uint8_t)(0x80 | rcode);
    reply[11] = 0; /* no OPT */
    sendto(s->fd, reply, (size_t)s->len - 11, 0, (const struct sockaddr *)&s->peer,
           sizeof(s->peer));
}

struct got {
    unsigned calls;
    unsigned rcode;
    bool replied;
    struct hc_error error;
};

static void keep(void *arg, const struct hc_dns_reply *reply, const struct hc_dns_server *from,
                 const struct hc_error *err)
{
    struct got *got = arg;

    got->calls++;
    got->replied = reply != NULL && from != NULL;
    if (reply != NULL) {
        got->rcode = reply->rcode;
    } else {
        got->error = *err;
    }
}

static struct hc_resolver *open_resolver(char **servers, size_t count)
{
    struct hc_list list = {servers, count, count};
    struct hc_resolver_options o = {.servers = &list, .loop = loop, .random = &hc_random_system};
    struct hc_resolver *r = NULL;
    struct hc_error err = {0};

    if (hc_resolver_new(&o, &r, &err) != 0) {
        printf("Bail out! no resolver\n");
        exit(1);
    }
    return r;
}

static uint64_t ask_for(struct hc_resolver *r, const char *name, int64_t within_ms, struct got *got)
{
    struct hc_dns_ask ask = {.question = {.type = HC_DNS_A, .recurse = true},
                             .deadline_ms = hc_now_ms(&hc_clock_system) + within_ms};
    uint64_t id = 0;
    struct hc_error err = {0};

    memset(got, 0, sizeof(*got));
    if (hc_dname_from_host(name, &ask.question.name, &err) != 0 ||
        hc_resolver_port(r)->ask(r, &ask, keep, got, &id, &err) != 0) {
        printf("Bail out! not asked\n");
        exit(1);
    }
    return id;
}

/* Waits as a loop does, until the call or for so long. */
static void drive(const struct got *got, int64_t ms)
{
    int64_t end = hc_now_ms(&hc_clock_system) + ms;

    while (got->calls == 0 && hc_now_ms(&hc_clock_system) < end) {
        (void)!hc_loop_pass(loop, 20, NULL);
    }
}

static void test_exchange(void)
{
    struct server a;
    struct got got;
    struct hc_resolver *r = NULL;
    char *servers[1];
    uint16_t first_port = 0;
    uint64_t id = 0;

    server_open(&a);
    servers[0] = a.text;
    r = open_resolver(servers, 1);
    is_int(hc_loop_next_ms(loop), -1, "nothing to do, no hurry");
    ask_for(r, "one.test", 5000, &got);
    is_int(hc_loop_next_ms(loop), 0, "a question wakes the loop");
    (void)!hc_loop_pass(loop, 0, NULL);
    ok(hc_loop_next_ms(loop) > 1000, "and is then waited for");
    ok(server_heard(&a), "the server hears it");
    server_say(&a, HC_DNS_NOERROR, true);
    drive(&got, 100);
    is_int(got.calls, 0, "a reply with another id is not heard");
    server_say(&a, HC_DNS_NXDOMAIN, false);
    drive(&got, 2000);
    is_int(got.calls, 1, "the right one is");
    is_int(got.rcode, HC_DNS_NXDOMAIN, "with its code");
    first_port = a.peer.sin_port;
    ask_for(r, "two.test", 5000, &got);
    (void)!hc_loop_pass(loop, 0, NULL);
    ok(server_heard(&a), "the next question");
    ok(a.peer.sin_port != first_port, "comes from another port");
    server_say(&a, HC_DNS_SERVFAIL, false);
    drive(&got, 2000);
    ok(got.replied && got.rcode == HC_DNS_SERVFAIL, "a refusal of the only server is the reply");
    id = ask_for(r, "three.test", 5000, &got);
    (void)!hc_loop_pass(loop, 0, NULL);
    hc_resolver_port(r)->cancel(r, id);
    hc_resolver_port(r)->cancel(r, 12345);
    is_int(hc_loop_next_ms(loop), -1, "cancelled, it is gone");
    is_int(got.calls, 0, "without a call");
    ask_for(r, "four.test", 5000, &got);
    hc_resolver_free(r);
    is_int(got.calls, 0, "freed with a question in flight, without a call");
    close(a.fd);
}

static void test_servers_in_turn(void)
{
    struct server silent;
    struct server speaks;
    struct got got;
    char *servers[2];
    struct hc_resolver *r = NULL;
    int64_t start = hc_now_ms(&hc_clock_system);

    server_open(&silent);
    server_open(&speaks);
    servers[0] = silent.text;
    servers[1] = speaks.text;
    r = open_resolver(servers, 2);
    ask_for(r, "one.test", 8000, &got);
    while (!server_heard(&speaks) && hc_now_ms(&hc_clock_system) < start + 5000) {
        drive(&got, 50);
    }
    ok(hc_now_ms(&hc_clock_system) - start >= HC_RESOLVER_TRY_MS, "the first is waited for");
    server_say(&speaks, HC_DNS_NOERROR, false);
    drive(&got, 2000);
    ok(got.replied, "then the second is asked");
    while (server_heard(&silent)) {
    }
    ask_for(r, "two.test", 8000, &got);
    (void)!hc_loop_pass(loop, 0, NULL);
    ok(server_heard(&speaks), "the next question goes to the one that answered");
    ok(!server_heard(&silent), "and not to the silent one");
    server_say(&speaks, HC_DNS_REFUSED, false);
    drive(&got, 50);
    ok(server_heard(&silent), "but for one that is refused");
    server_say(&silent, HC_DNS_NOERROR, false);
    drive(&got, 2000);
    ok(got.replied && got.rcode == HC_DNS_NOERROR, "whose answer counts more than the refusal");
    hc_resolver_free(r);
    close(silent.fd);
    ask_for(r = open_resolver(servers, 1), "three.test", 8000, &got);
    start = hc_now_ms(&hc_clock_system);
    drive(&got, 8000);
    ok(got.calls == 1 && !got.replied, "where nothing listens");
    ok(hc_now_ms(&hc_clock_system) - start < 5000, "that is known long before its time is over");
    is_int(got.error.problem, HC_P_DNS_FAILED, "dns-failed");
    ok(strstr(got.error.detail, servers[0]) != NULL, "and the server is named");
    hc_resolver_free(r);
    servers[0] = speaks.text;
    r = open_resolver(servers, 1);
    start = hc_now_ms(&hc_clock_system);
    ask_for(r, "four.test", 700, &got);
    drive(&got, 8000);
    ok(got.calls == 1 && !got.replied, "where nobody speaks");
    ok(hc_now_ms(&hc_clock_system) - start < 5000, "it is given up in time");
    hc_resolver_free(r);
    close(speaks.fd);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        printf("Bail out! %s cannot be written\n", path);
        exit(1);
    }
}

/* The servers that are asked by the next look-up. */
static const char *asked_after(struct hc_resolver *r, int64_t ms, char text[128])
{
    struct got got;

    later_ms += ms;
    hc_resolver_port(r)->cancel(r, ask_for(r, "one.test", 60000, &got));
    return hc_resolver_describe(r, text, 128);
}

static void test_file_is_followed(void)
{
    char path[] = "/tmp/hotcert-resolv-XXXXXX";
    struct hc_resolver_options o = {.resolv_conf = path, .loop = loop, .random = &hc_random_system};
    struct hc_resolver *r = NULL;
    struct hc_error err = {0};
    char text[128];
    int fd = mkstemp(path);

    close(fd);
    write_file(path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    if (fd < 0 || hc_resolver_new(&o, &r, &err) != 0) {
        printf("Bail out! no resolver\n");
        exit(1);
    }
    is_str(asked_after(r, 6000, text), "192.0.2.1, 192.0.2.2", "what resolv.conf names is asked");
    write_file(path, "nameserver 127.0.0.7\n");
    is_str(asked_after(r, 100, text), "192.0.2.1, 192.0.2.2", "a change is not looked for always");
    is_str(asked_after(r, 6000, text), "127.0.0.7", "but is seen after a few seconds");
    unlink(path);
    is_str(asked_after(r, 6000, text), "127.0.0.7", "while there is no file, the servers stay");
    write_file(path, "nameserver 192.0.2.3\n");
    is_str(asked_after(r, 6000, text), "192.0.2.3", "and the next file counts");
    hc_resolver_free(r);
    unlink(path);
}

/* A look-up that is under way says nothing of the servers that came after it. */
static void test_change_under_way(void)
{
    char path[] = "/tmp/hotcert-resolv-XXXXXX";
    struct hc_resolver_options o = {.resolv_conf = path, .loop = loop, .random = &hc_random_system};
    struct hc_resolver *r = NULL;
    struct hc_error err = {0};
    struct got old;
    struct got got;
    int fd = mkstemp(path);

    close(fd);
    write_file(path, "nameserver 127.0.0.7\nnameserver 127.0.0.8\nnameserver 127.0.0.9\n");
    if (fd < 0 || hc_resolver_new(&o, &r, &err) != 0) {
        printf("Bail out! no resolver\n");
        exit(1);
    }
    ask_for(r, "old.test", 60000, &old);
    write_file(path, "nameserver 127.0.0.6\n");
    later_ms += 6000;
    ask_for(r, "new.test", 60000, &got);
    drive(&got, 8000);
    drive(&old, 8000);
    ok(old.calls == 1 && !old.replied, "the look-up that was under way ends");
    ok(got.calls == 1 && strstr(got.error.detail, "127.0.0.6") != NULL,
       "and the next asks the new server");
    hc_resolver_free(r);
    unlink(path);
}

int main(void)
{
    char *bad[] = {(char[]){"nonsense"}};
    struct hc_list list = {bad, 1, 1};
    struct hc_resolver_options o = {.servers = &list, .random = &hc_random_system};
    struct hc_resolver *r = NULL;
    struct hc_error err = {0};

    if (hc_loop_new(&test_clock, &loop, &err) != 0) {
        return 99;
    }
    o.loop = loop;
    test_servers();
    test_system();
    is_int(hc_resolver_new(&o, &r, &err), -1, "a server that is none is refused");
    ok(r == NULL, "with nothing to free");
    test_exchange();
    test_servers_in_turn();
    test_file_is_followed();
    test_change_under_way();
    hc_loop_free(loop);
    return done();
}
