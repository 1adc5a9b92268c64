/* The agent's life and loop; see agent.h. */
#include "agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "agent/state.h"
#include "solve/solve.h"

#define BROKEN_MS    1000
#define TICK_MOST_MS 60000
#define JOIN_MS      2000  /* old workers have closed their listeners by then */
#define ANYWAY_MS    60000 /* a pass at least this often, so that a changed clock is noticed */

int64_t hc_agent_interval_ms(const struct hc_agent *agent)
{
    return agent->conf->check_interval * 1000;
}

/* Parts that listen by themselves come out of here. */
static void on_event(void *self, const struct hc_event *event)
{
    struct hc_agent *agent = self;

    switch (event->kind) {
    case HC_EVENT_STORE_OPENED:
        hc_follow_start(agent);
        hc_jobs_load(agent);
        break;
    case HC_EVENT_STORE_READY:
    case HC_EVENT_CA_CHANGED:
    case HC_EVENT_CLOCK_NEWS:
        agent->jobs_dirty = true;
        break;
    case HC_EVENT_STORE_CLOSING:
        hc_jobs_halt(agent);
        hc_follow_stop(agent);
        break;
    case HC_EVENT_LINE_COMMITTED:
        hc_follow_committed(agent);
        break;
    case HC_EVENT_LINES_CHANGED:
        agent->jobs_dirty = true;
        break;
    case HC_EVENT_LOOK_ENDED:
        if (event->names->count > 0) {
            hc_jobs_forgive(agent, event->index, event->names);
        }
        agent->jobs_dirty = agent->jobs_dirty || event->changed;
        break;
    case HC_EVENT_LINE_FOUND:
    case HC_EVENT_PUBLISHED:
    case HC_EVENT_CLOCK_SET:
    case HC_EVENT_ISSUER_ARRIVED:
    case HC_EVENT_KINDS:
        break;
    }
}

static int new_clock(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_clock_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .http = agent->o.http,
        .built = agent->o.built,
    };

    return hc_clock_watch_new(&options, &agent->clock, err);
}

static int new_cas(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_cas_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .authority = agent->o.authority,
        .http = hc_clock_watch_http(agent->clock),
    };

    return hc_cas_new(&options, &agent->cas, err);
}

/* ---- the loop ---- */

/* What is looked at on the timer whatever happened. */
static int64_t tick(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);
    int64_t interval = hc_agent_interval_ms(agent);

    if (now < agent->tick_ms) {
        return agent->tick_ms - now;
    }
    interval = interval < TICK_MOST_MS ? interval : TICK_MOST_MS;
    agent->tick_ms = now + interval;
    hc_storage_tick(agent->storage);
    hc_publisher_run(agent->publisher); /* something may have expired, or failed to be published */
    hc_garbage_run(agent->garbage);
    return interval;
}

/*
 * Workers of the generation before, that answer no token, may take connections for a moment still:
 * a CA that is fast would ask them. Milliseconds until orders may be placed.
 */
static int64_t until_settled(const struct hc_agent *agent)
{
    int64_t left = agent->started_ms + JOIN_MS - hc_agent_ms(agent);

    return agent->conf->joins_running && left > 0 ? left : 0;
}

static int64_t run_orders(struct hc_agent *agent)
{
    int64_t unsettled = until_settled(agent);
    int64_t wait = 0;

    if (unsettled > 0) {
        return unsettled;
    }
    wait = hc_jobs_run(agent);
    hc_loop_does(agent->o.loop, "names");
    return hc_wait_least(wait,
                         hc_outlooks_run(agent->outlooks)); /* after the jobs, which start looks */
}

/* Does what is due; milliseconds until something may be due, -1: nothing. */
static int64_t run_due(struct hc_agent *agent)
{
    int64_t wait = tick(agent);

    hc_loop_does(agent->o.loop, "store");
    wait = hc_wait_least(wait, hc_storage_run(agent->storage));
    hc_loop_does(agent->o.loop, "orders");
    hc_obtains_run(agent);
    hc_loop_does(agent->o.loop, "chains");
    wait = hc_wait_least(wait, hc_chains_run(agent->chains));
    hc_loop_does(agent->o.loop, "watched files");
    wait = hc_wait_least(wait, hc_watches_run(agent->watches));
    hc_loop_does(agent->o.loop, "other agents");
    wait = hc_wait_least(wait, hc_follow_run(agent));
    hc_loop_does(agent->o.loop, "jobs");
    wait = hc_wait_least(wait, run_orders(agent));
    hc_loop_does(agent->o.loop, "authorities");
    wait = hc_wait_least(wait, hc_cas_run(agent->cas));
    hc_loop_does(agent->o.loop, "health");
    wait = hc_wait_least(wait, hc_health_run(agent->health));
    hc_loop_does(agent->o.loop, "control");
    return hc_wait_least(wait, hc_control_run(agent));
}

