/*
 * The file `format`: the store's version, its id, and the fingerprint of the secret that it is
 * sealed under. Damaged or lost, it is made again if the secret opens what is stored; when it does
 * not, nothing is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "store/envelope.h"
#include "store/file.h"
#include "store/format.h"
#include "store/seal.h"
#include "store/version.h"

#define FORMAT_FILE "format"
#define FIRST_WORDS "hotcert store "
#define ID_SIZE     16
#define PROBES      1000 /* files that are tried before a secret counts as another */

struct format {
    unsigned long version;
    unsigned char id[ID_SIZE];
    unsigned char fingerprint[32];
};

/* The text up to the checksum. */
static int write_text(const struct format *f, struct hc_buf *out, struct hc_error *err)
{
    char id[2 * ID_SIZE + 1];
    char fingerprint[65];
    char check[65];

    hc_hex(id, f->id, ID_SIZE);
    hc_hex(fingerprint, f->fingerprint, 32);
    if (hc_buf_printf(out, err, FIRST_WORDS "%lu\nid: %s\nsecret: %s\n", f->version, id,
                      fingerprint) != 0) {
        return -1;
    }
    if (hc_seal_checksum(hc_bytes_of(out), check, err) != 0) {
        return -1;
    }
    return hc_buf_printf(out, err, "check: %s\n", check);
}

/* The version of a text whose checksum is right, whatever else is in it; 0: it is damaged. */
static unsigned long version_of(struct hc_bytes text)
{
    static const char key[] = "check: ";
    size_t tail = sizeof(key) - 1 + 64 + 1;
    const char *start = (const char *)text.data;
    const char *last = NULL;
    char check[65];
    struct hc_bytes part;

    if (text.len < tail + sizeof(FIRST_WORDS) ||
        memcmp(start, FIRST_WORDS, sizeof(FIRST_WORDS) - 1) != 0 || start[text.len - 1] != '\n') {
        return 0;
    }
    part = (struct hc_bytes){text.data, text.len - tail};
    last = start + part.len;
    if (memcmp(last, key, sizeof(key) - 1) != 0 || hc_seal_checksum(part, check, NULL) != 0 ||
        memcmp(last + sizeof(key) - 1, check, 64) != 0) {
        return 0;
    }
    return strtoul(start + sizeof(FIRST_WORDS) - 1, NULL, 10);
}

/* Reads the text of version 1: parsed, written again, and it must be the same. */
static bool read_text(struct hc_bytes text, struct format *f)
{
    struct hc_buf again = HC_BUF_INIT(1024);
    char id[2 * ID_SIZE + 1] = "";
    char fingerprint[65] = "";
    bool good = false;

    if (text.len > 0 && text.len < 1024 &&
        sscanf((const char *)text.data, FIRST_WORDS "%lu\nid: %32s\nsecret: %64s\n", &f->version,
               id, fingerprint) == 3 &&
        hc_unhex(f->id, ID_SIZE, id) == 0 && hc_unhex(f->fingerprint, 32, fingerprint) == 0 &&
        write_text(f, &again, NULL) == 0) {
        good = again.len == text.len && memcmp(again.data, text.data, text.len) == 0;
    }
    hc_buf_dispose(&again);
    return good;
}

static int make(struct hc_store *store, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(1024);
    struct format f = {.version = 1};
    struct hc_bytes id = {f.id, ID_SIZE};
    int rc = -1;

    if (getrandom(f.id, ID_SIZE, 0) != ID_SIZE) {
        hc_error_set(err, HC_P_SYSTEM, store->path, "no random bytes");
        goto out;
    }
    if (hc_seal_fingerprint(store->secret, id, f.fingerprint, err) == 0 &&
        write_text(&f, &text, err) == 0) {
        rc = hc_file_write(store, store->root, FORMAT_FILE, hc_bytes_of(&text),
                           HC_FILE_REPLACE | HC_FILE_DURABLE, err);
    }
out:
    hc_buf_dispose(&text);
    return rc;
}

