/* Giving the store to the agent's user; see handover.h. */
#include "keeper/handover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "keeper/packet.h"

#define ENTRIES_MAX  400000 /* in all of it */
#define FILE_MAX     ((size_t)2 << 20)
#define STEP_MS      20
#define TEMPORARY    ".handover"
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILE_FLAGS   (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct handover {
    int store;
    uid_t from;
    const struct hc_rights *to;
    size_t entries; /* seen so far */
    bool back;      /* a handover is undone: nothing is removed */
};

/* What a folder of the store holds. */
enum content {
    NOTHING_THAT_LASTS, /* removed */
    FILES,
    FOLDERS, /* of files */
};

/* The store's folders, docs/store.md; the two that agents hold locks in come first. */
static const struct {
    const char *name;
    enum content content;
} folders[] = {
    {"followers", NOTHING_THAT_LASTS},
    {"locks", NOTHING_THAT_LASTS},
    {"tmp", NOTHING_THAT_LASTS},
    {"challenges", FILES},
    {"damaged", FILES},
    {"records", FOLDERS},
    {"lines", FOLDERS},
};
#define LOCKED_FOLDERS 2

static const char *const files[] = {"changed", "format"};

/* ---- whether it is in use ---- */

/* An agent's lock on this file: a follower's on the whole, an order's on a part. */
static bool is_locked(int folder, const char *name)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(folder, name, FILE_FLAGS);
    bool locked = false;

    if (fd < 0) {
        return false;
    }
    locked = (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
             (fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK);
    close(fd);
    return locked;
}

static int list_names(struct handover *h, int folder, struct hc_list *names)
{
    int copy = openat(folder, ".", FOLDER_FLAGS);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry = NULL;
    int rc = 0;

    if (dir == NULL) {
        hc_io_close(copy);
        return -1;
    }
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        errno = E2BIG;
        rc = ++h->entries > ENTRIES_MAX ? -1 : hc_list_add(names, entry->d_name, NULL);
    }
    closedir(dir);
    return rc;
}

/* Names a file that an agent holds a lock on. False: none. */
static bool find_locked(struct handover *h, char *which, size_t cap)
{
    bool used = false;

    for (size_t i = 0; i < LOCKED_FOLDERS && !used; i++) {
        struct hc_list names = {0};
        int folder = openat(h->store, folders[i].name, FOLDER_FLAGS);

        if (folder < 0) {
            continue;
        }
        (void)list_names(h, folder, &names); /* what is too much is refused later */
        for (size_t n = 0; n < names.count && !used; n++) {
            used = is_locked(folder, names.items[n]);
            (void)snprintf(which, cap, "%s/%.100s", folders[i].name, names.items[n]);
        }
        hc_list_dispose(&names);
        close(folder);
    }
    h->entries = 0;
    return used;
}

static bool wait_while_used(struct handover *h, char *which, size_t cap)
{
    int64_t deadline = hc_packet_now() + HC_HANDOVER_WAIT_MS;

    while (find_locked(h, which, cap)) {
        if (hc_packet_now() >= deadline) {
            return true;
        }
        (void)poll(NULL, 0, STEP_MS);
    }
    return false;
}

/* ---- files ---- */

/* Names that the store uses: nothing hidden, nothing that a terminal or a path would obey. */
static bool is_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' &&
           name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")] == '\0';
}

static int copy_bytes(int from, int to)
{
    char chunk[16384];
    size_t total = 0;
    ssize_t n = 0;

    while ((n = pread(from, chunk, sizeof(chunk), (off_t)total)) > 0) {
        if (total + (size_t)n > FILE_MAX) {
            errno = EFBIG;
            return -1;
        }
        if (pwrite(to, chunk, (size_t)n, (off_t)total) != n) {
            errno = ENOSPC;
            return -1;
        }
        total += (size_t)n;
    }
    return n < 0 ? -1 : 0;
}

