/* The secret file; see secret.h. */
#include "keeper/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/io.h"
#include "base/libc.h"
#include "base/str.h"
#include "pki/openssl.h"

/* 64 hex digits, with or without a newline. */
static bool parse_hex(const unsigned char *data, size_t len, unsigned char secret[HC_SECRET_SIZE])
{
    char digits[2 * HC_SECRET_SIZE + 1];
    bool good = false;

    if ((len == 65 && data[64] == '\n') || (len == 66 && data[64] == '\r' && data[65] == '\n')) {
        len = 64;
    }
    if (len != 64) {
        return false;
    }
    memcpy(digits, data, len);
    digits[len] = '\0';
    good = hc_unhex(secret, HC_SECRET_SIZE, digits) == 0;
    OPENSSL_cleanse(digits, sizeof(digits));
    return good;
}

#define CONTENT_HINT                                                                               \
    "put the file back from its backup; for a new store `openssl rand -hex 32` makes a secret"

static bool one_byte_repeated(const unsigned char *data, size_t len)
{
    return len > 0 && memcmp(data, data + 1, len - 1) == 0;
}

int hc_secret_parse(const unsigned char *data, size_t len, const char *subject,
                    unsigned char secret[HC_SECRET_SIZE], struct hc_error *err)
{
    if (len < HC_SECRET_SIZE || len > HC_SECRET_FILE_MAX) {
        hc_error_set(err, HC_P_SECRET_UNSAFE, subject, "it has %zu bytes, a secret has 32 to %d",
                     len, HC_SECRET_FILE_MAX);
        return hc_error_hint(err, CONTENT_HINT);
    }
    if (one_byte_repeated(data, len)) {
        hc_error_set(err, HC_P_SECRET_UNSAFE, subject, "it is one byte, repeated");
        return hc_error_hint(err, CONTENT_HINT);
    }
    if (len == HC_SECRET_SIZE) {
        memcpy(secret, data, HC_SECRET_SIZE);
        return 0;
    }
    if (parse_hex(data, len, secret)) {
        return 0;
    }
    if (EVP_Digest(data, len, secret, NULL, EVP_sha256(), NULL) != 1) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, subject, "hashing the secret");
    }
    return 0;
}

/* Whether anybody who should not could read or change this file. */
static int check_owner(const char *path, const struct hc_guard *guard, const struct stat *st,
                       struct hc_error *err)
{
    uid_t own = geteuid();

    if (st->st_uid != 0 && (guard->on || st->st_uid != own)) {
        hc_error_set(err, HC_P_SECRET_UNSAFE, path, "it belongs to user %u", (unsigned)st->st_uid);
        return hc_error_hint(err, "chown root %s", path);
    }
    if ((st->st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        hc_error_set(err, HC_P_SECRET_UNSAFE, path, "its mode is %04o",
                     (unsigned)(st->st_mode & 07777));
        return hc_error_hint(err, "chmod 0600 %s", path);
    }
    if (guard->on && (st->st_mode & S_IRGRP) != 0 && hc_guard_in_group(guard, st->st_gid)) {
        hc_error_set(err, HC_P_SECRET_UNSAFE, path, "the worker user can read it through group %u",
                     (unsigned)st->st_gid);
        return hc_error_hint(err, "chmod 0600 %s", path);
    }
    return 0;
}

static int read_secret(const struct hc_path_end *end, const char *path,
                       const struct hc_guard *guard, unsigned char secret[HC_SECRET_SIZE],
                       struct hc_error *err)
{
    unsigned char data[HC_SECRET_FILE_MAX + 1];
    size_t len = 0;
    struct stat st;
    ssize_t n = 0;
    int fd = -1;
    int rc = -1;

