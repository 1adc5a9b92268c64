/*
 * Processes. The master makes the table once and a keeper each generation, and lets the loader fill
 * the table before any worker exists. Workers give up every descriptor of that and read.
 *
 * init_module() must not fail in a reload: nginx would end its master. Whatever could fail because
 * of the configuration has been asked before, in the examination; what fails then is an error in
 * the log, and what was served goes on being served.
 */
#include "ngx_hotcert.h"

#define REFRESH_MS       1000 /* how often a worker looks for new generations */
#define REFRESH_SLICE_MS 10   /* the next turn's delay while there is more to parse */
#define REFRESH_SLICE    20   /* bundles parsed in one turn: below 10 ms */

ngx_hotcert_state_t ngx_hotcert_state = {
    .table = NULL,
    .table_fd = -1,
    .keeper_fd = -1,
    .control_fd = -1,
    .lines_fd = -1,
    .prior_fd = -1,
};

static ngx_hotcert_of_cycle_pt of_cycle;
static ngx_event_t refresh_event;
static ngx_connection_t refresh_dummy; /* nginx's debug log looks for a descriptor */

int ngx_hotcert_rights(ngx_cycle_t *cycle, struct hc_conf *conf, struct hc_rights *rights,
                       struct hc_error *err)
{
    const ngx_core_conf_t *core =
        (const ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    /* while the configuration is read, the core module has not filled its default in yet */
    const char *name = core->username != NULL ? core->username : NGX_USER;
    const struct passwd *user = NULL;

    memset(rights, 0, sizeof(*rights));
    if (geteuid() != 0) {
        return 0;
    }
    user = getpwnam(name);
    if (user == NULL) {
        return hc_error_set(err, HC_P_BAD_VALUE, "user", "there is no user %s", name);
    }
    free(conf->user);
    conf->user = NULL;
    if (hc_strdup(name, &conf->user, err) != 0) {
        return -1;
    }
    rights->drop = true;
    rights->user = conf->user;
    rights->uid = user->pw_uid;
    rights->gid = core->username != NULL ? core->group : user->pw_gid;
    return 0;
}

static int make_table(ngx_cycle_t *cycle, struct hc_conf *conf, struct hc_error *err)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    struct hc_log log = ngx_hotcert_log(cycle->log);

    if (state->table == NULL) {
        conf->joins_running = !ngx_is_init_cycle(cycle->old_cycle);
        return hc_table_create((size_t)conf->table_size, &state->table_fd, &state->table, err);
    }
    hc_start_tell_size(state->table, conf, &log);
    return 0;
}

/*
 * What the start can do without is an error in the log: folders that were good when the table was
 * first made (the agent says so again until they are mended), and the control socket.
 */
static int prepare(ngx_cycle_t *cycle, const struct hc_conf *conf, struct hc_error *err)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    struct hc_log log = ngx_hotcert_log(cycle->log);
    /* a binary upgrade takes the socket from the same server */
    bool first = ngx_is_init_cycle(cycle->old_cycle) && !ngx_inherited;
    struct hc_error own;

    hc_error_init(&own);
    if (hc_prepare_folders(conf, &state->rights, &log, &own) != 0) {
        if (state->table == NULL) {
            return hc_error_chain(err, &own);
        }
        ngx_hotcert_log_error(NGX_LOG_ERR, cycle->log, &own);
    }
    (void)hc_start_control(conf, &state->rights, first, &log, &state->control_fd);
    return hc_start_dns(&state->dns, conf,
                        &(struct hc_start_dns){
                            .first = ngx_is_init_cycle(cycle->old_cycle) && !ngx_inherited,
                            .running = ngx_inherited ? getppid() : 0,
                        },
                        &log, err);
}

/* No worker and no helper ever has what would let it, or whoever robs it, write the table. */
static int hide_descriptors(struct hc_error *err)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;

    return hc_private_add(&state->table_fd, err) != 0 ||
                   hc_private_add(&state->keeper_fd, err) != 0 ||
                   hc_private_add(&state->control_fd, err) != 0
               ? -1
               : 0;
}

/* The keeper, in the environment that `env` directives make for nginx's own processes. */
static int start_keeper(ngx_cycle_t *cycle, const struct hc_conf *conf, struct hc_error *err)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    int dns[HC_DNS_SOCKETS];
    struct hc_keeper_agent agent = {
        .table = state->table_fd,
        .control = state->control_fd,
        .dns = dns,
        .dns_count = hc_dns_sockets_list(&state->dns, dns),
    };
    ngx_uint_t spare = 0;
    int lines = -1;
    pid_t pid = -1;
    int rc = -1;

    if (hc_start_lines(&lines, &agent.lines, err) != 0) {
        return -1;
    }
    agent.environment = ngx_set_environment(cycle, &spare);
    rc = hc_keeper_start(conf, &state->rights, &agent, &state->keeper_fd, &pid, err);
    if (agent.environment != NULL) {
        ngx_free(agent.environment);
    }
    close(agent.lines);
    hc_start_close(&state->lines_fd);
    state->lines_fd = lines;
    return rc;
}

