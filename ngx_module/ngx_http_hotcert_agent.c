/*
 * The agent's supervisor: nginx's own helper process ("cache manager process"), which the stock
 * master starts when any of its paths has a manager, respawns when it dies, and replaces in a
 * reload. It is shared with proxy_cache, so nothing here ever blocks.
 *
 * A temporary folder of nginx's own is given the manager: an own one would be made and handed to
 * the worker user, and none is needed. nginx calls all managers when the most impatient one wants
 * to be called, so ours asks for no turn: the first call starts a timer, which does the work.
 */
#include "ngx_http_hotcert.h"

#include <sys/wait.h>

#define LISTEN_MS 100  /* how often the agent's log lines are fetched */
#define IDLE_MS   1000 /* how often is looked whether an agent can be started */
#define TURN_MS   ((ngx_msec_t)3600 * 1000) /* a manager's longest pause, which is nginx's own */

static struct {
    pid_t pid; /* 0: none runs */
    int supervise;
    time_t started;
    time_t next; /* not started again before */
    unsigned failures;
    void *cycle; /* whose configuration the agent was given */
} agent = {0, -1, 0, 0, 0, NULL};

static ngx_event_t agent_event;
static ngx_connection_t agent_dummy; /* nginx's debug log looks for a descriptor */

static ngx_msec_t supervise(void);

static void supervise_agent(ngx_event_t *event)
{
    if (!ngx_exiting) {
        /* without a master the process, and with it this timer, outlives the configuration */
        event->log = ngx_cycle->log;
        ngx_add_timer(event, supervise());
    }
}

void ngx_http_hotcert_supervise(ngx_cycle_t *cycle)
{
    if (agent_event.handler == NULL) {
        ngx_http_hotcert_start_timer(cycle, &agent_event, &agent_dummy, supervise_agent);
    }
}

/* Of all helper processes only the manager calls this, at once. */
static ngx_msec_t manager(void *data)
{
    ngx_http_hotcert_supervise((ngx_cycle_t *)ngx_cycle);
    return TURN_MS;
}

ngx_int_t ngx_http_hotcert_add_helper(ngx_conf_t *cf)
{
    ngx_path_t **path = cf->cycle->paths.elts;

    for (ngx_uint_t i = 0; i < cf->cycle->paths.nelts; i++) {
        if (path[i]->manager == NULL && path[i]->purger == NULL && path[i]->loader == NULL) {
            path[i]->manager = manager;
            return NGX_OK;
        }
    }
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "hotcert: no helper process can be had");
    return NGX_ERROR;
}

/* Seconds of a clock that nobody sets. */
static time_t now(void)
{
    return (time_t)(hc_now_ms(&hc_clock_system) / 1000);
}

static void start_agent(const ngx_http_hotcert_main_conf_t *main, ngx_log_t *log)
{
    const ngx_http_hotcert_state_t *state = &ngx_http_hotcert_state;
    struct hc_agent_fds fds = {state->keeper_fd, state->table_fd, state->control_fd};
    struct hc_error err;

    hc_error_init(&err);
    agent.started = now();
    agent.cycle = ngx_cycle->pool;
    if (hc_agent_start(main->conf, &state->rights, &fds, &agent.supervise, &agent.pid, &err) != 0) {
        ngx_http_hotcert_log_error(NGX_LOG_ERR, log, &err);
        agent.pid = 0;
        agent.supervise = -1;
        agent.next = now() + (time_t)hc_agent_backoff(&agent.failures, 0);
    }
}

/* Kills and reaps; *status as of waitpid(), if it is still to be had. */
static bool reap_agent(int *status)
{
    pid_t reaped = 0;

    close(agent.supervise);
    agent.supervise = -1;
    (void)kill(agent.pid, SIGKILL);
    do {
        reaped = waitpid(agent.pid, status, 0);
    } while (reaped < 0 && errno == EINTR);
    return reaped == agent.pid;
}

static void agent_is_gone(ngx_log_t *log)
{
    int64_t wait = hc_agent_backoff(&agent.failures, (int64_t)(now() - agent.started));
    char how[64] = "";
    int status = 0;

    /* it closed its end, so it is dead or dying; without a master nginx may have reaped it */
    if (reap_agent(&status)) {
        ngx_snprintf((u_char *)how, sizeof(how),
                     WIFSIGNALED(status) ? " by signal %d%Z" : " with code %d%Z",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "hotcert: the agent (process %P) ended%s; it is started again in %L s", agent.pid,
                  how, wait);
    agent.pid = 0;
    agent.next = now() + (time_t)wait;
}

/* A reload without a master: the one process goes on, with another configuration. */
static void stop_agent(void)
{
    int status = 0;

    (void)reap_agent(&status);
    agent.pid = 0;
    agent.next = 0;
}

/* Starts, restarts and listens to the agent; never blocks. Milliseconds until the next call. */
static ngx_msec_t supervise(void)
{
    ngx_cycle_t *cycle = (ngx_cycle_t *)ngx_cycle;
    const ngx_http_hotcert_main_conf_t *main = ngx_http_hotcert_of_cycle(cycle);
    struct hc_log log = ngx_http_hotcert_log(cycle->log);

    if (agent.pid != 0 && agent.cycle != cycle->pool) {
        stop_agent();
    }
    if (main == NULL || ngx_http_hotcert_state.keeper_fd < 0) {
        return IDLE_MS;
    }
    if (agent.pid == 0 && now() >= agent.next) {
        if (ngx_process == NGX_PROCESS_HELPER) {
            /* nginx would reap the agent and call its end alarming */
            signal(SIGCHLD, SIG_DFL);
        }
        start_agent(main, cycle->log);
    }
    if (agent.pid != 0 && hc_agent_drain(agent.supervise, &log) == 0) {
        agent_is_gone(cycle->log);
    }
    return agent.pid != 0 ? LISTEN_MS : IDLE_MS;
}
