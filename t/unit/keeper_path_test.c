/* core/keeper/path.c: no way leads root through what the worker user could exchange. */
#include <sys/xattr.h>

#include "keeper_lib.h"

static char *base;
static struct hc_guard guard;
static const struct hc_guard nobody;

/* Walks to base/name; the problem that came of it, HC_P_NONE when the file could be opened. */
static enum hc_problem walk(const char *name, const struct hc_guard *against)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error err = {0};
    struct stat st;
    char *path = join(base, name);
    int fd = -1;

    if (hc_path_walk(path, against, 0, &end, &err) == 0 &&
        hc_path_open_file(&end, path, &fd, &st, &err) == 0) {
        close(fd);
    }
    hc_path_end_dispose(&end);
    hc_path_end_dispose(&end);
    free(path);
    return err.problem;
}

static const struct {
    const char *path;
    enum hc_problem want;
    const char *name;
} ways[] = {
    {"safe/file", HC_P_NONE, "a file in a folder of root's"},
    {"safe/../safe/./file", HC_P_NONE, "dots on the way"},
    {"safe//sub///file", HC_P_NONE, "more slashes than needed"},
    {"safe/relative", HC_P_NONE, "a relative symlink"},
    {"safe/absolute", HC_P_NONE, "an absolute symlink"},
    {"safe/chain9", HC_P_NONE, "a chain of symlinks"},
    {"safe/upward", HC_P_NONE, "a symlink with dots"},
    {"safe/folderlink/file", HC_P_NONE, "a symlink to a folder on the way"},
    {"safe/loop", HC_P_FILE_UNREADABLE, "a symlink to itself"},
    {"safe/dangling", HC_P_FILE_UNREADABLE, "a symlink to nothing"},
    {"safe/none", HC_P_FILE_UNREADABLE, "no file"},
    {"none/file", HC_P_FILE_UNREADABLE, "no folder"},
    {"safe/file/x", HC_P_FILE_UNREADABLE, "a file in the place of a folder"},
    {"safe", HC_P_FILE_UNREADABLE, "a folder in the place of a file"},
    {"safe/sub/..", HC_P_FILE_UNREADABLE, "a folder named by dots"},
    {"safe/fifo", HC_P_FILE_UNREADABLE, "a FIFO"},
    {"theirs/file", HC_P_FILE_UNSAFE, "a folder of the worker user's"},
    {"theirs/safe/file", HC_P_FILE_UNSAFE, "a folder of root's inside one"},
    {"readonly/file", HC_P_FILE_UNSAFE, "one that its owner made read-only"},
    {"theirs/../safe/file", HC_P_FILE_UNSAFE, "out of one again"},
    {"group/file", HC_P_FILE_UNSAFE, "a folder that the worker's group can write"},
    {"othergroup/file", HC_P_NONE, "a folder that another group can write"},
    {"world/file", HC_P_FILE_UNSAFE, "a folder that everybody can write"},
    {"sticky/file", HC_P_NONE, "a file of root's in a sticky one"},
    {"sticky/sub/file", HC_P_NONE, "a folder of root's in a sticky one"},
    {"sticky/theirs", HC_P_FILE_UNSAFE, "a file of the worker's in a sticky one"},
    {"sticky/link", HC_P_FILE_UNSAFE, "a symlink of the worker's in a sticky one"},
    {"theirsticky/file", HC_P_FILE_UNSAFE, "a sticky folder of the worker's own"},
    {"safe/intotheirs", HC_P_FILE_UNSAFE, "a symlink of root's into a folder of the worker's"},
    {"safe/overtheirs", HC_P_FILE_UNSAFE, "a symlink of root's by way of one"},
};