/* Puts a copy in its place, which nobody has open and which has no other name. */
static int replace_by_copy(const struct handover *h, int folder, const char *name, int fd)
{
    int copy = -1;
    int rc = -1;
    int saved = 0;

    (void)unlinkat(folder, TEMPORARY, 0); /* of a start that was cut short */
    copy = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copy >= 0 && copy_bytes(fd, copy) == 0 && fchown(copy, h->to->uid, h->to->gid) == 0 &&
        fsync(copy) == 0 && renameat(folder, TEMPORARY, folder, name) == 0) {
        rc = 0;
    }
    saved = errno;
    hc_io_close(copy);
    if (rc != 0) {
        (void)unlinkat(folder, TEMPORARY, 0);
    }
    errno = saved;
    return rc;
}

/* A read lease is refused where some process has the file open for writing; also where there are
 * none, as on a network file system. */
static bool nobody_writes(int fd)
{
    return fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

/* A regular file of the old user's with one name; its folder is root's. */
static int give_open_file(const struct handover *h, int folder, const char *name, int fd)
{
    struct stat st;

    if (fchown(fd, h->to->uid, h->to->gid) != 0 || fchmod(fd, 0600) != 0 || fstat(fd, &st) != 0) {
        return -1;
    }
    if (st.st_nlink > 1) { /* linked by a descriptor, at the last moment: it stays theirs */
        return fchown(fd, h->from, (gid_t)-1) != 0 ? -1 : replace_by_copy(h, folder, name, fd);
    }
    return nobody_writes(fd) ? 0 : replace_by_copy(h, folder, name, fd);
}

/* What is none of the old user's files is left alone. */
static int give_file(const struct handover *h, int folder, const char *name)
{
    struct stat st;
    int fd = -1;
    int rc = 0;
    int saved = 0;

    if (!is_name(name) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode) || st.st_uid != h->from || (uint64_t)st.st_size > FILE_MAX) {
        return 0;
    }
    fd = openat(folder, name, FILE_FLAGS);
    if (fd < 0 || fstat(fd, &st) != 0) {
        rc = -1;
    } else if (S_ISREG(st.st_mode) && st.st_uid == h->from) {
        rc = st.st_nlink == 1 ? give_open_file(h, folder, name, fd)
                              : replace_by_copy(h, folder, name, fd);
    }
    saved = errno;
    hc_io_close(fd);
    errno = saved;
    return rc;
}

/* ---- folders ---- */

/* Makes a folder root's alone. *fd is -1 where there is none of the old user's. */
static int freeze(const struct handover *h, int parent, const char *name, int *fd)
{
    struct stat st;

    *fd = openat(parent, name, FOLDER_FLAGS);
    if (*fd < 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
    }
    if (fstat(*fd, &st) != 0) {
        return -1;
    }
    if (st.st_uid != h->from && st.st_uid != geteuid()) {
        close(*fd);
        *fd = -1;
        return 0;
    }
    return fchown(*fd, geteuid(), getegid()) == 0 ? fchmod(*fd, 0700) : -1;
}

static int give_folder(const struct handover *h, int fd)
{
    return fchown(fd, h->to->uid, h->to->gid);
}

/* All entries of a folder of root's. */
static int give_entries(struct handover *h, int folder, enum content content);

static int give_one(struct handover *h, int folder, const char *name, enum content content)
{
    int fd = -1;
    int rc = 0;

    if (content == NOTHING_THAT_LASTS && !h->back) {
        return unlinkat(folder, name, 0) == 0 || errno == EISDIR || errno == ENOENT ? 0 : -1;
    }
    if (content != FOLDERS) {
        return give_file(h, folder, name);
    }
    if (!is_name(name) || freeze(h, folder, name, &fd) != 0) {
        rc = is_name(name) ? -1 : 0;
    } else if (fd >= 0) {
        rc = give_entries(h, fd, FILES) == 0 ? give_folder(h, fd) : -1;
    }
    if (fd >= 0) {
        int saved = errno;

        close(fd);
        errno = saved;
    }
    return rc;
}

