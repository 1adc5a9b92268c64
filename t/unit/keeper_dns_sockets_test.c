/*
 * core/keeper/dns_sockets.c, holder.c: the responder's sockets, on loopback, in a network namespace
 * of the test's own where it is root's.
 */
#include "keeper/dns_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/holder.h"
#include "tap.h"

static struct hc_dns_sockets held;
static struct hc_conf conf;
static unsigned port;

/* Two addresses of loopback at a port that is free there. */
static const char *address(unsigned last, unsigned above)
{
    static char texts[8][HC_DNS_LISTEN_TEXT];
    static unsigned at;
    char *text = texts[at++ % 8];

    (void)snprintf(text, HC_DNS_LISTEN_TEXT, "%s.%u:%u", last == 0 ? "0.0.0" : "127.0.0", last,
                   port + above);
    return text;
}

static int open_at(unsigned last, unsigned above, int type, bool shared)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(port + above))};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    int on = 1;

    place.sin_addr.s_addr = htonl(last == 0 ? INADDR_ANY : 0x7f000000u + last);
    if (shared) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    }
    if (bind(fd, (const struct sockaddr *)&place, sizeof(place)) != 0 ||
        (type == SOCK_STREAM && listen(fd, 5) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void say(const char *first, const char *second)
{
    hc_list_dispose(&conf.dns_listen);
    if ((first != NULL && hc_list_add(&conf.dns_listen, first, NULL) != 0) ||
        (second != NULL && hc_list_add(&conf.dns_listen, second, NULL) != 0)) {
        exit(1);
    }
}

static enum hc_problem take(void)
{
    struct hc_error err;

    hc_error_init(&err);
    return hc_dns_sockets_take(&held, &conf, 0, &err) == 0 ? HC_P_NONE : err.problem;
}

static enum hc_problem examine(pid_t running, struct hc_error *err)
{
    hc_error_init(err);
    return hc_dns_sockets_examine(&held, &conf, running, err) == 0 ? HC_P_NONE : err->problem;
}

/* How many answer at this address: a datagram arrives there, a connection is taken. */
static bool is_reached(unsigned last, unsigned above)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(port + above))};
    int fds[HC_DNS_SOCKETS];
    size_t count = hc_dns_sockets_list(&held, fds);
    int from[2] = {socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0)};
    int reached = 0;
    char byte = 'x';

    place.sin_addr.s_addr = htonl(0x7f000000u + last);
    reached = connect(from[1], (const struct sockaddr *)&place, sizeof(place)) == 0;
    if (sendto(from[0], &byte, 1, 0, (const struct sockaddr *)&place, sizeof(place)) == 1) {
        for (size_t i = 0; i < count; i += 2) {
            reached += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 1;
        }
    }
    for (size_t i = 1; i < count; i += 2) {
        int fd = accept(fds[i], NULL, NULL);

        if (fd >= 0) {
            close(fd);
        }
    }
    close(from[0]);
    close(from[1]);
    return reached == 2;
}

static void test_kept(void)
{
    int fds[HC_DNS_SOCKETS];
    int later[HC_DNS_SOCKETS];
    struct hc_error err;

    say(address(1, 0), NULL);
    is_int(examine(0, &err), HC_P_NONE, "a free address could be had");
    is_int(hc_dns_sockets_list(&held, fds), 0, "and is not taken by asking");
    is_int(take(), HC_P_NONE, "it is taken");
    is_int(hc_dns_sockets_list(&held, fds), 2, "two sockets");
    ok(is_reached(1, 0), "which are reached");
    is_int(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "no program inherits them");
    say(address(1, 0), address(2, 0));
    is_int(examine(0, &err), HC_P_NONE, "another one beside it");
    is_int(take(), HC_P_NONE, "is taken");
    is_int(hc_dns_sockets_list(&held, later), 4, "two more");
    ok(later[0] == fds[0] && later[1] == fds[1], "and the first two are the same");
    ok(is_reached(1, 0) && is_reached(2, 0), "both are reached");
    say(address(2, 0), NULL);
    is_int(take(), HC_P_NONE, "the first is not wanted any more");
    is_int(hc_dns_sockets_list(&held, fds), 2, "and closed");
    ok(!is_reached(1, 0) && is_reached(2, 0), "the other one is reached");
}

