/* The agent's life and loop; see agent.h. */
#include "agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "agent/control.h"
#include "agent/counters.h"
#include "agent/follow.h"
#include "agent/garbage.h"
#include "agent/kept.h"
#include "agent/queue.h"
#include "agent/responder.h"
#include "agent/secrets.h"
#include "agent/watches.h"
#include "agent/windows.h"
#include "agent/written.h"
#include "conf/build.h"
#include "loop/timer.h"
#include "solve/solve.h"

#define BROKEN_MS 1000
#define JOIN_MS   2000 /* old workers have closed their listeners by then */

struct hc_agent {
    struct hc_agent_options o;
    struct hc_loop_fd supervise;
    struct hc_loop_fd signals;
    bool ended;
    struct hc_conf *conf;
    struct hc_events events;
    struct hc_redaction *redaction;
    struct hc_asker *keeper;
    struct hc_judge judge;
    struct hc_parts parts;
    struct hc_secrets *secrets;
    struct hc_written *written;
    struct hc_keep_port keep;
    struct hc_txts *txts;
    struct hc_solver_set solvers;
    struct hc_control *control;
};

struct hc_parts *hc_agent_parts(struct hc_agent *agent)
{
    return &agent->parts;
}

/* ---- the parts ---- */

static int new_clock(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_clock_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .http = agent->o.http,
        .built = agent->o.built,
    };

    return hc_clock_watch_new(&options, &agent->parts.clock, err);
}

static int new_cas(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_cas_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .authority = agent->o.authority,
        .http = hc_clock_watch_http(agent->parts.clock),
        .secrets = hc_secrets_port(agent->secrets),
    };

    return hc_cas_new(&options, &agent->parts.cas, err);
}

/* ---- the loop ---- */

/* The supervisor says nothing, so whatever comes is its end. */
static void on_supervise(void *self, unsigned events HC_UNUSED)
{
    struct hc_agent *agent = self;
    char byte = 0;
    ssize_t n = recv(agent->o.supervise, &byte, 1, MSG_DONTWAIT);

    agent->ended = agent->ended || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_signal(void *self, unsigned events HC_UNUSED)
{
    struct hc_agent *agent = self;

    agent->ended = true;
}

static int watch_end(struct hc_agent *agent, struct hc_loop_fd *guest, int fd, hc_loop_ready *ready,
                     struct hc_error *err)
{
    *guest = (struct hc_loop_fd){fd, HC_LOOP_READ, "supervision", ready, agent, NULL};
    return fd >= 0 ? hc_loop_fd_add(agent->o.loop, guest, err) : 0;
}

static int enter_loop(struct hc_agent *agent, struct hc_error *err)
{
    return watch_end(agent, &agent->supervise, agent->o.supervise, on_supervise, err) == 0 &&
                   watch_end(agent, &agent->signals, agent->o.signals, on_signal, err) == 0
               ? 0
               : -1;
}

static void leave_loop(struct hc_agent *agent)
{
    hc_loop_fd_remove(&agent->supervise);
    hc_loop_fd_remove(&agent->signals);
}

/* ---- life ---- */

static int new_chains(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_chains_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .judge = &agent->judge,
        .dns = agent->o.dns,
        .web = agent->o.web,
    };

    return hc_chains_new(&options, &agent->parts.chains, err);
}

static int new_publisher(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_publisher_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .judge = &agent->judge,
        .table = agent->o.table,
    };

    return hc_publisher_new(&options, &agent->parts.publisher, err);
}

static int new_answers(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_answers_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .table = agent->o.table,
    };

    return hc_answers_new(&options, &agent->parts.answers, err);
}

static int new_responder(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_responder_options options = {
        .env = &agent->parts.env,
        .answers = agent->parts.answers,
        .sockets = agent->o.dns_sockets,
        .count = agent->o.dns_socket_count,
    };

    return hc_responder_new(&options, &agent->parts.responder, err);
}

