/*
 * Locks for ordering: one file a kind, and in it for each name the lock of one byte, at a place
 * that is the beginning of its digest. The locks belong to the open file (F_OFD_SETLK), so that the
 * kernel frees them when their holder dies, and two of one process are two.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "store/file.h"
#include "store/lock.h"
#include "store/sealed.h"

struct hc_store_lock {
    int fd;
};

static const char *const files[] = {[HC_LOCK_LINE] = "line", [HC_LOCK_ACCOUNT] = "account"};

_Static_assert(HC_COUNT(files) == HC_LOCK_KINDS, "each kind has its file");

#define LOCK_FLAGS (O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Something else stands where the file belongs. What is somebody else's and closed to us, too:
 * there is nothing in such a file that could be lost. */
static bool is_no_lock(int errnum)
{
    return errnum == EINVAL || errnum == ELOOP || errnum == ENXIO || errnum == EISDIR ||
           errnum == EACCES || errnum == EPERM;
}

/* Opens a lock's file if it is one of ours; -1 with errno, EINVAL: it is something else. */
static int open_regular(const struct hc_store *store, int locks, const char *file)
{
    const struct hc_fs *fs = store->fs;
    struct stat st;
    int fd = fs->open(fs->self, locks, file, LOCK_FLAGS, 0600);
    int errnum = 0;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) != 0) {
        errnum = errno;
    } else if (!S_ISREG(st.st_mode) || st.st_uid != store->owner) {
        errnum = EINVAL;
    }
    if (errnum != 0) {
        close(fd);
        fd = -1;
        errno = errnum;
    }
    return fd;
}

static int open_lock_file(struct hc_store *store, enum hc_lock_kind kind, int *fd,
                          struct hc_error *err)
{
    const char *file = files[kind];
    int locks = -1;

    if (hc_folder_open(store, store->root, "locks", true, &locks, err) != 0) {
        return -1;
    }
    *fd = open_regular(store, locks, file);
    if (*fd < 0 && is_no_lock(errno)) {
        hc_file_set_aside(store, locks, file, file);
        *fd = open_regular(store, locks, file);
    }
    if (*fd < 0) {
        hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno, "opening locks/%s", file);
    }
    close(locks);
    return *fd < 0 ? -1 : 0;
}

/* 60 bits of a SHA-256: two names never meet there by accident. */
static off_t place_of(const char digest[65])
{
    char start[16];

    (void)snprintf(start, sizeof(start), "%.15s", digest);
    return (off_t)strtoull(start, NULL, 16);
}

int hc_store_lock(struct hc_store *store, enum hc_lock_kind kind, const char *name,
                  struct hc_store_lock **out, struct hc_error *err)
{
    struct hc_store_lock *lock = NULL;
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    char digest[65];
    int fd = -1;

    *out = NULL;
    if (hc_store_need_drive(store, err) != 0 || hc_name_digest(name, digest, err) != 0 ||
        open_lock_file(store, kind, &fd, err) != 0) {
        return -1;
    }
    range.l_start = place_of(digest);
    if (fcntl(fd, F_OFD_SETLK, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            hc_error_set(err, HC_P_LOCKED, name, NULL);
        } else {
            hc_error_set_errno(err, HC_P_STORE_UNUSABLE, name, errno, "locking it");
        }
        close(fd);
        return -1;
    }
    lock = malloc(sizeof(*lock));
    if (lock == NULL) {
        close(fd);
        return hc_error_nomem(err);
    }
    lock->fd = fd;
    *out = lock;
    return 0;
}

void hc_store_unlock(struct hc_store_lock *lock)
{
    if (lock != NULL) {
        close(lock->fd);
        free(lock);
    }
}

int hc_store_probe_locks(struct hc_store *store, struct hc_error *err)
{
    for (enum hc_lock_kind kind = HC_LOCK_LINE; kind < HC_LOCK_KINDS; kind++) {
        int fd = -1;

        if (open_lock_file(store, kind, &fd, err) != 0) {
            return -1;
        }
        close(fd);
    }
    return 0;
}