static int start(ngx_cycle_t *cycle, ngx_hotcert_conf_t *main, ngx_uint_t first,
                 struct hc_error *err)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    struct hc_log log = ngx_hotcert_log(cycle->log);
    int before = state->keeper_fd; /* with the agent of the generation before */
    int rc = -1;

    state->owner = main;
    state->keeper_fd = -1;
    if (hide_descriptors(err) == 0 &&
        ngx_hotcert_rights(cycle, main->conf, &state->rights, err) == 0 &&
        hc_pair_bootstrap(&main->bootstrap, err) == 0 && prepare(cycle, main->conf, err) == 0 &&
        make_table(cycle, main->conf, err) == 0 && start_keeper(cycle, main->conf, err) == 0) {
        struct hc_loader_fds fds = {state->keeper_fd, state->table_fd, state->prior_fd};

        rc = hc_loader_run(main->conf, &state->rights, &fds, &log, err);
    }
    ngx_hotcert_end_prior();
    hc_start_close(&before);
    if (state->keeper_fd >= 0 && (rc == 0 || !first)) {
        /* a reload cannot be refused any more: the agent does what the loader could not */
        rc |= hc_keeper_go(state->keeper_fd, err);
    }
    return rc;
}

/*
 * After a reload nginx destroys the configuration before, also when the new one has no hotcert, or
 * not even the module: then nobody is left who asks the keeper, and it ends. The table stays for
 * the workers of older generations, and for a configuration that has hotcert again; but without the
 * module in the configuration nobody would close its descriptor in the workers that come.
 */
void ngx_hotcert_end(const ngx_hotcert_conf_t *main)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;

    if (state->owner == main) {
        hc_start_close(&state->keeper_fd);
        hc_start_close(&state->control_fd);
        hc_start_close(&state->lines_fd);
        hc_dns_sockets_close(&state->dns);
        state->owner = NULL;
    }
}

void ngx_hotcert_end_prior(void)
{
    hc_start_close(&ngx_hotcert_state.prior_fd);
}

void ngx_hotcert_end_table(void)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;

    hc_start_close(&state->table_fd);
    hc_table_detach(state->table);
    state->table = NULL;
}

ngx_int_t ngx_hotcert_init_module(ngx_cycle_t *cycle, ngx_hotcert_conf_t *main)
{
    ngx_uint_t first = ngx_is_init_cycle(cycle->old_cycle);
    struct hc_error err;
    sigset_t child;
    sigset_t before;
    int rc = 0;

    hc_error_init(&err);
    if (ngx_test_config) {
        return NGX_OK;
    }
    if (main == NULL) {
        return NGX_OK;
    }
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    rc = start(cycle, main, first, &err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        ngx_hotcert_log_error(NGX_LOG_EMERG, cycle->log, &err);
    } else if (first) {
        ngx_hotcert_tell_of_level(cycle);
    }
    if (first && !ngx_inherited &&
        ((const ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module))->daemon) {
        hc_private_keep_once();
    }
    return rc != 0 && first ? NGX_ERROR : NGX_OK;
}

void ngx_hotcert_refresh(ngx_hotcert_conf_t *main, struct hc_view_entry *view, ngx_log_t *log)
{
    const struct hc_identity *identity = &main->conf->identities[view - main->views];
    struct hc_log port = ngx_hotcert_log(log);

    hc_serve_refresh(view, identity, ngx_hotcert_state.table, &port);
}

/* Ahead of the first visitor: reads what is new, a slice at a time, so that nobody waits long. */
static void refresh_views(ngx_event_t *event)
{
    ngx_hotcert_conf_t *main = of_cycle((ngx_cycle_t *)ngx_cycle);
    static size_t at;
    size_t parsed = 0;
    size_t seen = 0;

    if (ngx_exiting) {
        return;
    }
    /* without a master the process, and with it this timer, outlives the configuration */
    event->log = ngx_cycle->log;
    if (main == NULL || ngx_hotcert_state.table == NULL) {
        ngx_add_timer(event, REFRESH_MS);
        return;
    }
    for (; seen < main->conf->identity_count && parsed < REFRESH_SLICE; seen++) {
        struct hc_view_entry *view = &main->views[at++ % main->conf->identity_count];

        if (hc_view_entry_stale(view, ngx_hotcert_state.table)) {
            ngx_hotcert_refresh(main, view, event->log);
            parsed++;
        }
    }
    ngx_add_timer(event, parsed == REFRESH_SLICE ? REFRESH_SLICE_MS : REFRESH_MS);
}

void ngx_hotcert_start_timer(ngx_cycle_t *cycle, ngx_event_t *event, ngx_connection_t *dummy,
                             ngx_event_handler_pt handler)
{
    ngx_memzero(event, sizeof(*event));
    dummy->fd = (ngx_socket_t)-1;
    event->handler = handler;
    event->log = cycle->log;
    event->data = dummy;
    event->cancelable = 1; /* a worker that is leaving does not wait for it */
    ngx_add_timer(event, 1);
}

ngx_int_t ngx_hotcert_init_process(ngx_cycle_t *cycle, ngx_hotcert_of_cycle_pt find)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    ngx_hotcert_conf_t *main = find(cycle);

    if (main == NULL || state->table == NULL || ngx_process == NGX_PROCESS_HELPER) {
        return NGX_OK;
    }
    of_cycle = find;
    ngx_hotcert_start_timer(cycle, &refresh_event, &refresh_dummy, refresh_views);
    if (ngx_process == NGX_PROCESS_SINGLE) {
        /* without a master there is no helper process either: the only process listens */
        ngx_hotcert_listen(cycle);
    }
    return NGX_OK;
}
