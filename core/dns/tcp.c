/* The responder over TCP; see tcp.h. */
#include "dns/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUERY_MAX   4096 /* nobody asks for more: with padding and options it is a fraction */
#define OUT_ENOUGH  ((size_t)64 << 10) /* so much waits to be read, and no more is answered */
#define OUT_MAX     (OUT_ENOUGH + HC_DNS_TCP_ANSWER + 2)
#define ACCEPT_MOST 16 /* in one go */
#define SWEEP_MS    1000

struct hc_dns_tcp_client {
    struct hc_dns_tcp *tcp;
    struct hc_loop_fd guest;
    uint8_t in[QUERY_MAX + 2];
    size_t in_len;
    struct hc_buf out;
    size_t sent;
    bool ended;       /* it sends nothing more */
    int64_t since_ms; /* when it last asked, or read */
};

static int64_t now_ms(const struct hc_dns_tcp *tcp)
{
    return hc_now_ms(hc_loop_clock(tcp->service->loop));
}

/* NULL is fine. */
static void client_close(struct hc_dns_tcp_client *client)
{
    struct hc_dns_tcp *tcp = NULL;

    if (client == NULL) {
        return;
    }
    tcp = client->tcp;
    hc_loop_fd_remove(&client->guest);
    close(client->guest.fd);
    hc_buf_dispose(&client->out);
    for (size_t i = 0; i < HC_DNS_TCP_CLIENTS; i++) {
        if (tcp->clients[i] == client) {
            tcp->clients[i] = NULL;
            tcp->count--;
        }
    }
    free(client);
}

/* ---- one connection ---- */

/* Octets of the first question with its length, if all of it is there; else 0. */
static size_t whole_question(const struct hc_dns_tcp_client *client)
{
    size_t len = client->in_len < 2 ? 0 : ((size_t)client->in[0] << 8 | client->in[1]) + 2;

    return len > 0 && len <= client->in_len ? len : 0;
}

static bool is_too_long(const struct hc_dns_tcp_client *client)
{
    return client->in_len >= 2 && ((size_t)client->in[0] << 8 | client->in[1]) > QUERY_MAX;
}

/* False: there is no memory. */
static bool answer(struct hc_dns_tcp_client *client, size_t len)
{
    static uint8_t reply[2 + HC_DNS_TCP_ANSWER]; /* there is one thread */
    struct hc_bytes query = {client->in + 2, len - 2};
    size_t reply_len =
        hc_dns_service_answer(client->tcp->service, query, HC_DNS_OVER_TCP, reply + 2);

    reply[0] = (uint8_t)(reply_len >> 8);
    reply[1] = (uint8_t)reply_len;
    client->in_len -= len;
    memmove(client->in, client->in + len, client->in_len);
    client->since_ms = now_ms(client->tcp);
    return reply_len == 0 || hc_buf_append(&client->out, reply, reply_len + 2, NULL) == 0;
}

/* Sends what waits. False: the connection is over. */
static bool flush(struct hc_dns_tcp_client *client)
{
    while (client->sent < client->out.len) {
        ssize_t n = send(client->guest.fd, client->out.data + client->sent,
                         client->out.len - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        client->sent += (size_t)n;
        client->since_ms = now_ms(client->tcp);
    }
    hc_buf_reset(&client->out);
    client->sent = 0;
    return true;
}

/* Answers whatever is there to be answered; false: the connection is over. */
static bool serve(struct hc_dns_tcp_client *client)
{
    size_t len = 0;

    do {
        while ((len = whole_question(client)) > 0 && client->out.len < OUT_ENOUGH) {
            if (!answer(client, len)) {
                return false;
            }
        }
        if (!flush(client) || is_too_long(client)) {
            return false;
        }
    } while (client->out.len == 0 && whole_question(client) > 0);
    return client->out.len > 0 || !client->ended;
}

/* What is in the kernel, as far as there is room; false: the connection is over. */
static bool receive(struct hc_dns_tcp_client *client)
{
    ssize_t n = recv(client->guest.fd, client->in + client->in_len,
                     sizeof(client->in) - client->in_len, MSG_DONTWAIT);

    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    }
    client->in_len += (size_t)n;
    client->ended = n == 0;
    return true;
}

