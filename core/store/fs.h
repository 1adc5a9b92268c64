/*
 * Port: the file operations that the store changes a disk with. One implementation is the system's;
 * tests pass one that counts, fails or dies at the k-th operation. All return as the system calls
 * do, with errno. Called from the store's one thread; they block.
 */
#ifndef HC_STORE_FS_H
#define HC_STORE_FS_H

#include <sys/types.h>

#include "base/compiler.h"

struct hc_fs {
    void *self;
    int (*open)(void *self, int folder, const char *name, int flags, mode_t mode);
    ssize_t (*read)(void *self, int fd, void *data, size_t len);
    ssize_t (*write)(void *self, int fd, const void *data, size_t len);
    int (*sync)(void *self, int fd);
    /* replace false: EEXIST when to exists */
    int (*rename)(void *self, int from_folder, const char *from, int to_folder, const char *to,
                  bool replace);
    int (*link)(void *self, int from_folder, const char *from, int to_folder, const char *to);
    int (*unlink)(void *self, int folder, const char *name);
    int (*make_folder)(void *self, int folder, const char *name, mode_t mode);
    int (*remove_folder)(void *self, int folder, const char *name);
};

extern const struct hc_fs hc_fs_system;

#endif
