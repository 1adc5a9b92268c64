/* Reading and writing descriptors whole; see io.h. */
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

int hc_io_write_all(int fd, const void *data, size_t len)
{
    const unsigned char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

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
