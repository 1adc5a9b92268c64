/*
 * libcurl's multi handle as a guest of the loop: each of its sockets and its one timer wait there.
 * For http.c alone.
 */
#ifndef HC_NET_SOCKETS_H
#define HC_NET_SOCKETS_H

#include "loop/timer.h"
#include "net/curl_compat.h"

struct hc_socket;

struct hc_sockets {
    struct hc_loop *loop;
    CURLM *multi;
    struct hc_socket *list;
    struct hc_timer timer;
    void (*acted)(void *self); /* libcurl moved something on: there may be results */
    void *self;
};

/* multi is borrowed, and must outlive it. acted is called from the loop. */
int hc_sockets_open(struct hc_sockets *sockets, struct hc_loop *loop, CURLM *multi,
                    void (*acted)(void *self), void *self, struct hc_error *err) HC_MUST_USE;

/* After the multi handle was cleaned up. Zeroed memory is fine. */
void hc_sockets_close(struct hc_sockets *sockets);

#endif
