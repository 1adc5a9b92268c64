/*
 * A thief among the worker user's processes: for some seconds it tries to take from every process
 * of its user what lets one write the table of live certificates, ask the keeper, or answer in the
 * agent's place; through pidfd_getfd(2), /proc/PID/fd and ptrace(2). It also kills what it may, so
 * that new processes come and pass through their first instructions under its eyes.
 *
 *   usage: thief SECONDS KILL(0|1) PARENT...      run as the worker user; prints a line a booty
 *
 * Only processes below the PARENTs are touched. Exit: 0 nothing was taken, 1 something was, 2 it
 * cannot work.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS   48 /* the descriptors of a victim that are tried */
#define AHEAD 24 /* process numbers that are likely to be next */

static long booty;
static long tries;
static pid_t parents[8];
static int parent_count;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool read_text(pid_t pid, const char *what, char *text, size_t cap)
{
    char path[64];
    int fd = -1;
    ssize_t n = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, cap - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static pid_t parent_of(pid_t pid)
{
    char text[512];
    const char *p = read_text(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;

    return p != NULL && strlen(p) > 4 ? (pid_t)atoi(p + 4) : 0;
}

/* Below one of the servers, at any depth. */
static bool is_theirs(pid_t pid)
{
    for (int depth = 0; depth < 6 && pid > 1; depth++) {
        for (int i = 0; i < parent_count; i++) {
            if (pid == parents[i]) {
                return true;
            }
        }
        pid = parent_of(pid);
    }
    return false;
}

static void took(pid_t pid, const char *how, const char *what)
{
    char name[64];

    (void)read_text(pid, "comm", name, sizeof(name));
    name[strcspn(name, "\n")] = '\0';
    printf("took %s from %d (%s) by %s\n", what, (int)pid, name, how);
    fflush(stdout);
    booty++;
}

/* What a descriptor that was taken is worth; NULL: nothing. */
static const char *worth(int fd)
{
    char path[64];
    char link[256];
    ssize_t n = 0;
    int listening = 0;
    int type = 0;
    socklen_t size = sizeof(int);
    struct sockaddr_un address;
    socklen_t len = sizeof(address);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = readlink(path, link, sizeof(link) - 1);
    link[n > 0 ? n : 0] = '\0';
    if (strstr(link, "memfd:hotcert-table") != NULL) {
        return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? "the writable table" : NULL;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        return NULL;
    }
    memset(&address, 0, sizeof(address));
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 || address.sun_family != AF_UNIX) {
        return NULL;
    }
    size = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening) {
        return "the control socket";
    }
    /* the keeper's sockets, and the agent's: one that can be written to */
    if (type == SOCK_SEQPACKET && send(fd, "?", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) {
        return "a socket of the keeper's";
    }
    return NULL;
}

static void by_pidfd(pid_t pid)
{
    int p = (int)syscall(SYS_pidfd_open, pid, 0);

    for (int fd = 3; p >= 0 && fd < FDS; fd++) {
        int got = (int)syscall(SYS_pidfd_getfd, p, fd, 0);
        const char *what = got >= 0 ? worth(got) : NULL;

        tries++;
        if (what != NULL && is_theirs(pid)) {
            took(pid, "pidfd_getfd", what);
        }
        if (got >= 0) {
            close(got);
        } else if (errno == EPERM || errno == ESRCH) {
            break;
        }
    }
    if (p >= 0) {
        close(p);
    }
}

static void by_proc(pid_t pid)
{
    for (int fd = 3; fd < FDS; fd++) {
        char path[64];
        int got = -1;
        const char *what = NULL;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
        got = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (got < 0 && errno == EACCES && fd == 3) {
            return;
        }
        what = got >= 0 ? worth(got) : NULL;
        if (what != NULL && is_theirs(pid)) {
            took(pid, "/proc/PID/fd", what);
        }
        if (got >= 0) {
            close(got);
        }
    }
}

/* Workers of nginx may be traced, which is nginx's own doing; the program hotcert may not. */
static void by_ptrace(pid_t pid)
{
    char name[64];

    if (!read_text(pid, "comm", name, sizeof(name)) || strncmp(name, "hotcert", 7) != 0 ||
        !is_theirs(pid)) {
        return;
    }
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
        took(pid, "PTRACE_SEIZE", "the process");
        (void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
        (void)waitpid(pid, NULL, __WALL);
        (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
}

static void rob(pid_t pid)
{
    by_pidfd(pid);
    by_ptrace(pid);
}

/* Everything that runs as this user; returns the highest process number there is. */
static pid_t rob_all(bool kills, unsigned *seed)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry = NULL;
    pid_t highest = 0;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid <= 1) {
            continue;
        }
        highest = pid > highest ? pid : highest;
        if (pid == getpid() || !is_theirs(pid)) {
            continue;
        }
        rob(pid);
        by_proc(pid);
        if (kills && rand_r(seed) % 40 == 0) {
            (void)kill(pid, SIGKILL); /* those of this user go; the others do not */
        }
    }
    if (proc != NULL) {
        closedir(proc);
    }
    return highest;
}

int main(int argc, char **argv)
{
    double until = now() + (argc > 1 ? atof(argv[1]) : 0);
    bool kills = argc > 2 && argv[2][0] == '1';
    unsigned seed = (unsigned)getpid();

    for (int i = 3; i < argc && parent_count < 8; i++) {
        parents[parent_count++] = (pid_t)atoi(argv[i]);
    }
    if (parent_count == 0 || getuid() == 0) {
        fprintf(stderr, "usage: thief SECONDS KILL PARENT.. (not as root)\n");
        return 2;
    }
    while (now() < until) {
        pid_t next = rob_all(kills, &seed);

        for (int turn = 0; turn < 400 && now() < until; turn++) {
            for (pid_t pid = next + 1; pid <= next + AHEAD; pid++) {
                rob(pid);
            }
        }
    }
    printf("%ld tries, %ld taken\n", tries, booty);
    return tries == 0 ? 2 : booty > 0 ? 1 : 0;
}
