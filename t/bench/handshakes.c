/*
 * A TLS client that puts a server under load and counts what goes wrong. Lanes make full handshakes
 * one after the other, held connections stay open and ask for a page over and over. At the end one
 * line of JSON: how many of each, how many failed, which serials were seen.
 *
 * A handshake that completes proves by itself that key and certificate belong together: the server
 * signed with the key. So "wrong" only has to count certificates that do not cover the name asked
 * for, and, with --ca, those that do not verify.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LANES_MAX   32
#define HELD_MAX    1000
#define SNI_MAX     1000
#define SERIALS_MAX 20000
#define SERIAL_TEXT 44

struct options {
    int port;
    int lanes;
    int held;
    long count; /* handshakes in all; 0: until seconds are over or SIGTERM */
    double seconds;
    int pause_ms;       /* between two requests of one held connection */
    char *sni[SNI_MAX]; /* not const: OpenSSL's macros take them without */
    size_t sni_count;
    const char *ca;
    int version; /* TLS1_2_VERSION, TLS1_3_VERSION, 0: any */
    char *sigalgs;
    const char *ciphers;
    char *groups;
};

static struct options opt = {.lanes = 1, .pause_ms = 50};
static atomic_bool stopping;
static atomic_long started, handshakes, failed, wrong, requests, dropped, held_failed;

/* Serials seen, and the first few reasons for failures. */
static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char text[SERIAL_TEXT];
    long count;
} serials[SERIALS_MAX];
static size_t serial_count;
static char reasons[8][160];
static size_t reason_count;

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_signal(int sig)
{
    (void)sig;
    atomic_store(&stopping, true);
}

static void note_reason(const char *what)
{
    const char *detail = ERR_reason_error_string(ERR_peek_error());
    char line[sizeof(reasons[0])];

    (void)snprintf(line, sizeof(line), "%s: %s", what, detail != NULL ? detail : strerror(errno));
    ERR_clear_error();
    (void)pthread_mutex_lock(&notes_lock);
    for (size_t i = 0; i < reason_count; i++) {
        if (strcmp(reasons[i], line) == 0) {
            goto out;
        }
    }
    if (reason_count < sizeof(reasons) / sizeof(reasons[0])) {
        memcpy(reasons[reason_count++], line, sizeof(line));
    }
out:
    (void)pthread_mutex_unlock(&notes_lock);
}

static void note_serial(const X509 *x)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;
    size_t i;

    if (hex == NULL) {
        BN_free(bn);
        return;
    }
    (void)pthread_mutex_lock(&notes_lock);
    for (i = serial_count; i > 0; i--) { /* the newest is the likeliest */
        if (strcmp(serials[i - 1].text, hex) == 0) {
            serials[i - 1].count++;
            break;
        }
    }
    if (i == 0 && serial_count < SERIALS_MAX) {
        (void)snprintf(serials[serial_count].text, SERIAL_TEXT, "%s", hex);
        serials[serial_count++].count = 1;
    }
    (void)pthread_mutex_unlock(&notes_lock);
    OPENSSL_free(hex);
    BN_free(bn);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 10};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)opt.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Counts what is wrong with the certificate that came. */
static void judge(SSL *ssl, const char *sni)
{
    X509 *x = SSL_get0_peer_certificate(ssl);

    if (x == NULL || X509_check_host(x, sni, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1) {
        atomic_fetch_add(&wrong, 1);
        note_reason("the certificate does not cover the name");
        return;
    }
    if (opt.ca != NULL && SSL_get_verify_result(ssl) != X509_V_OK) {
        atomic_fetch_add(&wrong, 1);
        note_reason(X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    }
    note_serial(x);
}

/* One connection with its handshake done, or NULL (counted and noted). */
static SSL *connect_one(SSL_CTX *ctx, char *sni)
{
    int fd = dial();
    SSL *ssl = NULL;

    if (fd < 0) {
        note_reason("connect");
        return NULL;
    }
    ssl = SSL_new(ctx);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, sni) != 1) {
        note_reason("set up");
        goto fail;
    }
    errno = 0;
    if (SSL_connect(ssl) != 1) {
        note_reason("handshake");
        goto fail;
    }
    return ssl;
fail:
    SSL_free(ssl);
    (void)close(fd);
    return NULL;
}