static void on_due(void *self)
{
    struct hc_agent *agent = self;
    int64_t wait = run_due(agent);

    agent->looks++;
    hc_timer_in(&agent->due, wait < 0 || wait > ANYWAY_MS ? ANYWAY_MS : wait);
}

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
    hc_timer_init(&agent->due, agent->o.loop, "agent", on_due, agent);
    hc_timer_in(&agent->due, 0);
    return watch_end(agent, &agent->supervise, agent->o.supervise, on_supervise, err) == 0 &&
                   watch_end(agent, &agent->signals, agent->o.signals, on_signal, err) == 0
               ? 0
               : -1;
}

static void leave_loop(struct hc_agent *agent)
{
    hc_loop_fd_remove(&agent->supervise);
    hc_loop_fd_remove(&agent->signals);
    hc_timer_stop(&agent->due);
}

/* ---- life ---- */

static int new_chains(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_chains_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .judge = &agent->judge,
        .dns = agent->o.dns,
        .web = agent->o.web,
    };

    return hc_chains_new(&options, &agent->chains, err);
}

static int new_publisher(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_publisher_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .judge = &agent->judge,
        .table = agent->o.table,
    };

    return hc_publisher_new(&options, &agent->publisher, err);
}

static int new_answers(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_answers_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .table = agent->o.table,
    };

    return hc_answers_new(&options, &agent->answers, err);
}

static int open_solvers(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_solver_env env = {
        .conf = agent->conf,
        .clock = agent->o.clock,
        .log = agent->o.log,
        .answers = hc_answers_port(agent->answers),
    };

    return hc_solvers_open(&env, &agent->solvers, err);
}

static int new_watches(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_watches_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .judge = &agent->judge,
        .keeper = &agent->keeper,
        .chains = agent->chains,
        .publisher = agent->publisher,
    };

    return hc_watches_new(&options, &agent->watches, err);
}

static int new_outlooks(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_outlooks_options options = {
        .env = &agent->env,
        .storage = agent->storage,
        .publisher = agent->publisher,
        .cas = agent->cas,
        .answers = agent->answers,
        .dns = agent->o.dns,
        .web = agent->o.web,
    };

    return hc_outlooks_new(&options, &agent->outlooks, err);
}

static int new_health(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_health_options options = {
        .env = &agent->env,
        .judge = &agent->judge,
        .clock = agent->clock,
        .publisher = agent->publisher,
        .outlooks = agent->outlooks,
    };

    return hc_health_new(&options, &agent->health, err);
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
    agent->env = (struct hc_env){
        .conf = options->conf,
        .clock = options->clock,
        .random = options->random,
        .log = options->log,
        .loop = options->loop,
        .events = &agent->events,
    };
    agent->keeper.fd = options->keeper;
    agent->judge.log = options->log;
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        (void)hc_judge_roots(&agent->judge,
                             &agent->conf->identities[i]); /* now: it takes its time */
    }
    agent->jobs_dirty = true;
    agent->started_ms = hc_agent_ms(agent);
    if (hc_storage_new(&agent->env, &agent->keeper, options->secret, &agent->storage, err) != 0 ||
        new_answers(agent, err) != 0 || open_solvers(agent, err) != 0 ||
        new_clock(agent, err) != 0 || new_cas(agent, err) != 0 || new_chains(agent, err) != 0 ||
        new_publisher(agent, err) != 0 || new_watches(agent, err) != 0 ||
        new_outlooks(agent, err) != 0 || new_health(agent, err) != 0 ||
        hc_jobs_new(agent, err) != 0 ||
        hc_garbage_new(&agent->env, agent->storage, agent->clock, agent->o.table, &agent->garbage,
                       err) != 0 ||
        hc_control_new(agent, err) != 0 ||
        hc_events_add(&agent->events, on_event, agent, err) != 0 || enter_loop(agent, err) != 0) {
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
    if (agent->storage != NULL) {
        hc_storage_close(agent->storage);
    }
    hc_control_free(agent);
    hc_chains_free(agent->chains);
    hc_jobs_free(agent);
    hc_health_free(agent->health);
    hc_outlooks_free(agent->outlooks);
    hc_watches_free(agent->watches);
    hc_cas_free(agent->cas);
    hc_clock_watch_free(agent->clock);
    hc_garbage_free(agent->garbage);
    hc_storage_free(agent->storage);
    hc_judge_dispose(&agent->judge);
    hc_publisher_free(agent->publisher);
    hc_solvers_close(&agent->solvers);
    hc_answers_free(agent->answers);
    hc_conf_free(agent->conf);
    free(agent);
}

bool hc_agent_pass(struct hc_agent *agent, int max_wait_ms)
{
    struct hc_loop *loop = agent->o.loop;
    uint64_t others = hc_loop_calls(loop) - agent->looks;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_loop_pass(loop, max_wait_ms, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "waiting for the network", &err);
        (void)poll(NULL, 0, BROKEN_MS); /* not in a circle */
        return true;
    }
    if (hc_loop_calls(loop) - agent->looks != others) {
        hc_timer_within(&agent->due, 0); /* something happened: what does that mean to us? */
    }
    return !agent->ended;
}
