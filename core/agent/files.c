/* Reading watched files; see files.h. */
#include "agent/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSPHRASES_MAX 64

/* The index of a part in hc_conf.files, -1: there is no such part. */
static int part_of(const struct hc_watched *watched, size_t part)
{
    const int indices[HC_FILES_PARTS] = {watched->certificate, watched->key, watched->passphrase};

    return indices[part];
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* With our own rights. Opening never blocks; what is no regular file is refused. */
static int open_own(const char *path, int *fd, struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
    }
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(*fd);
        *fd = -1;
        return hc_error_set(err, HC_P_FILE_UNREADABLE, path, "it is not a regular file");
    }
    *stamp = (struct hc_file_stamp){
        .device = (uint64_t)st.st_dev,
        .inode = (uint64_t)st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime_ns = nanoseconds(st.st_mtim),
        .ctime_ns = nanoseconds(st.st_ctim),
        .mode = (uint32_t)st.st_mode,
        .uid = (uint32_t)st.st_uid,
        .gid = (uint32_t)st.st_gid,
    };
    return 0;
}

static int read_own(const char *path, struct hc_buf *out, struct hc_file_stamp *stamp,
                    struct hc_error *err)
{
    unsigned char chunk[4096];
    ssize_t n = 0;
    int fd = -1;
    int rc = open_own(path, &fd, stamp, err);

    while (rc == 0 && (n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n > 0) {
            rc = hc_buf_append(out, chunk, (size_t)n, err);
        } else if (errno != EINTR) {
            rc = hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
        }
    }
    OPENSSL_cleanse(chunk, sizeof(chunk));
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

/* True if the keeper's answer means that we may try with our own rights. */
static bool try_own(const struct hc_keeper_client *keeper, struct hc_error *err)
{
    if (keeper->fd >= 0 && err->problem != HC_P_FILE_UNSAFE) {
        return false;
    }
    hc_error_init(err);
    return true;
}

static int stamp_one(struct hc_keeper_client *keeper, const struct hc_conf *conf, int file,
                     struct hc_file_stamp *stamp, struct hc_error *err)
{
    int fd = -1;

    if (keeper->fd >= 0 && hc_keeper_stamp(keeper, file, stamp, err) == 0) {
        return 0;
    }
    if (!try_own(keeper, err) || open_own(conf->files.items[file], &fd, stamp, err) != 0) {
        return -1;
    }
    close(fd);
    return 0;
}

static int read_one(struct hc_keeper_client *keeper, const struct hc_conf *conf, int file,
                    struct hc_buf *out, struct hc_file_stamp *stamp, struct hc_error *err)
{
    if (keeper->fd >= 0 && hc_keeper_read(keeper, file, out, stamp, err) == 0) {
        return 0;
    }
    hc_buf_reset(out);
    return try_own(keeper, err) ? read_own(conf->files.items[file], out, stamp, err) : -1;
}

int hc_files_stamp(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                   const struct hc_watched *watched, struct hc_file_stamp stamps[HC_FILES_PARTS],
                   struct hc_error *err)
{
    memset(stamps, 0, HC_FILES_PARTS * sizeof(stamps[0]));
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        int file = part_of(watched, i);

        if (file >= 0 && stamp_one(keeper, conf, file, &stamps[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_files_read(struct hc_keeper_client *keeper, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_files *out, struct hc_error *err)
{
    struct hc_file_stamp after[HC_FILES_PARTS];

    memset(out->stamps, 0, sizeof(out->stamps));
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        int file = part_of(watched, i);

        hc_buf_dispose(&out->parts[i]);
        out->parts[i] = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
        if (file >= 0 && read_one(keeper, conf, file, &out->parts[i], &out->stamps[i], err) != 0) {
            return -1;
        }
    }
    if (hc_files_stamp(keeper, conf, watched, after, err) != 0) {
        return -1;
    }
    return hc_files_same(out->stamps, after) ? 1 : 0;
}

static bool same_stamp(const struct hc_file_stamp *a, const struct hc_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->mode == b->mode &&
           a->uid == b->uid && a->gid == b->gid;
}

bool hc_files_same(const struct hc_file_stamp a[HC_FILES_PARTS],
                   const struct hc_file_stamp b[HC_FILES_PARTS])
{
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        if (!same_stamp(&a[i], &b[i])) {
            return false;
        }
    }
    return true;
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

int hc_files_pair(const struct hc_files *files, const struct hc_conf *conf,
                  const struct hc_watched *watched, struct hc_pair **out,
                  struct hc_findings *findings, struct hc_error *err)
{
    struct hc_list passphrases = {NULL, 0, 0};
    struct hc_pair_source source = {
        .cert_pem = hc_bytes_of(&files->parts[0]),
        .key_pem = hc_bytes_of(&files->parts[1]),
        .cert_subject = conf->files.items[watched->certificate],
        .key_subject = conf->files.items[watched->key],
        .passphrases = &passphrases,
    };
    int rc = split_lines(&files->parts[2], &passphrases, err);

    if (rc == 0) {
        rc = hc_pair_from_pem(&source, out, findings, err);
    }
    wipe_list(&passphrases);
    return rc;
}

void hc_files_dispose(struct hc_files *files)
{
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        hc_buf_dispose(&files->parts[i]);
    }
}
