/*
 * What every process that is forked from a server's master does to itself: signals, descriptors,
 * rights, title. All of it runs in the child, single-threaded, between fork and its work or exec;
 * nothing here logs.
 */
#ifndef HC_KEEPER_PROCESS_H
#define HC_KEEPER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fork.h"

/* Whose rights an unprivileged process has: the worker user's, or (keeper/rights.h) the agent's. */
struct hc_rights {
    bool drop; /* false: not started as root, nothing is dropped */
    uid_t uid;
    gid_t gid;
    const char *user; /* for initgroups(); borrowed */
};

/*
 * Takes on the unprivileged rights for good and proves it: no way back to root, no capability left
 * in the ambient set. A caller that already has them (nginx's helper process) passes. On -1 *what
 * names the step that failed, errno says why.
 */
int hc_process_drop(const struct hc_rights *rights, const char **what) HC_MUST_USE;

/* What ps shows: the short name, and text in place of the command line; best effort. */
void hc_process_title(const char *name, const char *text);

#endif
