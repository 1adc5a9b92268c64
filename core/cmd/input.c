/* Reading files; see input.h. */
#include "cmd/input.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "keeper/secret.h"

#define LINES_FILE_MAX 65536

/* cut: what finds no room in out is left out, else it is an error. */
static int read_path(const char *path, bool cut, struct hc_buf *out, struct stat *st,
                     struct hc_error *err)
{
    struct stat own;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc = -1;

    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "opening");
    }
    if (fstat(fd, &own) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "checking it");
    } else if (!S_ISREG(own.st_mode)) {
        hc_error_set(err, HC_P_FILE_UNREADABLE, path, "it is not a regular file");
    } else {
        rc = cut ? hc_io_read_start(fd, path, out, err) : hc_io_read_all(fd, path, out, err);
    }
    if (st != NULL) {
        *st = own;
    }
    (void)close(fd); /* it was only read */
    return rc;
}

int hc_input_read(const char *path, struct hc_buf *out, struct stat *st, struct hc_error *err)
{
    return read_path(path, false, out, st, err);
}

int hc_input_read_start(const char *path, struct hc_buf *out, struct stat *st, struct hc_error *err)
{
    return read_path(path, true, out, st, err);
}

int hc_input_lines(const char *path, struct hc_list *out, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(LINES_FILE_MAX);
    const char *p = NULL;
    int rc = hc_input_read(path, &text, NULL, err);

    for (p = hc_buf_text(&text); rc == 0 && *p != '\0';) {
        size_t len = strcspn(p, "\r\n");

        if (len > 0) {
            rc = hc_list_add_len(out, p, len, err);
        }
        p += len;
        p += strspn(p, "\r\n");
    }
    hc_buf_dispose(&text);
    return rc;
}

int hc_input_secret(const char *store, const char *file, unsigned char *secret,
                    struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_SECRET_FILE_MAX);
    char beside[PATH_MAX];
    int rc = -1;

    if (file == NULL) {
        int n = snprintf(beside, sizeof(beside), "%s/../secret", store);

        file = n > 0 && n < (int)sizeof(beside) ? beside : "secret";
    }
    if (hc_input_read(file, &text, NULL, err) == 0) {
        rc = hc_secret_parse(text.data, text.len, file, secret, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

int hc_input_take_rights(const char *path, struct hc_error *err)
{
    struct stat st;

    if (geteuid() != 0 || stat(path, &st) != 0 || st.st_uid == 0) {
        return 0;
    }
    if (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "taking its owner's rights");
    }
    return 0;
}
