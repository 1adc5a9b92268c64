/*
 * Changes of lines: a version is never changed; a commit adds the next one.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "store/file.h"
#include "store/format.h"
#include "store/line.h"
#include "store/line_folder.h"
#include "store/mark.h"
#include "store/version.h"

#define COMMIT_MAX 16 /* times that another writer may take the number */

/*
 * Versions beyond the newest HC_STORE_VERSIONS are wiped. A failure only leaves them for later.
 * False if ours is not among those that stay: its number had been given out, pruned and become free
 * again while we were on the way to it, so it never was the current one.
 */
static bool prune(struct hc_store *store, int folder, const char *line, uint64_t ours)
{
    struct hc_versions v = {NULL, 0};
    bool listed = hc_versions_list(store, folder, line, &v, NULL) == 0;
    bool stays = !listed;

    for (size_t i = 0; listed && i < v.count; i++) {
        char name[40];

        if (i < HC_STORE_VERSIONS) {
            stays = stays || v.numbers[i] == ours;
            continue;
        }
        hc_version_name(v.numbers[i], name);
        (void)hc_file_wipe(store, folder, name, NULL);
    }
    free(v.numbers);
    return stays;
}

/* The line's folder, as it was opened. */
struct place {
    const char *line;
    int folder;
    bool found; /* rather than made */
};

/*
 * Writes the next version; another writer may be faster and take its number. found: the folder was
 * there already.
 */
static int write_next(struct hc_store *store, const struct place *at, struct hc_line_info *info,
                      const struct hc_buf *encoded, struct hc_error *err)
{
    struct hc_buf out = HC_BUF_INIT(HC_STORE_FILE_MAX);
    int rc = 1;

    for (int i = 0; i < COMMIT_MAX && rc == 1; i++) {
        struct hc_versions v = {NULL, 0};
        char name[40];

        rc = hc_versions_list(store, at->folder, at->line, &v, err);
        info->version = v.count > 0 ? v.numbers[0] + 1 : 1;
        free(v.numbers);
        if (rc == 0 && info->version > HC_STORE_VERSION_MAX) {
            rc = hc_error_set(err, HC_P_STORE_UNSAFE, at->line,
                              "a file there has an impossible number");
        }
        hc_version_name(info->version, name);
        if (rc == 0 && info->version == 1 && at->found) {
            rc = hc_folder_anchor(store, "lines", err);
        }
        if (rc == 0) {
            hc_buf_reset(&out);
            rc = hc_version_seal(store->secret, info, hc_bytes_of(encoded), &out, err);
        }
        if (rc == 0) {
            rc = hc_file_write(store, at->folder, name, hc_bytes_of(&out), HC_FILE_DURABLE, err);
        }
    }
    hc_buf_dispose(&out);
    if (rc == 1) {
        return hc_error_set(err, HC_P_LOCKED, at->line,
                            "other agents keep committing to this line");
    }
    return rc;
}

int hc_store_commit(struct hc_store *store, struct hc_line_info *info, const struct hc_pair *pair,
                    int64_t now, struct hc_error *err)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX / 2);
    char line[2 * HC_ID_SIZE + 1];
    char *serial = NULL;
    struct place at = {line, -1, false};
    int rc = -1;

    hc_hex(line, info->line, HC_ID_SIZE);
    if (hc_format_may_seal(store, err) != 0 || hc_pair_encode(pair, &encoded, err) != 0 ||
        hc_strdup(hc_pair_serial(pair), &serial, err) != 0 ||
        hc_line_open(store, line, false, &at.folder, err) != 0) {
        goto out;
    }
    at.found = at.folder >= 0;
    if (!at.found && hc_line_open(store, line, true, &at.folder, err) != 0) {
        goto out;
    }
    free(info->serial);
    info->serial = serial;
    serial = NULL;
    info->not_before = hc_pair_not_before(pair);
    info->not_after = hc_pair_not_after(pair);
    info->committed = now;
    for (int i = 0; i < COMMIT_MAX && rc != 0; i++) {
        if (write_next(store, &at, info, &encoded, err) != 0) {
            goto out;
        }
        store->sealed = true;
        hc_mark_touch(store);
        rc = prune(store, at.folder, line, info->version) ? 0 : 1;
    }
    if (rc != 0) {
        hc_error_set(err, HC_P_LOCKED, line, "other agents keep committing to this line");
    }
out:
    hc_io_close(at.folder);
    free(serial);
    hc_buf_dispose(&encoded);
    return rc == 0 ? 0 : hc_error_during(err, "storing a certificate");
}

/* Wipes all versions, the oldest first: until the newest goes, it is the current one. */
static int wipe_versions(struct hc_store *store, int folder, const char *line, struct hc_error *err)
{
    struct hc_versions v = {NULL, 0};
    int rc = hc_versions_list(store, folder, line, &v, err);

    for (size_t i = v.count; rc == 0 && i > 0; i--) {
        char name[40];

        hc_version_name(v.numbers[i - 1], name);
        rc = hc_file_wipe(store, folder, name, err);
    }
    free(v.numbers);
    return rc;
}

int hc_store_remove(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    struct hc_error *err)
{
    char hex[2 * HC_ID_SIZE + 1];
    int folder = -1;
    int rc = -1;

    hc_hex(hex, line, HC_ID_SIZE);
    if (hc_store_need_drive(store, err) != 0 ||
        hc_line_open(store, hex, false, &folder, err) != 0) {
        goto out;
    }
    rc = 0;
    if (folder >= 0) {
        rc = wipe_versions(store, folder, hex, err);
        rc = rc == 0 ? hc_line_remove_folder(store, hex, err) : rc;
        hc_mark_touch(store);
    }
out:
    hc_io_close(folder);
    return rc == 0 ? 0 : hc_error_during(err, "removing a certificate");
}
