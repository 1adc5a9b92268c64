/* The responder's sockets; see dns_sockets.h. */
#include "keeper/dns_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/holder.h"
#include "keeper/private.h"

#define QUEUE 64

static const int types[2] = {SOCK_DGRAM, SOCK_STREAM};

static const char *type_name(int type)
{
    return type == SOCK_STREAM ? "TCP" : "UDP";
}

/* "192.0.2.1:53" or "[2001:db8::1]:53", as conf/value.c lets through. */
static socklen_t parse(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char host[HC_DNS_LISTEN_TEXT];
    char *port = NULL;

    memset(out, 0, sizeof(*out));
    (void)hc_copy(host, sizeof(host), text);
    port = strrchr(host, ':');
    if (port == NULL) {
        return 0;
    }
    *port++ = '\0';
    if (host[0] != '[') {
        in4.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
        memcpy(out, &in4, sizeof(in4));
        return inet_pton(AF_INET, host, &((struct sockaddr_in *)(void *)out)->sin_addr) == 1
                   ? sizeof(in4)
                   : 0;
    }
    host[strcspn(host, "]")] = '\0';
    in6.sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
    memcpy(out, &in6, sizeof(in6));
    return inet_pton(AF_INET6, host + 1, &((struct sockaddr_in6 *)(void *)out)->sin6_addr) == 1
               ? sizeof(in6)
               : 0;
}

/* ---- one socket ---- */

