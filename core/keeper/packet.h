/*
 * Packets between hotcert's processes over SOCK_SEQPACKET, each with at most one descriptor, and
 * the sealed memfds that carry what is too large or too secret for a packet.
 */
#ifndef HC_KEEPER_PACKET_H
#define HC_KEEPER_PACKET_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Milliseconds of a clock that never goes back: what deadlines are made of. */
int64_t hc_packet_now(void);

/*
 * Sends one packet and, if fd is not negative, that descriptor. deadline: hc_packet_now() time in
 * ms, -1: never. 0, or -1 with errno (EPIPE: the other end is gone; ETIMEDOUT).
 */
int hc_packet_send(int socket, const void *data, size_t len, int fd, int64_t deadline) HC_MUST_USE;

/*
 * Receives one packet; what is beyond cap is lost. *fd: the descriptor that came along
 * (close-on-exec, the caller's) or -1. Length, or -1 with errno (EPIPE: the other end is gone;
 * ETIMEDOUT). A packet of length 0 is not an end.
 */
ssize_t hc_packet_receive(int socket, void *data, size_t cap, int *fd,
                          int64_t deadline) HC_MUST_USE;

/* True if every other end of this socket is closed and nothing is left to be read. */
bool hc_packet_at_end(int socket);

/* A memfd with these bytes, sealed against every change; *fd is the caller's, close-on-exec. */
int hc_packet_memfd(const char *name, struct hc_bytes bytes, int *fd,
                    struct hc_error *err) HC_MUST_USE;

/* The same in steps: an empty one that can be written, then the seals against every change. */
int hc_packet_memfd_open(const char *name, int *fd, struct hc_error *err) HC_MUST_USE;
int hc_packet_memfd_seal(int fd) HC_MUST_USE;

/*
 * Appends the len bytes of a memfd from another process to out, if it is sealed and has exactly
 * so many (a descriptor that is anything else is HC_P_PROTOCOL).
 */
int hc_packet_memfd_read(int fd, size_t len, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
