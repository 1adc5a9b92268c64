/* Starting `hotcert load` and `hotcert agent` from a server's master; see spawn.h. */
#include "keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "conf/writer.h"
#include "keeper/environment.h"
#include "keeper/packet.h"
#include "keeper/process.h"
#include "keeper/rights.h"
#include "keeper/said.h"

#define PLACES       (HC_FD_END - HC_FD_CONF)
#define FD_ERRORS    HC_FD_END /* after the last place: where a failed exec is told */
#define FD_ASIDE     32        /* descriptors are moved above this before they take their places */
#define EXEC_MS      5000      /* an exec takes longer only on a disk that hangs */
#define STEADY_LIFE  600
#define LONGEST_WAIT 60

/* Why the child could not become the program; one write, so it arrives whole or not at all. */
struct failure {
    int errnum;
    char what[64];
};

/* One start of the program. */
struct program {
    const char *path;
    const char *command; /* "load", "agent" */
    const struct hc_rights *rights;
    int places[PLACES]; /* what becomes 3 and so on; -1: stays closed */
    int output;         /* what becomes 2; -1: stays */
    bool aws;           /* it asks AWS */
};
_Static_assert(FD_ERRORS < FD_ASIDE, "copies are above all places");

/* Copies of places[], out of the way of all places, and such as the fork does not close
 * (private.h). */
static int put_aside(const struct program *program, int aside[PLACES])
{
    for (int i = 0; i < PLACES; i++) {
        aside[i] = -1;
    }
    for (int i = 0; i < PLACES; i++) {
        aside[i] =
            program->places[i] >= 0 ? fcntl(program->places[i], F_DUPFD_CLOEXEC, FD_ASIDE) : -1;
        if (program->places[i] >= 0 && aside[i] < 0) {
            return -1;
        }
    }
    return 0;
}

/*
 * Puts errors and then what was put aside where they belong. On -1 *errors is still where errors
 * can be told: until it has its place, that is the server's.
 */
static int arrange(const struct program *program, const int aside[PLACES], int *errors)
{
    int moved = fcntl(*errors, F_DUPFD_CLOEXEC, FD_ASIDE);

    if (moved < 0 || dup3(moved, FD_ERRORS, O_CLOEXEC) < 0) {
        return -1;
    }
    *errors = FD_ERRORS;
    if (program->output >= 0 && dup2(program->output, 2) < 0) {
        return -1;
    }
    for (int i = 0; i < PLACES; i++) {
        if (aside[i] < 0) {
            (void)close(HC_FD_CONF + i);
        } else if (dup2(aside[i], HC_FD_CONF + i) < 0) {
            return -1;
        }
    }
    hc_process_close_from(FD_ERRORS + 1);
    return 0;
}

/* Everything up to the exec; what names the step that failed. */
static int prepare_child(const struct program *program, const char **what)
{
    struct rlimit none = {0, 0};

    hc_process_reset_signals();
    *what = "opening /dev/null";
    if (hc_process_null(0) != 0 || hc_process_null(1) != 0 ||
        (fcntl(2, F_GETFD) < 0 && hc_process_null(2) != 0)) {
        return -1;
    }
    *what = "limiting core files";
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return -1;
    }
    if (hc_process_drop(program->rights, what) != 0) {
        return -1;
    }
    *what = "forbidding new rights";
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* In the child; never returns. */
static void become_program(const struct program *program, const int aside[PLACES], int errors,
                           char *env[])
{
    char name[] = "hotcert";
    char *command = strdup(program->command);
    char *argv[] = {name, command, NULL};
    struct failure f = {0};
    const char *what = "arranging descriptors";

    if (arrange(program, aside, &errors) == 0 && prepare_child(program, &what) == 0) {
        what = "";
        execve(program->path, argv, env);
    }
    f.errnum = errno;
    hc_copy(f.what, sizeof(f.what), what);
    if (write(errors, &f, sizeof(f)) != (ssize_t)sizeof(f)) {
        _exit(126);
    }
    _exit(127);
}

/* Waits for the exec: end-of-file on a pipe that exec closes. -1: it failed, and why. */
static int wait_exec(int errors, struct failure *f)
{
    int64_t deadline = hc_packet_now() + EXEC_MS;
    struct pollfd p = {.fd = errors, .events = POLLIN};
    int64_t left = EXEC_MS;

    while (left > 0) {
        int ready = poll(&p, 1, (int)left);

        if (ready > 0) {
            ssize_t n = read(errors, f, sizeof(*f));

            f->what[sizeof(f->what) - 1] = '\0';
            return n == (ssize_t)sizeof(*f) ? -1 : 0;
        }
        if (ready < 0 && errno != EINTR) {
            return 0;
        }
        left = deadline - hc_packet_now();
    }
    return 0;
}

