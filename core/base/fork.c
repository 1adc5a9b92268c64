/* What a process does right after it was forked; see fork.h. */
#include "base/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/libc.h"

pid_t hc_fork_start(struct hc_fork *f)
{
    sigset_t all;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &f->before) != 0) {
        return -1;
    }
    return fork();
}

void hc_fork_done(const struct hc_fork *f)
{
    int saved = errno;

    (void)sigprocmask(SIG_SETMASK, &f->before, NULL);
    errno = saved;
}

void hc_process_reset_signals(void)
{
    struct sigaction action;
    sigset_t none;

    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_DFL;
    for (int signo = 1; signo < NSIG; signo++) {
        (void)sigaction(signo, &action, NULL); /* SIGKILL and SIGSTOP refuse, rightly */
    }
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void hc_process_close_from(int first)
{
    struct rlimit limit;

    if (hc_libc_close_from(first) == 0) {
        return;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 1048576) {
        limit.rlim_cur = 1048576;
    }
    for (int fd = first; fd < (int)limit.rlim_cur; fd++) {
        (void)close(fd);
    }
}

int hc_process_null(int target)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    if (fd == target) {
        return fcntl(fd, F_SETFD, 0);
    }
    if (dup2(fd, target) < 0) {
        return -1;
    }
    return close(fd);
}
