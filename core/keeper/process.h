/*
 * What every process that is forked from a server's master does to itself: signals, descriptors,
 * rights, title. All of it runs in the child, single-threaded, between fork and its work or exec;
 * nothing here logs.
 */
#ifndef HC_KEEPER_PROCESS_H
#define HC_KEEPER_PROCESS_H

#include <signal.h>

#include "keeper/keeper.h"

/* fork() with every signal blocked, so that no handler of the parent's runs in the child. */
struct hc_fork {
    sigset_t before; /* the parent's mask, for hc_fork_done() */
};
pid_t hc_fork_start(struct hc_fork *f);
void hc_fork_done(const struct hc_fork *f); /* in the parent: the mask of before */

/* Default handlers everywhere, nothing blocked. In the child. */
void hc_process_reset_signals(void);

/* Closes every descriptor from first on. */
void hc_process_close_from(int first);

/* Points descriptor target at /dev/null. -1 with errno. */
int hc_process_null(int target) HC_MUST_USE;

/*
 * Takes on the unprivileged rights for good and proves it: no way back to root, no capability left
 * in the ambient set. A caller that already has them (nginx's helper process) passes. On -1 *what
 * names the step that failed, errno says why.
 */
int hc_process_drop(const struct hc_rights *rights, const char **what) HC_MUST_USE;

/* What ps shows: the short name, and text in place of the command line; best effort. */
void hc_process_title(const char *name, const char *text);

#endif
