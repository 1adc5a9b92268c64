/* Packets and sealed memfds; see packet.h. */
#include "keeper/packet.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

int64_t hc_packet_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the socket is ready. 0, or -1 with errno of ETIMEDOUT. */
static int wait_for(int socket, short events, int64_t deadline)
{
    struct pollfd p = {.fd = socket, .events = events};

    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - hc_packet_now();
        int n = 0;

        if (deadline >= 0 && left < 0) {
            left = 0;
        }
        n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (deadline >= 0 && hc_packet_now() >= deadline) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

int hc_packet_send(int socket, const void *data, size_t len, int fd, int64_t deadline)
{
    unsigned char copy[8192];
    struct iovec part = {.iov_base = copy, .iov_len = len};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    union control c;

    if (len > sizeof(copy)) {
        errno = EMSGSIZE;
        return -1;
    }
    memcpy(copy, data, len);
    if (fd >= 0) {
        memset(&c, 0, sizeof(c));
        m.msg_control = &c;
        m.msg_controllen = sizeof(c.room);
        c.header.cmsg_level = SOL_SOCKET;
        c.header.cmsg_type = SCM_RIGHTS;
        c.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&c.header), &fd, sizeof(int));
    }
    for (;;) {
        ssize_t n = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            return 0;
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            if (wait_for(socket, POLLOUT, deadline) != 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

/* Takes the descriptors out of a received message; all but the first are closed. */
static void take_descriptors(struct msghdr *m, int *fd)
{
    *fd = -1;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        size_t count = 0;

        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int got = -1;

            memcpy(&got, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            if (*fd < 0) {
                *fd = got;
            } else {
                close(got);
            }
        }
    }
}

bool hc_packet_at_end(int socket)
{
    struct pollfd p = {.fd = socket, .events = POLLIN};
    char byte = 0;

    if (recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
        return false;
    }
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

ssize_t hc_packet_receive(int socket, void *data, size_t cap, int *fd, int64_t deadline)
{
    struct iovec part = {.iov_base = data, .iov_len = cap};
    union control c;

    *fd = -1;
    for (;;) {
        struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t n = 0;

        if (wait_for(socket, POLLIN, deadline) != 0) {
            return -1;
        }
        m.msg_control = &c;
        m.msg_controllen = sizeof(c.room);
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (n < 0) {
            errno = errno == ECONNRESET ? EPIPE : errno;
            return -1;
        }
        take_descriptors(&m, fd);
        if (n == 0 && *fd < 0 && hc_packet_at_end(socket)) {
            errno = EPIPE;
            return -1;
        }
        return n;
    }
}

int hc_packet_memfd_open(const char *name, int *fd, struct hc_error *err)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* a memfd is born open to all, and /proc/PID/fd is a way to whoever may look there */
    if (*fd >= 0 && fchmod(*fd, 0600) == 0) {
        return 0;
    }
    hc_error_set_errno(err, HC_P_SYSTEM, name, errno, "memfd_create");
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return -1;
}

int hc_packet_memfd_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

int hc_packet_memfd(const char *name, struct hc_bytes bytes, int *fd, struct hc_error *err)
{
    if (hc_packet_memfd_open(name, fd, err) != 0) {
        return -1;
    }
    if (hc_io_write_all(*fd, bytes.data, bytes.len) != 0 || hc_packet_memfd_seal(*fd) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, name, errno, "filling a memfd");
        close(*fd);
        *fd = -1;
        return -1;
    }
    return 0;
}

int hc_packet_memfd_read(int fd, size_t len, struct hc_buf *out, struct hc_error *err)
{
    unsigned char *at = NULL;
    size_t got = 0;
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0 || st.st_size < 0 ||
        (size_t)st.st_size != len) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL,
                            "a reply without the sealed bytes it promises");
    }
    if (hc_buf_reserve(out, len, &at, err) != 0) {
        return -1;
    }
    while (got < len) {
        ssize_t n = pread(fd, at + got, len - got, (off_t)got);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "reading a memfd");
        }
        got += (size_t)n;
    }
    out->len += len;
    out->data[out->len] = '\0';
    return 0;
}
