/*
 * The supervisor: forked from the parent, with the worker user's rights, it runs the agent, brings
 * its lines into httpd's error log, and starts it again when it dies.
 *
 * A process of its own, because httpd's parent looks after others only every ten seconds, and
 * because only a process that was forked from httpd can write to whatever the error log is (a file,
 * a pipe to a program, syslog) in the format that the operator chose.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/process.h"
#include "mod_hotcert.h"

#define LAST_WORDS_MS 700 /* what the agent has from the end of its lifeline to its own end */
#define LOOK_MS       1000

struct agent {
    pid_t pid;       /* 0: none runs */
    int supervise;   /* -1: none runs */
    int64_t started; /* monotonic, ms */
    int64_t next;    /* monotonic, ms: when it is started again */
    unsigned failures;
};

static int64_t now_ms(void)
{
    return hc_now_ms(&hc_clock_system);
}

static void schedule(const struct mod_hotcert_supervision *s, struct agent *agent, const char *why)
{
    int64_t wait = hc_agent_backoff(&agent->failures, (now_ms() - agent->started) / 1000);

    agent->next = now_ms() + wait * 1000;
    hc_logf(s->log, HC_LOG_ERROR, "the agent %s; it is started again in %lld s", why,
            (long long)wait);
}

static void start_agent(const struct mod_hotcert_supervision *s, struct agent *agent)
{
    struct hc_error err;

    hc_error_init(&err);
    agent->started = now_ms();
    if (hc_agent_start(s->conf, &s->rights, &s->fds, &agent->supervise, &agent->pid, &err) != 0) {
        hc_log_error(s->log, HC_LOG_ERROR, NULL, &err);
        agent->pid = 0;
        agent->supervise = -1;
        schedule(s, agent, "could not be started");
    }
}

/* It has closed its end: it is dead, or so confused that it should be. */
static void bury_agent(const struct mod_hotcert_supervision *s, struct agent *agent)
{
    int status = 0;
    char why[64];

    (void)kill(agent->pid, SIGKILL);
    while (waitpid(agent->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(agent->supervise);
    agent->supervise = -1;
    agent->pid = 0;
    if (WIFSIGNALED(status)) {
        apr_snprintf(why, sizeof(why), "died of signal %d", WTERMSIG(status));
    } else {
        apr_snprintf(why, sizeof(why), "ended with code %d", WEXITSTATUS(status));
    }
    schedule(s, agent, why);
}

/* The lifeline is gone: the agent is told (end-of-file), heard out for a moment, and ended. */
static void finish(const struct mod_hotcert_supervision *s, struct agent *agent)
{
    int64_t deadline = now_ms() + LAST_WORDS_MS;
    bool more = agent->pid != 0;

    if (more) {
        (void)shutdown(agent->supervise, SHUT_WR);
    }
    while (more && now_ms() < deadline) {
        struct pollfd p = {.fd = agent->supervise, .events = POLLIN};

        (void)poll(&p, 1, (int)(deadline - now_ms()));
        more = hc_agent_drain(agent->supervise, s->log) != 0;
    }
    if (agent->pid != 0) {
        (void)kill(agent->pid, SIGKILL);
    }
    /* after the agent, which would complain; for all copies that other daemons hold */
    (void)shutdown(s->fds.keeper, SHUT_RDWR);
    _exit(0);
}

static int wait_ms(const struct agent *agent)
{
    int64_t left = agent->next - now_ms();

    if (agent->pid != 0 || left > LOOK_MS) {
        return LOOK_MS;
    }
    return left > 0 ? (int)left : 0;
}

static void turn(const struct mod_hotcert_supervision *s, struct agent *agent)
{
    struct pollfd p[2] = {
        {.fd = s->lifeline, .events = POLLIN},
        {.fd = agent->supervise, .events = POLLIN},
    };

    if (poll(p, 2, wait_ms(agent)) < 0 && errno != EINTR) {
        finish(s, agent);
    }
    /* nothing is ever sent over the lifeline: whatever is there is its end */
    if (p[0].revents != 0 || getppid() != s->parent) {
        finish(s, agent);
    }
    if (agent->pid != 0 && p[1].revents != 0 && hc_agent_drain(agent->supervise, s->log) == 0) {
        bury_agent(s, agent);
    }
    if (agent->pid == 0 && now_ms() >= agent->next) {
        start_agent(s, agent);
    }
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
        hc_logf(s->log, HC_LOG_ERROR, "the supervisor could not give up root's rights: %s", what);
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
    struct agent agent = {.supervise = -1};

    if (settle(s) != 0) {
        _exit(1);
    }
    for (;;) {
        turn(s, &agent);
    }
}
