/* What about an issuer makes old failures meaningless when it changes, as a mark in its record. */
#ifndef HC_AGENT_CA_MARK_H
#define HC_AGENT_CA_MARK_H

#include "agent/env.h"
#include "agent/issuer_record.h"

void hc_ca_mark(const struct hc_conf *conf, const struct hc_issuer *issuer,
                char mark[2 * HC_ID_SIZE + 1]);

/*
 * True if the settings are others than those that the record is of, and what failed under those may
 * be tried at once: a few times an hour, and then the log says how long it waits. Notes them.
 */
bool hc_ca_mark_changed(const struct hc_env *env, const struct hc_issuer *issuer,
                        struct hc_issuer_record *record);

#endif
