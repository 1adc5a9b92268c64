/*
 * `hotcert check --connect`: what a running server sends. It is not trusted: every wait ends, every
 * reply is bounded (libssl takes at most 100 KiB of certificates).
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/idn.h"
#include "base/io.h"
#include "base/time.h"
#include "cmd/check.h"
#include "cmd/smtp.h"
#include "conf/name.h"
#include "pki/chain.h"
#include "pki/openssl.h"

#define DEFAULT_PORT "443"
#define TIMEOUT_MS   10000

/* A connection with the time by which it has to be done. */
struct link {
    int fd;
    int64_t deadline; /* hc_now_ms() */
    const char *subject;
};

static int wait_for(const struct link *l, short events, struct hc_error *err)
{
    for (;;) {
        struct pollfd p = {.fd = l->fd, .events = events};
        int64_t left = l->deadline - hc_now_ms(&hc_clock_system);
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;

        if (n > 0) {
            return 0;
        }
        if (n == 0) {
            return hc_error_set(err, HC_P_HANDSHAKE_FAILED, l->subject, "no answer within %d s",
                                TIMEOUT_MS / 1000);
        }
        if (errno != EINTR) {
            return hc_error_set_errno(err, HC_P_SYSTEM, l->subject, errno, "waiting");
        }
    }
}

/* What became of a connection that was under way: 0, or an errno. */
static int socket_error(int fd)
{
    int failed = 0;
    socklen_t len = sizeof(failed);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 ? failed : errno;
}

static int connect_to(const struct addrinfo *a, struct link *l, struct hc_error *err)
{
    int failed = 0;

    l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, l->subject, errno, "making a socket");
    }
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
        failed = errno;
    } else if (wait_for(l, POLLOUT, err) != 0) {
        goto bad;
    } else {
        failed = socket_error(l->fd);
    }
    if (failed == 0) {
        return 0;
    }
    hc_error_set_errno(err, HC_P_HANDSHAKE_FAILED, l->subject, failed, "connecting");
bad:
    (void)close(l->fd);
    l->fd = -1;
    return -1;
}

int hc_check_split(const char *text, char host[HC_NAME_SIZE], char port[HC_CHECK_PORT],
                   struct hc_error *err)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(bracket != NULL ? bracket : text, ':');
    const char *from = text;
    size_t len = 0;

    if (strstr(text, "://") != NULL) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "it takes HOST or HOST:PORT, not a URL");
    }
    if (bracket == NULL && colon != NULL && strchr(colon + 1, ':') != NULL) {
        colon = NULL; /* an IPv6 address alone */
    }
    len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    if (len > 2 && bracket == text + len - 1) {
        from = text + 1;
        len -= 2;
    }
    if (len == 0 || len >= HC_NAME_SIZE ||
        !hc_copy(port, HC_CHECK_PORT, colon != NULL ? colon + 1 : DEFAULT_PORT) ||
        port[0] == '\0' || port[strspn(port, "0123456789")] != '\0') {
        return hc_error_set(
            err, HC_P_BAD_VALUE, text,
            "it takes HOST, HOST:PORT or [IPv6 address]:PORT; without a port, " DEFAULT_PORT
            " is asked");
    }
    if (atol(port) < 1 || atol(port) > 65535) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "a port is a number from 1 to 65535");
    }
    memcpy(host, from, len);
    host[len] = '\0';
    return 0;
}

static int open_link(const char *host, const char *port, struct link *l, struct hc_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    struct hc_error first = {0};
    int failed = getaddrinfo(host, port, &hints, &list);
    int rc = -1;

    if (failed != 0) {
        return hc_error_set(err, HC_P_HANDSHAKE_FAILED, host, "%s", gai_strerror(failed));
    }
    l->deadline = hc_now_ms(&hc_clock_system) + TIMEOUT_MS;
    for (const struct addrinfo *a = list; a != NULL && rc != 0; a = a->ai_next) {
        rc = connect_to(a, l, &first);
    }
    if (rc != 0) {
        hc_error_chain(err, &first);
    }
    freeaddrinfo(list);
    return rc;
}

static int say(const struct link *l, const char *text, struct hc_error *err)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = send(l->fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (wait_for(l, POLLOUT, err) != 0) {
                return -1;
            }
            continue;
        }
        if (n < 0) {
            return hc_error_set_errno(err, HC_P_HANDSHAKE_FAILED, l->subject, errno, "writing");
        }
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Byte by byte, so that nothing of what follows the last reply is taken away from TLS. */
static int start_tls(const struct link *l, struct hc_error *err)
{
    struct hc_smtp smtp = {0};

    while (smtp.step != HC_SMTP_READY) {
        unsigned char byte = 0;
        const char *answer = NULL;
        ssize_t n = recv(l->fd, &byte, 1, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (wait_for(l, POLLIN, err) != 0) {
                return -1;
            }
            continue;
        }
        if (n <= 0) {
            return hc_error_set(err, HC_P_HANDSHAKE_FAILED, l->subject,
                                "the server closed the connection before TLS");
        }
        if (hc_smtp_take(&smtp, byte, &answer, err) < 0 ||
            (answer != NULL && say(l, answer, err) != 0)) {
            return -1;
        }
    }
    return 0;
}