/* Ends a connection from this side and waits until the server did too, so that its work is done. */
static void hang_up(SSL *ssl)
{
    char rest[512];
    int fd = SSL_get_fd(ssl);

    (void)SSL_shutdown(ssl);
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof(rest)) > 0) {
    }
    SSL_free(ssl);
    ERR_clear_error();
    (void)close(fd);
}

static void *run_lane(void *arg)
{
    SSL_CTX *ctx = (SSL_CTX *)arg;

    while (!atomic_load(&stopping)) {
        long n = atomic_fetch_add(&started, 1);
        char *sni = opt.sni[(size_t)n % opt.sni_count];
        SSL *ssl;

        if (opt.count > 0 && n >= opt.count) {
            break;
        }
        ssl = connect_one(ctx, sni);
        if (ssl == NULL) {
            atomic_fetch_add(&failed, 1);
            continue;
        }
        atomic_fetch_add(&handshakes, 1);
        judge(ssl, sni);
        hang_up(ssl);
    }
    return NULL;
}

/* One request and its whole reply on a held connection; false: the connection is gone. */
static bool ask(SSL *ssl, const char *sni)
{
    char buf[4096];
    int len = snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", sni);
    int have = 0;

    errno = 0;
    if (SSL_write(ssl, buf, len) != len) {
        return false;
    }
    for (;;) {
        int n = SSL_read(ssl, buf + have, (int)sizeof(buf) - 1 - have);
        const char *end, *length;

        if (n <= 0) {
            return false;
        }
        have += n;
        buf[have] = '\0';
        end = strstr(buf, "\r\n\r\n");
        length = strcasestr(buf, "\r\nContent-Length:");
        if (end != NULL &&
            have >= (end - buf) + 4 + (length != NULL ? strtol(length + 17, NULL, 10) : 0)) {
            return true;
        }
    }
}

static void *run_held(void *arg)
{
    static SSL *held[HELD_MAX];
    SSL_CTX *ctx = (SSL_CTX *)arg;

    for (int i = 0; i < opt.held && !atomic_load(&stopping); i++) {
        held[i] = connect_one(ctx, opt.sni[(size_t)i % opt.sni_count]);
        if (held[i] == NULL) {
            atomic_fetch_add(&held_failed, 1);
        }
    }
    while (!atomic_load(&stopping)) {
        for (int i = 0; i < opt.held && !atomic_load(&stopping); i++) {
            char *sni = opt.sni[(size_t)i % opt.sni_count];

            if (held[i] == NULL) { /* it was dropped: a client would come back */
                held[i] = connect_one(ctx, sni);
                continue;
            }
            if (ask(held[i], sni)) {
                atomic_fetch_add(&requests, 1);
                continue;
            }
            atomic_fetch_add(&dropped, 1);
            note_reason("held connection");
            (void)close(SSL_get_fd(held[i]));
            SSL_free(held[i]);
            held[i] = NULL;
        }
        (void)poll(NULL, 0, opt.pause_ms);
    }
    for (int i = 0; i < opt.held; i++) {
        if (held[i] != NULL) { /* a server in trouble is not waited for twenty times */
            (void)close(SSL_get_fd(held[i]));
            SSL_free(held[i]);
        }
    }
    return NULL;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL) {
        return NULL;
    }
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (opt.version != 0 && (SSL_CTX_set_min_proto_version(ctx, opt.version) != 1 ||
                             SSL_CTX_set_max_proto_version(ctx, opt.version) != 1)) {
        goto fail;
    }
    if (opt.sigalgs != NULL && SSL_CTX_set1_sigalgs_list(ctx, opt.sigalgs) != 1) {
        goto fail;
    }
    if (opt.ciphers != NULL && SSL_CTX_set_cipher_list(ctx, opt.ciphers) != 1) {
        goto fail;
    }
    if (opt.groups != NULL && SSL_CTX_set1_groups_list(ctx, opt.groups) != 1) {
        goto fail;
    }
    if (opt.ca != NULL && SSL_CTX_load_verify_file(ctx, opt.ca) != 1) {
        goto fail;
    }
    return ctx;
