/* A keeper that answers when the test says so, at its own end of a socket pair. */
#ifndef HC_T_FAKE_KEEPER_H
#define HC_T_FAKE_KEEPER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/packet.h"
#include "keeper/question.h"

__attribute__((noreturn)) static inline void keeper_stop(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

/* The question that the keeper finds at its socket; false: none. */
static inline bool heard(int keeper, struct hc_question *q)
{
    unsigned char packet[sizeof(*q) + 1];
    int fd = -1;
    ssize_t n = hc_packet_receive(keeper, packet, sizeof(packet), &fd, 0);

    return n >= 0 && hc_question_parse(packet, (size_t)n, q) == 0;
}

/* What the keeper replies; text: of the file, or NULL: it is unsafe. */
static inline void reply(int keeper, const struct hc_question *q, const char *text)
{
    struct hc_error err = {0};
    struct hc_reply r;
    int fd = -1;

    if (text == NULL) {
        hc_error_set(&err, HC_P_FILE_UNSAFE, "/a", "it is");
    }
    hc_reply_init(&r, q, &err);
    if (text != NULL) {
        r.size = r.stamp.size = strlen(text);
        if (hc_packet_memfd("test", (struct hc_bytes){(const unsigned char *)text, r.size}, &fd,
                            &err) != 0) {
            keeper_stop("a memfd");
        }
    }
    if (hc_packet_send(keeper, &r, sizeof(r), fd, hc_packet_now() + 1000) != 0) {
        keeper_stop("a reply");
    }
    if (fd >= 0) {
        close(fd);
    }
}

#endif