static int new_txts(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_txts_options options = {
        .env =
            {
                .conf = agent->conf,
                .clock = agent->o.clock,
                .random = agent->o.random,
                .log = agent->o.log,
                .redaction = agent->redaction,
                .loop = agent->o.loop,
                .dns = agent->o.dns,
                .http = agent->o.http,
                .commands = agent->o.commands,
                .answers = hc_answers_port(agent->parts.answers),
            },
    };

    if (hc_secrets_new(&agent->parts.env, agent->keeper, &agent->secrets, err) != 0 ||
        hc_written_new(&agent->parts.env, agent->parts.storage, &agent->written, err) != 0) {
        return -1;
    }
    hc_kept_port_init(agent->parts.storage, &agent->keep);
    options.env.keep = &agent->keep;
    options.env.secrets = hc_secrets_port(agent->secrets);
    options.written = hc_written_port(agent->written);
    return hc_txts_new(&options, &agent->txts, err);
}

static int open_solvers(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_solver_env env = {
        .conf = agent->conf,
        .clock = agent->o.clock,
        .log = agent->o.log,
        .loop = agent->parts.env.loop,
        .answers = hc_answers_port(agent->parts.answers),
        .dns = agent->o.dns,
        .txts = agent->txts,
    };

    return hc_solvers_open(&env, &agent->solvers, err);
}

static int new_watches(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_watches_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .judge = &agent->judge,
        .keeper = agent->keeper,
        .chains = agent->parts.chains,
        .publisher = agent->parts.publisher,
    };

    return hc_watches_new(&options, &agent->parts.watches, err);
}

static int new_preflights(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_preflights_options options = {
        .env = &agent->parts.env,
        .answers = agent->parts.answers,
        .responder = agent->parts.responder,
        .dns = agent->o.dns,
        .anchors = agent->o.anchors,
        .ranges = agent->o.ranges,
        .web = agent->o.web,
        .tls = agent->o.tls,
    };

    return hc_preflights_new(&options, &agent->parts.preflights, err);
}

static int new_outlooks(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_outlooks_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .publisher = agent->parts.publisher,
        .cas = agent->parts.cas,
        .preflights = agent->parts.preflights,
    };

    return hc_outlooks_new(&options, &agent->parts.outlooks, err);
}

static int new_health(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_health_options options = {
        .env = &agent->parts.env,
        .judge = &agent->judge,
        .clock = agent->parts.clock,
        .publisher = agent->parts.publisher,
        .outlooks = agent->parts.outlooks,
    };

    return hc_health_new(&options, &agent->parts.health, err);
}

static int new_jobs(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_jobs_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .clock = agent->parts.clock,
        .publisher = agent->parts.publisher,
        .cas = agent->parts.cas,
        .preflights = agent->parts.preflights,
        .outlooks = agent->parts.outlooks,
    };

    return hc_jobs_new(&options, &agent->parts.jobs, err);
}

static int new_windows(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_windows_options options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .cas = agent->parts.cas,
        .jobs = agent->parts.jobs,
        .http = agent->o.http,
    };

    return hc_windows_new(&options, &agent->parts.windows, err);
}

static int new_obtains(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_obtain_env options = {
        .env = &agent->parts.env,
        .storage = agent->parts.storage,
        .judge = &agent->judge,
        .solvers = &agent->solvers,
        .chains = agent->parts.chains,
        .publisher = agent->parts.publisher,
        .preflights = agent->parts.preflights,
        .outlooks = agent->parts.outlooks,
        .health = agent->parts.health,
        .jobs = agent->parts.jobs,
        .authority = agent->o.authority,
    };

    return hc_obtains_new(&options, &agent->parts.obtains, err);
}

static int new_queue(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_queue_options options = {
        .env = &agent->parts.env,
        .publisher = agent->parts.publisher,
        .clock = agent->parts.clock,
        .preflights = agent->parts.preflights,
        .outlooks = agent->parts.outlooks,
        .jobs = agent->parts.jobs,
        .obtains = agent->parts.obtains,
    };

    return hc_queue_new(&options, &agent->parts.queue, err);
}