/* What a probe found so far. */
struct probe {
    unsigned tried;
    enum hc_sealed sealed;
};

/* Whether the secret opens these bytes. kind: of a record; NULL: they are a version's. */
static bool opens(struct hc_store *store, struct hc_bytes raw, const char *kind, const char *name)
{
    struct hc_buf plain = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX);
    struct hc_line_info info = {.version = 0};
    char bound[512];
    int rc = -1;

    if (!store->has_secret) {
        return false;
    }
    if (kind == NULL) {
        rc = hc_version_unseal(store->secret, raw, &info, &plain, NULL);
    } else {
        (void)snprintf(bound, sizeof(bound), "%.200s/%.64s", kind, name);
        rc = hc_envelope_open(store->secret, bound, raw, &plain, NULL);
    }
    hc_line_info_dispose(&info);
    hc_buf_dispose(&plain);
    return rc == 0;
}

/* Tries one file that should be sealed. Files that are no files of ours say nothing. */
static void probe_file(struct hc_store *store, int folder, const char *kind, const char *name,
                       struct probe *p)
{
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    int rc = hc_file_read(store, &(struct hc_file_place){folder, name, name}, &raw, &state, NULL);

    if (rc == 0 || state == HC_FILE_FOREIGN || state == HC_FILE_FAILING) {
        p->tried++;
        p->sealed = HC_SEALED_OTHER; /* until one opens */
    }
    if (rc == 0 && opens(store, hc_bytes_of(&raw), kind, name)) {
        p->sealed = HC_SEALED_OURS;
    }
    hc_buf_dispose(&raw);
}

/* Enough is known. */
static bool probe_done(const struct hc_store *store, const struct probe *p)
{
    return p->tried >= PROBES || p->sealed == HC_SEALED_OURS ||
           (p->sealed == HC_SEALED_OTHER && !store->has_secret);
}

/* A folder that cannot be looked into may hold anything: a restore with wrong owners, a bad disk.
 */
static bool is_hidden(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? S_ISDIR(st.st_mode)
                                                                : errno != ENOENT;
}

/* Goes two folders deep: lines/<line>/<version>, records/<kind>/<name>. */
static int probe_tree(struct hc_store *store, const char *top, bool records, struct probe *p,
                      struct hc_error *err)
{
    struct hc_list folders = {0};
    int top_fd = -1;
    int rc = hc_folder_open(store, store->root, top, false, &top_fd, err);

    if (rc == 0 && top_fd >= 0) {
        rc = hc_folder_list(store, top_fd, &folders, err);
    }
    for (size_t i = 0; rc == 0 && i < folders.count && !probe_done(store, p); i++) {
        struct hc_list files = {0};
        int fd = -1;

        if (hc_folder_open(store, top_fd, folders.items[i], false, &fd, NULL) == 0 && fd >= 0) {
            rc = hc_folder_list(store, fd, &files, err);
        } else if (is_hidden(top_fd, folders.items[i])) {
            p->tried++;
            p->sealed = HC_SEALED_OTHER;
        }
        for (size_t j = 0; rc == 0 && j < files.count && !probe_done(store, p); j++) {
            probe_file(store, fd, records ? folders.items[i] : NULL, files.items[j], p);
        }
        hc_list_dispose(&files);
        hc_io_close(fd);
    }
    hc_list_dispose(&folders);
    hc_io_close(top_fd);
    return rc;
}

int hc_format_probe(struct hc_store *store, enum hc_sealed *sealed, struct hc_error *err)
{
    struct probe p = {.sealed = HC_SEALED_NONE};

    if (probe_tree(store, "lines", false, &p, err) != 0) {
        return -1;
    }
    if (!probe_done(store, &p) && probe_tree(store, "records", true, &p, err) != 0) {
        return -1;
    }
    *sealed = p.sealed;
    return 0;
}

/*
 * There is no format file that says whose this is. If nothing is sealed yet, or the secret opens
 * what is, it is made (again); else the secret is another one and nothing is touched.
 */
