/* Reading lines: the newest version that verifies; see line.h. */
#include "store/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "store/file.h"
#include "store/line_folder.h"
#include "store/scan.h"
#include "store/version.h"

/* Where a version is. */
struct place {
    struct hc_store *store;
    int folder;
    const char *line;
    uint64_t number;
};

/* Reads one version: its head, and what is sealed if there is a secret. */
static int read_version(const struct place *at, struct hc_line_info *info, struct hc_buf *plain,
                        enum hc_file_state *state, struct hc_error *err)
{
    const struct hc_store *store = at->store;
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    unsigned char id[HC_ID_SIZE];
    char subject[128];
    char name[40];
    int rc = -1;

    hc_version_name(at->number, name);
    (void)snprintf(subject, sizeof(subject), "lines/%s/%s", at->line, name);
    if (hc_file_read(at->store, &(struct hc_file_place){at->folder, name, subject}, &raw, state,
                     err) != 0) {
        goto out;
    }
    if (hc_version_unseal(store->has_secret ? store->secret : NULL, hc_bytes_of(&raw), info, plain,
                          err) != 0) {
        goto out;
    }
    if (hc_unhex(id, HC_ID_SIZE, at->line) != 0 || memcmp(id, info->line, HC_ID_SIZE) != 0 ||
        info->version != at->number) {
        hc_error_set(err, HC_P_STORE_DAMAGED, subject, "it is another line's or version's");
        goto out;
    }
    rc = 0;
out:
    if (rc != 0 && err->subject[0] == '\0') {
        hc_error_of(err, subject);
    }
    hc_buf_dispose(&raw);
    return rc;
}

/* Reads one version and, if wanted, makes its pair. */
static int try_version(const struct place *at, struct hc_pair **pair, struct hc_line_info *info,
                       enum hc_file_state *state, struct hc_error *err)
{
    struct hc_buf plain = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX);
    int rc = read_version(at, info, &plain, state, err);

    if (rc == 0 && pair != NULL) {
        struct hc_error own = {0};

        rc = hc_pair_decode(plain.data, plain.len, pair, &own);
        if (rc != 0 && own.problem != HC_P_OUT_OF_MEMORY) {
            rc = hc_error_set(err, HC_P_STORE_DAMAGED, at->line,
                              "version %" PRIu64 " holds no pair: %s", at->number, own.detail);
        } else if (rc != 0) {
            hc_error_chain(err, &own);
        }
    }
    if (rc != 0 && *state == HC_FILE_GOOD && err->problem == HC_P_STORE_DAMAGED) {
        *state = HC_FILE_STRANGE;
    }
    hc_buf_dispose(&plain);
    return rc;
}

/* What kept the versions that were passed over from being used. */
struct passed {
    struct hc_error first; /* of the newest that may yet be good; else of the newest */
    bool damaged;
};

static void pass_over(const struct place *at, enum hc_file_state state, const struct hc_error *why,
                      struct passed *passed)
{
    char label[128];
    char name[40];

    if (state == HC_FILE_ABSENT) {
        return; /* removed since it was listed */
    }
    hc_store_warn(at->store, why->subject, why, "ignoring a version");
    if (state == HC_FILE_STRANGE) {
        hc_version_name(at->number, name);
        (void)snprintf(label, sizeof(label), "line-%s-%s", at->line, name);
        hc_file_set_aside(at->store, at->folder, name, label);
        passed->damaged = true;
    } else if (passed->first.problem == HC_P_NONE) {
        passed->first = *why;
    }
}

/*
 * The newest version that verifies. Damaged ones are set aside by whoever drives the store. A disk
 * that fails, or an owner that is wrong, is not the same as "there is none": then the error says
 * so, and nobody orders anew for it.
 */
static int newest_good(struct hc_store *store, int folder, const char *line, struct hc_pair **pair,
                       struct hc_line_info *info, struct hc_error *err)
{
    struct hc_versions v = {NULL, 0};
    struct passed passed = {.damaged = false};
    int rc = hc_versions_list(store, folder, line, &v, err);
    bool found = false;

    for (size_t i = 0; rc == 0 && !found && i < v.count; i++) {
        const struct place at = {store, folder, line, v.numbers[i]};
        enum hc_file_state state = HC_FILE_GOOD;
        struct hc_error own = {0};

        found = try_version(&at, pair, info, &state, &own) == 0;
        if (!found) {
            hc_line_info_dispose(info);
            memset(info, 0, sizeof(*info));
            pass_over(&at, state, &own, &passed);
        }
        if (own.problem == HC_P_OUT_OF_MEMORY || own.problem == HC_P_TLS_LIBRARY) {
            rc = -1; /* our own trouble: an older version is no answer to it */
            passed.first = own;
        }
    }
    free(v.numbers);
    if (rc == 0 && found) {
        info->hidden = passed.first.problem == HC_P_STORE_UNSAFE;
        info->passed = passed.first.problem != HC_P_NONE;
        return 0;
    }
    if (passed.first.problem != HC_P_NONE) {
        return hc_error_chain(err, &passed.first);
    }
    if (rc == 0 && passed.damaged && store->use == HC_STORE_READ) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, line, "no version of it can be used");
    }
    return hc_error_set(err, HC_P_STORE_EMPTY, line,
                        passed.damaged ? "its versions are damaged" : NULL);
}

int hc_store_current(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                     struct hc_pair **pair, struct hc_line_info *info, struct hc_error *err)
{
    struct hc_line_info own = {.version = 0};
    char hex[2 * HC_ID_SIZE + 1];
    int folder = -1;
    int rc = -1;

    *pair = NULL;
    hc_hex(hex, line, HC_ID_SIZE);
    if (hc_store_need_secret(store, err) != 0 ||
        hc_line_open(store, hex, false, &folder, err) != 0) {
        goto out;
    }
    if (folder < 0) {
        hc_error_set(err, HC_P_STORE_EMPTY, hex, NULL);
        goto out;
    }
    rc = newest_good(store, folder, hex, pair, &own, err);
    if (rc == 0 && info != NULL) {
        *info = own;
        memset(&own, 0, sizeof(own));
    }
out:
    hc_line_info_dispose(&own);
    hc_io_close(folder);
    return rc;
}

int hc_store_line_info(struct hc_store *store, const char *line, struct hc_line_info *info,
                       bool *found, struct hc_error *err)
{
    struct hc_error own = {0};
    int folder = -1;
    int rc = 0;

    *found = hc_line_open(store, line, false, &folder, &own) == 0 && folder >= 0 &&
             newest_good(store, folder, line, NULL, info, &own) == 0;
    if (!*found && own.problem == HC_P_OUT_OF_MEMORY) {
        rc = hc_error_nomem(err);
    } else if (!*found && own.problem != HC_P_NONE && own.problem != HC_P_STORE_EMPTY) {
        hc_store_warn(store, line, &own, "a line cannot be read");
    }
    hc_io_close(folder);
    return rc;
}

int hc_store_each(struct hc_store *store, int (*each)(void *arg, const struct hc_line_info *info),
                  void *arg, struct hc_error *err)
{
    struct hc_list lines = {0};
    int stop = 0;
    int rc = hc_store_lines(store, &lines, err);

    for (size_t i = 0; rc == 0 && stop == 0 && i < lines.count; i++) {
        struct hc_line_info info = {.version = 0};
        bool found = false;

        rc = hc_store_line_info(store, lines.items[i], &info, &found, err);
        stop = found ? each(arg, &info) : 0;
        hc_line_info_dispose(&info);
    }
    hc_list_dispose(&lines);
    return rc == 0 ? 0 : hc_error_during(err, "listing the store");
}
