/*
 * Forking without surprises: the parent's signal handlers never run in the child, and the child
 * begins with default signals and no descriptors but those that it shall have. All but
 * hc_fork_start() and hc_fork_done() run in the child, single-threaded; nothing here logs.
 */
#ifndef HC_BASE_FORK_H
#define HC_BASE_FORK_H

#include <signal.h>
#include <sys/types.h>

#include "base/compiler.h"

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

#endif
