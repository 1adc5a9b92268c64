/*
 * Lines and their versions: lines/<line>/<n>.pair, each a head (head.h) and, bound to it, the
 * sealed pair. A version is never changed; a commit adds the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "store/file.h"
#include "store/head.h"
#include "store/seal.h"

#define PURPOSE    "hotcert pair 1"
#define SUFFIX     ".pair"
#define COMMIT_MAX 16 /* times that another writer may take the number */

/* The versions that a line's folder has, newest first. */
struct versions {
    uint64_t *numbers;
    size_t count;
};

/* 0: not the name of a version. */
static uint64_t number_of(const char *name)
{
    char again[40];
    uint64_t n = strtoull(name, NULL, 10);

    (void)snprintf(again, sizeof(again), "%" PRIu64 SUFFIX, n);
    return n > HC_STORE_VERSION_MAX || strcmp(again, name) != 0 ? 0 : n;
}

static void name_of(uint64_t number, char name[40])
{
    (void)snprintf(name, 40, "%" PRIu64 SUFFIX, number);
}

static int newest_first(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? 1 : *x > *y ? -1 : 0;
}

static int list_versions(struct hc_store *store, int folder, const char *line, struct versions *v,
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
            hc_store_warn(store, line, NULL, "a file that is no version lies there");
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

/* Opens lines/<line>; what stands there and is no folder is set aside. *fd -1: there is none. */
static int open_line(struct hc_store *store, const char *line, bool make, int *fd,
                     struct hc_error *err)
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
    } else if (rc != 0 && err != NULL && err->problem == HC_P_NONE) {
        *err = own;
    }
    close(lines);
    return rc;
}

int hc_version_unseal(struct hc_store *store, struct hc_bytes file, struct hc_line_info *info,
                      struct hc_buf *plain, struct hc_error *err)
{
    size_t head = 0;

    if (hc_head_read(file, info, &head, err) != 0) {
        return -1;
    }
    if (!store->has_secret) {
        return 0;
    }
    return hc_unseal(store->secret, PURPOSE, (struct hc_bytes){file.data, head},
                     (struct hc_bytes){file.data + head, file.len - head}, plain, err);
}

/* Reads one version: its head, and what is sealed if there is a secret. */
static int read_version(struct hc_store *store, int folder, const char *line, uint64_t number,
                        struct hc_line_info *info, struct hc_buf *plain, enum hc_file_state *state,
                        struct hc_error *err)
{
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    unsigned char id[HC_ID_SIZE];
    char subject[128];
    char name[40];
    int rc = -1;

    name_of(number, name);
    (void)snprintf(subject, sizeof(subject), "lines/%s/%s", line, name);
    if (hc_file_read(store, folder, name, subject, &raw, state, err) != 0) {
        goto out;
    }
    if (hc_version_unseal(store, hc_bytes_of(&raw), info, plain, err) != 0) {
        goto out;
    }
    if (hc_unhex(id, HC_ID_SIZE, line) != 0 || memcmp(id, info->line, HC_ID_SIZE) != 0 ||
        info->version != number) {
        hc_error_set(err, HC_P_STORE_DAMAGED, subject, "it is another line's or version's");
        goto out;
    }
    rc = 0;
out:
    if (rc != 0 && err->subject[0] == '\0') {
        (void)hc_copy(err->subject, sizeof(err->subject), subject);
    }
    hc_buf_dispose(&raw);
    return rc;
}

