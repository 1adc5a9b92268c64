/* The path walker; see path.h. */
#include "keeper/path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"

/* A walk in progress. */
struct walk {
    const char *path; /* as asked for: the subject of errors */
    const struct hc_guard *guard;
    mode_t make_mode;
    int links;
    char todo[PATH_MAX]; /* components that are still to be walked */
    char seen[PATH_MAX]; /* the folder reached, for messages; symlinks resolved */
    int folder;          /* the folder reached, O_PATH */
    bool sticky;         /* it is one that only lets root's things be passed */
};

int hc_guard_init(struct hc_guard *guard, const struct hc_rights *rights, struct hc_error *err)
{
    memset(guard, 0, sizeof(*guard));
    return hc_guard_add(guard, rights, err);
}

static bool is_guarded(const struct hc_guard *guard, uid_t uid)
{
    for (size_t i = 0; i < guard->uid_count; i++) {
        if (guard->uids[i] == uid) {
            return true;
        }
    }
    return false;
}

int hc_guard_add(struct hc_guard *guard, const struct hc_rights *rights, struct hc_error *err)
{
    gid_t *groups = guard->groups + guard->group_count;
    int count = HC_PATH_GROUPS - (int)guard->group_count;

    if (!rights->drop || rights->uid == 0 || is_guarded(guard, rights->uid)) {
        return 0;
    }
    if (guard->uid_count == HC_PATH_USERS || count < 1) {
        return hc_error_set(err, HC_P_INTERNAL, rights->user, "too many users are guarded against");
    }
    guard->on = true;
    guard->uids[guard->uid_count++] = rights->uid;
    groups[0] = rights->gid;
    if (rights->user == NULL) {
        guard->group_count++;
        return 0;
    }
    if (getgrouplist(rights->user, rights->gid, groups, &count) < 0) {
        return hc_error_set(err, HC_P_SYSTEM, rights->user, "the user is in more than %d groups",
                            HC_PATH_GROUPS - (int)guard->group_count);
    }
    guard->group_count += (size_t)count;
    return 0;
}

bool hc_guard_in_group(const struct hc_guard *guard, gid_t gid)
{
    for (size_t i = 0; i < guard->group_count; i++) {
        if (guard->groups[i] == gid) {
            return true;
        }
    }
    return false;
}

/*
 * With an access control list the group bits are its mask: a write bit there may be meant for
 * anybody. Lists are rare on folders of keys, so theirs counts as writable.
 */
static bool has_acl(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t size = -1;

    if (fd < 0) {
        return true;
    }
    size = fgetxattr(fd, "system.posix_acl_access", NULL, 0);
    close(fd);
    return size > 0;
}

/* Whether a guarded-against user could exchange what stands in this folder. */
static bool exchangeable(const struct hc_guard *guard, int folder, const struct stat *st)
{
    if (is_guarded(guard, st->st_uid)) {
        return true; /* the owner can give himself the right */
    }
    if ((st->st_mode & S_IWOTH) != 0) {
        return true;
    }
    return (st->st_mode & S_IWGRP) != 0 &&
           (hc_guard_in_group(guard, st->st_gid) || has_acl(folder));
}

/* Of which user that is said: the agent's only where it is certain. */
static const char *who(const struct hc_guard *guard, const struct stat *st)
{
    return guard->uid_count > 1 && st->st_uid == guard->uids[1] ? "agent's" : "worker";
}

/* Takes fd as the folder reached. */
static int enter_take(struct walk *w, int fd, const struct stat *st, struct hc_error *err)
{
    hc_io_close(w->folder);
    w->folder = fd;
    w->sticky = false;
    if (!w->guard->on || !exchangeable(w->guard, fd, st)) {
        return 0;
    }
    w->sticky = (st->st_mode & S_ISVTX) != 0 && !is_guarded(w->guard, st->st_uid);
    if (w->sticky) {
        return 0;
    }
    return hc_error_set(err, HC_P_FILE_UNSAFE, w->path,
                        "the folder %s can be written by the %s user",
                        w->seen[0] != '\0' ? w->seen : "/", who(w->guard, st));
}

static int enter_root(struct walk *w, struct hc_error *err)
{
    struct stat st;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, "/", errno, "the root folder cannot be opened");
        hc_io_close(fd);
        return -1;
    }
    w->seen[0] = '\0';
    return enter_take(w, fd, &st, err);
}

/* Takes the next component off the way; false when there is none. last: nothing comes after it. */
static int next_component(struct walk *w, char name[256], bool *last, struct hc_error *err)
{
    const char *start = w->todo + strspn(w->todo, "/");
    size_t len = strcspn(start, "/");
    const char *rest = start + len;

    if (len > 255) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, w->path, "a component is too long");
    }
    memcpy(name, start, len);
    name[len] = '\0';
    rest += strspn(rest, "/");
    *last = *rest == '\0';
    memmove(w->todo, rest, strlen(rest) + 1);
    return 0;
}

/* Puts the target of a symlink before what is still to be walked. */
static int follow(struct walk *w, int link, struct hc_error *err)
{
    char target[PATH_MAX];
    char joined[PATH_MAX];
    ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

    if (n <= 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, w->path, errno,
                                  "a symlink in %s cannot be read", w->seen);
    }
    target[n] = '\0';
    if (++w->links > HC_PATH_LINKS) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, w->path, "more than %d symlinks on the way",
                            HC_PATH_LINKS);
    }
    n = snprintf(joined, sizeof(joined), "%s%s%s", target, w->todo[0] != '\0' ? "/" : "", w->todo);
    if (n < 0 || (size_t)n >= sizeof(joined)) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, w->path, "the way is too long");
    }
    memcpy(w->todo, joined, (size_t)n + 1);
    return target[0] == '/' ? enter_root(w, err) : 0;
}

