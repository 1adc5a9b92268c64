/* Files and folders of the store; see file.h. */
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILE_FLAGS   (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* 0: a folder of the owner's that nobody else can write. */
static int check_folder(const struct hc_store *store, int fd, const char *name,
                        struct hc_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno,
                                  "checking the folder %s", name);
    }
    if (st.st_uid != store->owner || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return hc_error_set(err, HC_P_STORE_UNSAFE, store->path,
                            "the folder %s is not user %u's alone", name, (unsigned)store->owner);
    }
    return 0;
}

int hc_folder_open(struct hc_store *store, int parent, const char *name, bool make, int *fd,
                   struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;

    *fd = fs->open(fs->self, parent, name, FOLDER_FLAGS, 0);
    if (*fd < 0 && errno == ENOENT && make) {
        if (fs->make_folder(fs->self, parent, name, 0700) != 0 && errno != EEXIST) {
            return hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno,
                                      "making the folder %s", name);
        }
        if (fs->sync(fs->self, parent) != 0) {
            return hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno,
                                      "making the folder %s", name);
        }
        *fd = fs->open(fs->self, parent, name, FOLDER_FLAGS, 0);
    }
    if (*fd < 0 && errno == ENOENT) {
        return 0;
    }
    if (*fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        return hc_error_set(err, HC_P_STORE_UNSAFE, store->path, "%s is not a folder", name);
    }
    if (*fd < 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, "the folder %s",
                                  name);
    }
    if (check_folder(store, *fd, name, err) != 0) {
        close(*fd);
        *fd = -1;
        return -1;
    }
    return 0;
}

int hc_folder_anchor(struct hc_store *store, const char *name, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    int fd = -1;
    int rc = hc_folder_open(store, store->root, name, false, &fd, err);

    if (rc != 0 || fd < 0) {
        return rc;
    }
    if (fs->sync(fs->self, fd) != 0 || fs->sync(fs->self, store->root) != 0) {
        rc = hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno,
                                "syncing the folder %s to disk", name);
    }
    close(fd);
    return rc;
}

int hc_folder_list(struct hc_store *store, int folder, struct hc_list *names, struct hc_error *err)
{
    int copy = openat(folder, ".", FOLDER_FLAGS);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry = NULL;
    int rc = 0;

    if (dir == NULL) {
        hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, "reading a folder");
        hc_io_close(copy);
        return -1;
    }
    errno = 0;
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (names->count >= HC_STORE_ENTRIES_MAX) {
            rc = hc_error_set(err, HC_P_STORE_UNUSABLE, store->path,
                              "more than %d files in a folder", HC_STORE_ENTRIES_MAX);
        } else {
            rc = hc_list_add(names, entry->d_name, err);
        }
        errno = 0;
    }
    if (rc == 0 && errno != 0) {
        rc = hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, "reading a folder");
    }
    closedir(dir);
    return rc;
}

/*
 * What a file of somebody else's is. With one name a restore got its owner wrong, and it may be
 * good; with several it is a link that was planted: nobody restores those.
 */
static enum hc_file_state state_of_foreign(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_nlink == 1 ? HC_FILE_FOREIGN : HC_FILE_STRANGE;
}

/* What a failed open says of a name. */
static enum hc_file_state state_of_errno(int folder, const char *name, int errnum)
{
    struct stat st;

    if (errnum == ENOENT) {
        return HC_FILE_ABSENT;
    }
    if (errnum == ELOOP || errnum == ENXIO || errnum == EISDIR || errnum == ENODEV) {
        return HC_FILE_STRANGE;
    }
    if (errnum != EACCES && errnum != EPERM) {
        return HC_FILE_FAILING;
    }
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? state_of_foreign(&st)
                                                                : HC_FILE_FOREIGN;
}

/* The problem that goes with a state. */
static enum hc_problem problem_of(enum hc_file_state state)
{
    switch (state) {
    case HC_FILE_ABSENT:
        return HC_P_STORE_EMPTY;
    case HC_FILE_STRANGE:
        return HC_P_STORE_DAMAGED;
    case HC_FILE_FOREIGN:
        return HC_P_STORE_UNSAFE;
    case HC_FILE_GOOD:
    case HC_FILE_FAILING:
        break;
    }
    return HC_P_STORE_UNUSABLE;
}

/* Whether an opened file is one to be read. Modes that are too wide are narrowed: what is in it is
 * sealed, and a copy that lost its modes is no reason to lose a certificate. */
