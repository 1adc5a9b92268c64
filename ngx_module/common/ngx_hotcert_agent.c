/*
 * The agent's lines on their way into nginx's error log, which only a process of nginx's own can
 * write in nginx's form, also after the log was rotated. The keeper runs the agent
 * (core/keeper/agent.h); what fetches the lines is nginx's own helper process ("cache manager
 * process"), which the stock master starts when any of its paths has a manager, respawns when it
 * dies, and replaces in a reload. It is shared with proxy_cache, so nothing here ever blocks; and
 * it has the worker user's rights, so it holds nothing but the end of a socket from which lines can
 * be read.
 *
 * A temporary folder of nginx's own is given the manager: an own one would be made and handed to
 * the worker user, and none is needed. nginx calls all managers when the most impatient one wants
 * to be called, so ours asks for no turn: the first call starts a timer, which does the work.
 */
#include "ngx_hotcert.h"

#define LISTEN_MS 100  /* how often lines are fetched */
#define GONE_MS   5000 /* a reload ends the keeper before it ends this process */
#define TURN_MS   ((ngx_msec_t)3600 * 1000) /* a manager's longest pause, which is nginx's own */

static ngx_event_t lines_event;
static ngx_connection_t lines_dummy; /* nginx's debug log looks for a descriptor */

/* Milliseconds until the next call. */
static ngx_msec_t fetch_lines(ngx_log_t *to)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    struct hc_log log = ngx_hotcert_log(to);
    static ngx_uint_t gone;
    struct hc_error err;

    if (state->lines_fd < 0) {
        return LISTEN_MS;
    }
    if (hc_agent_drain(state->lines_fd, &log) != 0) {
        gone = 0;
        return LISTEN_MS;
    }
    if (!gone) {
        gone = 1;
        return GONE_MS;
    }
    hc_error_init(&err);
    hc_error_set(&err, HC_P_KEEPER_GONE, NULL, "the agent ended with it");
    ngx_hotcert_log_error(NGX_LOG_ERR, to, &err);
    close(state->lines_fd);
    state->lines_fd = -1;
    gone = 0;
    return LISTEN_MS;
}

static void on_timer(ngx_event_t *event)
{
    if (!ngx_exiting) {
        /* without a master the process, and with it this timer, outlives the configuration */
        event->log = ngx_cycle->log;
        ngx_add_timer(event, fetch_lines(event->log));
    }
}

void ngx_hotcert_listen(ngx_cycle_t *cycle)
{
    if (lines_event.handler == NULL) {
        ngx_hotcert_start_timer(cycle, &lines_event, &lines_dummy, on_timer);
    }
}

/* Of all helper processes only the manager calls this, at once. */
static ngx_msec_t manager(void *data)
{
    ngx_hotcert_listen((ngx_cycle_t *)ngx_cycle);
    return TURN_MS;
}

ngx_int_t ngx_hotcert_add_helper(ngx_conf_t *cf)
{
    ngx_path_t **path = cf->cycle->paths.elts;

    for (ngx_uint_t i = 0; i < cf->cycle->paths.nelts; i++) {
        if (path[i]->manager == NULL && path[i]->purger == NULL && path[i]->loader == NULL) {
            path[i]->manager = manager;
            return NGX_OK;
        }
    }
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "hotcert: cannot get a helper process");
    return NGX_ERROR;
}
