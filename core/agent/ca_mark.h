/* What about an issuer makes old failures meaningless when it changes, as a mark in its record. */
#ifndef HC_AGENT_CA_MARK_H
#define HC_AGENT_CA_MARK_H

#include "conf/conf.h"

void hc_ca_mark(const struct hc_conf *conf, const struct hc_issuer *issuer,
                char mark[2 * HC_ID_SIZE + 1]);

#endif
