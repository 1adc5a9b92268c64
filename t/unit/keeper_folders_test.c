/* core/keeper/folders.c: what a start makes on disk, and what it refuses to touch. */
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "keeper/spawn.h"
#include "keeper_lib.h"

static char *base;

/* Prepares with these paths below base; the problem that came of it. */
static enum hc_problem prepare(const char *secret, const char *store, const char *control)
{
    struct hc_conf conf;
    struct hc_error err = {0};
    enum hc_problem expected = HC_P_NONE;
    int looked = 0;
    int rc = 0;

    memset(&conf, 0, sizeof(conf));
    conf.secret = join(base, secret);
    conf.store = join(base, store);
    conf.control = join(base, control);
    looked = hc_examine_folders(&conf, &worker_rights, &err);
    expected = looked == 0 ? HC_P_NONE : err.problem;
    hc_error_init(&err);
    rc = hc_prepare_folders(&conf, &worker_rights, &err);
    is_int(expected, rc == 0 ? HC_P_NONE : err.problem, "a configuration test says the same");
    if (rc != 0) {
        printf("# %s: %s\n", err.subject, err.detail);
    }
    free(conf.secret);
    free(conf.store);
    free(conf.control);
    return rc == 0 ? HC_P_NONE : err.problem;
}

static bool folder_is(const char *name, uid_t uid, mode_t mode)
{
    char *path = join(base, name);
    struct stat st;
    bool good = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid &&
                (st.st_mode & 07777) == mode;

    free(path);
    return good;
}

static void a_first_start_makes_all(void)
{
    mode_t before = umask(077);

    is_int(prepare("lib/hotcert/secret", "lib/hotcert/store", "run/hotcert/nginx.sock"), HC_P_NONE,
           "a first start");
    umask(before);
    ok(folder_is("lib/hotcert", 0, 0755) && folder_is("run/hotcert", 0, 0755),
       "folders of root's that the worker user can pass, whatever the umask is");
    ok(folder_is("lib/hotcert/store", WORKER, 0700), "the store is the worker user's alone");
    make_file(base, "lib/hotcert/store/x", "x", 1, 0600);
    is_int(prepare("lib/hotcert/secret", "lib/hotcert/store", "run/hotcert/nginx.sock"), HC_P_NONE,
           "a second start");
    ok(folder_is("lib/hotcert/store", WORKER, 0700), "finds it as it was");
}

static void what_is_there_is_looked_at(void)
{
    make_folder(base, "volume", 0755, 0, 0);
    is_int(prepare("secret", "volume", "c"), HC_P_NONE,
           "an empty folder of root's: a fresh volume");
    ok(folder_is("volume", WORKER, 0700), "is given to the worker user");
    make_folder(base, "wide", 0777, WORKER, WORKER);
    is_int(prepare("secret", "wide", "c"), HC_P_NONE, "a mode that is too wide");
    ok(folder_is("wide", WORKER, 0700), "is narrowed");
    make_folder(base, "roots", 0755, 0, 0);
    make_file(base, "roots/data", "x", 1, 0600);
    is_int(prepare("secret", "roots", "c"), HC_P_STORE_UNSAFE,
           "a folder of root's with something in it");
    ok(folder_is("roots", 0, 0755), "is left alone");
    make_folder(base, "other", 0755, 1, 1);
    is_int(prepare("secret", "other", "c"), HC_P_STORE_UNSAFE, "somebody else's");
    ok(folder_is("other", 1, 0755), "too");
    make_file(base, "afile", "x", 1, 0600);
    is_int(prepare("secret", "afile", "c"), HC_P_STORE_UNUSABLE, "a file");
    make_folder(base, "theirs", 0755, WORKER, WORKER);
    is_int(prepare("theirs/secret", "store", "c"), HC_P_STORE_UNSAFE,
           "a secret below the worker's folder");
    is_int(prepare("secret", "theirs/store", "c"), HC_P_STORE_UNSAFE, "a store there");
    is_int(prepare("secret", "store", "theirs/run/c"), HC_P_STORE_UNSAFE, "a socket there");
    make_link(base, "theirs/link", "../roots");
    is_int(prepare("secret", "theirs/link/store", "c"), HC_P_STORE_UNSAFE,
           "a symlink of the worker's on the way");
    ok(!folder_is("roots/store", WORKER, 0700), "is not followed");
    make_folder(base, "disk", 0755, 0, 0);
    make_link(base, "moved", "disk/store");
    is_int(prepare("secret", "moved", "c"), HC_P_NONE, "a symlink of root's to another disk");
    ok(folder_is("disk/store", WORKER, 0700), "is followed");
}

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

    memset(&conf, 0, sizeof(conf));
    conf.control = join(base, "run/hotcert/c.sock");
    is_int(hc_prepare_control(&conf, &first, &err), 0, "a control socket");
    ok(stat(conf.control, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0666,
       "that everybody may ask");
    ok(reach(conf.control) == 0 && (fcntl(first, F_GETFD) & FD_CLOEXEC) != 0 &&
           (fcntl(first, F_GETFL) & O_NONBLOCK) != 0,
       "it listens; no program inherits it");
    is_int(hc_prepare_control(&conf, &second, &err), 0, "the next generation binds its own");
    ok(reach(conf.control) == 0 && accept4(second, NULL, NULL, 0) >= 0,
       "and is the one that is reached");
    (void)snprintf(command, sizeof(command), "test $(ls -A %s/run/hotcert | wc -l) = 1", base);
    is_int(system(command), 0, "nothing else is left in its folder");
    close(first);
    close(second);
    free(conf.control);
    conf.control = join(base, "run/hotcert");
    ok(hc_prepare_control(&conf, &first, &err) == -1 && first == -1 && err.problem == HC_P_SYSTEM,
       "a folder in its place is an error");
    is_int(system(command), 0, "that leaves nothing behind");
    free(conf.control);
    conf.control = join(base, "a/path/that/is/longer/than/an/address/of/a/socket/can/be/"
                              "which/is/one/hundred/and/eight/bytes/with/its/end.sock");
    hc_error_init(&err);
    ok(hc_prepare_control(&conf, &first, &err) == -1 && err.problem == HC_P_BAD_VALUE,
       "and so is a path that no socket can have");
    free(conf.control);
    conf.control = NULL;
    ok(hc_prepare_control(&conf, &first, &err) == 0 && first == -1, "none is none");
}

int main(void)
{
    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    a_first_start_makes_all();
    what_is_there_is_looked_at();
    the_control_socket_is_replaced_in_one_step();
    remove_tree(base);
    free(base);
    return done();
}
