/*
 * What `list` is answered: the model as JSON, in one line. Of many certificates a child makes it,
 * out of the memory as it was when it was asked for: so the answer is of one moment, and holds up
 * nothing here.
 */
#ifndef HC_AGENT_LISTING_H
#define HC_AGENT_LISTING_H

#include "agent/parts.h"
#include "loop/child.h"

#define HC_LISTING_MAX ((size_t)64 << 20)

/* Once, also from hc_listing_start(). text ends with a newline; empty: it could not be made. It is
 * borrowed for the call, and the listing is free by then. */
typedef void hc_listing_done(void *self, struct hc_bytes text);

/* Embedded in its owner, who does not move it. Zeroed memory is none. All of it is private. */
struct hc_listing {
    struct hc_child child;
    const struct hc_parts *parts;
    int pid; /* of the agent */
    hc_listing_done *done;
    void *self;
};

void hc_listing_start(struct hc_listing *listing, const struct hc_parts *parts,
                      hc_listing_done *done, void *self);
bool hc_listing_is_running(const struct hc_listing *listing);
/* Nobody is told. Fine for one that does not run. */
void hc_listing_stop(struct hc_listing *listing);

#endif
