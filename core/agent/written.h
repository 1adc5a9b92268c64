/*
 * What stands in other people's DNS because this agent wrote it (solve/txts.h): a record of kind
 * "written" for each value, from before it is written until it was removed. So an agent that was
 * killed leaves nothing there for good: the next one removes what its order does not want again.
 *
 * Hears STORE_OPENED.
 */
#ifndef HC_AGENT_WRITTEN_H
#define HC_AGENT_WRITTEN_H

#include "agent/env.h"
#include "agent/storage.h"
#include "solve/txts.h"

struct hc_written;

int hc_written_new(const struct hc_env *env, struct hc_storage *storage, struct hc_written **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_written_free(struct hc_written *written); /* NULL is fine */

/* Valid as long as this. */
const struct hc_written_port *hc_written_port(struct hc_written *written);

#endif
