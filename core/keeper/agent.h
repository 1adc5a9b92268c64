/*
 * The keeper's side of the agent: it starts the agent when the server's start is over, and again
 * when it died (hc_agent_backoff()), answers its questions on a socket of its own, and passes its
 * lines and whatever it writes to standard error on to the server, which logs them. The keeper does
 * this because it alone is root's and stays: a process of the worker user, which would hold what
 * the agent is given, could be robbed of it by any other process of that user.
 *
 * Nothing here blocks but the exec of the agent (bounded, spawn.h). The keeper's one thread.
 */
#ifndef HC_KEEPER_AGENT_H
#define HC_KEEPER_AGENT_H

#include <poll.h>

#include "keeper/spawn.h"

struct hc_agent_run {
    const struct hc_conf *conf;
    const struct hc_rights *rights;
    int table, control; /* what the agent is given; -1: nothing */
    int dns[HC_DNS_SOCKETS];
    size_t dns_count;
    int lines;     /* packets for the server's log (spawn.h); -1: nobody listens */
    bool wanted;   /* the server's start is over */
    pid_t pid;     /* 0: none runs */
    int supervise; /* its supervision socket, the keeper's end; -1: none */
    int questions; /* where it asks, the keeper's end; -1: none */
    int output;    /* what it writes to standard error; -1: none */
    unsigned failures;
    int64_t started_ms;
    int64_t next_ms;               /* not started before */
    char waiting[HC_LOG_LINE + 1]; /* a packet for which lines had no room */
    size_t waiting_len;
};

/* The descriptors, in the order of fds. */
enum { HC_AGENT_RUN_QUESTIONS, HC_AGENT_RUN_SUPERVISE, HC_AGENT_RUN_OUTPUT, HC_AGENT_RUN_LINES };
#define HC_AGENT_RUN_FDS 4

void hc_agent_run_init(struct hc_agent_run *run, const struct hc_conf *conf,
                       const struct hc_rights *rights);

/* What poll() shall wait for (-1: not for this one). Returns for how long at most, in ms; -1: for
 * ever. */
int hc_agent_run_poll(const struct hc_agent_run *run, struct pollfd fds[HC_AGENT_RUN_FDS]);

/* After poll(): starts, listens, buries. Questions are the caller's to answer; one that cannot be
 * heard any more is told to hc_agent_run_deaf(). */
void hc_agent_run_turn(struct hc_agent_run *run, const struct pollfd fds[HC_AGENT_RUN_FDS]);
void hc_agent_run_deaf(struct hc_agent_run *run);

/* The server is gone: tells the agent, hears it out for a moment, and ends it. */
void hc_agent_run_end(struct hc_agent_run *run);

#endif