/* From the bottom up: each is given those below it. */
static int new_parts(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_parts *p = &agent->parts;

    if (hc_asker_new(agent->o.loop, agent->o.keeper, &agent->keeper, err) != 0 ||
        hc_counters_new(&p->env, &p->counters, err) != 0 ||
        hc_storage_new(&p->env, agent->keeper, agent->o.secret, &p->storage, err) != 0 ||
        new_answers(agent, err) != 0 || new_txts(agent, err) != 0 ||
        open_solvers(agent, err) != 0 ||
        hc_follow_new(&p->env, p->storage, p->answers, &p->follow, err) != 0 ||
        new_responder(agent, err) != 0 || new_clock(agent, err) != 0 || new_cas(agent, err) != 0 ||
        new_chains(agent, err) != 0 || new_publisher(agent, err) != 0 ||
        new_watches(agent, err) != 0 ||
        hc_garbage_new(&p->env, p->storage, p->clock, agent->o.table, &p->garbage, err) != 0 ||
        new_preflights(agent, err) != 0 || new_outlooks(agent, err) != 0 ||
        new_health(agent, err) != 0 || new_jobs(agent, err) != 0 || new_windows(agent, err) != 0 ||
        new_obtains(agent, err) != 0 || new_queue(agent, err) != 0) {
        return -1;
    }
    return hc_control_new(p, agent->o.control, &agent->control, err);
}

static void free_parts(struct hc_agent *agent)
{
    struct hc_parts *p = &agent->parts;

    hc_control_free(agent->control);
    hc_queue_free(p->queue);
    hc_obtains_free(p->obtains);
    hc_windows_free(p->windows);
    hc_jobs_free(p->jobs);
    hc_health_free(p->health);
    hc_outlooks_free(p->outlooks);
    hc_preflights_free(p->preflights);
    hc_garbage_free(p->garbage);
    hc_watches_free(p->watches);
    hc_publisher_free(p->publisher);
    hc_chains_free(p->chains);
    hc_cas_free(p->cas);
    hc_clock_watch_free(p->clock);
    hc_responder_free(p->responder);
    hc_follow_free(p->follow);
    hc_solvers_close(&agent->solvers);
    hc_txts_free(agent->txts);
    hc_written_free(agent->written);
    hc_secrets_free(agent->secrets);
    hc_answers_free(p->answers);
    hc_storage_free(p->storage);
    hc_counters_free(p->counters);
    hc_asker_free(agent->keeper);
}

int hc_agent_new(const struct hc_agent_options *options, struct hc_agent **out,
                 struct hc_error *err)
{
    struct hc_agent *agent = calloc(1, sizeof(*agent));

    if (agent == NULL) {
        hc_conf_free(options->conf);
        return hc_error_nomem(err);
    }
    agent->o = *options;
    agent->conf = options->conf;
    if (hc_redaction_new(&agent->redaction, err) != 0) {
        goto failed;
    }
    agent->o.log = hc_redaction_log(agent->redaction, options->log);
    agent->parts.env = (struct hc_env){
        .conf = options->conf,
        .clock = options->clock,
        .random = options->random,
        .log = agent->o.log,
        .redaction = agent->redaction,
        .loop = options->loop,
        .events = &agent->events,
    };
    agent->judge.log = agent->o.log;
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        (void)hc_judge_roots(&agent->judge,
                             &agent->conf->identities[i]); /* now: it takes its time */
    }
    if (agent->conf->joins_running) {
        agent->parts.env.settled_ms = hc_env_ms(&agent->parts.env) + JOIN_MS;
    }
    if (new_parts(agent, err) != 0 || enter_loop(agent, err) != 0) {
        goto failed;
    }
    *out = agent;
    return 0;
failed:
    hc_agent_free(agent);
    return -1;
}

void hc_agent_free(struct hc_agent *agent)
{
    if (agent == NULL) {
        return;
    }
    leave_loop(agent);
    if (agent->parts.storage != NULL) {
        hc_storage_close(agent->parts.storage);
    }
    free_parts(agent);
    hc_judge_dispose(&agent->judge);
    hc_redaction_free(agent->redaction);
    hc_conf_free(agent->conf);
    free(agent);
}

bool hc_agent_pass(struct hc_agent *agent, int max_wait_ms)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_loop_pass(agent->o.loop, max_wait_ms, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "waiting for the network", &err);
        (void)poll(NULL, 0, BROKEN_MS); /* not in a circle */
        return true;
    }
    return !agent->ended;
}