static int shake_hands(const struct link *l, SSL *ssl, struct hc_error *err)
{
    for (;;) {
        int rc = SSL_connect(ssl);
        int what = SSL_get_error(ssl, rc);

        if (rc == 1) {
            return 0;
        }
        if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) {
            return hc_error_set_openssl(err, HC_P_HANDSHAKE_FAILED, l->subject,
                                        "the TLS handshake failed");
        }
        if (wait_for(l, what == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, err) != 0) {
            return -1;
        }
    }
}

/* A client that connects and does not judge, with the name that a visitor would ask for. */
static SSL *make_client(SSL_CTX *ctx, const struct link *l, const char *sni)
{
    SSL *ssl = NULL;
    char name[HC_NAME_SIZE] = ""; /* libssl's macro casts const away */
    bool named = sni != NULL && hc_copy(name, sizeof(name), sni);

    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_security_level(ctx, 0);
    ssl = SSL_new(ctx);
    if (ssl != NULL && ((named && SSL_set_tlsext_host_name(ssl, name) != 1) ||
                        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) != 1 ||
                        SSL_set_fd(ssl, l->fd) != 1)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    return ssl;
}

/* The certificates as they came; order, strangers and roots are remarks on the server's chain. */
static int take_chain(SSL *ssl, struct hc_checked *checked, struct hc_error *err)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
    struct hc_pem_cert certs[HC_PEM_CERTS_MAX];
    STACK_OF(X509) *cleaned = sk_X509_new_null();
    size_t count = 0;
    int rc = -1;

    if (cleaned == NULL) {
        return hc_error_nomem(err);
    }
    if (sent == NULL || sk_X509_num(sent) == 0) {
        rc = hc_findings_add(&checked->findings, HC_P_CERTIFICATE_MISSING, "the server", err,
                             "it sends no certificate");
        goto out;
    }
    for (int i = 0; i < sk_X509_num(sent) && count < HC_PEM_CERTS_MAX; i++, count++) {
        certs[count] = (struct hc_pem_cert){sk_X509_value(sent, i), 0, count};
    }
    if (hc_chain_build(&(struct hc_chain_source){certs, count, 0, NULL}, cleaned,
                       &checked->findings, err) != 0) {
        goto out;
    }
    checked->leaf = sk_X509_value(sent, 0);
    X509_up_ref(checked->leaf);
    checked->chain = X509_chain_up_ref(sent);
    if (checked->chain == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    X509_free(sk_X509_shift(checked->chain));
    rc = 0;
out:
    sk_X509_pop_free(cleaned, X509_free);
    return rc;
}

static bool has_staple(SSL *ssl)
{
    const unsigned char *staple = NULL;

    return SSL_get_tlsext_status_ocsp_resp(ssl, &staple) > 0;
}

static int fetch_chain(const struct link *l, const char *sni, struct hc_checked *checked,
                       struct hc_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? make_client(ctx, l, sni) : NULL;
    int rc = -1;

    if (ssl == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, l->subject, "setting up a client");
    } else if (shake_hands(l, ssl, err) == 0) {
        checked->stapled = has_staple(ssl);
        rc = take_chain(ssl, checked, err);
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

int hc_check_connect(struct hc_check_run_state *run, struct hc_error *err)
{
    const struct hc_check_options *o = run->options;
    struct link l = {.fd = -1, .subject = o->connect};
    struct hc_checked checked = {0};
    struct hc_list names = {0};
    char host[HC_NAME_SIZE];
    char name[HC_NAME_SIZE];
    char port[HC_CHECK_PORT];
    const char *wanted = NULL;
    bool named = false;
    int rc = -1;

    (void)signal(SIGPIPE, SIG_IGN); /* libssl writes to whom has gone */
    if (hc_check_split(o->connect, host, port, err) != 0 ||
        (!hc_idn_is_ascii(host) && hc_name_normalise(host, host, err) != 0) ||
        open_link(host, port, &l, err) != 0 || (o->smtp && start_tls(&l, err) != 0)) {
        goto out;
    }
    wanted = o->sni != NULL ? o->sni : host;
    named = hc_name_normalise(wanted, name, NULL) == 0;
    wanted = named && !hc_idn_is_ascii(wanted) ? name : wanted;
    if (fetch_chain(&l, named && hc_name_is_ip(name) ? NULL : wanted, &checked, err) != 0) {
        goto out;
    }
    if (o->names.count == 0 && named && hc_list_add(&names, name, err) != 0) {
        goto out;
    }
    checked.names = o->names.count > 0 ? NULL : &names;
    rc = hc_check_conclude(run, o->connect, NULL, &checked, err);
out:
    hc_io_close(l.fd);
    hc_list_dispose(&names);
    hc_checked_dispose(&checked);
    return rc;
}
