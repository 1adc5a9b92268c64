/* The system's file operations; see fs.h. */
#include "store/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/libc.h"

static int fs_open(void *self, int folder, const char *name, int flags, mode_t mode)
{
    (void)self;
    return openat(folder, name, flags, mode);
}

static ssize_t fs_read(void *self, int fd, void *data, size_t len)
{
    (void)self;
    return read(fd, data, len);
}

static ssize_t fs_write(void *self, int fd, const void *data, size_t len)
{
    (void)self;
    return write(fd, data, len);
}

static int fs_sync(void *self, int fd)
{
    (void)self;
    return fsync(fd);
}

static int fs_rename(void *self, int from_folder, const char *from, int to_folder, const char *to,
                     bool replace)
{
    (void)self;
    if (replace) {
        return renameat(from_folder, from, to_folder, to);
    }
    if (hc_libc_rename_new(from_folder, from, to_folder, to) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
    /* a file system without that flag: a second name never replaces anything either */
    if (linkat(from_folder, from, to_folder, to, 0) != 0) {
        return -1;
    }
    return unlinkat(from_folder, from, 0);
}

static int fs_link(void *self, int from_folder, const char *from, int to_folder, const char *to)
{
    (void)self;
    return linkat(from_folder, from, to_folder, to, 0);
}

static int fs_unlink(void *self, int folder, const char *name)
{
    (void)self;
    return unlinkat(folder, name, 0);
}

static int fs_make_folder(void *self, int folder, const char *name, mode_t mode)
{
    (void)self;
    return mkdirat(folder, name, mode);
}

static int fs_remove_folder(void *self, int folder, const char *name)
{
    (void)self;
    return unlinkat(folder, name, AT_REMOVEDIR);
}

const struct hc_fs hc_fs_system = {
    .self = NULL,
    .open = fs_open,
    .read = fs_read,
    .write = fs_write,
    .sync = fs_sync,
    .rename = fs_rename,
    .link = fs_link,
    .unlink = fs_unlink,
    .make_folder = fs_make_folder,
    .remove_folder = fs_remove_folder,
};
