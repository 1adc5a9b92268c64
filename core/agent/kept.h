/*
 * What DNS writers have to know again after a restart, and what every agent on the store shares:
 * records of kind "writer", sealed. A port that solve/writer.h defines.
 */
#ifndef HC_AGENT_KEPT_H
#define HC_AGENT_KEPT_H

#include "agent/storage.h"
#include "solve/writer.h"

/* The port's own memory is *out. storage is borrowed. */
void hc_kept_port_init(struct hc_storage *storage, struct hc_keep_port *out);
/* Of a store that is opened for reading: nothing can be put. */
void hc_kept_port_of_store(struct hc_store *store, struct hc_keep_port *out);

#endif
