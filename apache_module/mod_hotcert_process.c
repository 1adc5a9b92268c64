/*
 * What the parent starts and keeps: the live table, the keeper, the loader of a start, the
 * supervisor with the agent. All of it runs single-threaded in the parent.
 *
 * The table is kept over graceful restarts (ap_retained_data_*), so that old and new children read
 * one. Everything else is of one generation: at the end of its pool the keeper's socket and the
 * supervisor's lifeline are shut (not closed: daemons that other modules fork hold copies of the
 * lifeline); the keeper ends the agent, the supervisor brings its last lines.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/process.h"
#include "mod_hotcert.h"

/* Changes whenever struct retained does: a newer module must not take an older one's for its own.
 */
#define RETAINED_KEY "mod_hotcert retained 1"
#define LEAVING_MAX  16
/* Who dies again so soon is not started at once, but at the monitor hook's next call. */
#define SOON_MS 10000

/* What outlives a generation. */
struct retained {
    bool made;
    int table_fd;
    struct hc_table *table;
    const void *module;         /* whose memory `table` is: a replaced module attaches anew */
    pid_t leaving[LEAVING_MAX]; /* of generations before; 0: none */
};

enum which { KEEPER, SUPERVISOR };

struct child {
    enum which which;
    struct mod_hotcert_processes *owner;
    apr_proc_t proc;
    bool runs;
    bool wanted;   /* the monitor starts it again */
    bool replace;  /* it was asked to end, for a new one */
    int64_t again; /* when it was last started after a death; 0: never */
};

struct mod_hotcert_processes {
    struct mod_hotcert_state *state;
    struct retained *retained;
    struct hc_rights rights;
    struct child keeper, supervisor;
    int lines, lifeline; /* -1: none */
    pid_t parent;
    bool ending;
    bool started; /* the start is over: a keeper runs an agent at once */
};

/* What no process but keeper, loader and agent may have, beside the table: of this generation. */
static int keeper_fd = -1;
static int control_fd = -1;

static const char module_mark;

static int start_keeper(struct mod_hotcert_processes *p, struct hc_error *err);
static int start_supervisor(struct mod_hotcert_processes *p, struct hc_error *err);

static void close_socket(int *fd)
{
    if (*fd >= 0) {
        (void)shutdown(*fd, SHUT_RDWR);
        hc_start_close(fd);
    }
}

/* ---- deaths ---- */

static void start_again(struct child *child)
{
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    child->replace = false;
    child->wanted = child->which == SUPERVISOR && keeper_fd < 0;
    if (child->wanted) {
        return; /* first the keeper */
    }
    rc = child->which == KEEPER ? start_keeper(child->owner, &err)
                                : start_supervisor(child->owner, &err);
    if (rc != 0) {
        hc_log_error(&child->owner->state->log, HC_LOG_ERROR, NULL, &err);
        child->wanted = true;
    }
}

static void died(struct child *child, int status)
{
    struct mod_hotcert_processes *p = child->owner;
    int64_t now = hc_now_ms(&hc_clock_system);
    bool soon = child->again != 0 && now - child->again < SOON_MS;

    child->runs = false;
    if (p->ending || getpid() != p->parent) {
        return;
    }
    if (!child->replace) {
        hc_logf(&p->state->log, HC_LOG_ERROR, "the %s ended (status %d); restarting it%s",
                child->which == KEEPER ? "keeper" : "supervisor", status,
                soon ? " in a few seconds" : "");
    }
    if (soon && !child->replace) {
        child->wanted = true;
        return;
    }
    child->again = now;
    start_again(child);
}

static void tell_to_end(struct mod_hotcert_processes *p)
{
    p->ending = true;
    close_socket(&keeper_fd);
    close_socket(&p->lifeline);
}

