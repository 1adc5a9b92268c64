/* The agent's side of the runner; see runner.h. */
#include "agent/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/runner_wire.h"
#include "base/fork.h"

struct asked {
    uint32_t id; /* 0: free */
    hc_child_done *done;
    void *self;
};

struct hc_runner {
    struct hc_loop_fd socket;
    uint32_t last_id;
    bool gone;
    struct asked asked[HC_RUNNER_MOST];
    hc_runner_gone *tell;
    void *self;
    struct hc_command_port port;
    unsigned char packet[HC_RUNNER_PACKET];
};

int hc_runner_start(struct hc_runner_process *out, struct hc_error *err)
{
    struct hc_fork f;
    int ends[2] = {-1, -1};

    out->socket = -1;
    out->pid = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a socket to the runner");
    }
    out->pid = hc_fork_start(&f);
    if (out->pid == 0) {
        hc_runner_serve(ends[1]);
    }
    hc_fork_done(&f);
    close(ends[1]);
    if (out->pid < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "forking the runner");
        close(ends[0]);
        out->pid = 0;
        return -1;
    }
    out->socket = ends[0];
    return 0;
}

void hc_runner_end(struct hc_runner_process *process)
{
    if (process->socket >= 0) {
        close(process->socket);
        process->socket = -1;
    }
    if (process->pid > 0) {
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        process->pid = 0;
    }
}

/* ---- replies ---- */

static struct asked *find(struct hc_runner *runner, uint32_t id)
{
    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        if (runner->asked[i].id == id) {
            return &runner->asked[i];
        }
    }
    return NULL;
}

static void finish(struct asked *asked, const struct hc_child_result *result)
{
    struct asked was = *asked;

    memset(asked, 0, sizeof(*asked));
    if (was.id != 0 && was.done != NULL) {
        was.done(was.self, result);
    }
}

static void lose(struct hc_runner *runner)
{
    static const struct hc_child_result lost = {.end = HC_CHILD_NOT_STARTED, .code = EPIPE};

    hc_loop_fd_remove(&runner->socket);
    runner->gone = true;
    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        finish(&runner->asked[i], &lost);
    }
    if (runner->tell != NULL) {
        runner->tell(runner->self);
    }
}

static void take_reply(struct hc_runner *runner, size_t len)
{
    struct hc_child_result result;
    struct asked *asked = NULL;
    uint32_t id = 0;

    if (hc_runner_reply_parse(runner->packet, len, &id, &result)) {
        asked = find(runner, id);
        if (asked != NULL) {
            finish(asked, &result);
        }
    }
}

/* One packet a turn: done() may free the runner. */
static void on_socket(void *self, unsigned events HC_UNUSED)
{
    struct hc_runner *runner = self;
    ssize_t n = recv(runner->socket.fd, runner->packet, sizeof(runner->packet), MSG_DONTWAIT);

    if (n > 0) {
        take_reply(runner, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        lose(runner);
    }
}

static int on_run(void *self, const struct hc_program_run *command, hc_child_done *done, void *arg,
                  struct hc_error *err)
{
    return hc_runner_run(self, command, done, arg, err);
}

static void on_forget(void *self, const void *arg)
{
    hc_runner_forget(self, arg);
}

const struct hc_command_port *hc_runner_port(struct hc_runner *runner)
{
    return &runner->port;
}

int hc_runner_new(struct hc_loop *loop, int socket, hc_runner_gone *gone, void *self,
                  struct hc_runner **out, struct hc_error *err)
{
    struct hc_runner *runner = calloc(1, sizeof(*runner));

    *out = NULL;
    if (runner == NULL) {
        return hc_error_nomem(err);
    }
    runner->socket = (struct hc_loop_fd){socket, HC_LOOP_READ, "runner", on_socket, runner, NULL};
    runner->tell = gone;
    runner->self = self;
    runner->port = (struct hc_command_port){runner, on_run, on_forget};
    if (hc_loop_fd_add(loop, &runner->socket, err) != 0) {
        free(runner);
        return -1;
    }
    *out = runner;
    return 0;
}

void hc_runner_free(struct hc_runner *runner)
{
    if (runner != NULL) {
        hc_loop_fd_remove(&runner->socket);
        free(runner);
    }
}

/* ---- questions ---- */

/* Appends words; *count of them. */
static int add_words(struct hc_buf *packet, const char *const *words, uint32_t *count,
                     struct hc_error *err)
{
    for (*count = 0; words != NULL && words[*count] != NULL; (*count)++) {
        if (*count == HC_RUNNER_WORDS) {
            return hc_error_set(err, HC_P_TOO_LARGE, NULL, "a command takes at most %d words",
                                HC_RUNNER_WORDS);
        }
        if (hc_buf_append(packet, words[*count], strlen(words[*count]) + 1, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int make_request(const struct hc_program_run *command, uint32_t id, struct hc_buf *packet,
                        struct hc_error *err)
{
    struct hc_runner_request request = {
        .magic = HC_RUNNER_MAGIC,
        .id = id,
        .limit_ms = command->limit_ms,
        .output_max = (uint32_t)command->output_max,
    };

    if (hc_buf_append(packet, &request, sizeof(request), err) != 0 ||
        add_words(packet, command->argv, &request.argc, err) != 0 ||
        add_words(packet, command->envp, &request.envc, err) != 0) {
        return -1;
    }
    request.size = (uint32_t)(packet->len - sizeof(request));
    memcpy(packet->data, &request, sizeof(request));
    return 0;
}

int hc_runner_run(struct hc_runner *runner, const struct hc_program_run *command,
                  hc_child_done *done, void *self, struct hc_error *err)
{
    struct hc_buf packet = HC_BUF_INIT(HC_RUNNER_PACKET);
    struct asked *asked = find(runner, 0);
    const char *program = command->argv[0];
    int rc = -1;

    if (runner->gone) {
        return hc_error_set(err, HC_P_SYSTEM, program,
                            "the runner, which starts commands, has ended");
    }
    if (asked == NULL) {
        return hc_error_set(err, HC_P_SYSTEM, program, "%d commands are already running",
                            HC_RUNNER_MOST);
    }
    runner->last_id += runner->last_id == UINT32_MAX ? 2 : 1; /* 0 is none's */
    if (make_request(command, runner->last_id, &packet, err) != 0) {
        goto out;
    }
    if (send(runner->socket.fd, packet.data, packet.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, program, errno, "asking the runner to start it");
        goto out;
    }
    *asked = (struct asked){runner->last_id, done, self};
    rc = 0;
out:
    hc_buf_dispose(&packet);
    return rc;
}

void hc_runner_forget(struct hc_runner *runner, const void *self)
{
    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        if (runner->asked[i].self == self) {
            runner->asked[i].done = NULL; /* its place is free when it has ended */
        }
    }
}
