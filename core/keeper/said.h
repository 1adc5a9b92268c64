/*
 * What agent and loader say to their supervisor: packets of log lines and the loader's refusal, as
 * spawn.h describes them. They come from a process without rights and are read as hostile.
 */
#ifndef HC_KEEPER_SAID_H
#define HC_KEEPER_SAID_H

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

/* Zeroed memory: nothing was said. */
struct hc_said {
    char text[HC_LOG_LINE];   /* the packet taken last */
    char reason[HC_LOG_LINE]; /* the last 'R' packet, with its newlines */
    char error[HC_LOG_LINE];  /* the last line at level error */
    bool began;               /* a 'B' packet came: the program runs, and is ours */
};

/*
 * Takes one packet without waiting; a line goes to log with whatever a terminal would obey taken
 * out. 1: a packet was taken, 0: nothing is there, -1: end-of-file.
 */
int hc_said_take(int supervise, const struct hc_log *log, struct hc_said *said) HC_MUST_USE;

/* How long somebody is waited for: a slow machine is no reason to give up, a hang is. */
struct hc_patience {
    pid_t pid;       /* whose work counts: CPU that it used, or a packet */
    int64_t idle_ms; /* without any */
    int64_t most_ms; /* in all */
};

/* Takes packets until end-of-file: 0. -1: patience ended first. */
int hc_said_follow(int supervise, const struct hc_patience *patience, const struct hc_log *log,
                   struct hc_said *said) HC_MUST_USE;

/* Why the loader refuses, in its own words: its 'R' packet, else its last error line. -1. */
int hc_said_refusal(struct hc_said *said, struct hc_error *err);

#endif
