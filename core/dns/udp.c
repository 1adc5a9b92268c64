/* The responder over UDP; see udp.h. */
#include "dns/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define TURN_MOST 64   /* datagrams in one go: below a millisecond */
#define QUERY_MAX 4096 /* of what is longer the rest is lost, and so it is malformed */

/* One datagram, with where it came from and what it was sent to. */
struct datagram {
    struct sockaddr_storage from;
    struct {
        _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                                            CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov;
    struct msghdr message;
};

static void prepare(struct datagram *d, uint8_t *data, size_t len)
{
    memset(d, 0, sizeof(*d));
    d->iov = (struct iovec){data, len};
    d->message.msg_name = &d->from;
    d->message.msg_namelen = sizeof(d->from);
    d->message.msg_iov = &d->iov;
    d->message.msg_iovlen = 1;
    d->message.msg_control = d->control.bytes;
    d->message.msg_controllen = sizeof(d->control.bytes);
}

/* An answer goes out from the address that was asked; the way back is the routes' to choose. */
static void turn_around(struct datagram *d, uint8_t *data, size_t len)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(&d->message);
    struct in_pktinfo info4;
    struct in6_pktinfo info6;

    d->iov = (struct iovec){data, len};
    d->message.msg_flags = 0;
    if (c == NULL) {
        d->message.msg_control = NULL;
        d->message.msg_controllen = 0;
        return;
    }
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        memcpy(&info4, CMSG_DATA(c), sizeof(info4));
        info4.ipi_ifindex = 0;
        memcpy(CMSG_DATA(c), &info4, sizeof(info4));
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        memcpy(&info6, CMSG_DATA(c), sizeof(info6));
        info6.ipi6_ifindex = 0; /* the address of a link-local client has its interface */
        memcpy(CMSG_DATA(c), &info6, sizeof(info6));
    }
}

static void answer(struct hc_dns_udp *udp, struct datagram *d, uint8_t *query, size_t len)
{
    struct hc_dns_service *service = udp->service;
    uint8_t reply[HC_DNS_UDP_ANSWER];
    int64_t now = hc_now_ms(hc_loop_clock(service->loop));
    bool allowed = hc_dns_limit_allows(&service->limit, &d->from, now);
    struct hc_bytes bytes = {query, len};
    size_t reply_len =
        hc_dns_service_answer(service, bytes, allowed ? HC_DNS_OVER_UDP : HC_DNS_TOO_OFTEN, reply);

    if (reply_len == 0) {
        return;
    }
    turn_around(d, reply, reply_len);
    /* what cannot be sent is lost, as any datagram may be: it is asked for again */
    (void)!sendmsg(udp->guest.fd, &d->message, MSG_DONTWAIT | MSG_NOSIGNAL);
    d->iov = (struct iovec){NULL, 0};
}

static void on_ready(void *self, unsigned events HC_UNUSED)
{
    struct hc_dns_udp *udp = self;
    uint8_t query[QUERY_MAX];
    struct datagram d;

    for (int i = 0; i < TURN_MOST; i++) {
        ssize_t n = 0;

        prepare(&d, query, sizeof(query));
        n = recvmsg(udp->guest.fd, &d.message, MSG_DONTWAIT);
        if (n >= 0) {
            answer(udp, &d, query, (size_t)n);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
        /* anything else is news of an answer that did not arrive, and is over with the call */
    }
}

int hc_dns_udp_open(struct hc_dns_udp *udp, struct hc_dns_service *service, int fd,
                    struct hc_error *err)
{
    const int on = 1;

    memset(udp, 0, sizeof(*udp));
    /* a socket of one family does not know the other's */
    (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    udp->service = service;
    udp->guest = (struct hc_loop_fd){fd, HC_LOOP_READ, "responder", on_ready, udp, NULL};
    return hc_loop_fd_add(service->loop, &udp->guest, err);
}

void hc_dns_udp_close(struct hc_dns_udp *udp)
{
    hc_loop_fd_remove(&udp->guest);
}
