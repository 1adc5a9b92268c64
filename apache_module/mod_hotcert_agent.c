/*
 * The supervisor: forked from the parent, with the worker user's rights, it brings the agent's
 * lines into httpd's error log. The keeper runs the agent (core/keeper/agent.h) and sends its
 * lines.
 *
 * A process of its own, because only a process that was forked from httpd can write to whatever the
 * error log is (a file, a pipe to a program, syslog) in the format that the operator chose, and
 * because the parent looks after others only every ten seconds. It holds nothing but the end of a
 * socket from which lines can be read, and its lifeline.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "keeper/process.h"
#include "mod_hotcert.h"

#define LAST_WORDS_MS 1500 /* the keeper hears the agent out, and this process the keeper */
#define LOOK_MS       1000

/* Brings lines until there are no more (false) or nothing comes for wait_ms. */
static bool listen_for(const struct mod_hotcert_supervision *s, int wait_ms)
{
    struct pollfd p[2] = {
        {.fd = s->lines, .events = POLLIN},
        {.fd = s->lifeline, .events = POLLIN},
    };

    if (poll(p, 2, wait_ms) < 0 && errno != EINTR) {
        return false;
    }
    if (p[0].revents != 0 && hc_agent_drain(s->lines, s->log) == 0) {
        return false;
    }
    /* nothing is ever sent over the lifeline: whatever is there is its end */
    return p[1].revents == 0 && getppid() == s->parent;
}

/* The lifeline is gone: what the keeper still has to say is brought, for a moment. */
static void __attribute__((noreturn)) finish(const struct mod_hotcert_supervision *s)
{
    int64_t deadline = hc_now_ms(&hc_clock_system) + LAST_WORDS_MS;
    int64_t left = LAST_WORDS_MS;

    while (left > 0) {
        struct pollfd p = {.fd = s->lines, .events = POLLIN};

        (void)poll(&p, 1, (int)left);
        if (p.revents != 0 && hc_agent_drain(s->lines, s->log) == 0) {
            break;
        }
        left = deadline - hc_now_ms(&hc_clock_system);
    }
    _exit(0);
}

/* Only what it needs, and the worker user's rights. */
static int settle(const struct mod_hotcert_supervision *s)
{
    struct rlimit none = {0, 0};
    const char *what = "limiting core files";

    hc_process_reset_signals();
    (void)signal(SIGPIPE, SIG_IGN);
    /* httpd sends these to its whole process group */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGWINCH, SIG_IGN);
    ap_close_listeners();
    hc_process_title("hotcert-super", "hotcert: supervisor");
    if (setrlimit(RLIMIT_CORE, &none) != 0 || hc_process_drop(&s->rights, &what) != 0) {
        hc_logf(s->log, HC_LOG_ERROR, "the supervisor could not drop root's privileges: %s", what);
        return -1;
    }
    /* after the change of user, which undoes both */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        hc_logf(s->log, HC_LOG_ERROR, "the supervisor could not be hardened");
        return -1;
    }
    return 0;
}

void mod_hotcert_supervise(const struct mod_hotcert_supervision *s)
{
    if (settle(s) != 0) {
        _exit(1);
    }
    while (listen_for(s, LOOK_MS)) {
    }
    finish(s);
}