fail:
    ERR_print_errors_fp(stderr);
    SSL_CTX_free(ctx);
    return NULL;
}

static void report(double seconds)
{
    printf("{\"handshakes\":%ld,\"failed\":%ld,\"wrong\":%ld,\"held\":%d,\"held_failed\":%ld,"
           "\"requests\":%ld,\"dropped\":%ld,\"seconds\":%.3f,\"serials\":{",
           atomic_load(&handshakes), atomic_load(&failed), atomic_load(&wrong), opt.held,
           atomic_load(&held_failed), atomic_load(&requests), atomic_load(&dropped), seconds);
    for (size_t i = 0; i < serial_count; i++) {
        printf("%s\"%s\":%ld", i > 0 ? "," : "", serials[i].text, serials[i].count);
    }
    printf("},\"reasons\":[");
    for (size_t i = 0; i < reason_count; i++) {
        printf("%s\"%s\"", i > 0 ? "," : "", reasons[i]);
    }
    printf("]}\n");
}

static void parse_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"port", required_argument, NULL, 'p'},
        {"lanes", required_argument, NULL, 'l'},
        {"hold", required_argument, NULL, 'h'},
        {"count", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 's'},
        {"pause", required_argument, NULL, 'w'},
        {"sni", required_argument, NULL, 'i'},
        {"ca", required_argument, NULL, 'c'},
        {"tls", required_argument, NULL, 't'},
        {"sigalgs", required_argument, NULL, 'a'},
        {"ciphers", required_argument, NULL, 'x'},
        {"groups", required_argument, NULL, 'g'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'p':
            opt.port = atoi(optarg);
            break;
        case 'l':
            opt.lanes = atoi(optarg);
            break;
        case 'h':
            opt.held = atoi(optarg);
            break;
        case 'n':
            opt.count = atol(optarg);
            break;
        case 's':
            opt.seconds = atof(optarg);
            break;
        case 'w':
            opt.pause_ms = atoi(optarg);
            break;
        case 'i':
            if (opt.sni_count < SNI_MAX) {
                opt.sni[opt.sni_count++] = optarg;
            }
            break;
        case 'c':
            opt.ca = optarg;
            break;
        case 't':
            opt.version = strcmp(optarg, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
            break;
        case 'a':
            opt.sigalgs = optarg;
            break;
        case 'x':
            opt.ciphers = optarg;
            break;
        case 'g':
            opt.groups = optarg;
            break;
        default:
            exit(64);
        }
    }
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_signal};
    pthread_t lanes[LANES_MAX], holder;
    double began = now();
    SSL_CTX *ctx;

    parse_options(argc, argv);
    if (opt.port <= 0 || opt.lanes < 0 || opt.lanes > LANES_MAX || opt.held < 0 ||
        opt.held > HELD_MAX || opt.sni_count == 0) {
        fprintf(stderr, "usage: handshakes --port N --sni NAME.. [--lanes N] [--hold N] [--count N]"
                        " [--seconds S] [--pause MS] [--ca FILE] [--tls 1.2|1.3] [--sigalgs LIST]"
                        " [--ciphers LIST] [--groups LIST]\n");
        return 64;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGINT, &act, NULL);
    ctx = make_context();
    if (ctx == NULL) {
        return 1;
    }
    if (opt.held > 0 && pthread_create(&holder, NULL, run_held, ctx) != 0) {
        return 1;
    }
    for (int i = 0; i < opt.lanes; i++) {
        if (pthread_create(&lanes[i], NULL, run_lane, ctx) != 0) {
            return 1;
        }
    }
    while (!atomic_load(&stopping) && (opt.seconds <= 0 || now() - began < opt.seconds) &&
           (opt.count == 0 || atomic_load(&started) < opt.count + opt.lanes)) {
        (void)poll(NULL, 0, 10);
    }
    if (opt.count == 0 || opt.lanes == 0) {
        atomic_store(&stopping, true);
    }
    for (int i = 0; i < opt.lanes; i++) {
        (void)pthread_join(lanes[i], NULL);
    }
    atomic_store(&stopping, true);
    if (opt.held > 0) {
        (void)pthread_join(holder, NULL);
    }
    report(now() - began);
    SSL_CTX_free(ctx);
    return 0;
}
