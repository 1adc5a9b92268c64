/* The runner's own side; see runner.h and runner_wire.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/runner.h"
#include "agent/runner_wire.h"
#include "base/fork.h"
#include "keeper/process.h"
#include "loop/loop.h"

#define SOCKET_FD 3 /* above standard input, output and error, which lead nowhere */

/* A command that runs. */
struct run {
    struct server *server;
    uint32_t id;
    struct hc_child child;
};

struct server {
    struct hc_loop *loop;
    struct hc_loop_fd socket;
    struct run runs[HC_RUNNER_MOST];
    bool ended;
    unsigned char packet[HC_RUNNER_PACKET];
};

static void reply(struct server *s, uint32_t id, const struct hc_child_result *result)
{
    struct hc_runner_reply head = {
        .magic = HC_RUNNER_MAGIC,
        .id = id,
        .end = (int32_t)result->end,
        .code = result->code,
        .cut = result->cut,
        .errors_cut = result->errors_cut,
        .size = (uint32_t)result->output.len,
        .errors_size = (uint32_t)result->errors.len,
    };
    struct iovec parts[3] = {
        {&head, sizeof(head)}, {NULL, result->output.len}, {NULL, result->errors.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = HC_COUNT(parts)};

    memcpy(&parts[1].iov_base, &result->output.data, sizeof(result->output.data));
    memcpy(&parts[2].iov_base, &result->errors.data, sizeof(result->errors.data));
    /* at most one packet for each of HC_RUNNER_MOST: there is room for them, or nobody reads */
    if (sendmsg(s->socket.fd, &message, MSG_NOSIGNAL) < 0) {
        s->ended = true;
    }
}

static void on_end(void *self, const struct hc_child_result *result)
{
    struct run *run = self;
    uint32_t id = run->id;

    run->id = 0;
    reply(run->server, id, result);
}

static struct run *free_place(struct server *s)
{
    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        if (s->runs[i].id == 0) {
            return &s->runs[i];
        }
    }
    return NULL;
}

static void refuse_run(struct server *s, uint32_t id, int errnum)
{
    const struct hc_child_result refused = {.end = HC_CHILD_NOT_STARTED, .code = errnum};

    reply(s, id, &refused);
}

static void start(struct server *s, uint32_t id, const struct hc_runner_words *words)
{
    struct hc_child_options options = {
        .name = "command",
        .argv = words->argv,
        .envp = words->envp,
        .output_max = words->output_max,
        .errors_max = words->output_max,
        .limit_ms = words->limit_ms,
    };
    struct run *run = free_place(s);

    if (run == NULL) {
        refuse_run(s, id, EAGAIN);
        return;
    }
    run->server = s;
    run->id = id;
    if (hc_child_start(s->loop, &run->child, &options, on_end, run, NULL) != 0) {
        run->id = 0;
        refuse_run(s, id, EAGAIN);
    }
}

static void on_socket(void *self, unsigned events HC_UNUSED)
{
    struct server *s = self;
    struct hc_runner_words words;
    uint32_t id = 0;
    ssize_t n = recv(s->socket.fd, s->packet, sizeof(s->packet), MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        s->ended = true;
        return;
    }
    switch (hc_runner_request_parse(s->packet, n > 0 ? (size_t)n : 0, &id, &words)) {
    case HC_RUNNER_STRANGE:
        break;
    case HC_RUNNER_MALFORMED:
        refuse_run(s, id, EINVAL);
        break;
    case HC_RUNNER_COMMAND:
        start(s, id, &words);
        break;
    }
}

/* Leaves all behind that was open. Memory holds nothing yet: the agent has read nothing. */
static int settle(int socket)
{
    int aside = fcntl(socket, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
    int flags = 0;

    hc_process_reset_signals();
    hc_process_title("hotcert-runner", "hotcert: runner");
    if (aside < 0 || dup3(aside, SOCKET_FD, O_CLOEXEC) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || chdir("/") != 0) {
        return -1;
    }
    for (int fd = 0; fd < SOCKET_FD; fd++) {
        if (hc_process_null(fd) != 0) {
            return -1;
        }
    }
    hc_process_close_from(SOCKET_FD + 1);
    flags = fcntl(SOCKET_FD, F_GETFL); /* replies wait for room; only the agent reads them */
    return flags < 0 ? -1 : fcntl(SOCKET_FD, F_SETFL, flags & ~O_NONBLOCK);
}

void hc_runner_serve(int socket)
{
    struct server *s = calloc(1, sizeof(*s));
    int rc = 0;

    if (s == NULL || settle(socket) != 0 || hc_loop_new(&hc_clock_system, &s->loop, NULL) != 0) {
        _exit(1);
    }
    s->socket = (struct hc_loop_fd){SOCKET_FD, HC_LOOP_READ, "agent", on_socket, s, NULL};
    if (hc_loop_fd_add(s->loop, &s->socket, NULL) != 0) {
        _exit(1);
    }
    rc = hc_loop_run(s->loop, &s->ended, NULL);
    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        if (s->runs[i].id != 0) {
            hc_child_stop(&s->runs[i].child);
        }
    }
    _exit(rc == 0 ? 0 : 1);
}
