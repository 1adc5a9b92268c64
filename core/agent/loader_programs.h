/* At a test or start: can the agent's user run the programs that write DNS records? See loader.h.
 */
#ifndef HC_AGENT_LOADER_PROGRAMS_H
#define HC_AGENT_LOADER_PROGRAMS_H

#include "agent/loader_options.h"

/*
 * Warns of each `program` and `cleanup` of a hotcert_dns that this process, which has the rights of
 * the agent's user, cannot run. It refuses nothing: a site serves on, and the file may be fixed
 * before it is needed.
 */
void hc_load_check_programs(const struct hc_loader_options *options);

#endif