/* Reads one version and, if wanted, makes its pair. */
static int try_version(struct hc_store *store, int folder, const char *line, uint64_t number,
                       struct hc_pair **pair, struct hc_line_info *info, enum hc_file_state *state,
                       struct hc_error *err)
{
    struct hc_buf plain = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX);
    int rc = read_version(store, folder, line, number, info, &plain, state, err);

    if (rc == 0 && pair != NULL) {
        struct hc_error own = {0};

        rc = hc_pair_decode(plain.data, plain.len, pair, &own);
        if (rc != 0 && own.problem != HC_P_OUT_OF_MEMORY) {
            rc = hc_error_set(err, HC_P_STORE_DAMAGED, line,
                              "version %" PRIu64 " holds no pair: %s", number, own.detail);
        } else if (rc != 0) {
            *err = own;
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

static void pass_over(struct hc_store *store, int folder, const char *line, uint64_t number,
                      enum hc_file_state state, const struct hc_error *why, struct passed *passed)
{
    char label[128];
    char name[40];

    if (state == HC_FILE_ABSENT) {
        return; /* removed since it was listed */
    }
    hc_store_warn(store, why->subject, why, "a version is not used");
    if (state == HC_FILE_STRANGE) {
        name_of(number, name);
        (void)snprintf(label, sizeof(label), "line-%s-%s", line, name);
        hc_file_set_aside(store, folder, name, label);
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
    struct versions v = {NULL, 0};
    struct passed passed = {.damaged = false};
    int rc = list_versions(store, folder, line, &v, err);
    bool found = false;

    for (size_t i = 0; rc == 0 && !found && i < v.count; i++) {
        enum hc_file_state state = HC_FILE_GOOD;
        struct hc_error own = {0};

        found = try_version(store, folder, line, v.numbers[i], pair, info, &state, &own) == 0;
        if (!found) {
            hc_line_info_dispose(info);
            memset(info, 0, sizeof(*info));
            pass_over(store, folder, line, v.numbers[i], state, &own, &passed);
        }
        if (own.problem == HC_P_OUT_OF_MEMORY || own.problem == HC_P_TLS_LIBRARY) {
            rc = -1; /* our own trouble: an older version is no answer to it */
            passed.first = own;
        }
    }
    free(v.numbers);
    if (rc == 0 && found) {
        info->hidden = passed.first.problem == HC_P_STORE_UNSAFE;
        return 0;
    }
    if (passed.first.problem != HC_P_NONE) {
        if (err != NULL && err->problem == HC_P_NONE) {
            *err = passed.first;
        }
        return -1;
    }
    if (rc == 0 && passed.damaged && store->use == HC_STORE_READ) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, line, "no version of it can be used");
    }
    return hc_error_set(err, HC_P_STORE_EMPTY, line,
                        passed.damaged ? "what was there is damaged" : NULL);
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
    if (hc_store_need_secret(store, err) != 0 || open_line(store, hex, false, &folder, err) != 0) {
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
    if (folder >= 0) {
        close(folder);
    }
    return rc;
}

/* One line of hc_store_each(). What is wrong with one line does not hide the others. */
static int visit(struct hc_store *store, const char *line,
                 int (*each)(void *arg, const struct hc_line_info *info), void *arg, int *stop,
                 struct hc_error *err)
{
    struct hc_line_info info = {.version = 0};
    struct hc_error own = {0};
    unsigned char id[HC_ID_SIZE];
    int folder = -1;
    int rc = 0;

    if (hc_unhex(id, HC_ID_SIZE, line) != 0) {
        hc_store_warn(store, line, NULL, "it is no line and does not belong under lines/");
        return 0;
    }
    if (open_line(store, line, false, &folder, &own) == 0 && folder >= 0 &&
        newest_good(store, folder, line, NULL, &info, &own) == 0) {
        *stop = each(arg, &info);
    } else if (own.problem == HC_P_OUT_OF_MEMORY) {
        rc = hc_error_nomem(err);
    } else if (own.problem != HC_P_NONE && own.problem != HC_P_STORE_EMPTY) {
        hc_store_warn(store, line, &own, "a line cannot be read");
    }
    hc_line_info_dispose(&info);
    if (folder >= 0) {
        close(folder);
    }
    return rc;
}

int hc_store_each(struct hc_store *store, int (*each)(void *arg, const struct hc_line_info *info),
                  void *arg, struct hc_error *err)
{
    struct hc_list names = {0};
    int lines = -1;
    int stop = 0;
    int rc = hc_folder_open(store, store->root, "lines", false, &lines, err);

    if (rc == 0 && lines >= 0) {
        rc = hc_folder_list(store, lines, &names, err);
    }
    for (size_t i = 0; rc == 0 && stop == 0 && i < names.count; i++) {
        rc = visit(store, names.items[i], each, arg, &stop, err);
    }
    hc_list_dispose(&names);
    if (lines >= 0) {
        close(lines);
    }
    return rc == 0 ? 0 : hc_error_during(err, "listing the store");
}

/* The file of a version: head, then the sealed pair. */
static int build(struct hc_store *store, const struct hc_line_info *info,
                 const struct hc_buf *encoded, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf head = HC_BUF_INIT(HC_HEAD_MAX);
    int rc = -1;

    hc_buf_reset(out);
    if (hc_head_write(info, &head, err) == 0 && hc_buf_append(out, head.data, head.len, err) == 0) {
        rc = hc_seal(store->secret, PURPOSE, hc_bytes_of(&head), hc_bytes_of(encoded), out, err);
    }
    hc_buf_dispose(&head);
    return rc;
}

/*
 * Versions beyond the newest HC_STORE_VERSIONS are wiped. A failure only leaves them for later.
 * False if ours is not among those that stay: its number had been given out, pruned and become free
 * again while we were on the way to it, so it never was the current one.
 */
static bool prune(struct hc_store *store, int folder, const char *line, uint64_t ours)
{
    struct versions v = {NULL, 0};
    bool listed = list_versions(store, folder, line, &v, NULL) == 0;
    bool stays = !listed;

    for (size_t i = 0; listed && i < v.count; i++) {
        char name[40];

        if (i < HC_STORE_VERSIONS) {
            stays = stays || v.numbers[i] == ours;
            continue;
        }
        name_of(v.numbers[i], name);
        (void)hc_file_wipe(store, folder, name, NULL);
    }
    free(v.numbers);
    return stays;
}

/*
 * Writes the next version; another writer may be faster and take its number. found: the folder was
 * there already.
 */
static int write_next(struct hc_store *store, int folder, bool found, const char *line,
                      struct hc_line_info *info, const struct hc_buf *encoded, struct hc_error *err)
{
    struct hc_buf out = HC_BUF_INIT(HC_STORE_FILE_MAX);
    int rc = 1;

    for (int i = 0; i < COMMIT_MAX && rc == 1; i++) {
        struct versions v = {NULL, 0};
        char name[40];

        rc = list_versions(store, folder, line, &v, err);
        info->version = v.count > 0 ? v.numbers[0] + 1 : 1;
        free(v.numbers);
        if (rc == 0 && info->version > HC_STORE_VERSION_MAX) {
            rc =
                hc_error_set(err, HC_P_STORE_UNSAFE, line, "a file there has an impossible number");
        }
        name_of(info->version, name);
        if (rc == 0 && info->version == 1 && found) {
            rc = hc_folder_anchor(store, "lines", err);
        }
        if (rc == 0) {
            rc = build(store, info, encoded, &out, err);
        }
        if (rc == 0) {
            rc = hc_file_write(store, folder, name, hc_bytes_of(&out), HC_FILE_DURABLE, err);
        }
    }
    hc_buf_dispose(&out);
    if (rc == 1) {
        return hc_error_set(err, HC_P_LOCKED, line, "others commit to this line all the time");
    }
    return rc;
}

int hc_store_commit(struct hc_store *store, struct hc_line_info *info, const struct hc_pair *pair,
                    int64_t now, struct hc_error *err)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX / 2);
    char line[2 * HC_ID_SIZE + 1];
    char *serial = NULL;
    bool found = false;
    int folder = -1;
    int rc = -1;

    hc_hex(line, info->line, HC_ID_SIZE);
    if (hc_format_may_seal(store, err) != 0 || hc_pair_encode(pair, &encoded, err) != 0 ||
        hc_strdup(hc_pair_serial(pair), &serial, err) != 0 ||
        open_line(store, line, false, &folder, err) != 0) {
        goto out;
    }
    found = folder >= 0;
    if (!found && open_line(store, line, true, &folder, err) != 0) {
        goto out;
    }
    free(info->serial);
    info->serial = serial;
    serial = NULL;
    info->not_before = hc_pair_not_before(pair);
    info->not_after = hc_pair_not_after(pair);
    info->committed = now;
    for (int i = 0; i < COMMIT_MAX && rc != 0; i++) {
        if (write_next(store, folder, found, line, info, &encoded, err) != 0) {
            goto out;
        }
        store->sealed = true;
        hc_mark_touch(store);
        rc = prune(store, folder, line, info->version) ? 0 : 1;
    }
    if (rc != 0) {
        hc_error_set(err, HC_P_LOCKED, line, "others commit to this line all the time");
    }
out:
    if (folder >= 0) {
        close(folder);
    }
    free(serial);
    hc_buf_dispose(&encoded);
    return rc == 0 ? 0 : hc_error_during(err, "storing a certificate");
}

