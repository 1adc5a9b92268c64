/* The answers to challenges that the store has, brought to the table before there is an agent. */
#ifndef HC_AGENT_LOADER_ANSWERS_H
#define HC_AGENT_LOADER_ANSWERS_H

#include "agent/loader_options.h"
#include "store/store.h"

/* store may be NULL. What cannot be brought is an error in the log. */
void hc_load_answers(const struct hc_loader_options *options, struct hc_store *store);

#endif
