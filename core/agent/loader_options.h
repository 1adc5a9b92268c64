/* What a loader is given (loader.h). All borrowed. */
#ifndef HC_AGENT_LOADER_OPTIONS_H
#define HC_AGENT_LOADER_OPTIONS_H

#include "base/log.h"
#include "base/time.h"
#include "keeper/keeper.h"
#include "live/table.h"

struct hc_loader_options {
    const struct hc_conf *conf;
    struct hc_table *table; /* NULL: only examine */
    int keeper;             /* or -1: files are read with own rights */
    int prior; /* what the examination of a start finds, for its loader (agent/prior.h); or -1 */
    const unsigned char *secret; /* instead of the keeper's, or NULL */
    bool confine;                /* the process for good (agent/confine.h); only with a keeper */
    const struct hc_clock *clock;
    const struct hc_log *log;
};

#endif