static int give_entries(struct handover *h, int folder, enum content content)
{
    struct hc_list names = {0};
    int rc = list_names(h, folder, &names);

    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        rc = give_one(h, folder, names.items[i], content);
    }
    hc_list_dispose(&names);
    return rc;
}

static void close_all(int fds[HC_COUNT(folders)])
{
    int saved = errno;

    for (size_t i = 0; i < HC_COUNT(folders); i++) {
        hc_io_close(fds[i]);
    }
    errno = saved;
}

/* The store's folder is root's. 0, or -1 with errno; EBUSY: an agent came meanwhile. */
static int give_all(struct handover *h, char *which, size_t cap)
{
    int fds[HC_COUNT(folders)];
    int rc = 0;

    for (size_t i = 0; i < HC_COUNT(folders); i++) {
        fds[i] = -1;
    }
    for (size_t i = 0; rc == 0 && i < HC_COUNT(folders); i++) {
        rc = freeze(h, h->store, folders[i].name, &fds[i]);
    }
    if (rc == 0 && !h->back && find_locked(h, which, cap)) {
        errno = EBUSY;
        rc = -1;
    }
    for (size_t i = 0; rc == 0 && i < HC_COUNT(folders); i++) {
        if (fds[i] >= 0) {
            rc = give_entries(h, fds[i], folders[i].content) == 0 ? give_folder(h, fds[i]) : -1;
        }
    }
    close_all(fds);
    for (size_t i = 0; rc == 0 && i < HC_COUNT(files); i++) {
        rc = give_file(h, h->store, files[i]);
    }
    return rc == 0 && syncfs(h->store) == 0 ? give_folder(h, h->store) : -1;
}

/* Everything back to the old user. */
static int give_back(const struct handover *h, const struct hc_rights *old)
{
    struct handover back = {.store = h->store, .from = h->to->uid, .to = old, .back = true};

    return give_all(&back, NULL, 0);
}

static int stays(const char *path, const struct hc_rights *from, const char *why,
                 struct hc_error *err)
{
    hc_error_set(err, HC_P_STORE_STAYS, path, "it stays with the user %s: %s",
                 from->user != NULL ? from->user : "of the workers", why);
    return 1;
}

bool hc_handover_began(int store, const struct hc_rights *from, const struct hc_rights *to)
{
    struct stat st;

    if (fstat(store, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 07777) != 0700) {
        return false;
    }
    for (size_t i = 0; i < HC_COUNT(folders) + HC_COUNT(files); i++) {
        const char *name = i < HC_COUNT(folders) ? folders[i].name : files[i - HC_COUNT(folders)];

        if (fstatat(store, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (st.st_uid == from->uid || st.st_uid == to->uid)) {
            return true;
        }
    }
    return false;
}

int hc_handover(int store, const char *path, const struct hc_rights *from,
                const struct hc_rights *to, struct hc_error *err)
{
    struct handover h = {.store = store, .from = from->uid, .to = to};
    char which[160] = "";
    char why[256];
    int errnum = 0;

    if (wait_while_used(&h, which, sizeof(which))) {
        (void)snprintf(why, sizeof(why), "a running agent holds a lock on %s", which);
        return stays(path, from, why, err);
    }
    if (fchown(store, geteuid(), getegid()) == 0 && fchmod(store, 0700) == 0 &&
        give_all(&h, which, sizeof(which)) == 0) {
        return 0;
    }
    errnum = errno;
    if (give_back(&h, from) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, path, errnum,
                                  "giving it to the user %s", to->user);
    }
    if (errnum == EBUSY) {
        (void)snprintf(why, sizeof(why), "an agent took a lock on %s meanwhile", which);
    } else {
        (void)snprintf(why, sizeof(why), "%s", strerror(errnum));
    }
    return stays(path, from, why, err);
}
