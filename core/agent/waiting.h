/* What a client of `wait` waits for: that names, or all hosts, are served. */
#ifndef HC_AGENT_WAITING_H
#define HC_AGENT_WAITING_H

#include "agent/parts.h"
#include "conf/name.h"

#define HC_WAITING_TOLD 4 /* hosts that are named when it took too long */
#define HC_WAITING_TEXT (HC_WAITING_TOLD * (HC_NAME_SIZE + 100))

/* Zeroed memory waits for nothing. */
struct hc_waiting {
    bool all;
    struct hc_list names;
    size_t first; /* the identity that was not served the last time */
};

/* True if any host, or the certificate in any watched file, has the name. */
bool hc_waiting_is_known(const struct hc_parts *parts, const char *name);

/* True if all of it is served. Begins with what was not the last time. */
bool hc_waiting_advance(struct hc_waiting *w, const struct hc_parts *parts);

/* "nx.test (failed, next try 03:37:30Z), c.test (ordering) and 3 more" */
void hc_waiting_describe(const struct hc_waiting *w, const struct hc_parts *parts,
                         char dst[HC_WAITING_TEXT]);

void hc_waiting_dispose(struct hc_waiting *w);

#endif
