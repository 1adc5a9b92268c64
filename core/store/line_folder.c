/* The folder of a line; see line_folder.h. */
#include "store/line_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"

#define SUFFIX ".pair"

/* 0: not the name of a version. */
static uint64_t number_of(const char *name)
{
    char again[40];
    uint64_t n = strtoull(name, NULL, 10);

    (void)snprintf(again, sizeof(again), "%" PRIu64 SUFFIX, n);
    return n > HC_STORE_VERSION_MAX || strcmp(again, name) != 0 ? 0 : n;
}

void hc_version_name(uint64_t number, char name[40])
{
    (void)snprintf(name, 40, "%" PRIu64 SUFFIX, number);
}

static int newest_first(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? 1 : *x > *y ? -1 : 0;
}

int hc_versions_list(struct hc_store *store, int folder, const char *line, struct hc_versions *v,
                     struct hc_error *err)
{
    struct hc_list names = {0};
    int rc = -1;

    v->count = 0;
    v->numbers = NULL;
    if (hc_folder_list(store, folder, &names, err) != 0) {
        goto out;
    }
    v->numbers = calloc(names.count + 1, sizeof(v->numbers[0]));
    if (v->numbers == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < names.count; i++) {
        uint64_t n = number_of(names.items[i]);

        if (n > 0) {
            v->numbers[v->count++] = n;
        } else {
            hc_store_warn(store, line, NULL, "ignoring a file that is not a version");
        }
    }
    qsort(v->numbers, v->count, sizeof(v->numbers[0]), newest_first);
    rc = 0;
out:
    hc_list_dispose(&names);
    return rc;
}

/* A folder with wrong rights may hold good versions: it is an error, and not set aside. */
static bool is_folder(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode);
}

int hc_line_open(struct hc_store *store, const char *line, bool make, int *fd, struct hc_error *err)
{
    struct hc_error own = {0};
    int lines = -1;
    int rc = hc_folder_open(store, store->root, "lines", make, &lines, err);

    *fd = -1;
    if (rc != 0 || lines < 0) {
        return rc;
    }
    rc = hc_folder_open(store, lines, line, make, fd, &own);
    if (rc != 0 && own.problem == HC_P_STORE_UNSAFE && !is_folder(lines, line)) {
        hc_store_warn(store, line, &own, "a line cannot be read");
        hc_file_set_aside(store, lines, line, line);
        rc = hc_folder_open(store, lines, line, make, fd, err);
    } else if (rc != 0) {
        hc_error_chain(err, &own);
    }
    close(lines);
    return rc;
}

int hc_line_remove_folder(struct hc_store *store, const char *line, struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    int lines = -1;
    int rc = hc_folder_open(store, store->root, "lines", false, &lines, err);

    if (rc != 0 || lines < 0) {
        return rc;
    }
    if (fs->remove_folder(fs->self, lines, line) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST) {
            hc_file_set_aside(store, lines, line, line);
        } else if (errno != ENOENT) {
            rc = hc_error_set_errno(err, HC_P_STORE_WRITE, line, errno, "removing its folder");
        }
    }
    close(lines);
    return rc;
}
