/* At a test or start: can the files be used that writers' secrets are in? See loader.h. */
#ifndef HC_AGENT_LOADER_SECRETS_H
#define HC_AGENT_LOADER_SECRETS_H

#include "agent/loader_options.h"
#include "keeper/keeper.h"

/*
 * Warns of each file of a hotcert_dns that is missing, or that others than root can read. It
 * refuses nothing: a site serves on, and the file may be fixed before it is needed.
 */
void hc_load_check_secrets(const struct hc_loader_options *options,
                           struct hc_keeper_client *keeper);

#endif
