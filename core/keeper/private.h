/*
 * Descriptors that only this process, and what hotcert forks itself, may hold: the writable table,
 * the keeper's socket, the control socket. Every other process that is forked from the master (a
 * worker, a helper, a daemon of another module) closes them first of all, while it still has the
 * master's user: as soon as it has the worker user's rights, whoever else has those could take them
 * out of it (pidfd_getfd(2)), long before a module is called in it.
 *
 * Process-wide, since fork handlers are. The object that registers must stay mapped (-z nodelete).
 * Called by the master, single-threaded.
 */
#ifndef HC_KEEPER_PRIVATE_H
#define HC_KEEPER_PRIVATE_H

#include "base/error.h"

/*
 * From now on *fd is closed, and set to -1, in every forked process. fd points to static memory, or
 * to memory that lives as long as the process; the same pointer may be given again.
 */
int hc_private_add(int *fd, struct hc_error *err) HC_MUST_USE;

/* The next forked process is this one's successor (nginx becomes a daemon): it keeps them. */
void hc_private_keep_once(void);

#endif
