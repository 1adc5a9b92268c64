/* The handshake of a CA that validates over TLS, against servers of every kind on real sockets. */
#include "net/handshake.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forge.h"
#include "tap.h"

#define PROTOCOL "acme-tls/1"
#define NAME     "a.test"

/* What a server does with a connection. */
enum manner {
    AGREES,      /* takes the protocol, where the name is NAME */
    KNOWS_NONE,  /* knows nothing of protocols */
    REFUSES,     /* alert 120 */
    CHOOSES_ODD, /* a protocol that was not offered */
    NO_SUCH,     /* alert 112 */
    SPEAKS_HTTP,
    SPEAKS_SSH,
    HANGS_UP,
    IS_SILENT,
    IS_CLOSED,
};

static struct hc_loop *loop;
static struct hc_handshakes *handshakes;
static struct forged leaf;

/* ---- the server ---- */

static int on_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    enum manner manner = *(enum manner *)arg;
    bool offered = in_len == 1 + strlen(PROTOCOL) && in[0] == strlen(PROTOCOL) &&
                   memcmp(in + 1, PROTOCOL, in[0]) == 0;

    (void)ssl;
    if (manner == CHOOSES_ODD) {
        *out = (const unsigned char *)"h2";
        *out_len = 2;
        return SSL_TLSEXT_ERR_OK;
    }
    *out = in + 1;
    *out_len = in[0];
    return manner == AGREES && offered ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    enum manner manner = *(enum manner *)arg;

    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return manner != NO_SUCH && name != NULL && strcmp(name, NAME) == 0
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void serve_tls(int fd, enum manner manner)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = NULL;

    SSL_CTX_use_certificate(ctx, leaf.cert);
    SSL_CTX_use_PrivateKey(ctx, leaf.key);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, &manner);
    if (manner != KNOWS_NONE) {
        SSL_CTX_set_alpn_select_cb(ctx, on_protocol, &manner);
    }
    ssl = SSL_new(ctx);
    if (SSL_set_fd(ssl, fd) == 1) {
        (void)!SSL_accept(ssl);
    }
}

static void serve(int fd, enum manner manner)
{
    static const char http[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    char in[2048];

    switch (manner) {
    case SPEAKS_HTTP:
        (void)!read(fd, in, sizeof(in));
        (void)!write(fd, http, sizeof(http) - 1);
        break;
    case SPEAKS_SSH:
        (void)!write(fd, "SSH-2.0-test\r\n", 14);
        (void)!read(fd, in, sizeof(in));
        break;
    case HANGS_UP:
        (void)!read(fd, in, sizeof(in));
        break;
    case IS_SILENT:
        while (read(fd, in, sizeof(in)) > 0) {
        }
        break;
    default:
        serve_tls(fd, manner);
    }
    /* what was written must not be lost by a reset */
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, in, sizeof(in)) > 0) {
    }
}

struct server {
    pid_t pid;
    unsigned port;
};

static struct server start(enum manner manner, bool ipv6)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *address = ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t len = ipv6 ? sizeof(six) : sizeof(four);
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    struct server s = {0, 0};

    if (fd < 0 || bind(fd, address, len) != 0 || getsockname(fd, address, &len) != 0 ||
        (manner != IS_CLOSED && listen(fd, 8) != 0)) {
        abort();
    }
    s.port = ntohs(ipv6 ? six.sin6_port : four.sin_port);
    (void)fflush(stdout);
    s.pid = manner != IS_CLOSED ? fork() : 0;
    if (manner != IS_CLOSED && s.pid == 0) {
        int got = -1;

        (void)signal(SIGPIPE, SIG_IGN);
        while ((got = accept(fd, NULL, NULL)) >= 0) {
            serve(got, manner);
            close(got);
        }
        _exit(0);
    }
    close(fd);
    return s;
}

static void stop(const struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
}

/* ---- the client ---- */

struct got {
    int calls;
    bool replied, has_cert, agreed;
    int alert;
    char greeting[HC_HANDSHAKE_GREETING];
    struct hc_error err;
};

static void on_done(void *arg, const struct hc_handshake_reply *reply, const struct hc_error *err)
{
    struct got *got = arg;

    got->calls++;
    got->replied = reply != NULL;
    if (reply == NULL) {
        got->err = *err;
        return;
    }
    got->has_cert = reply->cert != NULL;
    got->agreed = reply->agreed;
    got->alert = reply->alert;
    (void)snprintf(got->greeting, sizeof(got->greeting), "%s", reply->greeting);
}

static int64_t ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t ask(unsigned port, bool ipv6, int64_t timeout_ms, const char *name, struct got *got)
{
    const struct hc_handshake_port *handshake = hc_handshakes_port(handshakes);
    struct hc_address address;
    struct hc_handshake_ask what = {.address = &address,
                                    .port = port,
                                    .server_name = name,
                                    .protocol = PROTOCOL,
                                    .timeout_ms = timeout_ms};
    struct hc_error err;
    uint64_t id = 0;

    hc_error_init(&err);
    memset(got, 0, sizeof(*got));
    hc_error_init(&got->err);
    if (hc_address_parse(ipv6 ? "::1" : "127.0.0.1", &address) != 0) {
        abort();
    }
    is_int(handshake->ask(handshake->self, &what, on_done, got, &id, &err), 0, "it is asked");
    is_int(got->calls, 0, "and nothing is said from within");
    return id;
}

