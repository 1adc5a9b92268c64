/* Reading and writing descriptors whole; see io.h. */
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

#define PIECE 8192

int hc_io_write_all_by(hc_io_write *how, void *self, int fd, const void *data, size_t len)
{
    const unsigned char *at = data;

    while (len > 0) {
        ssize_t n = how(self, fd, at, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return -1;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static ssize_t plain_write(void *self HC_UNUSED, int fd, const void *data, size_t len)
{
    return write(fd, data, len);
}

int hc_io_write_all(int fd, const void *data, size_t len)
{
    return hc_io_write_all_by(plain_write, NULL, fd, data, len);
}

/* Up to so many bytes behind out's. Returns how many there were, or -1. */
static ssize_t read_piece(int fd, const char *path, size_t most, struct hc_buf *out,
                          struct hc_error *err)
{
    unsigned char *at = NULL;
    ssize_t n = -1;

    if (hc_buf_reserve(out, most, &at, err) != 0) {
        return -1;
    }
    do {
        n = read(fd, at, most);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "reading it");
    }
    out->len += (size_t)n;
    out->data[out->len] = '\0';
    return n;
}

int hc_io_read_start(int fd, const char *path, struct hc_buf *out, struct hc_error *err)
{
    ssize_t n = 1;

    while (n > 0 && out->len < out->max) {
        size_t room = out->max - out->len;

        n = read_piece(fd, path, room < PIECE ? room : PIECE, out, err);
    }
    return n < 0 ? -1 : 0;
}

int hc_io_read_all(int fd, const char *path, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf more = HC_BUF_INIT(1);
    ssize_t n = 0;

    if (hc_io_read_start(fd, path, out, err) != 0) {
        return -1;
    }
    if (out->len == out->max) {
        n = read_piece(fd, path, 1, &more, err);
        hc_buf_dispose(&more);
    }
    if (n > 0) {
        return hc_error_set(err, HC_P_TOO_LARGE, path, "more than %zu bytes", out->max);
    }
    return n < 0 ? -1 : 0;
}

void hc_io_close(int fd)
{
    int errnum = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    errno = errnum;
}

void hc_io_close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hc_io_close(fds[i]);
    }
}
