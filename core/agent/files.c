/* Reading watched files; see files.h. */
#include "agent/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"

#define PASSPHRASES_MAX 64

_Static_assert(sizeof(struct hc_file_stamp) == 56, "no padding: its bytes are hashed");

int hc_files_index(const struct hc_watched *watched, size_t part)
{
    const int indices[HC_FILES_PARTS] = {
        [HC_FILES_CERTIFICATE] = watched->certificate,
        [HC_FILES_KEY] = watched->key,
        [HC_FILES_PASSPHRASES] = watched->passphrase,
        [HC_FILES_CHAIN] = watched->chain,
        [HC_FILES_STORE] = watched->store,
        [HC_FILES_FOLDER] = watched->folder,
    };

    return indices[part];
}

bool hc_files_is_optional(size_t part)
{
    return part == HC_FILES_STORE || part == HC_FILES_FOLDER;
}

/* With our own rights. Opening never blocks; what is no regular file is refused. */
static int open_own(const char *path, int *fd, struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
    }
    if (fstat(*fd, &st) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
    } else if (!S_ISREG(st.st_mode)) {
        hc_error_set(err, HC_P_FILE_UNREADABLE, path, "it is not a regular file");
    } else {
        *stamp = hc_file_stamp_of(&st);
        return 0;
    }
    close(*fd);
    *fd = -1;
    return -1;
}

/* OpenSSL reads it with our own rights. */
static int stamp_folder(const char *path, struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
    }
    *stamp = hc_file_stamp_of(&st);
    return 0;
}

static int read_own(const char *path, struct hc_buf *out, struct hc_file_stamp *stamp,
                    struct hc_error *err)
{
    int fd = -1;
    int rc = open_own(path, &fd, stamp, err);

    if (rc == 0) {
        rc = hc_io_read_all(fd, path, out, err);
        close(fd);
    }
    return rc;
}

/* One watched pair, and how its files are come by. */
struct source {
    struct hc_keeper_client *keeper;
    const struct hc_conf *conf;
    const struct hc_watched *watched;
};

int hc_files_own(const char *path, size_t part, struct hc_buf *out, struct hc_file_stamp *stamp,
                 struct hc_error *err)
{
    int fd = -1;

    if (part == HC_FILES_FOLDER) {
        return stamp_folder(path, stamp, err);
    }
    if (out != NULL) {
        return read_own(path, out, stamp, err);
    }
    if (open_own(path, &fd, stamp, err) != 0) {
        return -1;
    }
    close(fd);
    return 0;
}

static int get_kept(struct hc_keeper_client *keeper, int file, struct hc_buf *out,
                    struct hc_file_stamp *stamp, struct hc_error *err)
{
    return out != NULL ? hc_keeper_read(keeper, file, out, stamp, err)
                       : hc_keeper_stamp(keeper, file, stamp, err);
}

/* Content (unless out is NULL) and stamp of one part; nothing of one that there is not. */
static int get_part(const struct source *from, size_t part, struct hc_buf *out,
                    struct hc_file_stamp *stamp, struct hc_error *err)
{
    int file = hc_files_index(from->watched, part);
    struct hc_error unsaid = {0};
    struct hc_error *where = hc_files_is_optional(part) ? &unsaid : err;
    int rc = 0;

    if (file < 0) {
        return 0;
    }
    rc = part == HC_FILES_FOLDER || from->keeper->fd < 0
             ? hc_files_own(from->conf->files.items[file], part, out, stamp, where)
             : get_kept(from->keeper, file, out, stamp, where);
    if (rc != 0 && out != NULL) {
        hc_buf_reset(out);
    }
    if (rc != 0 && hc_files_is_optional(part)) {
        if (unsaid.problem == HC_P_KEEPER_GONE) {
            return hc_error_chain(err, &unsaid); /* nobody knows whether it is there */
        }
        memset(stamp, 0, sizeof(*stamp));
        return 0;
    }
    return rc;
}

int hc_files_stamp(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                   const struct hc_watched *watched, struct hc_file_stamp stamps[HC_FILES_PARTS],
                   struct hc_error *err)
{
    struct source from = {keeper, conf, watched};