static void on_client(void *self, unsigned events)
{
    struct hc_dns_tcp_client *client = self;
    bool goes_on = (events & HC_LOOP_READ) == 0 || receive(client);

    goes_on = goes_on && serve(client);
    /* while answers wait, no more questions are taken */
    if (!goes_on ||
        hc_loop_fd_change(&client->guest, client->out.len > 0 ? HC_LOOP_WRITE : HC_LOOP_READ,
                          NULL) != 0) {
        client_close(client);
    }
}

/* ---- all of them ---- */

static struct hc_dns_tcp_client *oldest(const struct hc_dns_tcp *tcp)
{
    struct hc_dns_tcp_client *found = NULL;

    for (size_t i = 0; i < HC_DNS_TCP_CLIENTS; i++) {
        if (tcp->clients[i] != NULL &&
            (found == NULL || tcp->clients[i]->since_ms < found->since_ms)) {
            found = tcp->clients[i];
        }
    }
    return found;
}

static int client_open(struct hc_dns_tcp *tcp, int fd)
{
    struct hc_dns_tcp_client *client = calloc(1, sizeof(*client));
    size_t place = 0;

    if (client == NULL) {
        return -1;
    }
    if (tcp->count == HC_DNS_TCP_CLIENTS) {
        client_close(oldest(tcp));
    }
    while (tcp->clients[place] != NULL) {
        place++;
    }
    client->tcp = tcp;
    client->out = (struct hc_buf)HC_BUF_INIT(OUT_MAX);
    client->since_ms = now_ms(tcp);
    client->guest = (struct hc_loop_fd){fd, HC_LOOP_READ, "responder", on_client, client, NULL};
    if (hc_loop_fd_add(tcp->service->loop, &client->guest, NULL) != 0) {
        free(client);
        return -1;
    }
    tcp->clients[place] = client;
    tcp->count++;
    hc_timer_within(&tcp->sweep, SWEEP_MS);
    return 0;
}

static bool is_shortage(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

/* Others have what is short, and nobody of ours can go: nobody is let in until the next sweep. */
static void shut(struct hc_dns_tcp *tcp)
{
    tcp->shut = hc_loop_fd_change(&tcp->door, 0, NULL) == 0;
    hc_timer_within(&tcp->sweep, SWEEP_MS);
}

static void on_door(void *self, unsigned events HC_UNUSED)
{
    struct hc_dns_tcp *tcp = self;

    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = accept4(tcp->door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (!is_shortage(errno)) {
                return;
            }
            if (tcp->count == 0) {
                shut(tcp);
                return;
            }
            client_close(oldest(tcp)); /* else the door is ready for ever */
            continue;
        }
        if (client_open(tcp, fd) != 0) {
            close(fd);
        }
    }
}

static void on_sweep(void *self)
{
    struct hc_dns_tcp *tcp = self;
    int64_t now = now_ms(tcp);

    for (size_t i = 0; i < HC_DNS_TCP_CLIENTS; i++) {
        if (tcp->clients[i] != NULL && now - tcp->clients[i]->since_ms >= HC_DNS_TCP_MS) {
            client_close(tcp->clients[i]);
        }
    }
    if (tcp->shut) {
        tcp->shut = hc_loop_fd_change(&tcp->door, HC_LOOP_READ, NULL) != 0;
    }
    if (tcp->count > 0 || tcp->shut) {
        hc_timer_in(&tcp->sweep, SWEEP_MS);
    }
}

int hc_dns_tcp_open(struct hc_dns_tcp *tcp, struct hc_dns_service *service, int fd,
                    struct hc_error *err)
{
    memset(tcp, 0, sizeof(*tcp));
    tcp->service = service;
    tcp->door = (struct hc_loop_fd){fd, HC_LOOP_READ, "responder", on_door, tcp, NULL};
    hc_timer_init(&tcp->sweep, service->loop, "responder", on_sweep, tcp);
    return hc_loop_fd_add(service->loop, &tcp->door, err);
}

void hc_dns_tcp_close(struct hc_dns_tcp *tcp)
{
    hc_loop_fd_remove(&tcp->door);
    hc_timer_stop(&tcp->sweep);
    while (tcp->count > 0) {
        client_close(oldest(tcp));
    }
}
