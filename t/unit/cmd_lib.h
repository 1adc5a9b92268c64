/*
 * For the tests of the commands: an agent that says what a script says, and a command that runs in
 * a process of its own, with what it printed and its exit code.
 */
#ifndef HC_T_CMD_LIB_H
#define HC_T_CMD_LIB_H

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "tap.h"

static char cmd_folder[64];
static char cmd_socket[96]; /* the agent's */
static char cmd_out[16384]; /* what the latest command printed on standard output .. */
static char cmd_err[16384]; /* .. and on standard error */

static inline void cmd_stop_here(int line)
{
    fprintf(stderr, "the test itself failed at line %d\n", line);
    exit(1);
}

static inline void cmd_begin(void)
{
    hc_copy(cmd_folder, sizeof(cmd_folder), "/tmp/hotcert-cmd-XXXXXX");
    if (mkdtemp(cmd_folder) == NULL || chmod(cmd_folder, 0755) != 0) {
        cmd_stop_here(__LINE__);
    }
    snprintf(cmd_socket, sizeof(cmd_socket), "%s/control", cmd_folder);
}

static inline void cmd_end(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", cmd_folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s stays\n", cmd_folder);
    }
}

static inline void cmd_serve(int listener, const char *const *replies)
{
    for (size_t i = 0; replies[i] != NULL; i++) {
        int fd = accept(listener, NULL, NULL);
        char byte = 0;

        while (read(fd, &byte, 1) == 1 && byte != '\n') {
        }
        if (send(fd, replies[i], strlen(replies[i]), MSG_NOSIGNAL) < 0) {
            _exit(1);
        }
        close(fd);
    }
    unlink(cmd_socket);
    _exit(0);
}

/* A socket on which nobody listens any more. */
static inline void cmd_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    hc_copy(address.sun_path, sizeof(address.sun_path), path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        cmd_stop_here(__LINE__);
    }
    close(fd);
}

/* Starts the agent: a reply for each connection ("": it ends without one), then it is gone. */
static inline pid_t cmd_agent(const char *const *replies)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid = 0;

    hc_copy(address.sun_path, sizeof(address.sun_path), cmd_socket);
    unlink(cmd_socket);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 8) != 0) {
        cmd_stop_here(__LINE__);
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        cmd_serve(listener, replies);
    }
    close(listener);
    return pid;
}

static inline void cmd_read(const char *path, char *dst, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, dst, cap - 1) : -1;

    dst[n > 0 ? n : 0] = '\0';
    close(fd);
}

static inline void cmd_redirect(const char *path, int to)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || dup2(fd, to) < 0) {
        _exit(99);
    }
}

/* Runs a command (its arguments end with NULL) and returns its exit code. */
static inline int cmd_run(const char *const *args)
{
    char copies[16][256] = {{0}};
    char *argv[17] = {NULL};
    char out[128];
    char err[128];
    int argc = 0;
    int status = 0;
    pid_t pid = 0;

    snprintf(out, sizeof(out), "%s/out", cmd_folder);
    snprintf(err, sizeof(err), "%s/err", cmd_folder);
    for (; args[argc] != NULL && argc < 16; argc++) {
        hc_copy(copies[argc], sizeof(copies[argc]), args[argc]);
        argv[argc] = copies[argc];
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int code = 0;

        cmd_redirect(out, STDOUT_FILENO);
        cmd_redirect(err, STDERR_FILENO);
        alarm(60);
        code = hc_cmd_find(argv[0])->run(argc, argv);
        fflush(stdout);
        _exit(code);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        cmd_stop_here(__LINE__);
    }
    cmd_read(out, cmd_out, sizeof(cmd_out));
    cmd_read(err, cmd_err, sizeof(cmd_err));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The agent has said all that its script holds. */
static inline void cmd_agent_ends(pid_t pid)
{
    int status = 0;

    is_int(waitpid(pid, &status, 0), pid, "the agent ends");
    is_int(status, 0, "and was asked as often as it should");
}

#endif
