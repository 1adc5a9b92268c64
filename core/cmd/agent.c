/* `hotcert agent`: the agent as a process; see agent/agent.h and keeper/spawn.h. */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/confine.h"
#include "agent/runner.h"
#include "base/io.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "dns/anchors.h"
#include "hotcert.h"
#include "keeper/spawn.h"
#include "net/handshake.h"
#include "preflight/ranges.h"

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
    (void)signal(SIGCHLD, SIG_DFL); /* the loop reaps */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a descriptor for signals");
    }
    return fd;
}

/* What names are checked with. */
struct names {
    struct hc_resolver *resolver;
    struct hc_anchors *anchors;
    struct hc_ranges ranges;
    struct hc_web *web;
    struct hc_handshakes *handshakes;
};

/* A resolver that cannot be had is an error once, and orders go on. */
static void open_names(struct hc_agent_options *options, struct hc_http *http, struct names *names)
{
    struct hc_resolver_options how = {
        .servers = &options->conf->resolvers,
        .loop = options->loop,
        .random = options->random,
        .log = options->log,
    };
    struct hc_error err;

    hc_error_init(&err);
    if (hc_resolver_new(&how, &names->resolver, &err) != 0 ||
        hc_anchors_new(options->conf->dnssec_anchor, &names->anchors, &err) != 0 ||
        hc_web_new(http, &names->web, &err) != 0 ||
        hc_handshakes_new(options->loop, &names->handshakes, &err) != 0) {
        hc_log_error(options->log, HC_LOG_ERROR, "cannot check names before an order", &err);
        return;
    }
    if (hc_ranges_add_files(&names->ranges, &options->conf->cdn_ranges, &err) != 0) {
        hc_log_error(options->log, HC_LOG_ERROR, "cannot read all ranges of CDNs", &err);
    }
    options->dns = hc_resolver_port(names->resolver);
    options->anchors = names->anchors;
    options->ranges = &names->ranges;
    options->web = hc_web_port(names->web);
    options->tls = hc_handshakes_port(names->handshakes);
}

static void close_names(struct names *names)
{
    hc_handshakes_free(names->handshakes);
    hc_web_free(names->web);
    hc_resolver_free(names->resolver);
    hc_anchors_free(names->anchors);
    hc_ranges_dispose(&names->ranges);
}

#ifndef HC_BUILT
#define HC_BUILT 0 /* seconds since 1970; the Makefile says */
#endif

static void on_runner_gone(void *self)
{
    *(bool *)self = true;
}

/* Until a signal or the end of its supervisor ends it. A confined agent cannot fork another runner;
 * the keeper starts another agent. */
static int pass_until_the_end(struct hc_agent *agent, const bool *runner_gone, struct hc_error *err)
{
    while (hc_agent_pass(agent, -1)) {
        if (*runner_gone) {
            return hc_error_set(err, HC_P_SYSTEM, NULL,
                                "the runner, which starts commands, has ended");
        }
    }
    return 0;
}

/* The responder's sockets that were handed over; returns how many. */
static size_t find_dns(int fds[HC_DNS_SOCKETS])
{
    size_t count = 0;

    for (int fd = HC_FD_DNS; fd < HC_FD_END && hc_child_has(fd); fd++) {
        fds[count++] = fd;
    }
    return count;
}

static int run(struct hc_error *err)
{
    int dns[HC_DNS_SOCKETS];
    struct hc_agent_options options = {
        .dns_sockets = dns,
        .dns_socket_count = find_dns(dns),
        .keeper = hc_child_has(HC_FD_KEEPER) ? HC_FD_KEEPER : -1,
        .supervise = HC_FD_SUPERVISE,
        .control = hc_child_has(HC_FD_CONTROL) ? HC_FD_CONTROL : -1,
        .signals = -1,
        .built = HC_BUILT,
        .clock = &hc_clock_system,
        .random = &hc_random_system,
        .log = &hc_child_log,
        .authority = &hc_authority_acme,
    };
    struct hc_runner_process process = {.socket = -1};
    struct hc_runner *runner = NULL;
    bool runner_gone = false;
    struct hc_agent *agent = NULL;
    struct hc_http *http = NULL;
    struct names names = {.resolver = NULL};
    int rc = -1;

    /* first of all: it shall know nothing of what is read from now on */
    if (hc_runner_start(&process, err) != 0) {
        return -1;
    }
    options.signals = open_signals(err);
    /* first: what a server of another version gave us besides may have changed as well */
    options.conf = hc_child_conf(err);
    if (options.conf == NULL) {
        goto out;
    }
    hc_child_tell_versions(options.conf);
    if (options.signals < 0 || hc_table_attach(HC_FD_TABLE, true, &options.table, err) != 0 ||
        hc_loop_new(options.clock, &options.loop, err) != 0 ||
        hc_runner_new(options.loop, process.socket, on_runner_gone, &runner_gone, &runner, err) !=
            0 ||
        hc_http_new(options.loop, "hotcert/" HC_VERSION, &http, err) != 0) {
        goto out;
    }
    options.http = hc_http_port(http);
    options.commands = hc_runner_port(runner);
    hc_confine(options.conf, options.log);
    open_names(&options, http, &names);
    if (hc_agent_new(&options, &agent, err) != 0) {
        goto out;
    }
    rc = pass_until_the_end(agent, &runner_gone, err);
out:
    hc_agent_free(agent);
    close_names(&names);
    hc_http_free(http);
    hc_runner_free(runner);
    hc_loop_free(options.loop);
    hc_table_detach(options.table);
    hc_io_close(options.signals);
    hc_runner_end(&process);
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
