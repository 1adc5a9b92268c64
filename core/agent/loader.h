/*
 * The loader: fills the live table from the store and the watched files before a server has any
 * worker, with the rights of the agent's user, and confined as the agent is. It changes nothing but
 * the table, and asks no network. Without a table it only examines: the configuration test says the
 * same as the start would.
 * A start examines first; what it judged then is not judged again when the table is filled.
 */
#ifndef HC_AGENT_LOADER_H
#define HC_AGENT_LOADER_H

#include "agent/loader_options.h"

/*
 * 0: the server may start. What could not be loaded is an error in the log and starts on the
 * bootstrap certificate. -1: the start must be refused, since a watched host has nothing to
 * serve; err names both of its files and what is wrong.
 */
int hc_load(const struct hc_loader_options *options, struct hc_error *err) HC_MUST_USE;

#endif