static void reap(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
}

/*
 * Forks and executes. The caller has SIGCHLD blocked, so that no handler of the server's reaps a
 * child whose exec failed.
 */
static int run(const struct program *program, pid_t *pid, struct hc_error *err)
{
    char *env[HC_ENVIRONMENT_MAX];
    struct hc_fork fork_state;
    struct failure f = {0};
    int errors[2] = {-1, -1};
    int aside[PLACES];
    pid_t child = -1;
    int status = 0;
    int rc = -1;

    if (put_aside(program, aside) != 0) {
        hc_error_set_errno(err, HC_P_PROGRAM, program->path, errno, "arranging descriptors");
        memset(env, 0, sizeof(env));
        goto out;
    }
    if (hc_environment_make(program->aws, env, err) != 0) {
        goto out;
    }
    if (pipe2(errors, O_CLOEXEC) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, program->path, errno, "creating a pipe");
        goto out;
    }
    child = hc_fork_start(&fork_state);
    if (child == 0) {
        become_program(program, aside, errors[1], env);
    }
    hc_fork_done(&fork_state);
    if (child < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, program->path, errno, "fork");
        goto out;
    }
    close(errors[1]);
    errors[1] = -1;
    if (wait_exec(errors[0], &f) != 0) {
        reap(child, &status);
        hc_error_set_errno(err, HC_P_PROGRAM, program->path, f.errnum, "%s", f.what);
        goto out;
    }
    *pid = child;
    rc = 0;
out:
    hc_io_close_all(errors, 2);
    for (int i = 0; i < PLACES; i++) {
        hc_io_close(aside[i]);
    }
    hc_environment_free(env);
    return rc;
}

/* SIGCHLD is kept from the server's handler for a while. */
struct quiet {
    struct sigaction action;
    sigset_t mask;
};

static void quiet_begin(struct quiet *q)
{
    struct sigaction standard;
    sigset_t child;

    memset(&standard, 0, sizeof(standard));
    standard.sa_handler = SIG_DFL; /* ignored, children would leave no status */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, &q->mask);
    (void)sigaction(SIGCHLD, &standard, &q->action);
}

static void quiet_end(const struct quiet *q)
{
    (void)sigaction(SIGCHLD, &q->action, NULL);
    (void)sigprocmask(SIG_SETMASK, &q->mask, NULL);
}

/* What both starts do: the configuration as a memfd, the pair of supervision sockets, the run. */
static int start(const struct hc_conf *conf, struct program *program, int *supervise, pid_t *pid,
                 struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    int ends[2] = {-1, -1};
    int memfd = -1;
    int rc = -1;

    if (conf->agent == NULL) {
        hc_error_set(err, HC_P_PROGRAM, "hotcert_agent", "no program is named");
        goto out;
    }
    if (hc_conf_encode(conf, &text, err) != 0 ||
        hc_packet_memfd("hotcert-conf", hc_bytes_of(&text), &memfd, err) != 0) {
        goto out;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "creating a pair of sockets");
        goto out;
    }
    program->path = conf->agent;
    for (size_t i = 0; i < conf->dns_count && strcmp(program->command, "agent") == 0; i++) {
        program->aws = program->aws || hc_dns_block_uses_aws(&conf->dns[i]);
    }
    program->places[HC_FD_CONF - HC_FD_CONF] = memfd;
    program->places[HC_FD_SUPERVISE - HC_FD_CONF] = ends[1];
    if (run(program, pid, err) != 0) {
        goto out;
    }
    *supervise = ends[0];
    ends[0] = -1;
    rc = 0;
out:
    hc_io_close_all(ends, 2);
    hc_io_close(memfd);
    hc_buf_dispose(&text);
    return rc;
}

static void close_places(struct program *program)
{
    for (int i = 0; i < PLACES; i++) {
        program->places[i] = -1;
    }
}

int hc_agent_start(const struct hc_conf *conf, const struct hc_rights *rights,
                   const struct hc_agent_fds *fds, int *supervise, pid_t *pid, struct hc_error *err)
{
    struct program program = {.command = "agent", .rights = rights, .output = fds->output};
    struct quiet q;
    int rc = 0;

    *supervise = -1;
    *pid = -1;
    close_places(&program);
    for (size_t i = 0; i < fds->dns_count && i < HC_DNS_SOCKETS; i++) {
        program.places[HC_FD_DNS - HC_FD_CONF + (int)i] = fds->dns[i];
    }
    program.places[HC_FD_KEEPER - HC_FD_CONF] = fds->keeper;
    program.places[HC_FD_TABLE - HC_FD_CONF] = fds->table;
    program.places[HC_FD_CONTROL - HC_FD_CONF] = fds->control;
    quiet_begin(&q);
    rc = start(conf, &program, supervise, pid, err);
    quiet_end(&q);
    return rc == 0 ? 0 : hc_error_during(err, "starting the agent");
}

