/* The agent, as the keeper runs it; see agent.h. */
#include "keeper/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/packet.h"

#define LAST_WORDS_MS 700 /* what the agent has from the end of its lifeline to its own end */
#define TURN_MAX      64  /* packets in one turn, so that a talkative agent holds up no question */
#define OUTPUT_LINE   1000

void hc_agent_run_init(struct hc_agent_run *run, const struct hc_conf *conf,
                       const struct hc_rights *rights)
{
    memset(run, 0, sizeof(*run));
    run->conf = conf;
    run->rights = rights;
    run->table = run->control = run->lines = -1;
    run->supervise = run->questions = run->output = -1;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* ---- lines ---- */

/* Passes the packet that waits on. A listener that is gone for good makes room as well. */
static void send_waiting(struct hc_agent_run *run)
{
    if (run->waiting_len > 0 &&
        (run->lines < 0 ||
         send(run->lines, run->waiting, run->waiting_len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
         (errno != EAGAIN && errno != EINTR))) {
        run->waiting_len = 0;
    }
}

/* A line of the keeper's own. It goes ahead of what the agent still has to say. */
static void say(struct hc_agent_run *run, const char *fmt, ...) HC_FORMAT(2, 3);
static void say(struct hc_agent_run *run, const char *fmt, ...)
{
    char text[HC_LOG_LINE] = {(char)('0' + HC_LOG_ERROR)};
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text + 1, sizeof(text) - 1, fmt, args);
    va_end(args);
    if (run->lines >= 0) {
        (void)send(run->lines, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

/* Passes the agent's lines on. False: it has closed its end. */
static bool pass_lines(struct hc_agent_run *run)
{
    for (int i = 0; i < TURN_MAX && run->waiting_len == 0; i++) {
        ssize_t n = recv(run->supervise, run->waiting, sizeof(run->waiting), MSG_DONTWAIT);

        if (n < 0 && errno != EINTR) {
            return errno == EAGAIN;
        }
        if (n == 0 && hc_packet_at_end(run->supervise)) {
            return false;
        }
        run->waiting_len = n > 0 ? (size_t)n : 0;
        send_waiting(run);
    }
    return true;
}

/* What a library or the kernel makes the agent say, not a line of its log: an error. */
static void pass_output(struct hc_agent_run *run)
{
    char text[OUTPUT_LINE + 1];
    ssize_t n = read(run->output, text, OUTPUT_LINE);
    char *rest = NULL;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        close_fd(&run->output);
        return;
    }
    text[n] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        say(run, "agent: %s", line);
    }
}

/* ---- life and death ---- */

static void close_all(struct hc_agent_run *run)
{
    close_fd(&run->supervise);
    close_fd(&run->questions);
    close_fd(&run->output);
    run->pid = 0;
}

static void schedule(struct hc_agent_run *run, const char *how)
{
    int64_t now = hc_packet_now();
    int64_t wait = hc_agent_backoff(&run->failures, (now - run->started_ms) / 1000);

    run->next_ms = now + wait * 1000;
    say(run, "the agent %s; restarting it in %lld s", how, (long long)wait);
}

/* It has closed its end: it is dead, or so confused that it should be. */
static void bury(struct hc_agent_run *run)
{
    pid_t pid = run->pid;
    char how[96];
    int status = 0;

    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (run->output >= 0) {
        pass_output(run);
    }
    close_all(run);
    (void)snprintf(how, sizeof(how), "(process %ld) %s %d", (long)pid,
                   WIFSIGNALED(status) ? "ended by signal" : "ended with code",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    schedule(run, how);
}

/* A socket on which the agent asks, and a pipe for its standard error; *theirs are the agent's. */
static int open_ends(struct hc_agent_run *run, int theirs[2], struct hc_error *err)
{
    int asks[2] = {-1, -1};
    int writes[2] = {-1, -1};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, asks) != 0 ||
        pipe2(writes, O_CLOEXEC | O_NONBLOCK) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "creating sockets for the agent");
        close_fd(&asks[0]);
        close_fd(&asks[1]);
        return -1;
    }
    run->questions = asks[0];
    run->output = writes[0];
    theirs[0] = asks[1];
    theirs[1] = writes[1];
    return 0;
}

static void start(struct hc_agent_run *run)
{
    int theirs[2] = {-1, -1};
    struct hc_agent_fds fds = {
        .table = run->table, .control = run->control, .dns = run->dns, .dns_count = run->dns_count};
    char text[HC_LOG_LINE];
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    run->started_ms = hc_packet_now();
    if (open_ends(run, theirs, &err) == 0) {
        fds.keeper = theirs[0];
        fds.output = theirs[1];
        rc = hc_agent_start(run->conf, run->rights, &fds, &run->supervise, &run->pid, &err);
    }
    close_fd(&theirs[0]);
    close_fd(&theirs[1]);
    if (rc != 0) {
        close_all(run);
        say(run, "%s", hc_error_format(&err, text, sizeof(text)));
        schedule(run, "could not be started");
    }
}

/* ---- the keeper's loop ---- */

int hc_agent_run_poll(const struct hc_agent_run *run, struct pollfd fds[HC_AGENT_RUN_FDS])
{
    bool room = run->waiting_len == 0;
    int64_t left = run->next_ms - hc_packet_now();

    fds[HC_AGENT_RUN_QUESTIONS] = (struct pollfd){.fd = run->questions, .events = POLLIN};
    fds[HC_AGENT_RUN_SUPERVISE] =
        (struct pollfd){.fd = room ? run->supervise : -1, .events = POLLIN};
    fds[HC_AGENT_RUN_OUTPUT] = (struct pollfd){.fd = run->output, .events = POLLIN};
    fds[HC_AGENT_RUN_LINES] = (struct pollfd){.fd = room ? -1 : run->lines, .events = POLLOUT};
    if (!run->wanted || run->pid != 0) {
        return -1;
    }
    return left > 0 ? (int)left : 0;
}

void hc_agent_run_turn(struct hc_agent_run *run, const struct pollfd fds[HC_AGENT_RUN_FDS])
{
    if (fds[HC_AGENT_RUN_LINES].revents != 0) {
        send_waiting(run);
    }
    if (run->output >= 0 && fds[HC_AGENT_RUN_OUTPUT].revents != 0) {
        pass_output(run);
    }
    if (run->pid != 0 && fds[HC_AGENT_RUN_SUPERVISE].revents != 0 && !pass_lines(run)) {
        bury(run);
    }
    if (run->wanted && run->pid == 0 && hc_packet_now() >= run->next_ms) {
        start(run);
    }
}

void hc_agent_run_deaf(struct hc_agent_run *run)
{
    close_fd(&run->questions);
    /* if it lives it could ask nothing ever again; its end is seen as any other's */
    if (run->pid > 0) {
        (void)kill(run->pid, SIGKILL);
    }
}

void hc_agent_run_end(struct hc_agent_run *run)
{
    int64_t deadline = hc_packet_now() + LAST_WORDS_MS;
    bool more = run->pid != 0;

    if (run->pid == 0) {
        return;
    }
    (void)shutdown(run->supervise, SHUT_WR);
    while (more && hc_packet_now() < deadline) {
        struct pollfd p = {.fd = run->supervise, .events = POLLIN};

        run->waiting_len = 0; /* who does not read now does not read at all */
        (void)poll(&p, 1, (int)(deadline - hc_packet_now()));
        more = pass_lines(run);
    }
    (void)kill(run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close_all(run);
}