/* The parent's news of a process of this generation. */
static void news(int reason, void *data, apr_wait_t status)
{
    struct child *child = data;

    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        apr_proc_other_child_unregister(child);
        died(child, status);
        break;
    case APR_OC_REASON_RESTART: /* httpd stops or restarts, and ends its children */
        tell_to_end(child->owner);
        break;
    default:
        break;
    }
}

/* A process of a generation before, and its entry in retained->leaving. */
struct leaver {
    apr_proc_t proc;
    pid_t *entry;
};

/* The parent's news of such a one: it was told to end, and has. */
static void old_news(int reason, void *data, apr_wait_t status HC_UNUSED)
{
    struct leaver *leaver = data;

    if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
        *leaver->entry = 0; /* the number may soon be another process's */
        apr_proc_other_child_unregister(leaver);
    }
}

static void registered(struct child *child, pid_t pid)
{
    struct mod_hotcert_processes *p = child->owner;

    memset(&child->proc, 0, sizeof(child->proc));
    child->proc.pid = pid;
    child->runs = true;
    apr_proc_other_child_register(&child->proc, news, child, NULL, p->state->pool);
}

/* Their deaths come to the parent now: unexpected, httpd would warn of a lost child. */
static void expect_leaving(struct mod_hotcert_processes *p)
{
    for (size_t i = 0; i < LEAVING_MAX; i++) {
        pid_t *entry = &p->retained->leaving[i];
        struct leaver *leaver = NULL;

        if (*entry == 0) {
            continue;
        }
        if (waitpid(*entry, NULL, WNOHANG) != 0) {
            *entry = 0;
            continue;
        }
        leaver = apr_pcalloc(p->state->pool, sizeof(*leaver));
        leaver->entry = entry;
        leaver->proc.pid = *entry;
        apr_proc_other_child_register(&leaver->proc, old_news, leaver, NULL, p->state->pool);
    }
}

static void note_leaving(struct retained *retained, const struct child *child)
{
    for (size_t i = 0; child->runs && i < LEAVING_MAX; i++) {
        if (retained->leaving[i] == 0) {
            retained->leaving[i] = child->proc.pid;
            return;
        }
    }
}

/* The end of the generation's pool. Also called in children that run their parent's cleanups. */
static apr_status_t end_processes(void *data)
{
    struct mod_hotcert_processes *p = data;

    if (getpid() != p->parent) {
        return APR_SUCCESS;
    }
    tell_to_end(p);
    hc_start_close(&control_fd);
    hc_start_close(&p->lines);
    note_leaving(p->retained, &p->supervisor);
    note_leaving(p->retained, &p->keeper);
    return APR_SUCCESS;
}

/* ---- starts ---- */

/* The keeper, and the socket on which its agent's lines come. */
static int fork_keeper(struct mod_hotcert_processes *p, pid_t *pid, struct hc_error *err)
{
    int dns[HC_DNS_SOCKETS];
    struct hc_keeper_agent agent = {
        .table = p->retained->table_fd,
        .control = control_fd,
        .dns = dns,
        .dns_count = hc_dns_sockets_list(mod_hotcert_dns(), dns),
    };
    int lines = -1;
    int rc = -1;

    if (hc_start_lines(&lines, &agent.lines, err) != 0) {
        return -1;
    }
    /* the fork gives the keeper what it is lent */
    rc = mod_hotcert_dialog_lend(p->state, err);
    if (rc == 0) {
        rc = hc_keeper_start(p->state->conf, &p->rights, &agent, &keeper_fd, pid, err);
    }
    mod_hotcert_dialog_take_back(p->state);
    close(agent.lines);
    hc_start_close(&p->lines);
    p->lines = lines;
    return rc;
}

static int start_keeper(struct mod_hotcert_processes *p, struct hc_error *err)
{
    pid_t pid = -1;

    close_socket(&keeper_fd);
    if (fork_keeper(p, &pid, err) != 0) {
        keeper_fd = -1;
        return -1;
    }
    registered(&p->keeper, pid);
    if (p->supervisor.runs) {
        /* it listens to the keeper before */
        p->supervisor.replace = true;
        close_socket(&p->lifeline);
    }
    return p->started ? hc_keeper_go(keeper_fd, err) : 0;
}

