/* What the tests of keeper, paths and folders share: a tree of root's to try things in. */
#ifndef HC_T_KEEPER_LIB_H
#define HC_T_KEEPER_LIB_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/path.h"
#include "tap.h"

#define WORKER 33 /* www-data */

static const struct hc_rights worker_rights = {true, WORKER, WORKER, "www-data"};

static inline void fatal(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A fresh folder of root's, and all below it for the test to use. */
static inline char *scratch(void)
{
    char name[] = "/tmp/hotcert-keeper.XXXXXX";

    if (mkdtemp(name) == NULL || chmod(name, 0755) != 0) {
        fatal("mkdtemp");
    }
    return strdup(name);
}

static inline void remove_tree(const char *path)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command) != 0) {
        fatal(command);
    }
}

static inline char *join(const char *folder, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        fatal("asprintf");
    }
    return path;
}

static inline void make_folder(const char *base, const char *name, mode_t mode, uid_t uid,
                               gid_t gid)
{
    char *path = join(base, name);

    if (mkdir(path, 0700) != 0 || chown(path, uid, gid) != 0 || chmod(path, mode) != 0) {
        fatal(path);
    }
    free(path);
}

static inline void make_file(const char *base, const char *name, const void *data, size_t len,
                             mode_t mode)
{
    char *path = join(base, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len || fchmod(fd, mode) != 0) {
        fatal(path);
    }
    close(fd);
    free(path);
}

static inline void make_link(const char *base, const char *name, const char *target)
{
    char *path = join(base, name);

    if (symlink(target, path) != 0) {
        fatal(path);
    }
    free(path);
}

static inline int skip_unless_root(void)
{
    if (getuid() != 0) {
        printf("1..0 # SKIP must be run as root\n");
        return 1;
    }
    return 0;
}

#endif