    if (!S_ISREG(end->st.st_mode)) {
        return hc_error_set(err, HC_P_SECRET_UNSAFE, path, "it is not a regular file");
    }
    if (hc_path_open_file(end, path, &fd, &st, err) != 0 ||
        check_owner(path, guard, &st, err) != 0) {
        goto out;
    }
    while (len < sizeof(data)) {
        n = read(fd, data + len, sizeof(data) - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    if (n < 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "reading the secret");
        goto out;
    }
    rc = hc_secret_parse(data, len, path, secret, err);
out:
    OPENSSL_cleanse(data, sizeof(data));
    hc_io_close(fd);
    return rc;
}

/* Gives the finished file its name, never over another. 1: somebody else was first. */
static int name_it(int folder, const char *temporary, const char *name)
{
    if (hc_libc_rename_new(folder, temporary, folder, name) == 0) {
        return 0;
    }
    if (errno == EINVAL || errno == ENOSYS) {
        /* file systems without that flag: a second link, then without the first */
        if (linkat(folder, temporary, folder, name, 0) == 0) {
            (void)unlinkat(folder, temporary, 0);
            return 0;
        }
    }
    return errno == EEXIST ? 1 : -1;
}

static int sync_folder(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0 : -1;
    int saved = errno;

    hc_io_close(fd);
    errno = saved;
    return rc;
}

/* Makes the secret where the walk ended. */
static int create_secret(const struct hc_path_end *end, const char *path, struct hc_error *err)
{
    unsigned char fresh[HC_SECRET_SIZE];
    char text[2 * HC_SECRET_SIZE + 2];
    char temporary[64];
    bool made = false;
    int fd = -1;
    int named = -1;
    int rc = -1;

    if (getrandom(fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh)) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "no random bytes");
    }
    hc_hex(text, fresh, sizeof(fresh));
    text[2 * HC_SECRET_SIZE] = '\n';
    (void)snprintf(temporary, sizeof(temporary), ".hotcert-secret.%ld", (long)getpid());
    (void)unlinkat(end->folder, temporary, 0); /* of an earlier process with this number */
    fd = openat(end->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    made = fd >= 0;
    if (!made || fchmod(fd, 0600) != 0 || hc_io_write_all(fd, text, 2 * HC_SECRET_SIZE + 1) != 0 ||
        fsync(fd) != 0) {
        goto out;
    }
    named = name_it(end->folder, temporary, end->name);
    if (named < 0 || sync_folder(end->folder) != 0) {
        goto out;
    }
    rc = 0;
out:
    if (rc != 0) {
        hc_error_set_errno(err, HC_P_STORE_WRITE, path, errno, "making the secret");
    }
    if (made && named != 0) {
        (void)unlinkat(end->folder, temporary, 0);
    }
    hc_io_close(fd);
    OPENSSL_cleanse(fresh, sizeof(fresh));
    OPENSSL_cleanse(text, sizeof(text));
    return rc;
}

int hc_secret_load(const char *path, const struct hc_guard *guard, bool create,
                   unsigned char secret[HC_SECRET_SIZE], struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error own = {0};
    int rc = hc_path_walk(path, guard, create ? 0755 : 0, &end, &own);

    if (rc == 0 && !end.exists && create) {
        rc = create_secret(&end, path, &own);
        hc_path_end_dispose(&end);
        end = (struct hc_path_end)HC_PATH_END_INIT;
        if (rc == 0) {
            rc = hc_path_walk(path, guard, 0, &end, &own);
        }
    }
    if (end.missing) {
        own = (struct hc_error){0};
        rc = hc_error_set(&own, HC_P_SECRET_MISSING, path, NULL);
    } else if (own.problem == HC_P_FILE_UNSAFE) {
        own.problem = HC_P_SECRET_UNSAFE;
        (void)hc_error_hint(&own, "keep the secret in a folder that only root can write, and whose "
                                  "parents only root can write");
    } else if (rc == 0) {
        rc = read_secret(&end, path, guard, secret, &own);
    }
    hc_path_end_dispose(&end);
    if (rc != 0) {
        hc_error_chain(err, &own);
    }
    return rc;
}