static void make_tree(void)
{
    char name[16];
    char target[16];
    char *path = NULL;

    base = scratch();
    make_folder(base, "safe", 0755, 0, 0);
    make_folder(base, "safe/sub", 0700, 0, 0);
    make_folder(base, "theirs", 0755, WORKER, 0);
    make_folder(base, "theirs/safe", 0755, 0, 0);
    make_folder(base, "readonly", 0555, WORKER, 0);
    make_folder(base, "group", 0775, 0, WORKER);
    make_folder(base, "othergroup", 0775, 0, 4);
    make_folder(base, "world", 0777, 0, 0);
    make_folder(base, "sticky", 01777, 0, 0);
    make_folder(base, "sticky/sub", 0755, 0, 0);
    make_folder(base, "theirsticky", 01777, WORKER, 0);
    make_file(base, "safe/file", "x", 1, 0600);
    make_file(base, "safe/sub/file", "x", 1, 0600);
    make_file(base, "theirs/file", "x", 1, 0600);
    make_file(base, "theirs/safe/file", "x", 1, 0600);
    make_file(base, "readonly/file", "x", 1, 0600);
    make_file(base, "group/file", "x", 1, 0600);
    make_file(base, "othergroup/file", "x", 1, 0600);
    make_file(base, "world/file", "x", 1, 0600);
    make_file(base, "sticky/file", "x", 1, 0600);
    make_file(base, "sticky/sub/file", "x", 1, 0600);
    make_file(base, "sticky/theirs", "x", 1, 0600);
    make_file(base, "theirsticky/file", "x", 1, 0600);
    make_link(base, "safe/relative", "sub/file");
    path = join(base, "safe/sub/file");
    make_link(base, "safe/absolute", path);
    free(path);
    make_link(base, "safe/chain0", "file");
    for (int i = 1; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "chain%d", i);
        (void)snprintf(target, sizeof(target), "chain%d", i - 1);
        path = join("safe", name);
        make_link(base, path, target);
        free(path);
    }
    make_link(base, "safe/upward", "../safe/sub/../file");
    make_link(base, "safe/folderlink", "sub");
    make_link(base, "safe/loop", "loop");
    make_link(base, "safe/dangling", "nothing");
    make_link(base, "safe/intotheirs", "../theirs/file");
    make_link(base, "safe/overtheirs", "../theirs/safe/file");
    make_link(base, "sticky/link", "../safe/file");
    path = join(base, "sticky/link");
    if (lchown(path, WORKER, WORKER) != 0) {
        fatal(path);
    }
    free(path);
    path = join(base, "sticky/theirs");
    if (chown(path, WORKER, WORKER) != 0) {
        fatal(path);
    }
    free(path);
    path = join(base, "safe/fifo");
    if (mkfifo(path, 0600) != 0) {
        fatal(path);
    }
    free(path);
}

static void ways_are_judged(void)
{
    alarm(20);
    for (size_t i = 0; i < HC_COUNT(ways); i++) {
        is_str(hc_problem_row(walk(ways[i].path, &guard))->slug, hc_problem_row(ways[i].want)->slug,
               ways[i].name);
    }
    is_int(walk("theirs/safe/file", &nobody), HC_P_NONE, "without a guard the way is free");
    is_int(walk("world/file", &nobody), HC_P_NONE, "also through what everybody can write");
    alarm(0);
}

static void a_list_of_rights_counts_as_writable(void)
{
    /* version 2; owner rwx, user 33 rwx, group r-x, mask rwx, others r-x: as setfacl writes it */
    static const unsigned char acl[] = {
        2, 0,  0,    0,    1,    0,    7,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,   7,
        0, 33, 0,    0,    0,    4,    0,  5, 0,    0xff, 0xff, 0xff, 0xff, 16,  0,
        7, 0,  0xff, 0xff, 0xff, 0xff, 32, 0, 5,    0,    0xff, 0xff, 0xff, 0xff};
    char *path = join(base, "othergroup");

    if (setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0) != 0) {
        printf("# no access control lists on this file system: %s\n", strerror(errno));
    } else {
        is_int(walk("othergroup/file", &guard), HC_P_FILE_UNSAFE,
               "an access control list that may name the worker user");
    }
    free(path);
}

static void what_is_named_is_the_folder_at_fault(void)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error err = {0};
    char *path = join(base, "safe/overtheirs");
    char *fault = join(base, "theirs");

    ok(hc_path_walk(path, &guard, 0, &end, &err) == -1 && strstr(err.detail, fault) != NULL,
       "the message names the folder");
    is_str(err.subject, path, "and the path that was asked for");
    hc_path_end_dispose(&end);
    free(path);
    free(fault);
}