static int start_supervisor(struct mod_hotcert_processes *p, struct hc_error *err)
{
    struct mod_hotcert_supervision s = {
        .log = &p->state->log,
        .rights = p->rights,
        .lines = p->lines,
        .parent = p->parent,
    };
    struct hc_fork fork_state;
    int ends[2] = {-1, -1};
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "creating a pair of sockets");
    }
    pid = hc_fork_start(&fork_state);
    if (pid == 0) {
        hc_start_close(&ends[0]);
        hc_start_close(&p->lifeline);
        s.lifeline = ends[1];
        mod_hotcert_supervise(&s);
    }
    hc_fork_done(&fork_state);
    hc_start_close(&ends[1]);
    if (pid < 0) {
        hc_start_close(&ends[0]);
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "forking the supervisor");
    }
    close_socket(&p->lifeline);
    p->lifeline = ends[0];
    registered(&p->supervisor, pid);
    return 0;
}

static bool is_first_start(void)
{
    int generation = 0;

    return ap_mpm_query(AP_MPMQ_GENERATION, &generation) != APR_SUCCESS || generation == 0;
}

/*
 * The module's file was replaced: the mapping belongs to code that is not this. A table of another
 * layout is left to the children that have it, and the loader fills a new one.
 */
static int take_table_over(struct mod_hotcert_processes *p, struct hc_error *err)
{
    struct retained *retained = p->retained;
    struct hc_error why;

    hc_error_init(&why);
    if (hc_table_attach(retained->table_fd, false, &retained->table, &why) == 0) {
        return 0;
    }
    if (why.problem != HC_P_SERVER_OTHER) {
        return hc_error_chain(err, &why);
    }
    hc_logf(&p->state->log, HC_LOG_NOTICE,
            "hotcert's version differs from the running one: new children get their own table");
    hc_start_close(&retained->table_fd);
    retained->made = false;
    return 0;
}

/* The table of the generations before, or a new one. */
static int have_table(struct mod_hotcert_processes *p, struct hc_error *err)
{
    struct retained *retained = p->retained;

    if (retained->made && retained->module != &module_mark && take_table_over(p, err) != 0) {
        return -1;
    }
    if (!retained->made) {
        p->state->conf->joins_running = !is_first_start();
        if (hc_table_create((size_t)p->state->conf->table_size, &retained->table_fd,
                            &retained->table, err) != 0) {
            return -1;
        }
        retained->made = true;
    }
    retained->module = &module_mark;
    p->state->table = retained->table;
    hc_start_tell_size(retained->table, p->state->conf, &p->state->log);
    return 0;
}

/* The memory that children of a configuration without the module would inherit. */
static struct retained *inherited;

/*
 * A graceful restart can take the module away. This object stays mapped, and so does the table in
 * the parent, for the configuration that has the module again; but without the module there is
 * nobody who uses it in a child. A newer object that took the table over sees to it itself.
 */
static void leave_in_strangers(void)
{
    if (mod_hotcert == NULL && inherited->made && inherited->module == &module_mark) {
        hc_table_detach(inherited->table);
        inherited->table = NULL;
    }
}

/* No child, and no daemon of another module, ever has what would let it, or whoever robs it, write
 * the table; also where a graceful restart takes the module away, which stays mapped. */
static int hide_descriptors(struct retained *retained, struct hc_error *err)
{
    if (inherited == NULL && pthread_atfork(NULL, NULL, leave_in_strangers) == 0) {
        inherited = retained;
    }
    return hc_private_add(&retained->table_fd, err) != 0 || hc_private_add(&keeper_fd, err) != 0 ||
                   hc_private_add(&control_fd, err) != 0
               ? -1
               : 0;
}