static int examine(struct hc_store *store, int fd, const char *subject, enum hc_file_state *state,
                   struct hc_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        *state = HC_FILE_FAILING;
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, subject, errno, NULL);
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > HC_STORE_FILE_MAX) {
        *state = HC_FILE_STRANGE;
        return hc_error_set(err, HC_P_STORE_DAMAGED, subject,
                            "not a regular file of at most %zu bytes", HC_STORE_FILE_MAX);
    }
    if (st.st_uid != store->owner) {
        *state = state_of_foreign(&st);
        return hc_error_set(err, problem_of(*state), subject, "it belongs to user %u, not %u",
                            (unsigned)st.st_uid, (unsigned)store->owner);
    }
    if ((st.st_mode & 077) != 0 && store->use == HC_STORE_DRIVE) {
        (void)fchmod(fd, 0600);
    }
    *state = HC_FILE_GOOD;
    return 0;
}

int hc_file_read(struct hc_store *store, const struct hc_file_place *place, struct hc_buf *out,
                 enum hc_file_state *state, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    unsigned char *at = NULL;
    ssize_t n = 0;
    int rc = -1;
    int fd = fs->open(fs->self, place->folder, place->name, O_RDONLY | FILE_FLAGS, 0);

    if (fd < 0) {
        int errnum = errno;

        *state = state_of_errno(place->folder, place->name, errnum);
        return hc_error_set_errno(err, problem_of(*state), place->subject, errnum, NULL);
    }
    if (examine(store, fd, place->subject, state, err) != 0) {
        goto out;
    }
    *state = HC_FILE_FAILING;
    do {
        if (hc_buf_reserve(out, 16384, &at, err) != 0) {
            goto out;
        }
        n = fs->read(fs->self, fd, at, 16384);
        if (n < 0) {
            hc_error_set_errno(err, HC_P_STORE_UNUSABLE, place->subject, errno, "reading it");
            goto out;
        }
        out->len += (size_t)n;
    } while (n > 0);
    out->data[out->len] = '\0';
    *state = HC_FILE_GOOD;
    rc = 0;
out:
    close(fd);
    return rc;
}

int hc_file_temporary(struct hc_store *store, int tmp, char name[64], int *fd)
{
    const struct hc_fs *fs = store->fs;
    struct stat st;

    for (int i = 0; i < 4; i++) {
        uint32_t luck = 0;

        if (getrandom(&luck, sizeof(luck), 0) < 0) {
            return -1;
        }
        (void)snprintf(name, 64, "%ld.%u.%08" PRIx32, (long)getpid(), store->made++, luck);
        *fd = fs->open(fs->self, tmp, name, O_RDWR | O_CREAT | O_EXCL | FILE_FLAGS, 0600);
        if (*fd < 0 && errno != EEXIST) {
            return -1;
        }
        if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &st) == 0 &&
            st.st_nlink > 0) {
            return 0;
        }
        if (*fd >= 0) {
            close(*fd);
            *fd = -1;
        }
    }
    errno = EBUSY;
    return -1;
}

/* A file under tmp/. */
struct temporary {
    int folder;
    char name[64];
    bool gone; /* the name is not there any more */
};

/* The renaming. 0, 1 (taken) or -1 with errno. */
static int put_in_place(struct hc_store *store, struct temporary *tmp, int folder, const char *name,
                        unsigned how)
{
    const struct hc_fs *fs = store->fs;
    bool replace = (how & HC_FILE_REPLACE) != 0;
    int rc = fs->rename(fs->self, tmp->folder, tmp->name, folder, name, replace);

    if (rc != 0 && errno == EISDIR && replace) {
        /* somebody put a folder where a file belongs */
        hc_file_set_aside(store, folder, name, name);
        rc = fs->rename(fs->self, tmp->folder, tmp->name, folder, name, replace);
    }
    if (rc != 0) {
        return errno == EEXIST && !replace ? 1 : -1;
    }
    tmp->gone = true;
    if ((how & HC_FILE_DURABLE) != 0 && fs->sync(fs->self, folder) != 0) {
        int saved = errno;

        if (!replace) {
            (void)fs->unlink(fs->self, folder, name);
        }
        errno = saved;
        return -1;
    }
    return 0;
}