/* Wipes all versions, the oldest first: until the newest goes, it is the current one. */
static int wipe_versions(struct hc_store *store, int folder, const char *line, struct hc_error *err)
{
    struct versions v = {NULL, 0};
    int rc = list_versions(store, folder, line, &v, err);

    for (size_t i = v.count; rc == 0 && i > 0; i--) {
        char name[40];

        name_of(v.numbers[i - 1], name);
        rc = hc_file_wipe(store, folder, name, err);
    }
    free(v.numbers);
    return rc;
}

/* Removes a line's emptied folder; what does not belong there goes with it to damaged/. */
static int remove_line_folder(struct hc_store *store, const char *line, struct hc_error *err)
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

int hc_store_remove(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    struct hc_error *err)
{
    char hex[2 * HC_ID_SIZE + 1];
    int folder = -1;
    int rc = -1;

    hc_hex(hex, line, HC_ID_SIZE);
    if (hc_store_need_drive(store, err) != 0 || open_line(store, hex, false, &folder, err) != 0) {
        goto out;
    }
    rc = 0;
    if (folder >= 0) {
        rc = wipe_versions(store, folder, hex, err);
        rc = rc == 0 ? remove_line_folder(store, hex, err) : rc;
        hc_mark_touch(store);
    }
out:
    if (folder >= 0) {
        close(folder);
    }
    return rc == 0 ? 0 : hc_error_during(err, "removing a certificate");
}
