/*
 * Records: records/<kind>/<digest of the name>, and beside it the value before.
 */
#include "store/record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "store/file.h"
#include "store/format.h"
#include "store/sealed.h"

#define BEFORE   ".before" /* the copy before the current one */
#define KIND_MAX 32

/* Where a record is: its folder, its file names, what is bound to it. */
struct place {
    const char *kind; /* borrowed */
    int folder;       /* -1: there is none */
    char file[65];
    char before[65 + sizeof(BEFORE)];
    char bound[KIND_MAX + 67];
};

static void place_dispose(struct place *p)
{
    hc_io_close(p->folder);
    p->folder = -1;
}

static bool is_kind(const char *kind)
{
    size_t len = strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= KIND_MAX && kind[len] == '\0';
}

/* file: the digest of the record's name, or NULL: its folder alone is wanted. */
static int place_open(struct hc_store *store, const char *kind, const char *file, bool make,
                      struct place *p, struct hc_error *err)
{
    int records = -1;
    int rc = -1;

    *p = (struct place){.kind = kind, .folder = -1};
    if (!is_kind(kind)) {
        return hc_error_set(err, HC_P_INTERNAL, kind, "not a kind of record");
    }
    (void)hc_copy(p->file, sizeof(p->file), file != NULL ? file : "");
    (void)snprintf(p->before, sizeof(p->before), "%s%s", p->file, BEFORE);
    (void)snprintf(p->bound, sizeof(p->bound), "%s/%s", kind, p->file);
    if (hc_folder_open(store, store->root, "records", make, &records, err) != 0) {
        return -1;
    }
    rc = records >= 0 ? hc_folder_open(store, records, kind, make, &p->folder, err) : 0;
    hc_io_close(records);
    return rc;
}

/*
 * States of jobs and issuers change several times an order, and each sync costs more than all else
 * of it. A process that is killed loses nothing by their absence; a machine that loses power falls
 * back to a state of seconds before, which costs at most an order.
 */
static bool is_durable(const char *kind)
{
    return strcmp(kind, "job") != 0 && strcmp(kind, "issuer") != 0 &&
           strcmp(kind, "verdict") != 0 && strcmp(kind, "written") != 0 &&
           strcmp(kind, "renewal") != 0;
}

static int place_find(struct hc_store *store, const char *kind, const char *name, bool make,
                      struct place *p, struct hc_error *err)
{
    char file[HC_RECORD_FILE];

    *p = (struct place){.kind = kind, .folder = -1};
    return hc_name_digest(name, file, err) == 0 ? place_open(store, kind, file, make, p, err) : -1;
}

int hc_store_put(struct hc_store *store, const char *kind, const char *name, struct hc_bytes value,
                 struct hc_error *err)
{
    const struct hc_fs *fs = store->fs;
    struct place p = {.folder = -1};
    int rc = -1;

    if (hc_format_may_seal(store, err) != 0) {
        return -1;
    }
    if (place_find(store, kind, name, true, &p, err) != 0) {
        goto out;
    }
    /* what is there now stays readable under a second name: the version to fall back to. None
       there, or no such names on this file system: then there is none to fall back to */
    (void)fs->unlink(fs->self, p.folder, p.before);
    if (fs->link(fs->self, p.folder, p.file, p.folder, p.before) != 0 && is_durable(kind) &&
        hc_folder_anchor(store, "records", err) != 0) {
        goto out;
    }
    rc = hc_sealed_write(store, &(struct hc_file_place){p.folder, p.file, p.bound}, value,
                         is_durable(kind), err);
    store->sealed = store->sealed || rc == 0;
out:
    place_dispose(&p);
    return rc == 0 ? 0 : hc_error_during(err, "storing the %s of %s", kind, name);
}

/* One of the two copies. */
static int get_copy(struct hc_store *store, const struct place *p, const char *file,
                    struct hc_buf *out, enum hc_file_state *state, struct hc_error *err)
{
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    struct hc_error own = {0};
    char label[160];
    int rc =
        hc_file_read(store, &(struct hc_file_place){p->folder, file, p->bound}, &raw, state, &own);

    if (rc == 0) {
        rc = hc_sealed_read(store, hc_bytes_of(&raw), p->bound, out, &own);
    }
    if (rc != 0 && *state != HC_FILE_ABSENT) {
        hc_store_warn(store, p->bound, &own, "ignoring a record");
    }
    if (own.problem == HC_P_STORE_DAMAGED) {
        *state = HC_FILE_STRANGE;
        (void)snprintf(label, sizeof(label), "record-%s-%.80s", p->kind, file);
        hc_file_set_aside(store, p->folder, file, label);
    }
    if (rc != 0) {
        hc_error_chain(err, &own);
    }
    hc_buf_dispose(&raw);
    return rc;
}

int hc_store_get(struct hc_store *store, const char *kind, const char *name, struct hc_buf *out,
                 struct hc_error *err)
{
    char file[HC_RECORD_FILE];

    if (hc_name_digest(name, file, err) == 0 &&
        hc_store_get_file(store, kind, file, out, err) == 0) {
        return 0;
    }
    return hc_error_during(err, "reading the %s of %s", kind, name);
}

static bool is_digest(const char *file)
{
    return strlen(file) == 64 && strspn(file, "0123456789abcdef") == 64;
}

int hc_store_record_files(struct hc_store *store, const char *kind, struct hc_list *files,
                          struct hc_error *err)
{
    struct place p = {.folder = -1};
    struct hc_list names = {NULL, 0, 0};
    int rc = place_open(store, kind, NULL, false, &p, err);

    if (rc == 0 && p.folder >= 0) {
        rc = hc_folder_list(store, p.folder, &names, err);
    }
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        rc = is_digest(names.items[i]) ? hc_list_add(files, names.items[i], err) : 0;
    }
    hc_list_dispose(&names);
    place_dispose(&p);
    return rc;
}

int hc_store_get_file(struct hc_store *store, const char *kind, const char *file,
                      struct hc_buf *out, struct hc_error *err)
{
    struct place p = {.folder = -1};
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    struct hc_error second = {0};
    int rc = -1;

    if (hc_store_need_secret(store, err) != 0) {
        return -1;
    }
    if (place_open(store, kind, file, false, &p, &own) != 0) {
        goto out;
    }
    if (p.folder < 0) {
        hc_error_set(&own, HC_P_STORE_EMPTY, p.bound, NULL);
        goto out;
    }
    rc = get_copy(store, &p, p.file, out, &state, &own);
    /* a copy that cannot be read now may be good: an older state is no answer then */
    if (rc != 0 && (state == HC_FILE_ABSENT || state == HC_FILE_STRANGE)) {
        rc = get_copy(store, &p, p.before, out, &state, &second);
    }
out:
    if (rc != 0) {
        hc_error_chain(err, &own);
    }
    place_dispose(&p);
    return rc;
}

int hc_store_delete(struct hc_store *store, const char *kind, const char *name,
                    struct hc_error *err)
{
    struct place p = {.folder = -1};
    int rc = -1;

    if (hc_store_need_drive(store, err) != 0) {
        return -1;
    }
    if (place_find(store, kind, name, false, &p, err) != 0) {
        goto out;
    }
    rc = 0;
    if (p.folder >= 0) {
        rc = hc_file_wipe(store, p.folder, p.before, err);
        rc = hc_file_wipe(store, p.folder, p.file, err) != 0 ? -1 : rc;
    }
out:
    place_dispose(&p);
    return rc;
}
