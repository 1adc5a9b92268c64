/*
 * The loader: fills the live table from the store and the watched files before a server has any
 * worker, with the rights of the agent's user, and confined as the agent is. It changes nothing but
 * the table, and asks no network. Without a table it only looks: the configuration test says the
 * same as the start would.
 */
#ifndef HC_AGENT_LOADER_H
#define HC_AGENT_LOADER_H

#include "base/log.h"
#include "base/time.h"
#include "keeper/keeper.h"
#include "live/table.h"

struct hc_loader_options {
    const struct hc_conf *conf;
    struct hc_table *table;      /* NULL: only look */
    int keeper;                  /* or -1: files are read with own rights */
    const unsigned char *secret; /* instead of the keeper's, or NULL */
    bool confine;                /* the process for good (agent/confine.h); only with a keeper */
    const struct hc_clock *clock;
    const struct hc_log *log;
};

/*
 * 0: the server may start. What could not be loaded is an error in the log and starts on the
 * bootstrap certificate. -1: the start must be refused, since a watched host has nothing to
 * serve; err names both of its files and what is wrong.
 */
int hc_load(const struct hc_loader_options *options, struct hc_error *err) HC_MUST_USE;

#endif