static int settle(struct hc_store *store, bool damaged, struct hc_error *err)
{
    enum hc_sealed sealed = HC_SEALED_NONE;

    if (!store->has_secret) {
        return 0;
    }
    if (hc_format_probe(store, &sealed, err) != 0) {
        return -1;
    }
    if (sealed == HC_SEALED_OTHER) {
        return hc_error_set(err, HC_P_SECRET_OTHER, store->path,
                            "it does not decrypt the keys in the store");
    }
    if (store->use != HC_STORE_DRIVE) {
        return 0;
    }
    if (damaged) {
        hc_store_warn(store, FORMAT_FILE, NULL, "the file is damaged; writing a new one");
        hc_file_set_aside(store, store->root, FORMAT_FILE, FORMAT_FILE);
    }
    return make(store, err);
}

/* Compares the fingerprint. *ours is also true for a reader without a secret. */
static int is_ours(const struct hc_store *store, const struct format *f, bool *ours,
                   struct hc_error *err)
{
    unsigned char mine[32];

    *ours = true;
    if (!store->has_secret) {
        return 0;
    }
    if (hc_seal_fingerprint(store->secret, (struct hc_bytes){f->id, ID_SIZE}, mine, err) != 0) {
        return -1;
    }
    *ours = CRYPTO_memcmp(mine, f->fingerprint, sizeof(mine)) == 0;
    return 0;
}

static int check_secret(struct hc_store *store, const struct format *f, struct hc_error *err)
{
    enum hc_sealed sealed = HC_SEALED_NONE;
    bool ours = false;

    if (is_ours(store, f, &ours, err) != 0) {
        return -1;
    }
    if (ours) {
        return 0;
    }
    if (hc_format_probe(store, &sealed, err) != 0) {
        return -1;
    }
    if (sealed == HC_SEALED_NONE) {
        /* nothing can be lost: the store changes over */
        return store->use == HC_STORE_DRIVE ? make(store, err) : 0;
    }
    return hc_error_set(err, HC_P_SECRET_OTHER, store->path, NULL);
}

int hc_format_check(struct hc_store *store, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    struct format f = {.version = 0};
    unsigned long version = 0;
    int rc = hc_file_read(store, &(struct hc_file_place){store->root, FORMAT_FILE, store->path},
                          &text, &state, &own);

    if (rc == 0) {
        version = version_of(hc_bytes_of(&text));
        if (version > 1) {
            rc = hc_error_set(&own, HC_P_STORE_VERSION, store->path, "its format is %lu", version);
        } else if (version == 1 && read_text(hc_bytes_of(&text), &f)) {
            rc = check_secret(store, &f, &own);
        } else {
            rc = settle(store, true, &own);
        }
    } else if (state == HC_FILE_ABSENT || state == HC_FILE_STRANGE) {
        hc_error_init(&own);
        rc = settle(store, state == HC_FILE_STRANGE, &own);
    }
    hc_buf_dispose(&text);
    if (rc != 0) {
        hc_error_chain(err, &own);
    }
    return rc;
}

int hc_store_recheck(struct hc_store *store, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct format f = {.version = 0};
    bool ours = true;
    int rc = 0;

    /* lost or damaged, it is written anew by whoever opens the store next */
    if (hc_file_read(store, &(struct hc_file_place){store->root, FORMAT_FILE, store->path}, &text,
                     &state, NULL) == 0 &&
        version_of(hc_bytes_of(&text)) == 1 && read_text(hc_bytes_of(&text), &f)) {
        rc = is_ours(store, &f, &ours, err);
    }
    hc_buf_dispose(&text);
    if (rc == 0 && !ours) {
        rc = hc_error_set(err, HC_P_SECRET_OTHER, store->path,
                          "another server took it over while nothing was stored");
    }
    return rc;
}

int hc_format_may_seal(struct hc_store *store, struct hc_error *err)
{
    if (hc_store_need_drive(store, err) != 0 || hc_store_need_secret(store, err) != 0) {
        return -1;
    }
    return store->sealed ? 0 : hc_store_recheck(store, err);
}
