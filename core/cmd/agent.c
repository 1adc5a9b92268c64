/* `hotcert agent`: the agent as a process; see agent/agent.h and keeper/spawn.h. */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/child.h"
#include "cmd/cmd.h"
#include "hotcert.h"
#include "keeper/spawn.h"

/* The signals that end it, as a descriptor. */
static int open_signals(struct hc_error *err)
{
    sigset_t set;
    int fd = -1;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a descriptor for signals");
    }
    return fd;
}

static int step(void *self, struct pollfd *fds, unsigned count, int timeout_ms,
                struct hc_error *err)
{
    return hc_http_step(self, fds, count, timeout_ms, err);
}

static int run(struct hc_error *err)
{
    struct hc_agent_options options = {
        .keeper = hc_child_has(HC_FD_KEEPER) ? HC_FD_KEEPER : -1,
        .supervise = HC_FD_SUPERVISE,
        .control = hc_child_has(HC_FD_CONTROL) ? HC_FD_CONTROL : -1,
        .signals = -1,
        .clock = &hc_clock_system,
        .random = &hc_random_system,
        .log = &hc_child_log,
        .authority = &hc_authority_acme,
        .step = step,
    };
    struct hc_agent *agent = NULL;
    struct hc_http *http = NULL;
    int rc = -1;

    options.signals = open_signals(err);
    if (options.signals < 0 || hc_table_attach(HC_FD_TABLE, true, &options.table, err) != 0 ||
        hc_http_new("hotcert/" HC_VERSION, &http, err) != 0) {
        goto out;
    }
    options.http = hc_http_port(http);
    options.step_self = http;
    options.conf = hc_child_conf(err);
    if (options.conf == NULL || hc_agent_new(&options, &agent, err) != 0) {
        goto out;
    }
    while (hc_agent_pass(agent, -1)) {
    }
    rc = 0;
out:
    hc_agent_free(agent);
    hc_http_free(http);
    hc_table_detach(options.table);
    if (options.signals >= 0) {
        close(options.signals);
    }
    return rc;
}

int hc_cmd_agent(int argc, char **argv)
{
    struct hc_error err;

    hc_error_init(&err);
    if (argc > 1) {
        return hc_cmd_usage(argv[0], "it takes no arguments");
    }
    if (!hc_child_begin(argv[0])) {
        return HC_EXIT_USAGE;
    }
    if (run(&err) != 0) {
        hc_log_error(&hc_child_log, HC_LOG_ERROR, "the agent ends", &err);
        return HC_EXIT_FAILED;
    }
    return HC_EXIT_OK;
}
