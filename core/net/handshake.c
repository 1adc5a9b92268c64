/* TLS handshakes over the loop; see handshake.h. */
#include "net/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/timer.h"

#define NAME     "handshakes"
#define PROTOCOL 32
#define RECEIVED 16384 /* bytes at once */

struct handshake {
    LIST_ENTRY(handshake) link;
    struct hc_handshakes *all;
    uint64_t id;
    struct hc_loop_fd guest;
    struct hc_timer timer;
    bool connected;
    char greeting[HC_HANDSHAKE_GREETING]; /* the first bytes that came */
    SSL *ssl;
    struct hc_error failed; /* before there was anything to wait for */
    hc_handshake_done *done;
    void *arg;
};

struct hc_handshakes {
    struct hc_handshake_port port;
    struct hc_loop *loop;
    SSL_CTX *ctx;
    LIST_HEAD(, handshake) list;
    uint64_t last_id;
};

static void handshake_free(struct handshake *h)
{
    hc_timer_stop(&h->timer);
    hc_loop_fd_remove(&h->guest);
    LIST_REMOVE(h, link);
    SSL_free(h->ssl);
    if (h->guest.fd >= 0) {
        close(h->guest.fd);
    }
    free(h);
}

/* The last thing that a callback does; h is gone. */
static void finish(struct handshake *h, const struct hc_handshake_reply *reply,
                   const struct hc_error *err)
{
    hc_handshake_done *done = h->done;
    void *arg = h->arg;

    handshake_free(h);
    done(arg, reply, err);
}

static void fail(struct handshake *h, enum hc_problem p, const char *why)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, p, NULL, "%s", why);
    finish(h, NULL, &err);
}

/* ---- TLS ---- */

/*
 * Hands to libssl what came. The first bytes are kept: of what does not speak TLS they tell who
 * that is.
 */
static void receive(struct handshake *h)
{
    BIO *in = SSL_get_rbio(h->ssl);
    char bytes[RECEIVED];
    ssize_t len = recv(h->guest.fd, bytes, sizeof(bytes), 0);
    size_t used = strlen(h->greeting);

    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0 || BIO_write(in, bytes, (int)len) != (int)len) {
        BIO_set_mem_eof_return(in, 0);
        return;
    }
    for (ssize_t i = 0; i < len && used + 1 < sizeof(h->greeting) && bytes[i] != '\0'; i++) {
        h->greeting[used++] = bytes[i];
    }
}

static void succeed(struct handshake *h)
{
    struct hc_handshake_reply reply = {.cert = SSL_get1_peer_certificate(h->ssl), .greeting = ""};
    const unsigned char *protocol = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(h->ssl, &protocol, &len);
    reply.agreed = len > 0;
    if (reply.cert == NULL) {
        fail(h, HC_P_FETCH_FAILED, "it sends no certificate");
        return;
    }
    finish(h, &reply, NULL);
    X509_free(reply.cert);
}

/* OpenSSL's reasons from its thousandth on are the alerts that came. */
static void refused(struct handshake *h)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    struct hc_handshake_reply reply = {.alert = reason - SSL_AD_REASON_OFFSET, .greeting = ""};

    ERR_clear_error();
    if (code != 0 && ERR_GET_LIB(code) == ERR_LIB_SSL && reply.alert >= 0 && reply.alert < 256) {
        finish(h, &reply, NULL);
    } else if (reason == SSL_R_BAD_EXTENSION) {
        reply.alert = HC_HANDSHAKE_ODD;
        finish(h, &reply, NULL);
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
               reason == SSL_R_HTTP_REQUEST) {
        char greeting[HC_HANDSHAKE_GREETING]; /* h is gone when it is read */

        (void)hc_copy(greeting, sizeof(greeting), h->greeting);
        greeting[strcspn(greeting, "\r\n")] = '\0';
        reply.alert = HC_HANDSHAKE_FOREIGN;
        reply.greeting = greeting;
        finish(h, &reply, NULL);
    } else {
        fail(h, HC_P_FETCH_FAILED, "the connection ended within the TLS handshake");
    }
}

static void shake(struct handshake *h)
{
    struct hc_error err;
    unsigned events = 0;
    int rc = SSL_connect(h->ssl);

    hc_error_init(&err);
    if (rc == 1) {
        succeed(h);
        return;
    }
    switch (SSL_get_error(h->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        events = HC_LOOP_READ;
        break;
    case SSL_ERROR_WANT_WRITE:
        events = HC_LOOP_WRITE;
        break;
    default:
        refused(h);
        return;
    }
    if (hc_loop_fd_change(&h->guest, events, &err) != 0) {
        finish(h, NULL, &err);
    }
}

static void on_ready(void *self, unsigned events)
{
    struct handshake *h = self;
    int failed = 0;
    socklen_t len = sizeof(failed);

    ERR_clear_error();
    if (!h->connected) {
        if (getsockopt(h->guest.fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0) {
            failed = errno;
        }
        if (failed != 0) {
            fail(h, HC_P_FETCH_FAILED, strerror(failed));
            return;
        }
        h->connected = true;
    } else if ((events & HC_LOOP_READ) != 0) {
        receive(h);
    }
    shake(h);
}

static void on_time(void *self)
{
    struct handshake *h = self;

    if (hc_error_is_set(&h->failed)) {
        struct hc_error err = h->failed;

        finish(h, NULL, &err);
        return;
    }
    fail(h, HC_P_FETCH_TIMEOUT,
         h->connected ? "no answer to the TLS handshake" : "no answer to the connection");
}

/* ---- asking ---- */

static void cancel(void *self, uint64_t id)
{
    struct hc_handshakes *all = self;
    struct handshake *h = NULL;

    LIST_FOREACH(h, &all->list, link)
    {
        if (h->id == id) {
            handshake_free(h);
            return;
        }
    }
}

static int connect_to(const struct handshake *h, const struct hc_handshake_ask *ask)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)ask->port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ask->port)};
    bool ipv6 = ask->address->ipv6;

    memcpy(&six.sin6_addr, ask->address->octets, sizeof(six.sin6_addr));
    memcpy(&four.sin_addr, ask->address->octets, sizeof(four.sin_addr));
    return connect(h->guest.fd, ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
                   ipv6 ? sizeof(six) : sizeof(four)) == 0 ||
                   errno == EINPROGRESS
               ? 0
               : -1;
}

