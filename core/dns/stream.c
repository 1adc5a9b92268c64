/* One message over TCP; see stream.h. */
#include "dns/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reader.h"

#define PIECE 4096

void hc_dns_stream_stop(struct hc_dns_stream *stream)
{
    if (!stream->running) {
        return;
    }
    stream->running = false;
    hc_timer_stop(&stream->limit);
    hc_loop_fd_remove(&stream->fd);
    close(stream->fd.fd);
    hc_buf_dispose(&stream->out);
    hc_buf_dispose(&stream->in);
}

static void fail(struct hc_dns_stream *stream, const struct hc_error *err)
{
    const struct hc_bytes none = {NULL, 0};

    hc_dns_stream_stop(stream);
    stream->done(stream->arg, none, err);
}

static void fail_errno(struct hc_dns_stream *stream, int errnum, const char *what)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set_errno(&err, HC_P_DNS_WRITE, NULL, errnum, "%s", what);
    fail(stream, &err);
}

/* 1: all is sent, 0: not yet, -1: failed. */
static int send_rest(struct hc_dns_stream *stream)
{
    while (stream->sent < stream->out.len) {
        ssize_t n = send(stream->fd.fd, stream->out.data + stream->sent,
                         stream->out.len - stream->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return 0;
        }
        if (n < 0) {
            fail_errno(stream, errno, "it cannot be reached");
            return -1;
        }
        stream->sent += (size_t)n;
    }
    return 1;
}

static void take(struct hc_dns_stream *stream, size_t len)
{
    struct hc_buf in = stream->in;
    struct hc_bytes reply = {in.data + 2, len};

    memset(&stream->in, 0, sizeof(stream->in));
    hc_dns_stream_stop(stream);
    stream->done(stream->arg, reply, NULL);
    hc_buf_dispose(&in);
}

static void receive(struct hc_dns_stream *stream)
{
    unsigned char piece[PIECE];
    struct hc_error err;
    ssize_t n = recv(stream->fd.fd, piece, sizeof(piece), 0);
    size_t want = 0;

    hc_error_init(&err);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n < 0) {
        fail_errno(stream, errno,
                   stream->sent < stream->out.len ? "it cannot be reached"
                                                  : "the connection broke");
        return;
    }
    if (n == 0) {
        hc_error_set(&err, HC_P_DNS_WRITE, NULL, "it closed the connection without a reply");
        fail(stream, &err);
        return;
    }
    if (hc_buf_append(&stream->in, piece, (size_t)n, &err) != 0) {
        fail(stream, &err);
        return;
    }
    want = stream->in.len >= 2 ? (size_t)stream->in.data[0] << 8 | stream->in.data[1] : SIZE_MAX;
    if (stream->in.len >= 2 && stream->in.len - 2 >= want) {
        take(stream, want);
    }
}

static void on_ready(void *self, unsigned events)
{
    struct hc_dns_stream *stream = self;
    struct hc_error err;
    int rc = 1;

    hc_error_init(&err);
    if (stream->sent < stream->out.len) {
        rc = send_rest(stream);
        if (rc > 0 && hc_loop_fd_change(&stream->fd, HC_LOOP_READ, &err) != 0) {
            fail(stream, &err);
        }
        return;
    }
    if ((events & HC_LOOP_READ) != 0) {
        receive(stream);
    }
}

static void on_limit(void *self)
{
    fail_errno(self, ETIMEDOUT, "it does not answer");
}

/* A socket that is connecting; -1 with err. */
static int open_socket(const struct hc_dns_server *server, struct hc_error *err)
{
    int fd = socket(server->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_DNS_WRITE, NULL, errno, "no socket can be opened");
    }
    if (connect(fd, (const struct sockaddr *)&server->addr, server->len) != 0 &&
        errno != EINPROGRESS) {
        hc_error_set_errno(err, HC_P_DNS_WRITE, NULL, errno, "it cannot be reached");
        close(fd);
        return -1;
    }
    return fd;
}

int hc_dns_stream_start(struct hc_dns_stream *stream, const struct hc_dns_stream_options *options,
                        hc_dns_stream_done *done, void *arg, struct hc_error *err)
{
    int fd = open_socket(options->server, err);

    if (fd < 0) {
        return -1;
    }
    memset(stream, 0, sizeof(*stream));
    stream->out.max = HC_DNS_REPLY_MAX + 2;
    stream->in.max = HC_DNS_REPLY_MAX + 2 + PIECE;
    stream->done = done;
    stream->arg = arg;
    stream->fd = (struct hc_loop_fd){fd, HC_LOOP_WRITE, "DNS updates", on_ready, stream, NULL};
    if (hc_put_number(&stream->out, options->message.len, 2, err) != 0 ||
        hc_buf_append(&stream->out, options->message.data, options->message.len, err) != 0 ||
        hc_loop_fd_add(options->loop, &stream->fd, err) != 0) {
        hc_buf_dispose(&stream->out);
        close(fd);
        return -1;
    }
    hc_timer_init(&stream->limit, options->loop, "DNS updates", on_limit, stream);
    hc_timer_in(&stream->limit, options->limit_ms);
    stream->running = true;
    return 0;
}
