/*
 * Who holds an address of the network, by /proc: for a port that is busy. Another user's processes
 * can be looked into by root alone. Called by the master, single-threaded.
 */
#ifndef HC_KEEPER_HOLDER_H
#define HC_KEEPER_HOLDER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define HC_HOLDER_MAX  8  /* sockets that can be in the way of one */
#define HC_HOLDER_NAME 32 /* of a process */

/* The sockets that are in the way of one of this kind at this address, as the kernel numbers them.
 */
struct hc_holder {
    unsigned long sockets[HC_HOLDER_MAX];
    size_t count;
};

/* type: SOCK_STREAM (who listens) or SOCK_DGRAM. */
void hc_holder_find(const struct sockaddr_storage *address, int type, struct hc_holder *out);

/* True if this process holds all of them, *fd being the last one's number there; also true, with
 * *fd -1, if it is there and nobody is told what it holds. */
bool hc_holder_is(const struct hc_holder *holder, pid_t pid, int *fd);

/* A process that holds one: its name, and *pid. False: none that could be looked into. */
bool hc_holder_name(const struct hc_holder *holder, char name[HC_HOLDER_NAME], pid_t *pid);

/* A copy of another process's descriptor (close-on-exec), or -1 with errno. */
int hc_holder_copy(pid_t pid, int fd);

#endif
