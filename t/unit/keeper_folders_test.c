/* core/keeper/folders.c: what a start makes on disk, and what it refuses to touch. */
#include <signal.h>

#include "keeper/spawn.h"
#include "keeper_lib.h"

static char *base;
static enum hc_mode host_mode = HC_MODE_ON; /* of the one host */

/* Prepares with these paths below base; the problem that came of it. */
static enum hc_problem prepare(const char *secret, const char *store)
{
    struct hc_identity host;
    struct hc_conf conf;
    struct hc_error err = {0};
    enum hc_problem expected = HC_P_NONE;
    int looked = 0;
    int rc = 0;

    memset(&conf, 0, sizeof(conf));
    memset(&host, 0, sizeof(host));
    host.mode = host_mode;
    conf.identities = &host;
    conf.identity_count = 1;
    conf.secret = join(base, secret);
    conf.store = join(base, store);
    looked = hc_examine_folders(&conf, &worker_rights, &err);
    expected = looked == 0 ? HC_P_NONE : err.problem;
    hc_error_init(&err);
    rc = hc_prepare_folders(&conf, &worker_rights, NULL, &err);
    is_int(expected, rc == 0 ? HC_P_NONE : err.problem, "a configuration test says the same");
    if (rc != 0) {
        printf("# %s: %s\n", err.subject, err.detail);
    }
    free(conf.secret);
    free(conf.store);
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

    is_int(prepare("lib/hotcert/secret", "lib/hotcert/store"), HC_P_NONE, "a first start");
    umask(before);
    ok(folder_is("lib/hotcert", 0, 0755),
       "a folder of root's that the worker user can pass, whatever the umask is");
    ok(folder_is("lib/hotcert/store", WORKER, 0700), "the store is the worker user's alone");
    make_file(base, "lib/hotcert/store/x", "x", 1, 0600);
    is_int(prepare("lib/hotcert/secret", "lib/hotcert/store"), HC_P_NONE, "a second start");
    ok(folder_is("lib/hotcert/store", WORKER, 0700), "finds it as it was");
}

static void what_is_there_is_looked_at(void)
{
    make_folder(base, "volume", 0755, 0, 0);
    is_int(prepare("secret", "volume"), HC_P_NONE, "an empty folder of root's: a fresh volume");
    ok(folder_is("volume", WORKER, 0700), "is given to the worker user");
    make_folder(base, "wide", 0777, WORKER, WORKER);
    is_int(prepare("secret", "wide"), HC_P_NONE, "a mode that is too wide");
    ok(folder_is("wide", WORKER, 0700), "is narrowed");
    make_folder(base, "roots", 0755, 0, 0);
    make_file(base, "roots/data", "x", 1, 0600);
    is_int(prepare("secret", "roots"), HC_P_STORE_UNSAFE,
           "a folder of root's with something in it");
    ok(folder_is("roots", 0, 0755), "is left alone");
    make_folder(base, "other", 0755, 1, 1);
    is_int(prepare("secret", "other"), HC_P_STORE_UNSAFE, "somebody else's");
    ok(folder_is("other", 1, 0755), "too");
    make_file(base, "afile", "x", 1, 0600);
    is_int(prepare("secret", "afile"), HC_P_STORE_UNUSABLE, "a file");
    make_folder(base, "theirs", 0755, WORKER, WORKER);
    is_int(prepare("theirs/secret", "store"), HC_P_STORE_UNSAFE,
           "a secret below the worker's folder");
    is_int(prepare("secret", "theirs/store"), HC_P_STORE_UNSAFE, "a store there");
    make_link(base, "theirs/link", "../roots");
    is_int(prepare("secret", "theirs/link/store"), HC_P_STORE_UNSAFE,
           "a symlink of the worker's on the way");
    ok(!folder_is("roots/store", WORKER, 0700), "is not followed");
    make_folder(base, "disk", 0755, 0, 0);
    make_link(base, "moved", "disk/store");
    is_int(prepare("secret", "moved"), HC_P_NONE, "a symlink of root's to another disk");
    ok(folder_is("disk/store", WORKER, 0700), "is followed");
}

static void watched_files_need_no_store(void)
{
    host_mode = HC_MODE_WATCH;
    is_int(prepare("secret", "afile"), HC_P_NONE,
           "a store that cannot be made refuses no start under watch");
    make_folder(base, "unsafe", 0755, WORKER, WORKER);
    is_int(prepare("unsafe/secret", "unsafe/store"), HC_P_STORE_UNSAFE, "an unsafe one still is");
    host_mode = HC_MODE_ON;
    is_int(prepare("secret", "afile"), HC_P_STORE_UNUSABLE, "and under on it is needed");
}

int main(void)
{
    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    a_first_start_makes_all();
    what_is_there_is_looked_at();
    watched_files_need_no_store();
    remove_tree(base);
    free(base);
    return done();
}
