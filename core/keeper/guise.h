/*
 * Another user's rights over files, for a moment: what root does not open because that user could
 * exchange it (path.h) is opened as that user would. Nothing else about the process changes: it
 * stays root's, so that no process of that user can send it signals or look into it.
 *
 * For the keeper, which has one thread.
 */
#ifndef HC_KEEPER_GUISE_H
#define HC_KEEPER_GUISE_H

#include "keeper/path.h"

struct hc_guise {
    gid_t groups[HC_PATH_GROUPS]; /* its own */
    int count;
};

/* user: a guard against that one user alone. -1 with errno: nothing has changed. */
int hc_guise_take(struct hc_guise *guise, const struct hc_guard *user) HC_MUST_USE;

/* Back to root's. A process that cannot go back ends. */
void hc_guise_end(const struct hc_guise *guise);

#endif