static void an_exchange_after_the_walk_is_seen(void)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error err = {0};
    struct stat st;
    char *path = join(base, "safe/sub/file");
    char *fifo = join(base, "safe/fifo");
    int fd = -1;

    ok(hc_path_walk(path, &guard, 0, &end, &err) == 0 && end.exists, "the walk arrives");
    if (unlink(path) != 0 || symlink("/etc/passwd", path) != 0) {
        fatal(path);
    }
    ok(hc_path_open_file(&end, path, &fd, &st, &err) == -1 && fd == -1,
       "a symlink that took the file's place is not followed");
    hc_error_init(&err);
    alarm(20);
    if (unlink(path) != 0 || link(fifo, path) != 0) {
        fatal(path);
    }
    ok(hc_path_open_file(&end, path, &fd, &st, &err) == -1 && fd == -1,
       "a FIFO that did is not waited for");
    alarm(0);
    hc_path_end_dispose(&end);
    free(path);
    free(fifo);
}

static void odd_paths_are_errors(void)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error err = {0};
    char path[6000];

    is_int(hc_path_walk("etc/passwd", &guard, 0, &end, &err), -1, "a relative path");
    hc_error_init(&err);
    is_int(hc_path_walk("", &guard, 0, &end, &err), -1, "an empty one");
    memset(path, 'a', 300);
    path[0] = '/';
    path[300] = '\0';
    hc_error_init(&err);
    is_int(hc_path_walk(path, &guard, 0, &end, &err), -1, "a component of 299 bytes");
    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    hc_error_init(&err);
    is_int(hc_path_walk(path, &guard, 0, &end, &err), -1, "a path of 5999 slashes");
    hc_error_init(&err);
    ok(hc_path_walk("/", &guard, 0, &end, &err) == 0 && strcmp(end.name, ".") == 0 &&
           S_ISDIR(end.st.st_mode),
       "the root itself is a folder");
    hc_path_end_dispose(&end);
}

static void missing_folders_are_made(void)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error err = {0};
    char *path = join(base, "safe/new/deeper/file");
    char *made = join(base, "safe/new/deeper");
    char *unsafe = join(base, "theirs/new/file");
    char *not_made = join(base, "theirs/new");
    struct stat st;
    mode_t before = umask(077);

    ok(hc_path_walk(path, &guard, 0755, &end, &err) == 0 && !end.exists && end.missing,
       "folders on the way are made, the end is not");
    umask(before);
    ok(stat(made, &st) == 0 && (st.st_mode & 07777) == 0755 && st.st_uid == 0,
       "with their mode whatever the umask is");
    hc_path_end_dispose(&end);
    end = (struct hc_path_end)HC_PATH_END_INIT;
    ok(hc_path_walk(unsafe, &guard, 0755, &end, &err) == -1 && err.problem == HC_P_FILE_UNSAFE &&
           access(not_made, F_OK) != 0,
       "none is made where the worker user can write");
    hc_path_end_dispose(&end);
    free(path);
    free(made);
    free(unsafe);
    free(not_made);
}

static void guards_know_the_groups(void)
{
    struct hc_guard g;
    struct hc_error err = {0};
    struct hc_rights none = {false, 0, 0, NULL};
    struct hc_rights root = {true, 0, 0, "root"};

    ok(hc_guard_init(&g, &worker_rights, &err) == 0 && g.on && hc_guard_in_group(&g, WORKER) &&
           !hc_guard_in_group(&g, 4),
       "the worker's groups");
    ok(hc_guard_init(&g, &none, &err) == 0 && !g.on, "nothing dropped: no guard");
    ok(hc_guard_init(&g, &root, &err) == 0 && !g.on, "root as worker: no guard");
}

int main(void)
{
    struct hc_error err = {0};

    if (skip_unless_root()) {
        return 0;
    }
    make_tree();
    if (hc_guard_init(&guard, &worker_rights, &err) != 0) {
        fatal("the guard");
    }
    ways_are_judged();
    what_is_named_is_the_folder_at_fault();
    an_exchange_after_the_walk_is_seen();
    odd_paths_are_errors();
    missing_folders_are_made();
    a_list_of_rights_counts_as_writable();
    guards_know_the_groups();
    remove_tree(base);
    free(base);
    return done();
}
