/*
 * An HTTP server for tests of the client: one process, a child for each connection, answers by
 * path. With a forged certificate it speaks TLS. It ends with http_server_stop(), its children with
 * it.
 *
 *   /ok           "hello" with the ACME headers      /host      the Host header it was asked with
 *   /status/N     that status                        /size/N    a body of N bytes, chunked
 *   /said/N       Content-Length N and no more       /cut       half of what was promised
 *   /slow         a byte every 100 ms, for ever      /hang      nothing at all
 *   /headers/N    N bytes of headers                 /to?URL    302 to URL
 *   /echo         method, headers and body as sent   /interim   103 with headers, then 200
 */
#ifndef HC_T_HTTP_SERVER_H
#define HC_T_HTTP_SERVER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forge.h"

struct http_server {
    pid_t pid;
    int port;
    int fd;
};

struct http_peer {
    int fd;
    SSL *ssl;
};

static inline bool peer_write(struct http_peer *p, const char *text, size_t len)
{
    while (len > 0) {
        long n = p->ssl != NULL ? SSL_write(p->ssl, text, (int)len) : write(p->fd, text, len);

        if (n <= 0) {
            return false;
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool peer_puts(struct http_peer *p, const char *text)
{
    return peer_write(p, text, strlen(text));
}

/* A whole request with its body; false at the end. */
static inline bool peer_read(struct http_peer *p, char *dst, size_t cap)
{
    size_t used = 0;

    for (;;) {
        char *end = NULL;
        long n = p->ssl != NULL ? SSL_read(p->ssl, dst + used, (int)(cap - used - 1))
                                : read(p->fd, dst + used, cap - used - 1);

        if (n <= 0) {
            return false;
        }
        used += (size_t)n;
        dst[used] = '\0';
        end = strstr(dst, "\r\n\r\n");
        if (end != NULL) {
            const char *length = strcasestr(dst, "content-length:");
            size_t want = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;

            if (used >= (size_t)(end + 4 - dst) + want) {
                return true;
            }
        }
    }
}

static inline void peer_text(struct http_peer *p, const char *status, const char *headers,
                             const char *body)
{
    char head[4096];

    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    if (peer_puts(p, head)) {
        (void)peer_puts(p, body);
    }
}

static inline void peer_bytes(struct http_peer *p, size_t n)
{
    static char piece[4096];
    char head[32];

    memset(piece, 'a', sizeof(piece));
    (void)peer_puts(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (n > 0) {
        size_t now = n < sizeof(piece) ? n : sizeof(piece);

        snprintf(head, sizeof(head), "%zx\r\n", now);
        if (!peer_puts(p, head) || !peer_write(p, piece, now) || !peer_puts(p, "\r\n")) {
            return;
        }
        n -= now;
    }
    (void)peer_puts(p, "0\r\n\r\n");
}

/* The paths that end a connection in their own way; false: it is none of them. */
static inline bool peer_misbehave(struct http_peer *p, const char *path)
{
    char head[128];

    if (strncmp(path, "/said/", 6) == 0) {
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n",
                 strtoul(path + 6, NULL, 10));
        (void)peer_puts(p, head);
    } else if (strcmp(path, "/cut") == 0) {
        (void)peer_puts(p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    } else if (strcmp(path, "/slow") == 0) {
        (void)peer_puts(p, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while (peer_puts(p, "a")) {
            usleep(100000);
        }
    } else if (strcmp(path, "/hang") == 0) {
        sleep(30);
    } else if (strncmp(path, "/headers/", 9) == 0) {
        (void)peer_puts(p, "HTTP/1.1 200 OK\r\n");
        for (unsigned long n = strtoul(path + 9, NULL, 10); n > 60; n -= 60) {
            if (!peer_puts(p, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")) {
                return true;
            }
        }
        (void)peer_puts(p, "Content-Length: 0\r\n\r\n");
    } else {
        return false;
    }
    return true;
}

static inline bool peer_answer(struct http_peer *p, char *request)
{
    static char copy[16384];
    char path[2048] = "";
    char text[2200];

    snprintf(copy, sizeof(copy), "%s", request);
    if (sscanf(request, "%*s %2047s", path) != 1) {
        return false;
    }
    if (peer_misbehave(p, path)) {
        return false;
    }
    if (strncmp(path, "/status/", 8) == 0) {
        peer_text(p, path + 8, "", "status");
    } else if (strncmp(path, "/size/", 6) == 0) {
        peer_bytes(p, strtoul(path + 6, NULL, 10));
    } else if (strncmp(path, "/to?", 4) == 0) {
        snprintf(text, sizeof(text), "Location: %s\r\n", path + 4);
        peer_text(p, "302 Found", text, "elsewhere");
    } else if (strcmp(path, "/host") == 0) {
        char *host = strcasestr(request, "host: ");

        snprintf(text, sizeof(text), "%.*s", host != NULL ? (int)strcspn(host + 6, "\r") : 0,
                 host != NULL ? host + 6 : "");
        peer_text(p, "200 OK", "", text);
    } else if (strcmp(path, "/echo") == 0) {
        peer_text(p, "200 OK", "", copy);
    } else if (strcmp(path, "/interim") == 0) {
        (void)peer_puts(p, "HTTP/1.1 103 Early Hints\r\nLocation: /early\r\n\r\n");
        peer_text(p, "200 OK", "", "late");
    } else if (strncmp(request, "HEAD", 4) == 0) {
        (void)peer_puts(p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nReplay-Nonce: n1\r\n\r\n");
    } else {
        peer_text(p, "200 OK",
                  "Content-Type: text/x-test\r\nReplay-Nonce: n2\r\nRetry-After: 5\r\n"
                  "Link: <https://ca.test/1>;rel=\"up\"\r\nLocation: https://ca.test/2\r\n",
                  "hello");
    }
    return true;
}

static inline void http_server_child(int fd, SSL_CTX *ctx)
{
    static char request[16384];
    struct http_peer p = {fd, NULL};

    if (ctx != NULL) {
        p.ssl = SSL_new(ctx);
        if (SSL_set_fd(p.ssl, fd) != 1 || SSL_accept(p.ssl) != 1) {
            _exit(1);
        }
    }
    while (peer_read(&p, request, sizeof(request)) && peer_answer(&p, request)) {
    }
    close(fd);
    _exit(0);
}

/* with: its certificate and key, or NULL for plain HTTP. */
static inline void http_server_start(struct http_server *s, const struct forged *with)
{
    struct sockaddr_in a = {0};
    socklen_t len = sizeof(a);
    SSL_CTX *ctx = NULL;

    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&a, &len) != 0) {
        abort();
    }
    s->port = ntohs(a.sin_port);
    fflush(stdout);
    s->pid = fork();
    (void)setpgid(s->pid, s->pid);
    if (s->pid != 0) {
        close(s->fd);
        return;
    }
    (void)setpgid(0, 0);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (with != NULL) {
        ctx = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate(ctx, with->cert) != 1 ||
            SSL_CTX_use_PrivateKey(ctx, with->key) != 1) {
            _exit(1);
        }
    }
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);

        if (fd >= 0 && fork() == 0) {
            http_server_child(fd, ctx);
        }
        close(fd);
    }
}

static inline void http_server_stop(struct http_server *s)
{
    /* its process group: the children of its connections too */
    kill(-s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

#endif
