/* The examination; see examine.h. */
#include "glue/examine.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "glue/start.h"
#include "keeper/keeper.h"

/* No zombie, and no line in the server's log about its end. */
static void end_keeper(int fd, pid_t pid)
{
    hc_start_close(&fd);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

int hc_examine(const struct hc_conf *conf, const struct hc_rights *rights,
               const struct hc_examined *examined, int prior, const struct hc_log *log,
               struct hc_error *err)
{
    unsigned what = examined->what;
    struct hc_loader_fds fds;
    struct hc_error own;
    int keeper = -1;
    pid_t pid = -1;
    int rc = -1;

    hc_error_init(&own);
    if (((what & HC_EXAMINE_FOLDERS) != 0 && hc_examine_folders(conf, rights, err) != 0) ||
        hc_dns_sockets_examine(examined->dns, conf, examined->running, err) != 0 ||
        hc_keeper_start(conf, rights, NULL, &keeper, &pid, err) != 0) {
        return -1;
    }
    fds = (struct hc_loader_fds){.keeper = keeper, .table = -1, .prior = prior};
    rc = hc_loader_run(conf, rights, &fds, log, err);
    if (rc == 0 && (what & HC_EXAMINE_CONTROL) != 0 &&
        hc_examine_control(conf, rights, &own) != 0) {
        hc_log_error(log, hc_control_level(conf), NULL, &own);
    }
    end_keeper(keeper, pid);
    return rc;
}