int hc_file_write(struct hc_store *store, int folder, const char *name, struct hc_bytes bytes,
                  unsigned how, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    struct temporary tmp = {.folder = -1};
    int fd = -1;
    int rc = -1;

    if (hc_folder_open(store, store->root, "tmp", true, &tmp.folder, err) != 0) {
        return -1;
    }
    if (tmp.folder < 0 || hc_file_temporary(store, tmp.folder, tmp.name, &fd) != 0) {
        tmp.gone = true;
        goto out;
    }
    if (hc_io_write_all_by(fs->write, fs->self, fd, bytes.data, bytes.len) != 0 ||
        ((how & HC_FILE_DURABLE) != 0 && fs->sync(fs->self, fd) != 0)) {
        goto out;
    }
    rc = put_in_place(store, &tmp, folder, name, how);
out:
    if (rc < 0) {
        hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno, "writing %s", name);
    }
    if (!tmp.gone) {
        (void)fs->unlink(fs->self, tmp.folder, tmp.name);
    }
    hc_io_close(fd);
    hc_io_close(tmp.folder);
    return rc;
}

/* So that damaged/ cannot grow for ever: the oldest go (names begin with the time). */
static void bound_damaged(struct hc_store *store, int damaged)
{
    const struct hc_fs *fs = store->fs;
    struct hc_list names = {0};

    if (hc_folder_list(store, damaged, &names, NULL) == 0 && names.count > HC_STORE_DAMAGED_MAX) {
        hc_list_sort_unique(&names);
        for (size_t i = 0; i < names.count - HC_STORE_DAMAGED_MAX; i++) {
            if (fs->unlink(fs->self, damaged, names.items[i]) != 0) {
                (void)fs->remove_folder(fs->self, damaged, names.items[i]);
            }
        }
    }
    hc_list_dispose(&names);
}

void hc_file_set_aside(struct hc_store *store, int folder, const char *name, const char *label)
{
    const struct hc_fs *fs = store->fs;
    char target[256];
    int damaged = -1;

    /* what cannot be read because the store is another secret's by now is not damaged */
    if (store->use != HC_STORE_DRIVE || hc_store_recheck(store, NULL) != 0 ||
        hc_folder_open(store, store->root, "damaged", true, &damaged, NULL) != 0 || damaged < 0) {
        return;
    }
    (void)snprintf(target, sizeof(target), "%012" PRId64 "-%ld.%u-%.150s", (int64_t)time(NULL),
                   (long)getpid(), store->made++, label);
    if (fs->rename(fs->self, folder, name, damaged, target, false) == 0) {
        hc_logf(store->log, HC_LOG_NOTICE, "set aside as %s/damaged/%s", store->path, target);
        bound_damaged(store, damaged);
    }
    close(damaged);
}

/*
 * Writes nothings over a file that no name leads to any more: other names may be a backup's, and
 * whoever opens ours must not find it half gone.
 */
static void overwrite(struct hc_store *store, int fd)
{
    static const unsigned char nothing[4096];
    const struct hc_fs *fs = store->fs;
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == store->owner &&
        st.st_nlink == 0 && st.st_size > 0 && (uint64_t)st.st_size <= HC_STORE_FILE_MAX) {
        size_t left = (size_t)st.st_size;
        bool good = true;

        while (left > 0 && good) {
            struct hc_bytes part = {nothing, left < sizeof(nothing) ? left : sizeof(nothing)};

            good = hc_io_write_all_by(fs->write, fs->self, fd, part.data, part.len) == 0;
            left -= part.len;
        }
        (void)fs->sync(fs->self, fd);
    }
}

int hc_file_wipe(struct hc_store *store, int folder, const char *name, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    int fd = fs->open(fs->self, folder, name, O_WRONLY | FILE_FLAGS, 0);
    int rc = hc_file_remove(store, folder, name, err);

    if (fd >= 0) {
        if (rc == 0) {
            overwrite(store, fd);
        }
        close(fd);
    }
    return rc;
}

int hc_file_remove(struct hc_store *store, int folder, const char *name, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;

    if (fs->unlink(fs->self, folder, name) != 0 && errno != ENOENT) {
        return hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno, "removing %s", name);
    }
    return 0;
}

void hc_file_clean(struct hc_store *store)
{
    const struct hc_fs *fs = store->fs;
    struct hc_list names = {0};
    int tmp = -1;

    if (hc_folder_open(store, store->root, "tmp", false, &tmp, NULL) != 0 || tmp < 0) {
        return;
    }
    if (hc_folder_list(store, tmp, &names, NULL) == 0) {
        for (size_t i = 0; i < names.count; i++) {
            int fd = fs->open(fs->self, tmp, names.items[i], O_RDONLY | FILE_FLAGS, 0);

            if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) {
                (void)hc_file_wipe(store, tmp, names.items[i], NULL);
            }
            hc_io_close(fd);
        }
    }
    hc_list_dispose(&names);
    close(tmp);
}