int64_t hc_agent_backoff(unsigned *failures, int64_t lived)
{
    int64_t wait = 0;

    if (lived >= STEADY_LIFE) {
        *failures = 0;
    }
    wait = *failures < 6 ? (int64_t)1 << *failures : LONGEST_WAIT;
    if (*failures < 6) {
        (*failures)++;
    }
    return wait;
}

/* What the loader's end means. */
static int judge(int status, bool in_time, const struct program *program, const struct hc_log *log,
                 struct hc_said *said, struct hc_error *err)
{
    bool only_examines = program->places[HC_FD_TABLE - HC_FD_CONF] < 0;
    enum hc_level level = only_examines ? HC_LOG_WARN : HC_LOG_ERROR;

    if (in_time && !said->began) {
        return hc_error_set(err, HC_P_PROGRAM, program->path,
                            "it ended (%s %d) before it was ready; try `%s version`",
                            WIFSIGNALED(status) ? "signal" : "code",
                            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                            program->path);
    }
    if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }
    if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == HC_LOADER_REFUSE) {
        return hc_said_refusal(said, err);
    }
    if (!in_time) {
        hc_logf(
            log, level,
            "the loader came to a standstill for %d s, or took longer than %d s (a slow disk, a "
            "busy machine); the start continues without what it had not loaded yet, which the "
            "agent will read",
            HC_LOADER_SECONDS, HC_LOADER_MOST);
    } else if (WIFSIGNALED(status)) {
        hc_logf(log, level, "the loader died of signal %d; the start continues", WTERMSIG(status));
    } else {
        hc_logf(log, level, "the loader ended with code %d; the start continues",
                WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return 0;
}

/*
 * The kernel lets no process of the agent's user look into a program from its first instruction on,
 * if that user cannot read the program's file; what the program says of itself (child.c) comes
 * later.
 */
static void warn_of_readable(const struct hc_conf *conf, const struct hc_rights *rights,
                             const struct hc_log *log)
{
    struct hc_error err;
    struct stat st;

    if (!rights->drop || conf->agent == NULL || stat(conf->agent, &st) != 0 ||
        (st.st_uid != rights->uid && (st.st_mode & (S_IRGRP | S_IROTH)) == 0)) {
        return;
    }
    hc_error_init(&err);
    hc_error_set(&err, HC_P_PROGRAM_READABLE, conf->agent, "mode %04o, owner %ld",
                 (unsigned)(st.st_mode & 07777), (long)st.st_uid);
    hc_log_error(log, HC_LOG_WARN, NULL, &err);
}

int hc_loader_prior(void)
{
    int fd = -1;

    return hc_packet_memfd_open("hotcert-load", &fd, NULL) == 0 ? fd : -1;
}

int hc_loader_run(const struct hc_conf *conf, const struct hc_rights *worker,
                  const struct hc_loader_fds *fds, const struct hc_log *log, struct hc_error *err)
{
    struct hc_rights agent;
    struct program program = {.command = "load", .rights = &agent, .output = -1};
    struct hc_patience patience = {.idle_ms = (int64_t)HC_LOADER_SECONDS * 1000,
                                   .most_ms = (int64_t)HC_LOADER_MOST * 1000};
    struct hc_said said = {.reason = ""};
    struct quiet q;
    bool in_time = false;
    int supervise = -1;
    int status = 0;
    pid_t pid = -1;
    int rc = 0;

    if (hc_rights_of_agent(conf, worker, &agent, err) != 0) {
        return -1;
    }
    close_places(&program);
    program.places[HC_FD_KEEPER - HC_FD_CONF] = fds->keeper;
    program.places[HC_FD_TABLE - HC_FD_CONF] = fds->table;
    program.places[HC_FD_PRIOR - HC_FD_CONF] = fds->prior;
    warn_of_readable(conf, &agent, log);
    quiet_begin(&q);
    rc = start(conf, &program, &supervise, &pid, err);
    if (rc == 0) {
        patience.pid = pid;
        in_time = hc_said_follow(supervise, &patience, log, &said) == 0;
        if (!in_time) {
            (void)kill(pid, SIGKILL);
        }
        reap(pid, &status);
        close(supervise);
        rc = judge(status, in_time, &program, log, &said, err);
    }
    if (fds->prior >= 0) {
        (void)!hc_packet_memfd_seal(fds->prior); /* unsealed, nobody reads it */
    }
    quiet_end(&q);
    return rc == 0 ? 0 : hc_error_during(err, "loading certificates for the start");
}
