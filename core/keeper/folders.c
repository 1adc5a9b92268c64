/* What a start needs on disk: the folders of secret and store. See spawn.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "keeper/handover.h"
#include "keeper/path.h"
#include "keeper/rights.h"
#include "keeper/spawn.h"

#define PARENT_MODE 0755
#define STORE_MODE  0700

/* How folders are prepared: as a start does, or by a configuration test, which changes nothing. */
struct manner {
    struct hc_guard guard;
    const struct hc_rights *worker;
    struct hc_rights agent; /* whose the store shall be */
    const struct hc_log *log;
    bool test;
};

/* The folders up to the last component exist, or could be made, and are safe; end: where it ends.
 */
static int walk_to(const char *path, const struct manner *how, struct hc_path_end *end,
                   struct hc_error *err)
{
    struct hc_error own = {0};
    int rc = hc_path_walk(path, &how->guard, how->test ? HC_PATH_EXISTING : PARENT_MODE, end, &own);

    if (rc != 0 && err != NULL && err->problem == HC_P_NONE) {
        if (own.problem == HC_P_FILE_UNSAFE) {
            own.problem = HC_P_STORE_UNSAFE;
        }
        hc_error_chain(err, &own);
    }
    return rc;
}

static int prepare_parent(const char *path, const struct manner *how, struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    int rc = walk_to(path, how, &end, err);

    hc_path_end_dispose(&end);
    return rc;
}

static bool folder_is_empty(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry = NULL;
    bool empty = true;

    if (dir == NULL) {
        hc_io_close(copy);
        return false;
    }
    while (empty && (entry = readdir(dir)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                strcmp(entry->d_name, "lost+found") == 0;
    }
    closedir(dir);
    return empty;
}

/* The store of the worker user becomes the agent's user's; where it cannot, it stays, and that is
 * said. */
static int hand_over(const char *path, int fd, const struct manner *how, struct hc_error *err)
{
    struct hc_error why = {0};
    int rc = hc_handover(fd, path, how->worker, &how->agent, &why);

    if (rc < 0) {
        return hc_error_chain(err, &why);
    }
    if (rc > 0) {
        hc_log_error(how->log, HC_LOG_WARN, NULL, &why);
    } else if (how->worker->uid != how->agent.uid) {
        hc_logf(how->log, HC_LOG_NOTICE, "%s: now belongs to the user %s", path, how->agent.user);
    }
    return 0;
}

/* Owner and mode of the store's folder, through a descriptor of it. */
static int own_store(const char *path, int fd, bool made, const struct manner *how,
                     struct hc_error *err)
{
    uid_t owner = how->agent.drop ? how->agent.uid : geteuid();
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errno, NULL);
    }
    if (how->agent.drop && st.st_uid != owner && !made &&
        (st.st_uid == how->worker->uid || hc_handover_began(fd, how->worker, &how->agent))) {
        return how->test ? 0 : hand_over(path, fd, how, err);
    }
    if (st.st_uid != owner && !made && !(st.st_uid == geteuid() && folder_is_empty(fd))) {
        hc_error_set(err, HC_P_STORE_UNSAFE, path,
                     "it belongs to user %u, and the agent's user is %u", (unsigned)st.st_uid,
                     (unsigned)owner);
        return -1;
    }
    if (how->test) {
        return 0;
    }
    if (st.st_uid != owner && fchown(fd, owner, how->agent.gid) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errno,
                                  "it cannot be given to the agent's user");
    }
    if ((st.st_mode & 07777) != STORE_MODE && fchmod(fd, STORE_MODE) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errno, "its mode cannot be set");
    }
    return 0;
}

/* The store's folder is missing. 0: it was made, or could be; *made says which. */
static int make_store(const char *path, const struct hc_path_end *end, const struct manner *how,
                      bool *made, struct hc_error *err)
{
    if (how->test ? hc_path_can_make(end->folder)
                  : mkdirat(end->folder, end->name, STORE_MODE) == 0 || errno == EEXIST) {
        *made = !how->test;
        return 0;
    }
    return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errno, "it cannot be made");
}

static int prepare_store(const char *path, const struct manner *how, struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    bool made = false;
    int fd = -1;
    int rc = -1;

    if (walk_to(path, how, &end, err) != 0 ||
        (!end.exists && make_store(path, &end, how, &made, err) != 0)) {
        goto out;
    }
    if (!end.exists && !made) {
        rc = 0; /* only a test: there is nothing yet to check */
        goto out;
    }
    fd = openat(end.folder, end.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errno, NULL);
        goto out;
    }
    rc = own_store(path, fd, made, how, err);
out:
    hc_io_close(fd);
    hc_path_end_dispose(&end);
    return rc;
}

/*
 * Under `watch` alone the store only keeps the last good pairs for the next start: a disk that
 * takes no store, as a container's read-only root, is the agent's to tell, and no reason not to
 * serve.
 */
static bool can_do_without(const struct hc_conf *conf, struct hc_error *own)
{
    if (hc_conf_orders(conf) || own->problem != HC_P_STORE_UNUSABLE) {
        return false;
    }
    hc_error_init(own);
    return true;
}

static int prepare(const struct hc_conf *conf, const struct hc_rights *rights, bool test,
                   const struct hc_log *log, struct hc_error *err)
{
    struct manner how = {.worker = rights, .test = test, .log = log};
    struct hc_error own;

    hc_error_init(&own);
    if (hc_rights_wanted(conf, rights, &how.agent, err) != 0 ||
        hc_guard_init(&how.guard, rights, err) != 0 ||
        hc_guard_add(&how.guard, &how.agent, err) != 0) {
        return -1;
    }
    if (conf->secret != NULL && prepare_parent(conf->secret, &how, &own) != 0 &&
        !can_do_without(conf, &own)) {
        hc_error_chain(err, &own);
        return hc_error_during(err, "preparing the folder of the secret");
    }
    if (conf->store != NULL && prepare_store(conf->store, &how, &own) != 0 &&
        !can_do_without(conf, &own)) {
        hc_error_chain(err, &own);
        return hc_error_during(err, "preparing the store");
    }
    return 0;
}

int hc_prepare_folders(const struct hc_conf *conf, const struct hc_rights *rights,
                       const struct hc_log *log, struct hc_error *err)
{
    return prepare(conf, rights, false, log, err);
}

int hc_examine_folders(const struct hc_conf *conf, const struct hc_rights *rights,
                       struct hc_error *err)
{
    return prepare(conf, rights, true, NULL, err);
}
