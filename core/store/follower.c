/*
 * Followers: followers/<pid>.<luck>, locked for as long as its agent lives. In it stand digests of
 * the challenges that this agent has mirrored, one a line, under a checksum: a reader that meets it
 * half-written takes it for "none" and looks again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "store/file.h"
#include "store/follower.h"
#include "store/seal.h"
#include "store/sealed.h"

#define FOLDER       "followers"
#define ACKS_MAX     ((size_t)1 << 20)
#define FOLLOW_FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct hc_store_follower {
    struct hc_store *store;
    int fd;      /* locked */
    int inotify; /* or -1 */
    char name[64];
};

/*
 * Watches the folder for the file `changed`, and the folder of challenges. Without inotify, or
 * beyond its limits, followers have their timer.
 */
static void watch(struct hc_store_follower *f)
{
    struct hc_store *store = f->store;
    char path[64];
    bool watched = false;
    int folder = -1;

    f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->inotify < 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", store->root);
    if (inotify_add_watch(f->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        close(f->inotify);
        f->inotify = -1;
        return;
    }
    if (hc_folder_open(store, store->root, "challenges", true, &folder, NULL) == 0 && folder >= 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
        watched = inotify_add_watch(f->inotify, path, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) >= 0;
        close(folder);
    }
    if (!watched) { /* half of the news would make the timer slow, and challenges late */
        close(f->inotify);
        f->inotify = -1;
    }
}

/* The file is locked before it gets its place: nobody ever sees it without its lock. */
static int make_file(struct hc_store_follower *f, int folder, struct hc_error *err)
{
    struct hc_store *store = f->store;
    const struct hc_fs *fs = store->fs;
    int tmp = -1;
    int rc = -1;

    if (hc_folder_open(store, store->root, "tmp", true, &tmp, err) != 0 || tmp < 0) {
        return -1;
    }
    if (hc_file_temporary(store, tmp, f->name, &f->fd) != 0 ||
        fs->rename(fs->self, tmp, f->name, folder, f->name, false) != 0) {
        hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno, "registering as a follower");
        if (f->fd >= 0) {
            (void)fs->unlink(fs->self, tmp, f->name);
        }
        goto out;
    }
    rc = 0;
out:
    close(tmp);
    return rc;
}

int hc_store_follow(struct hc_store *store, struct hc_store_follower **out, struct hc_error *err)
{
    struct hc_store_follower *f = NULL;
    int folder = -1;
    int rc = -1;

    *out = NULL;
    if (hc_store_need_drive(store, err) != 0) {
        return -1;
    }
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return hc_error_nomem(err);
    }
    f->store = store;
    f->fd = f->inotify = -1;
    if (hc_folder_open(store, store->root, FOLDER, true, &folder, err) == 0 && folder >= 0) {
        rc = make_file(f, folder, err);
        close(folder);
    }
    if (rc == 0) {
        watch(f);
        *out = f;
    } else {
        hc_store_unfollow(f);
    }
    return rc;
}

void hc_store_unfollow(struct hc_store_follower *follower)
{
    int folder = -1;

    if (follower == NULL) {
        return;
    }
    if (follower->fd >= 0) {
        const struct hc_fs *fs = follower->store->fs;

        if (hc_folder_open(follower->store, follower->store->root, FOLDER, false, &folder, NULL) ==
                0 &&
            folder >= 0) {
            (void)fs->unlink(fs->self, folder, follower->name);
            close(folder);
        }
        close(follower->fd);
    }
    hc_io_close(follower->inotify);
    free(follower);
}

int hc_store_follower_fd(const struct hc_store_follower *follower)
{
    return follower->inotify;
}

void hc_store_follower_drain(struct hc_store_follower *follower)
{
    char events[4096];

    if (follower->inotify < 0) {
        return;
    }
    while (read(follower->inotify, events, sizeof(events)) > 0) {
    }
}

/* Digests of tokens, one a line, and at the end that of all lines. */
static int write_acks(const struct hc_list *files, struct hc_buf *out, struct hc_error *err)
{
    char hex[65];

    for (size_t i = 0; i < files->count; i++) {
        if (hc_buf_printf(out, err, "%.64s\n", files->items[i]) != 0) {
            return -1;
        }
    }
    if (hc_seal_checksum(hc_bytes_of(out), hex, err) != 0) {
        return -1;
    }
    return hc_buf_printf(out, err, "%s\n", hex);
}

int hc_store_follower_ack(struct hc_store_follower *follower, const struct hc_list *files,
                          struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(ACKS_MAX);
    int rc = -1;

    if (write_acks(files, &text, err) == 0) {
        /* in place: the lock is on this file and no other */
        if (ftruncate(follower->fd, 0) == 0 &&
            pwrite(follower->fd, text.data, text.len, 0) == (ssize_t)text.len) {
            rc = 0;
        } else {
            hc_error_set_errno(err, HC_P_STORE_WRITE, follower->store->path, errno,
                               "acknowledging challenges");
        }
    }
    hc_buf_dispose(&text);
    return rc;
}

static bool has_ack(const struct hc_buf *text, const char *hex)
{
    size_t body = text->len >= 65 ? text->len - 65 : 0;
    char check[65];

    if (text->len < 65 || text->len % 65 != 0 ||
        hc_seal_checksum((struct hc_bytes){text->data, body}, check, NULL) != 0 ||
        memcmp(text->data + body, check, 64) != 0) {
        return false;
    }
    for (size_t at = 0; at < body; at += 65) {
        if (memcmp(text->data + at, hex, 64) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * What cannot be opened: it is gone, or nothing that an agent of this store made; then nobody waits
 * for it. Else we could not look (no descriptors left, a bad disk), and it may live.
 */
static bool is_no_agent(const struct hc_store *store, int folder, const char *name, int errnum)
{
    struct stat st;

    if (errnum == EACCES || errnum == EPERM) {
        return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ? errno == ENOENT
                                                                    : st.st_uid != store->owner;
    }
    return errnum == ENOENT || errnum == ELOOP || errnum == ENXIO || errnum == EISDIR;
}

/* Whether this one need not be waited for: it acknowledged, or it is dead (then it is removed). */
static bool follows(struct hc_store *store, int folder, const char *name, const char *hex)
{
    const struct hc_fs *fs = store->fs;
    struct hc_buf text = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    bool good = false;
    int fd = fs->open(fs->self, folder, name, O_RDONLY | FOLLOW_FLAGS, 0);

    if (fd < 0) {
        return is_no_agent(store, folder, name, errno);
    }
    /* shared: two that look at the same time do not take each other for its owner */
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        (void)fs->unlink(fs->self, folder, name);
        good = true;
    } else if (hc_file_read(store, &(struct hc_file_place){folder, name, name}, &text, &state,
                            NULL) == 0) {
        good = has_ack(&text, hex);
    } else {
        good = state == HC_FILE_ABSENT;
    }
    hc_buf_dispose(&text);
    close(fd);
    return good;
}

bool hc_store_all_follow(struct hc_store *store, const struct hc_store_follower *self,
                         const char *file)
{
    struct hc_list names = {0};
    int folder = -1;
    bool all = hc_folder_open(store, store->root, FOLDER, false, &folder, NULL) == 0;

    if (all && folder >= 0) {
        all = hc_folder_list(store, folder, &names, NULL) == 0;
        for (size_t i = 0; all && i < names.count; i++) {
            all = (self != NULL && strcmp(names.items[i], self->name) == 0) ||
                  follows(store, folder, names.items[i], file);
        }
    }
    hc_list_dispose(&names);
    hc_io_close(folder);
    return all;
}
