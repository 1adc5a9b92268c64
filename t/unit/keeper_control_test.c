/* core/keeper/control.c: where the control socket stands, and whose folder that may be. */
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "keeper/spawn.h"
#include "keeper_lib.h"

static char *base;

static int reach(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int rc = 0;

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    rc = connect(fd, (struct sockaddr *)&name, sizeof(name));
    close(fd);
    return rc;
}

static void the_control_socket_is_replaced_in_one_step(void)
{
    struct hc_conf conf;
    struct hc_error err = {0};
    struct stat st;
    char command[256];
    int first = -1;
    int second = -1;

    mode_t before = umask(077);

    memset(&conf, 0, sizeof(conf));
    conf.control = join(base, "run/hotcert/c.sock");
    is_int(hc_control_unclaimed(&conf, &worker_rights, &err), 0, "where there is none it is free");
    is_int(hc_examine_control(&conf, &worker_rights, &err), 0, "a configuration test passes");
    ok(access(conf.control, F_OK) != 0, "and makes nothing");
    is_int(hc_prepare_control(&conf, &worker_rights, &first, &err), 0, "a control socket");
    ok(umask(before) == 077, "the umask is as it was");
    ok(stat(conf.control, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0666,
       "that everybody may ask");
    ok(hc_control_unclaimed(&conf, &worker_rights, &err) == -1 &&
           err.problem == HC_P_CONTROL_TAKEN && strcmp(err.subject, conf.control) == 0,
       "another server would take it");
    err = (struct hc_error){0};
    ok(reach(conf.control) == 0 && (fcntl(first, F_GETFD) & FD_CLOEXEC) != 0 &&
           (fcntl(first, F_GETFL) & O_NONBLOCK) != 0,
       "it listens; no program inherits it");
    is_int(hc_prepare_control(&conf, &worker_rights, &second, &err), 0,
           "the next generation binds its own");
    ok(reach(conf.control) == 0 && accept4(second, NULL, NULL, 0) >= 0,
       "and is the one that is reached");
    (void)snprintf(command, sizeof(command), "test $(ls -A %s/run/hotcert | wc -l) = 1", base);
    is_int(system(command), 0, "nothing else is left in its folder");
    close(first);
    close(second);
    is_int(hc_control_unclaimed(&conf, &worker_rights, &err), 0,
           "free, when nobody listens any more");
    free(conf.control);
    conf.control = join(base, "run/hotcert");
    ok(hc_prepare_control(&conf, &worker_rights, &first, &err) == -1 && first == -1 &&
           err.problem == HC_P_CONTROL,
       "a folder in its place is an error");
    is_int(system(command), 0, "that leaves nothing behind");
    free(conf.control);
    conf.control = join(base, "a/path/that/is/longer/than/an/address/of/a/socket/can/be/"
                              "which/is/one/hundred/and/eight/bytes/with/its/end.sock");
    hc_error_init(&err);
    ok(hc_prepare_control(&conf, &worker_rights, &first, &err) == -1 &&
           err.problem == HC_P_BAD_VALUE,
       "and so is a path that no socket can have");
    free(conf.control);
    conf.control = NULL;
    ok(hc_prepare_control(&conf, &worker_rights, &first, &err) == 0 && first == -1, "none is none");
}

/* The problem of a socket that cannot be at this path; a configuration test must say the same. */
static enum hc_problem problem_at(const char *name)
{
    struct hc_conf conf;
    struct hc_error looked = {0};
    struct hc_error err = {0};
    int fd = -1;

    memset(&conf, 0, sizeof(conf));
    conf.control = join(base, name);
    is_int(hc_examine_control(&conf, &worker_rights, &looked), -1, "a configuration test says so");
    if (hc_prepare_control(&conf, &worker_rights, &fd, &err) == 0) {
        close(fd);
    } else {
        printf("# %s: %s\n", err.subject, err.detail);
    }
    is_int(looked.problem, err.problem, "it says the same");
    free(conf.control);
    return err.problem;
}

static void nothing_of_anybody_elses_is_replaced(void)
{
    struct stat st;
    char *path = join(base, "precious");

    make_file(base, "precious", "x", 1, 0600);
    make_link(base, "link", "precious");
    make_folder(base, "workers", 0755, WORKER, WORKER);
    is_int(problem_at("precious"), HC_P_CONTROL, "a file in its place is an error");
    is_int(problem_at("link"), HC_P_CONTROL, "so is a link to one");
    ok(stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 1, "and it is still there");
    is_int(problem_at("workers/c.sock"), HC_P_CONTROL, "the worker user's folder is refused");
    is_int(problem_at("precious/c.sock"), HC_P_CONTROL, "and what is no folder");
    free(path);
}

/* In a folder of his own: puts links to a file of root's in the place of all that comes. */
static void exchange_names(const char *folder, const char *target)
{
    if (setgid(1) != 0 || setuid(1) != 0 || chdir(folder) != 0) {
        _exit(1);
    }
    for (;;) {
        DIR *dir = opendir(".");
        const struct dirent *entry = NULL;

        while (dir != NULL && (entry = readdir(dir)) != NULL) {
            if ((entry->d_name[0] != '.' || strlen(entry->d_name) > 2) &&
                unlink(entry->d_name) == 0 && symlink(target, entry->d_name) != 0) {
                _exit(1);
            }
        }
        closedir(dir);
    }
}

static void the_owner_of_its_folder_gains_nothing(void)
{
    struct hc_conf conf;
    struct hc_error err = {0};
    struct stat st;
    char *folder = join(base, "third");
    char *target = join(base, "shadow");
    pid_t other = -1;

    memset(&conf, 0, sizeof(conf));
    conf.control = join(base, "third/c.sock");
    make_folder(base, "third", 0755, 1, 1);
    make_file(base, "shadow", "x", 1, 0600);
    other = fork();
    if (other == 0) {
        exchange_names(folder, target);
    }
    for (int i = 0; i < 20000 && stat(target, &st) == 0 && (st.st_mode & 07777) == 0600; i++) {
        int fd = -1;

        hc_error_init(&err);
        if (hc_prepare_control(&conf, &worker_rights, &fd, &err) == 0) {
            close(fd);
        }
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    ok(stat(target, &st) == 0 && (st.st_mode & 07777) == 0600 && S_ISREG(st.st_mode),
       "a file that its owner points at keeps its mode");
    free(conf.control);
    free(folder);
    free(target);
}

static void it_matters_less_under_watch(void)
{
    struct hc_identity identities[2];
    struct hc_conf conf;

    memset(&conf, 0, sizeof(conf));
    memset(identities, 0, sizeof(identities));
    conf.identities = identities;
    conf.identity_count = 2;
    identities[0].mode = identities[1].mode = HC_MODE_WATCH;
    is_int(hc_control_level(&conf), HC_LOG_WARN, "all hosts are watch: a warning");
    identities[1].mode = HC_MODE_ON;
    is_int(hc_control_level(&conf), HC_LOG_ERROR, "one is not: an error");
}

int main(void)
{
    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    the_control_socket_is_replaced_in_one_step();
    nothing_of_anybody_elses_is_replaced();
    the_owner_of_its_folder_gains_nothing();
    it_matters_less_under_watch();
    remove_tree(base);
    free(base);
    return done();
}