static struct mod_hotcert_processes *new_processes(struct mod_hotcert_state *state)
{
    struct mod_hotcert_processes *p = apr_pcalloc(state->pool, sizeof(*p));

    p->state = state;
    p->retained = ap_retained_data_get(RETAINED_KEY);
    if (p->retained == NULL) {
        p->retained = ap_retained_data_create(RETAINED_KEY, sizeof(*p->retained));
        p->retained->table_fd = -1;
    }
    mod_hotcert_rights(&p->rights);
    p->keeper.which = KEEPER;
    p->supervisor.which = SUPERVISOR;
    p->keeper.owner = p->supervisor.owner = p;
    p->lines = p->lifeline = -1;
    p->parent = getpid();
    apr_pool_cleanup_register(state->pool, p, end_processes, apr_pool_cleanup_null);
    return p;
}

/* Everything up to the point where certificates are served. */
static int load(struct mod_hotcert_processes *p, struct hc_error *err)
{
    struct hc_loader_fds fds;

    mod_hotcert_dialog_hide();
    mod_hotcert_dialog_run(p->state);
    if (hide_descriptors(p->retained, err) != 0 || have_table(p, err) != 0 ||
        hc_prepare_folders(p->state->conf, &p->rights, &p->state->log, err) != 0) {
        return -1;
    }
    if (!hc_start_control(p->state->conf, &p->rights, is_first_start(), &p->state->log,
                          &control_fd)) {
        hc_start_close(&control_fd);
    }
    if (hc_start_dns(mod_hotcert_dns(), p->state->conf,
                     &(struct hc_start_dns){.first = is_first_start()}, &p->state->log, err) != 0 ||
        start_keeper(p, err) != 0) {
        return -1;
    }
    fds = (struct hc_loader_fds){keeper_fd, p->retained->table_fd, mod_hotcert_prior()};
    return hc_loader_run(p->state->conf, &p->rights, &fds, &p->state->log, err);
}

int mod_hotcert_processes_start(struct mod_hotcert_state *state, struct hc_error *err)
{
    struct mod_hotcert_processes *p = new_processes(state);
    struct hc_error own;
    int rc = 0;

    state->processes = p;
    expect_leaving(p);
    if (state->conf->identity_count == 0) {
        hc_dns_sockets_close(mod_hotcert_dns());
        return 0;
    }
    rc = load(p, err);
    mod_hotcert_end_prior();
    if (rc != 0) {
        if (is_first_start()) {
            return -1;
        }
        /* a graceful restart that fails here would end a server that works */
        hc_log_error(
            &state->log, HC_LOG_ERROR,
            "could not load certificates for this restart; continuing with those in memory", err);
        hc_error_init(err);
    }
    p->started = true;
    hc_error_init(&own);
    if (keeper_fd >= 0 && hc_keeper_go(keeper_fd, &own) != 0) {
        hc_log_error(&state->log, HC_LOG_ERROR, NULL, &own);
    }
    if (state->table != NULL) {
        p->keeper.wanted = keeper_fd < 0; /* the monitor tries again */
        start_again(&p->supervisor);
    }
    return 0;
}

void mod_hotcert_processes_leave(struct mod_hotcert_state *state)
{
    struct mod_hotcert_processes *p = state->processes;

    if (p == NULL || getpid() == p->parent) { /* httpd -X: parent and child are one */
        return;
    }
    hc_start_close(&p->lines);
    hc_start_close(&p->lifeline);
}

int mod_hotcert_processes_monitor(apr_pool_t *pool HC_UNUSED, server_rec *server HC_UNUSED)
{
    struct mod_hotcert_processes *p = mod_hotcert != NULL ? mod_hotcert->processes : NULL;

    if (p == NULL || p->ending || getpid() != p->parent) {
        return DECLINED;
    }
    if (p->keeper.wanted) {
        start_again(&p->keeper);
    }
    if (p->supervisor.wanted) {
        start_again(&p->supervisor);
    }
    return DECLINED;
}
