/* Which lines changed; see scan.h. */
#include "store/scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/file.h"
#include "store/line_folder.h"

#define NS_PER_S INT64_C(1000000000)
#define SETTLE_NS                                                                                  \
    (2 * NS_PER_S) /* file systems tell times apart that are this far from each other */

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

int hc_store_lines(struct hc_store *store, struct hc_list *lines, struct hc_error *err)
{
    struct hc_list names = {0};
    unsigned char id[HC_ID_SIZE];
    int folder = -1;
    int rc = hc_folder_open(store, store->root, "lines", false, &folder, err);

    if (rc == 0 && folder >= 0) {
        rc = hc_folder_list(store, folder, &names, err);
        close(folder);
    }
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        if (hc_unhex(id, HC_ID_SIZE, names.items[i]) == 0) {
            rc = hc_list_add(lines, names.items[i], err);
        } else {
            hc_store_warn(store, names.items[i], NULL,
                          "it is not a line and does not belong under lines/");
        }
    }
    if (rc == 0 && lines->count > 1) {
        qsort(lines->items, lines->count, sizeof(lines->items[0]), compare_names);
    }
    hc_list_dispose(&names);
    return rc;
}

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

/* The inode and ctime of a path in the store. False: nothing can be said of it. */
static bool read_stamp(const struct hc_store *store, const char *path, uint64_t *inode,
                       int64_t *ctime_ns)
{
    struct stat st;

    if (fstatat(store->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    *inode = (uint64_t)st.st_ino;
    *ctime_ns = ns_of(&st.st_ctim);
    return true;
}

static bool is_settled(int64_t changed, int64_t now)
{
    return changed < now - SETTLE_NS;
}

void hc_line_stamp_take(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                        uint64_t version, struct hc_line_stamp *stamp)
{
    char hex[2 * HC_ID_SIZE + 1];
    char path[160];
    char name[40];
    struct timespec now = {0, 0};

    memset(stamp, 0, sizeof(*stamp));
    (void)clock_gettime(CLOCK_REALTIME, &now);
    hc_hex(hex, line, HC_ID_SIZE);
    (void)snprintf(path, sizeof(path), "lines/%s", hex);
    if (!read_stamp(store, path, &stamp->folder, &stamp->folder_ctime)) {
        return;
    }
    hc_version_name(version, name);
    (void)snprintf(path, sizeof(path), "lines/%s/%s", hex, name);
    stamp->settled = read_stamp(store, path, &stamp->file, &stamp->file_ctime) &&
                     is_settled(stamp->folder_ctime, ns_of(&now)) &&
                     is_settled(stamp->file_ctime, ns_of(&now));
}

void hc_lines_stamp_take(struct hc_store *store, struct hc_line_stamp *stamp)
{
    struct timespec now = {0, 0};

    memset(stamp, 0, sizeof(*stamp));
    (void)clock_gettime(CLOCK_REALTIME, &now);
    stamp->settled = read_stamp(store, "lines", &stamp->folder, &stamp->folder_ctime) &&
                     is_settled(stamp->folder_ctime, ns_of(&now));
}

/* Never 0. */
static uint64_t number_of(const struct hc_line_stamp *stamp)
{
    uint64_t hash = hc_hash_bytes(&stamp->folder, sizeof(stamp->folder), HC_HASH_SEED);

    hash = hc_hash_bytes(&stamp->file, sizeof(stamp->file), hash);
    hash = hc_hash_bytes(&stamp->folder_ctime, sizeof(stamp->folder_ctime), hash);
    return hc_hash_bytes(&stamp->file_ctime, sizeof(stamp->file_ctime), hash) | 1;
}

uint64_t hc_line_stamp_mark(const struct hc_line_stamp *stamp)
{
    return stamp->settled ? number_of(stamp) : 0;
}

bool hc_line_stamp_holds(uint64_t mark, const struct hc_line_stamp *now)
{
    return mark != 0 && mark == number_of(now);
}