/* The folder's name for messages: its parent's and its own. */
static void step_seen(struct walk *w, const char *name)
{
    size_t len = strlen(w->seen);

    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(w->seen, '/');

        *(slash != NULL ? slash : w->seen) = '\0';
        return;
    }
    (void)snprintf(w->seen + len, sizeof(w->seen) - len, "/%s", name);
}

/* Makes a folder that is missing on the way, with exactly this mode whatever the umask is. */
static int make_folder(struct walk *w, const char *name, struct hc_error *err)
{
    int fd = -1;
    int rc = 0;

    if (mkdirat(w->folder, name, w->make_mode) != 0 && errno != EEXIST) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, w->path, errno,
                                  "the folder %s/%s cannot be made", w->seen, name);
    }
    fd = openat(w->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, w->make_mode) != 0) {
        rc = hc_error_set_errno(err, HC_P_STORE_UNUSABLE, w->path, errno,
                                "the mode of %s/%s cannot be set", w->seen, name);
    }
    hc_io_close(fd);
    return rc;
}

bool hc_path_can_make(int folder)
{
    return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* Opens a component by O_PATH. -1 without an error: it is where the walk ends, and missing. */
static int inspect(struct walk *w, const char *name, bool last, struct stat *st,
                   struct hc_path_end *end, struct hc_error *err)
{
    int fd = openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && !last && w->make_mode == HC_PATH_EXISTING) {
        end->missing = true;
        return hc_path_can_make(w->folder)
                   ? -1
                   : hc_error_set_errno(err, HC_P_STORE_UNUSABLE, w->path, errno,
                                        "the folder %s/%s cannot be made", w->seen, name);
    }
    if (fd < 0 && errno == ENOENT && !last && w->make_mode != 0) {
        if (make_folder(w, name, err) != 0) {
            return -1;
        }
        fd = openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    }
    end->missing = fd < 0 && errno == ENOENT;
    if (end->missing && last) {
        return -1;
    }
    if (fd < 0 || fstat(fd, st) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, w->path, errno, "%s/%s", w->seen, name);
        hc_io_close(fd);
        return -1;
    }
    if (w->sticky && st->st_uid != 0) {
        close(fd);
        return hc_error_set(err, HC_P_FILE_UNSAFE, w->path,
                            "%s/%s is not root's, and its folder can be written by everybody",
                            w->seen, name);
    }
    return fd;
}

/* The end of the way: what is there is described, the folder handed over. */
static void arrive(struct walk *w, const char *name, const struct stat *st, struct hc_path_end *end)
{
    (void)snprintf(end->name, sizeof(end->name), "%s", name);
    end->exists = st != NULL;
    if (st != NULL) {
        end->st = *st;
    }
    end->folder = w->folder;
    w->folder = -1;
}

/* One component. 1: arrived, 0: go on, -1: failed. */
static int step(struct walk *w, struct hc_path_end *end, struct hc_error *err)
{
    char name[256] = "";
    struct stat st = {.st_mode = 0};
    bool last = false;
    int fd = -1;
    int rc = 0;

    if (next_component(w, name, &last, err) != 0) {
        return -1;
    }
    if (name[0] == '\0' || strcmp(name, ".") == 0) {
        if (!last) {
            return 0;
        }
        if (fstatat(w->folder, "", &st, AT_EMPTY_PATH) != 0) {
            return hc_error_set_errno(err, HC_P_SYSTEM, w->path, errno, NULL);
        }
        arrive(w, ".", &st, end);
        return 1;
    }
    fd = inspect(w, name, last, &st, end, err);
    if (fd < 0) {
        if (err->problem != HC_P_NONE) {
            return -1;
        }
        arrive(w, name, NULL, end);
        return 1;
    }
    if (S_ISLNK(st.st_mode)) {
        rc = follow(w, fd, err);
        close(fd);
        return rc;
    }
    if (last && strcmp(name, "..") != 0) {
        close(fd);
        arrive(w, name, &st, end);
        return 1;
    }
    if (!S_ISDIR(st.st_mode)) {
        close(fd);
        return hc_error_set(err, HC_P_FILE_UNREADABLE, w->path, "%s/%s is not a folder", w->seen,
                            name);
    }
    step_seen(w, name);
    return enter_take(w, fd, &st, err);
}

int hc_path_walk(const char *path, const struct hc_guard *guard, mode_t make_mode,
                 struct hc_path_end *end, struct hc_error *err)
{
    struct hc_error own = {0};
    struct walk w = {.path = path, .guard = guard, .make_mode = make_mode, .folder = -1};
    int rc = 0;

    if (path[0] != '/' || strlen(path) >= sizeof(w.todo)) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, path, "not an absolute path");
    }
    memcpy(w.todo, path, strlen(path) + 1);
    rc = enter_root(&w, &own);
    while (rc == 0) {
        rc = step(&w, end, &own);
    }
    hc_io_close(w.folder);
    if (rc < 0) {
        hc_error_chain(err, &own);
    }
    return rc < 0 ? -1 : 0;
}

int hc_path_open_file(const struct hc_path_end *end, const char *subject, int *fd, struct stat *st,
                      struct hc_error *err)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;

    if (!end->exists) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, subject, ENOENT, NULL);
    }
    if (!S_ISREG(end->st.st_mode)) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, subject, "not a regular file");
    }
    *fd = openat(end->folder, end->name, flags);
    if (*fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, subject, errno, NULL);
    }
    if (fstat(*fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(*fd);
        *fd = -1;
        return hc_error_set(err, HC_P_FILE_UNREADABLE, subject, "not a regular file any more");
    }
    return 0;
}

void hc_path_end_dispose(struct hc_path_end *end)
{
    hc_io_close(end->folder);
    end->folder = -1;
}