static void run_until(const struct got *got, int calls, int64_t most)
{
    int64_t until = ms() + most;

    while (got->calls < calls && ms() < until) {
        if (hc_loop_pass(loop, 100, NULL) != 0) {
            abort();
        }
    }
}

static struct got ask_one(enum manner manner, bool ipv6, int64_t timeout_ms)
{
    struct server s = start(manner, ipv6);
    struct got got;

    (void)ask(s.port, ipv6, timeout_ms, NAME, &got);
    run_until(&got, 1, 30000);
    is_int(got.calls, 1, "the end is told once");
    stop(&s);
    return got;
}

/* ---- what comes of each ---- */

static void servers_that_speak_TLS(void)
{
    struct got got = ask_one(AGREES, false, 20000);

    ok(got.replied && got.has_cert && got.agreed, "one that agrees: its certificate, and the word");
    got = ask_one(AGREES, true, 20000);
    ok(got.has_cert && got.agreed, "the same over IPv6");
    got = ask_one(KNOWS_NONE, false, 20000);
    ok(got.has_cert && !got.agreed, "one that knows no protocols: its certificate alone");
    got = ask_one(REFUSES, false, 20000);
    ok(got.replied && !got.has_cert, "one that refuses sends no certificate");
    is_int(got.alert, SSL_AD_NO_APPLICATION_PROTOCOL, "but this alert");
    got = ask_one(NO_SUCH, false, 20000);
    is_int(got.alert, SSL_AD_UNRECOGNIZED_NAME, "one that does not know the name");
    got = ask_one(CHOOSES_ODD, false, 20000);
    ok(got.replied && !got.has_cert, "one that chooses what was not offered");
    is_int(got.alert, HC_HANDSHAKE_ODD, "is called odd");
}

static void the_name_is_sent(void)
{
    struct server s = start(AGREES, false);
    struct got got;

    (void)ask(s.port, false, 20000, "b.test", &got);
    run_until(&got, 1, 30000);
    is_int(got.alert, SSL_AD_UNRECOGNIZED_NAME, "another name meets with another answer");
    stop(&s);
}

static void servers_that_do_not(void)
{
    struct got got = ask_one(SPEAKS_HTTP, false, 20000);

    is_int(got.alert, HC_HANDSHAKE_FOREIGN, "plain HTTP is no TLS");
    is_str(got.greeting, "HTTP/1.1 400 Ba", "and is told by its first bytes");
    got = ask_one(SPEAKS_SSH, false, 20000);
    is_int(got.alert, HC_HANDSHAKE_FOREIGN, "nor is SSH");
    is_str(got.greeting, "SSH-2.0-test", "whose line ends before the room does");
    got = ask_one(HANGS_UP, false, 20000);
    ok(!got.replied, "one that hangs up");
    is_int(got.err.problem, HC_P_FETCH_FAILED, "has failed");
    got = ask_one(IS_CLOSED, false, 20000);
    ok(!got.replied, "a port where nobody listens");
    is_int(got.err.problem, HC_P_FETCH_FAILED, "has failed, too");
    ok(strstr(got.err.detail, "refused") != NULL, "and says so");
    got = ask_one(IS_SILENT, false, 200);
    ok(!got.replied, "one that says nothing");
    is_int(got.err.problem, HC_P_FETCH_TIMEOUT, "is waited for so long");
    ok(strstr(got.err.detail, "TLS handshake") != NULL, "with the connection open");
}

static void what_is_cancelled_says_nothing(void)
{
    const struct hc_handshake_port *port = hc_handshakes_port(handshakes);
    struct server s = start(IS_SILENT, false);
    struct got first;
    struct got second;
    uint64_t id = ask(s.port, false, 20000, NAME, &first);

    ok(id != 0, "it has a number");
    port->cancel(port->self, id);
    port->cancel(port->self, id + 100);
    (void)ask(s.port, false, 300, NAME, &second);
    run_until(&second, 1, 30000);
    is_int(first.calls, 0, "cancelled: nothing is told");
    is_int(second.calls, 1, "the next one is");
    (void)ask(s.port, false, 20000, NAME, &first);
    hc_handshakes_free(handshakes);
    is_int(first.calls, 0, "nor of those that end with all");
    is_int(hc_handshakes_new(loop, &handshakes, NULL), 0, "new ones");
    hc_handshakes_free(NULL);
    stop(&s);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    leaf = forge(&(struct forge){.name = NAME, .sans = "DNS:" NAME});
    if (hc_loop_new(&hc_clock_system, &loop, NULL) != 0 ||
        hc_handshakes_new(loop, &handshakes, NULL) != 0) {
        return 99;
    }
    servers_that_speak_TLS();
    the_name_is_sent();
    servers_that_do_not();
    what_is_cancelled_says_nothing();
    hc_handshakes_free(handshakes);
    hc_loop_free(loop);
    forged_free(&leaf);
    return done();
}
