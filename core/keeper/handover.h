/*
 * The store of the worker user is given to the agent's user: once, by root, at a start, while no
 * agent of the worker user uses it. Whoever runs as the worker user owns that folder and may
 * exchange anything in it meanwhile, so:
 *
 *   - a folder first becomes root's (0700), from the top down: from then on nobody else can make,
 *     rename or link anything in it. Only then what is in it is looked at. It becomes the agent's
 *     user's when all in it is done, so a start that was cut short is continued by the next one.
 *   - nothing is opened but by openat(2) and O_NOFOLLOW, below a folder that is root's by then, and
 *     nothing is changed but through such a descriptor.
 *   - only regular files of the worker user's, with the names that the store uses, change owner.
 *     One that has another name elsewhere, or that some process can still write, is copied instead.
 *   - locks, followers and temporary files mean nothing without a running agent: they are removed.
 *
 * All else stays as it is, somebody else's; the agent names it as always (docs/store.md). Blocks
 * (disk). Called by the master.
 */
#ifndef HC_KEEPER_HANDOVER_H
#define HC_KEEPER_HANDOVER_H

#include "base/log.h"
#include "keeper/process.h"

#define HC_HANDOVER_WAIT_MS 1000 /* an agent whose server just ended is waited for */

/*
 * True if this folder of root's is one whose handover began: a start was cut short. store is a
 * descriptor of it.
 */
bool hc_handover_began(int store, const struct hc_rights *from, const struct hc_rights *to);

/*
 * Gives the store to `to`. 0: it is theirs. 1: it stays with `from`, as it was, and err says why
 * (HC_P_STORE_STAYS): an agent uses it, or the disk refused. -1: not even that could be had again;
 * the next start goes on.
 */
int hc_handover(int store, const char *path, const struct hc_rights *from,
                const struct hc_rights *to, struct hc_error *err) HC_MUST_USE;

#endif
