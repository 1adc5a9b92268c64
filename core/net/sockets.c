/* libcurl's multi handle as a guest of the loop; see sockets.h and curl_multi_socket_action(3). */
#include "net/sockets.h"

#include <stdlib.h>

#define NAME "http"

struct hc_socket {
    struct hc_loop_fd guest;
    struct hc_sockets *sockets;
    struct hc_socket *next;
};

static void act(struct hc_sockets *sockets, curl_socket_t fd, int events)
{
    int running = 0;

    /* what goes wrong with a transfer is told as its result; with the handle, nothing can */
    (void)curl_multi_socket_action(sockets->multi, fd, events, &running);
    sockets->acted(sockets->self);
}

/* libcurl may remove the socket, and with it the guest, meanwhile. */
static void on_ready(void *self, unsigned events)
{
    struct hc_socket *s = self;
    int what = ((events & HC_LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & HC_LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

    act(s->sockets, s->guest.fd, what);
}

static void on_time(void *self)
{
    act(self, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi HC_UNUSED, long timeout_ms, void *userp)
{
    struct hc_sockets *sockets = userp;

    hc_timer_in(&sockets->timer, timeout_ms);
    return 0;
}

static unsigned events_of(int what)
{
    return (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? HC_LOOP_READ : 0) |
           (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? HC_LOOP_WRITE : 0);
}

static void drop(struct hc_sockets *sockets, struct hc_socket *s)
{
    struct hc_socket **at = &sockets->list;

    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    hc_loop_fd_remove(&s->guest);
    free(s);
}

/* -1: libcurl ends its transfers. */
static int add(struct hc_sockets *sockets, curl_socket_t fd, int what)
{
    struct hc_socket *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return -1;
    }
    s->sockets = sockets;
    s->guest = (struct hc_loop_fd){fd, events_of(what), NAME, on_ready, s, NULL};
    if (hc_loop_fd_add(sockets->loop, &s->guest, NULL) != 0 ||
        curl_multi_assign(sockets->multi, fd, s) != CURLM_OK) {
        hc_loop_fd_remove(&s->guest);
        free(s);
        return -1;
    }
    s->next = sockets->list;
    sockets->list = s;
    return 0;
}

static int set_socket(CURL *easy HC_UNUSED, curl_socket_t fd, int what, void *userp, void *socketp)
{
    struct hc_sockets *sockets = userp;
    struct hc_socket *s = socketp;

    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            drop(sockets, s);
        }
        return 0;
    }
    return s != NULL ? hc_loop_fd_change(&s->guest, events_of(what), NULL) : add(sockets, fd, what);
}

int hc_sockets_open(struct hc_sockets *sockets, struct hc_loop *loop, CURLM *multi,
                    void (*acted)(void *self), void *self, struct hc_error *err)
{
    sockets->loop = loop;
    sockets->multi = multi;
    sockets->acted = acted;
    sockets->self = self;
    hc_timer_init(&sockets->timer, loop, NAME, on_time, sockets);
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets) != CURLM_OK) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "libcurl does not accept the event loop");
    }
    return 0;
}

void hc_sockets_close(struct hc_sockets *sockets)
{
    while (sockets->list != NULL) {
        drop(sockets, sockets->list);
    }
    hc_timer_stop(&sockets->timer);
}