    memset(stamps, 0, HC_FILES_PARTS * sizeof(stamps[0]));
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        if (get_part(&from, i, NULL, &stamps[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_files_read(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_files *out, struct hc_error *err)
{
    struct source from = {keeper, conf, watched};
    struct hc_file_stamp after[HC_FILES_PARTS];

    memset(out->stamps, 0, sizeof(out->stamps));
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        hc_buf_dispose(&out->parts[i]);
        out->parts[i] = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
        if (get_part(&from, i, &out->parts[i], &out->stamps[i], err) != 0) {
            return -1;
        }
    }
    if (hc_files_stamp(keeper, conf, watched, after, err) != 0) {
        return -1;
    }
    return hc_files_same(out->stamps, after) ? 1 : 0;
}

int hc_files_reachable(const struct hc_conf *conf, const struct hc_watched *watched,
                       const struct hc_file_stamp stamps[HC_FILES_PARTS], struct hc_error *err)
{
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        int file = hc_files_index(watched, i);

        /* no mode: a part that may be absent, and is */
        if (file >= 0 && stamps[i].links == 0 && stamps[i].mode != 0) {
            return hc_error_set(err, HC_P_FILE_REPLACED, conf->files.items[file], NULL);
        }
    }
    return 0;
}

bool hc_files_same(const struct hc_file_stamp a[HC_FILES_PARTS],
                   const struct hc_file_stamp b[HC_FILES_PARTS])
{
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        if (!hc_file_stamp_equal(&a[i], &b[i])) {
            return false;
        }
    }
    return true;
}

uint64_t hc_files_mark(const struct hc_file_stamp stamps[HC_FILES_PARTS])
{
    uint64_t mark = HC_HASH_SEED;

    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        struct hc_file_stamp state = stamps[i];

        state.links = 0; /* no part of a state */
        mark = hc_hash_bytes(&state, sizeof(state), mark);
    }
    return mark | 1;
}

/* A passphrase file has one candidate a line. */
static int split_lines(const struct hc_buf *text, struct hc_list *lines, struct hc_error *err)
{
    const char *at = hc_buf_text(text);

    while (*at != '\0' && lines->count < PASSPHRASES_MAX) {
        size_t len = strcspn(at, "\r\n");

        if (len > 0 && hc_list_add_len(lines, at, len, err) != 0) {
            return -1;
        }
        at += len;
        at += strspn(at, "\r\n");
    }
    return 0;
}

static void wipe_list(struct hc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        OPENSSL_cleanse(list->items[i], strlen(list->items[i]));
    }
    hc_list_dispose(list);
}

static const char *name_of(const struct hc_conf *conf, int file)
{
    return file >= 0 ? conf->files.items[file] : NULL;
}

int hc_files_pair(const struct hc_files *files, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_pair **out,
                  struct hc_findings *findings, struct hc_error *err)
{
    struct hc_list passphrases = {NULL, 0, 0};
    struct hc_pair_source source = {
        .cert_pem = hc_bytes_of(&files->parts[HC_FILES_CERTIFICATE]),
        .key_pem = hc_bytes_of(&files->parts[HC_FILES_KEY]),
        .cert_subject = conf->files.items[watched->certificate],
        .key_subject = conf->files.items[watched->key],
        .passphrases = &passphrases,
        .more = {.chain_pem = hc_bytes_of(&files->parts[HC_FILES_CHAIN]),
                 .chain_subject = name_of(conf, watched->chain),
                 .store_pem = hc_bytes_of(&files->parts[HC_FILES_STORE]),
                 .store_subject = name_of(conf, watched->store),
                 .store_folder = name_of(conf, watched->folder)},
        .httpd_keys = conf->server == HC_SERVER_HTTPD,
    };
    int rc = split_lines(&files->parts[HC_FILES_PASSPHRASES], &passphrases, err);

    if (rc == 0) {
        rc = hc_pair_from_pem(&source, out, findings, err);
    }
    wipe_list(&passphrases);
    return rc;
}

int hc_files_fault(const struct hc_conf *conf, const struct hc_watched *watched,
                   const struct hc_finding *finding, struct hc_error *err)
{
    const char *certificate = conf->files.items[watched->certificate];

    if (finding->kind == HC_SUBJECT_ITSELF) {
        hc_error_set(err, finding->problem, finding->subject, "%s", finding->message);
    } else {
        hc_error_set(err, finding->problem, certificate, "%s: %s", finding->subject,
                     finding->message);
    }
    return hc_finding_hint_error(finding, err);
}

void hc_files_dispose(struct hc_files *files)
{
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        hc_buf_dispose(&files->parts[i]);
    }
}
