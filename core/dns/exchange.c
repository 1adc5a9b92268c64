/* One question to one server over one socket, RFC 1035 section 4.2, RFC 7766; see exchange.h. */
#include "dns/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Datagrams that are looked at in one step; what is forged must not keep the thread. */
#define DATAGRAMS 32

static int send_query(struct hc_exchange *x, struct hc_error *err)
{
    /* a datagram goes without the length */
    size_t skip = x->tcp ? 0 : 2;

    while (x->sent < x->out_len) {
        size_t from = x->sent > skip ? x->sent : skip;
        ssize_t n = send(x->fd, x->out + from, x->out_len - from, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && x->tcp) {
            return 0;
        }
        if (n < 0) {
            return hc_error_set_errno(err, HC_P_DNS_FAILED, NULL, errno, "it cannot be asked");
        }
        x->sent = from + (size_t)n;
    }
    return 0;
}

int hc_exchange_open(struct hc_exchange *x, const struct hc_dns_question *question,
                     const struct hc_dns_server *server, unsigned how,
                     const struct hc_random *random, struct hc_error *err)
{
    bool tcp = (how & HC_EXCHANGE_TCP) != 0;
    bool plain = (how & HC_EXCHANGE_PLAIN) != 0;
    int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    size_t len = 0;

    memset(x, 0, sizeof(*x));
    x->tcp = tcp;
    x->plain = plain;
    x->question = *question;
    if (random->bytes(random->self, (unsigned char *)&x->id, sizeof(x->id)) != 0) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the system provides no random bytes");
    }
    if (hc_dns_query_write(question, x->id, plain, x->out + 2, &len, err) != 0) {
        return -1;
    }
    x->out[0] = (uint8_t)(len >> 8);
    x->out[1] = (uint8_t)len;
    x->out_len = len + 2;
    if (tcp && (x->in = malloc(HC_DNS_REPLY_MAX + 2)) == NULL) {
        return hc_error_nomem(err);
    }
    x->fd = socket(server->addr.ss_family, type, 0);
    if (x->fd < 0) {
        hc_error_set_errno(err, HC_P_DNS_FAILED, NULL, errno, "no socket can be opened");
        free(x->in);
        x->in = NULL;
        return -1;
    }
    x->open = true;
    /* connected, so that the kernel drops what comes from anywhere else; the port is its choice */
    if (connect(x->fd, (const struct sockaddr *)&server->addr, server->len) != 0 &&
        !(tcp && errno == EINPROGRESS)) {
        hc_error_set_errno(err, HC_P_DNS_FAILED, NULL, errno, "it cannot be reached");
        hc_exchange_close(x);
        return -1;
    }
    if (!tcp && send_query(x, err) != 0) {
        hc_exchange_close(x);
        return -1;
    }
    return 0;
}

static enum hc_exchange_step read_as_step(enum hc_dns_read read)
{
    switch (read) {
    case HC_DNS_READ_REPLY:
        return HC_EXCHANGE_REPLY;
    case HC_DNS_READ_NOT_OURS:
        return HC_EXCHANGE_WAITING;
    case HC_DNS_READ_MALFORMED:
    case HC_DNS_READ_FAILED:
        break;
    }
    return HC_EXCHANGE_FAILED;
}

static enum hc_exchange_step step_udp(struct hc_exchange *x, struct hc_dns_reply *reply,
                                      struct hc_error *err)
{
    uint8_t data[HC_DNS_REPLY_MAX + 1];
    enum hc_exchange_step step = HC_EXCHANGE_WAITING;

    for (int i = 0; i < DATAGRAMS && step == HC_EXCHANGE_WAITING; i++) {
        ssize_t n = recv(x->fd, data, sizeof(data), 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (n < 0) {
            hc_error_set_errno(err, HC_P_DNS_FAILED, NULL, errno, "it cannot be reached");
            return HC_EXCHANGE_FAILED;
        }
        step = read_as_step(hc_dns_reply_read(data, (size_t)n, &x->question, x->id, reply, err));
    }
    return step;
}

/* What a complete message over TCP is; here nothing else can still come. */
static enum hc_exchange_step take_tcp(struct hc_exchange *x, struct hc_dns_reply *reply,
                                      struct hc_error *err)
{
    enum hc_exchange_step step =
        read_as_step(hc_dns_reply_read(x->in + 2, x->in_len - 2, &x->question, x->id, reply, err));

    if (step == HC_EXCHANGE_WAITING) {
        hc_error_set(err, HC_P_DNS_FAILED, NULL, "its reply does not match the question");
        return HC_EXCHANGE_FAILED;
    }
    if (step == HC_EXCHANGE_REPLY && reply->truncated) {
        hc_dns_reply_dispose(reply);
        hc_error_set(err, HC_P_DNS_FAILED, NULL, "its reply is truncated even over TCP");
        return HC_EXCHANGE_FAILED;
    }
    return step;
}

static enum hc_exchange_step step_tcp(struct hc_exchange *x, struct hc_dns_reply *reply,
                                      struct hc_error *err)
{
    if (x->sent < x->out_len) {
        return send_query(x, err) != 0 ? HC_EXCHANGE_FAILED : HC_EXCHANGE_WAITING;
    }
    for (;;) {
        size_t want = x->in_len < 2 ? 2 : 2 + ((size_t)x->in[0] << 8 | x->in[1]);
        ssize_t n = 0;

        if (want > HC_DNS_REPLY_MAX + 2) {
            hc_error_set(err, HC_P_DNS_FAILED, NULL, "the reply is larger than %zu octets",
                         HC_DNS_REPLY_MAX);
            return HC_EXCHANGE_FAILED;
        }
        if (x->in_len >= 2 && x->in_len == want) {
            return take_tcp(x, reply, err);
        }
        n = recv(x->fd, x->in + x->in_len, want - x->in_len, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return HC_EXCHANGE_WAITING;
        }
        if (n < 0) {
            hc_error_set_errno(err, HC_P_DNS_FAILED, NULL, errno, "the connection broke");
            return HC_EXCHANGE_FAILED;
        }
        if (n == 0) {
            hc_error_set(err, HC_P_DNS_FAILED, NULL, "it closed the connection without a reply");
            return HC_EXCHANGE_FAILED;
        }
        x->in_len += (size_t)n;
    }
}

enum hc_exchange_step hc_exchange_step(struct hc_exchange *x, struct hc_dns_reply *reply,
                                       struct hc_error *err)
{
    memset(reply, 0, sizeof(*reply));
    return x->tcp ? step_tcp(x, reply, err) : step_udp(x, reply, err);
}

unsigned hc_exchange_events(const struct hc_exchange *x)
{
    return x->tcp && x->sent < x->out_len ? HC_LOOP_WRITE : HC_LOOP_READ;
}

void hc_exchange_close(struct hc_exchange *x)
{
    if (x->open) {
        close(x->fd);
    }
    free(x->in);
    memset(x, 0, sizeof(*x));
}