static void test_overlap(void)
{
    struct hc_error err;
    int old = -1;

    say(address(2, 0), NULL);
    is_int(take(), HC_P_NONE, "one address");
    {
        int fds[HC_DNS_SOCKETS];

        (void)hc_dns_sockets_list(&held, fds);
        old = dup(fds[1]); /* an agent that still has it */
    }
    say(address(0, 0), NULL);
    is_int(examine(0, &err), HC_P_NONE, "all addresses in its place could be had");
    is_int(take(), HC_P_NONE, "although the agent before still holds the one");
    close(old);
    ok(is_reached(1, 0), "all are reached");
    is_int(open_at(3, 0, SOCK_DGRAM, true), -1, "and nobody else shares them");
    say(address(3, 0), NULL);
    is_int(take(), HC_P_NONE, "and one of them again");
    ok(is_reached(3, 0) && !is_reached(1, 0), "which alone is reached");
}

static void test_busy(void)
{
    char want[64];
    struct hc_error err;
    int other = open_at(1, 1, SOCK_STREAM, false);

    say(address(1, 1), NULL);
    is_int(examine(0, &err), HC_P_DNS_PORT_BUSY, "an address that somebody listens at over TCP");
    (void)snprintf(want, sizeof(want), "process %ld", (long)getpid());
    ok(strstr(err.detail, want) != NULL && strstr(err.detail, "over TCP") != NULL,
       "and it is said who, and how");
    is_int(take(), HC_P_DNS_PORT_BUSY, "cannot be taken");
    say(address(1, 1), address(1, 2));
    is_int(take(), HC_P_DNS_PORT_BUSY, "nor beside another");
    ok(is_reached(1, 2), "which is had all the same");
    is_int(examine(getpid(), &err), HC_P_NONE, "it is no fault if it is our own server's");
    is_int(examine(getppid(), &err), HC_P_DNS_PORT_BUSY, "but not if that has another");
    close(other);
    is_int(take(), HC_P_NONE, "as soon as it is free it is taken");
    other = open_at(1, 3, SOCK_DGRAM, true);
    say(address(1, 3), NULL);
    is_int(take(), HC_P_DNS_PORT_BUSY, "who would share his port is in the way as well");
    close(other);
}

static void test_upgrade(void)
{
    struct hc_dns_sockets before;
    int ready[2] = {-1, -1};
    int fds[HC_DNS_SOCKETS];
    struct hc_error err;
    char byte = 0;
    pid_t child = -1;

    hc_error_init(&err);
    say(address(1, 4), NULL);
    if (take() != HC_P_NONE || pipe(ready) != 0) {
        return;
    }
    before = held;
    memset(&held, 0, sizeof(held)); /* as in a new process */
    child = fork();
    if (child == 0) {
        bool hidden = hc_dns_sockets_list(&before, fds) == 2 && fcntl(fds[0], F_GETFD) >= 0;

        (void)!write(ready[1], hidden ? "+" : "-", 1);
        is_int(hc_dns_sockets_take(&held, &conf, getppid(), &err), 0,
               "a new binary takes them over");
        ok(is_reached(1, 4), "and is reached");
        _exit(tap_failed > 0);
    }
    (void)!read(ready[0], &byte, 1);
    (void)waitpid(child, &ready[0], 0);
    tap_run += 2;
    is_int(ready[0], 0, "both in the other process");
    held = before;
}

static void test_forked(void)
{
    int fds[HC_DNS_SOCKETS];
    int status = -1;
    pid_t child = 0;

    say(address(1, 5), NULL);
    is_int(take(), HC_P_NONE, "sockets");
    (void)hc_dns_sockets_list(&held, fds);
    child = fork();
    if (child == 0) {
        _exit(fcntl(fds[0], F_GETFD) < 0 && fcntl(fds[1], F_GETFD) < 0 &&
                      hc_dns_sockets_list(&held, fds) == 0
                  ? 0
                  : 1);
    }
    (void)waitpid(child, &status, 0);
    is_int(status, 0, "a forked process has none of them");
    ok(is_reached(1, 5), "and the master still has");
}

static void test_denied(void)
{
    struct hc_error err;

    say("127.0.0.1:53", NULL);
    if (geteuid() == 0) {
        if (seteuid(65534) != 0) {
            exit(1);
        }
        is_int(examine(0, &err), HC_P_DNS_PORT_DENIED, "port 53 is not everybody's");
        if (seteuid(0) != 0) {
            exit(1);
        }
    }
    say("198.51.100.7:9953", NULL);
    is_int(examine(0, &err), HC_P_DNS_LISTEN, "an address of another machine");
}

int main(void)
{
    if (geteuid() == 0 && (unshare(CLONE_NEWNET) != 0 || system("ip link set lo up") != 0)) {
        printf("Bail out! no network of our own\n");
        return 1;
    }
    port = 20000 + (unsigned)getpid() % 10000 * 4;
    test_kept();
    test_overlap();
    test_busy();
    test_forked();
    test_upgrade();
    test_denied();
    hc_dns_sockets_close(&held);
    hc_list_dispose(&conf.dns_listen);
    return done();
}