static int set_reuse(int fd, int on)
{
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

/* Binds, beside others of ours if shared. -1 with errno. */
static int open_socket(const struct sockaddr_storage *address, socklen_t len, int type, bool shared)
{
    const int on = 1;
    int fd = socket(address->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int saved = 0;

    if (fd < 0) {
        return -1;
    }
    /* connections that are just over keep nobody from listening; for datagrams it would mean that
     * two have one address */
    if ((type != SOCK_STREAM || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) &&
        (address->ss_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        (!shared || set_reuse(fd, 1) == 0) &&
        bind(fd, (const struct sockaddr *)address, len) == 0 &&
        (type != SOCK_STREAM || listen(fd, QUEUE) == 0) && (!shared || set_reuse(fd, 0) == 0)) {
        return fd;
    }
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int cannot_bind(const char *text, const struct sockaddr_storage *address, int type,
                       int errnum, struct hc_error *err)
{
    struct hc_holder holder;
    char name[HC_HOLDER_NAME];
    pid_t pid = 0;

    if (errnum == EACCES || errnum == EPERM) {
        return hc_error_set(err, HC_P_DNS_PORT_DENIED, text, NULL);
    }
    if (errnum != EADDRINUSE) {
        return hc_error_set_errno(err, HC_P_DNS_LISTEN, text, errnum, "%s", type_name(type));
    }
    hc_holder_find(address, type, &holder);
    if (hc_holder_name(&holder, name, &pid)) {
        return hc_error_set(err, HC_P_DNS_PORT_BUSY, text, "over %s: it is %s, process %ld",
                            type_name(type), name, (long)pid);
    }
    return hc_error_set(err, HC_P_DNS_PORT_BUSY, text, "over %s", type_name(type));
}

/* ---- what is held ---- */

static bool is_held(const struct hc_dns_sockets *held, const char *address)
{
    for (size_t i = 0; i < HC_DNS_LISTEN_MAX; i++) {
        if (strcmp(held->items[i].address, address) == 0) {
            return true;
        }
    }
    return false;
}

/* True if one that is held will be let go of and has this port: it may be what is in the way. */
static bool makes_room(const struct hc_dns_sockets *held, const struct hc_conf *conf,
                       const char *address)
{
    const char *port = strrchr(address, ':');

    for (size_t i = 0; i < HC_DNS_LISTEN_MAX; i++) {
        const char *other = held->items[i].address;

        if (other[0] != '\0' && !hc_list_has(&conf->dns_listen, other) &&
            strcmp(strrchr(other, ':'), port) == 0) {
            return true;
        }
    }
    return false;
}

int hc_dns_sockets_examine(const struct hc_dns_sockets *held, const struct hc_conf *conf,
                           pid_t running, struct hc_error *err)
{
    for (size_t i = 0; i < conf->dns_listen.count; i++) {
        const char *text = conf->dns_listen.items[i];
        struct sockaddr_storage address;
        socklen_t len = parse(text, &address);

        for (int t = 0; t < 2 && !is_held(held, text); t++) {
            int fd = open_socket(&address, len, types[t], false);
            int errnum = errno;
            struct hc_holder holder;
            int theirs = -1;

            if (fd >= 0) {
                close(fd);
                continue;
            }
            hc_holder_find(&address, types[t], &holder);
            /* what is in the way is all ours, and let go of, or shared */
            if (errnum != EADDRINUSE ||
                !((makes_room(held, conf, text) && hc_holder_is(&holder, getpid(), &theirs)) ||
                  (running > 0 && hc_holder_is(&holder, running, &theirs)))) {
                return cannot_bind(text, &address, types[t], errnum, err);
            }
        }
    }
    return 0;
}

/* Where else a socket may come from, if the address is busy. */
struct others {
    bool leaving;  /* one of ours with this port is about to be let go of, and shares meanwhile */
    pid_t running; /* the process that this one takes over from; 0: none */
};

/* -1 with errno. */
static int get_socket(const struct sockaddr_storage *address, socklen_t len, int type,
                      const struct others *others)
{
    struct hc_holder holder;
    int theirs = -1;
    int fd = open_socket(address, len, type, false);

    if (fd >= 0 || errno != EADDRINUSE) {
        return fd;
    }
    if (others->leaving && (fd = open_socket(address, len, type, true)) >= 0) {
        return fd;
    }
    hc_holder_find(address, type, &holder);
    if (others->running > 0 && hc_holder_is(&holder, others->running, &theirs) && theirs >= 0) {
        return hc_holder_copy(others->running, theirs);
    }
    errno = EADDRINUSE;
    return -1;
}

static void close_item(struct hc_dns_sockets *held, size_t i)
{
    for (int t = 0; t < 2; t++) {
        if (held->items[i].fds[t] >= 0) {
            close(held->items[i].fds[t]);
            held->items[i].fds[t] = -1;
        }
    }
    held->items[i].address[0] = '\0';
}

static int take_one(struct hc_dns_sockets *held, const char *text, const struct others *others,
                    struct hc_error *err)
{
    struct sockaddr_storage address;
    socklen_t len = parse(text, &address);
    size_t i = 0;

    while (i < HC_DNS_LISTEN_MAX && held->items[i].address[0] != '\0') {
        i++;
    }
    if (i == HC_DNS_LISTEN_MAX) {
        return hc_error_set(err, HC_P_INTERNAL, text, "there is no place for its sockets");
    }
    (void)hc_copy(held->items[i].address, sizeof(held->items[i].address), text);
    for (int t = 0; t < 2; t++) {
        held->items[i].fds[t] = get_socket(&address, len, types[t], others);
        if (held->items[i].fds[t] < 0) {
            int errnum = errno;

            close_item(held, i);
            return cannot_bind(text, &address, types[t], errnum, err);
        }
    }
    return 0;
}

static int hide(struct hc_dns_sockets *held, struct hc_error *err)
{
    for (size_t i = 0; i < HC_DNS_LISTEN_MAX; i++) {
        for (int t = 0; t < 2; t++) {
            if (!held->made) {
                held->items[i].fds[t] = -1;
            }
        }
    }
    held->made = true;
    for (size_t i = 0; i < HC_DNS_LISTEN_MAX; i++) {
        for (int t = 0; t < 2; t++) {
            if (hc_private_add(&held->items[i].fds[t], err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Sets aside what is not wanted: shared for the moment, and closed by the caller. */
static size_t drop_unwanted(struct hc_dns_sockets *held, const struct hc_conf *conf,
                            int gone[HC_DNS_SOCKETS])
{
    size_t count = 0;

    for (size_t i = 0; i < HC_DNS_LISTEN_MAX; i++) {
        if (held->items[i].address[0] == '\0' ||
            hc_list_has(&conf->dns_listen, held->items[i].address)) {
            continue;
        }
        for (int t = 0; t < 2; t++) {
            gone[count++] = held->items[i].fds[t];
            (void)set_reuse(held->items[i].fds[t], 1);
            held->items[i].fds[t] = -1;
        }
        held->items[i].address[0] = '\0';
    }
    return count;
}

int hc_dns_sockets_take(struct hc_dns_sockets *held, const struct hc_conf *conf, pid_t running,
                        struct hc_error *err)
{
    struct others others[HC_DNS_LISTEN_MAX];
    int gone[HC_DNS_SOCKETS];
    size_t count = 0;
    int rc = 0;

    if (!held->made && conf->dns_listen.count == 0) {
        return 0;
    }
    if (hide(held, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < conf->dns_listen.count && i < HC_DNS_LISTEN_MAX; i++) {
        others[i] = (struct others){makes_room(held, conf, conf->dns_listen.items[i]), running};
    }
    count = drop_unwanted(held, conf, gone);
    for (size_t i = 0; i < conf->dns_listen.count && i < HC_DNS_LISTEN_MAX; i++) {
        if (!is_held(held, conf->dns_listen.items[i]) &&
            take_one(held, conf->dns_listen.items[i], &others[i], err) != 0) {
            rc = -1; /* the first error stays */
        }
    }
    for (size_t i = 0; i < count; i++) {
        close(gone[i]);
    }
    return rc;
}

size_t hc_dns_sockets_list(const struct hc_dns_sockets *held, int fds[HC_DNS_SOCKETS])
{
    size_t count = 0;

    for (size_t i = 0; held->made && i < HC_DNS_LISTEN_MAX; i++) {
        for (int t = 0; t < 2; t++) {
            if (held->items[i].fds[t] >= 0) {
                fds[count++] = held->items[i].fds[t];
            }
        }
    }
    return count;
}

void hc_dns_sockets_close(struct hc_dns_sockets *held)
{
    for (size_t i = 0; held->made && i < HC_DNS_LISTEN_MAX; i++) {
        close_item(held, i);
    }
}