static bool offer(SSL *ssl, const struct hc_handshake_ask *ask)
{
    unsigned char list[1 + PROTOCOL];
    char name[256]; /* libssl's macro wants one that it might change */
    size_t len = strlen(ask->protocol);

    if (len == 0 || len > PROTOCOL || strlen(ask->server_name) >= sizeof(name)) {
        return false;
    }
    (void)hc_copy(name, sizeof(name), ask->server_name);
    list[0] = (unsigned char)len;
    memcpy(list + 1, ask->protocol, len);
    return SSL_set_alpn_protos(ssl, list, (unsigned)len + 1) == 0 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* What fails here is told from the loop, as all else. -1: there is nothing to tell it with. */
static int begin(struct handshake *h, const struct hc_handshake_ask *ask, struct hc_error *err)
{
    BIO *in = NULL;
    BIO *out = NULL;

    h->ssl = SSL_new(h->all->ctx);
    if (h->ssl == NULL || !offer(h->ssl, ask)) {
        ERR_clear_error();
        return hc_error_nomem(err);
    }
    h->guest.fd = socket(ask->address->ipv6 ? AF_INET6 : AF_INET,
                         SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (h->guest.fd < 0 || connect_to(h, ask) != 0) {
        hc_error_set(&h->failed, HC_P_FETCH_FAILED, NULL, "%s", strerror(errno));
        return 0;
    }
    in = BIO_new(BIO_s_mem());
    out = BIO_new_socket(h->guest.fd, BIO_NOCLOSE);
    if (in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        ERR_clear_error();
        return hc_error_nomem(err);
    }
    BIO_set_mem_eof_return(in, -1); /* there will be more */
    SSL_set_bio(h->ssl, in, out);
    return hc_loop_fd_add(h->all->loop, &h->guest, err);
}

static int ask_for(void *self, const struct hc_handshake_ask *ask, hc_handshake_done *done,
                   void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_handshakes *all = self;
    struct handshake *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        return hc_error_nomem(err);
    }
    h->all = all;
    h->id = ++all->last_id;
    h->done = done;
    h->arg = arg;
    h->guest =
        (struct hc_loop_fd){.fd = -1, .events = HC_LOOP_WRITE, .name = NAME, .ready = on_ready};
    h->guest.self = h;
    hc_error_init(&h->failed);
    hc_timer_init(&h->timer, all->loop, NAME, on_time, h);
    LIST_INSERT_HEAD(&all->list, h, link);
    if (begin(h, ask, err) != 0) {
        handshake_free(h);
        return -1;
    }
    hc_timer_in(&h->timer, hc_error_is_set(&h->failed) ? 0 : ask->timeout_ms);
    *id = h->id;
    return 0;
}

/* ---- life ---- */

int hc_handshakes_new(struct hc_loop *loop, struct hc_handshakes **out, struct hc_error *err)
{
    struct hc_handshakes *all = calloc(1, sizeof(*all));

    if (all == NULL) {
        return hc_error_nomem(err);
    }
    all->port = (struct hc_handshake_port){all, ask_for, cancel};
    all->loop = loop;
    LIST_INIT(&all->list);
    all->ctx = SSL_CTX_new(TLS_client_method());
    if (all->ctx == NULL) {
        free(all);
        ERR_clear_error();
        return hc_error_nomem(err);
    }
    (void)SSL_CTX_set_min_proto_version(all->ctx, TLS1_2_VERSION);
    SSL_CTX_set_security_level(all->ctx, 0); /* to see what is there, however weak */
    SSL_CTX_set_read_ahead(all->ctx, 1);     /* the first line of what is no TLS comes whole */
    SSL_CTX_set_session_cache_mode(all->ctx, SSL_SESS_CACHE_OFF);
    *out = all;
    return 0;
}

void hc_handshakes_free(struct hc_handshakes *all)
{
    if (all == NULL) {
        return;
    }
    while (!LIST_EMPTY(&all->list)) {
        handshake_free(LIST_FIRST(&all->list));
    }
    SSL_CTX_free(all->ctx);
    free(all);
}

const struct hc_handshake_port *hc_handshakes_port(struct hc_handshakes *all)
{
    return &all->port;
}
