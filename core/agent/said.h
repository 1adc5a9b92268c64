/*
 * What the parts of the agent say: one line for each state, however often it is met, and
 * identities by the names that people know.
 */
#ifndef HC_AGENT_SAID_H
#define HC_AGENT_SAID_H

#include "base/log.h"
#include "conf/conf.h"

/* Remembers what was said, so that one state makes one line. 0: nothing. */
typedef uint64_t hc_said;

/* A number that tells texts apart; never 0. */
hc_said hc_text_hash(const char *text);

/* Logs the error unless it was the last thing said there. True if it was new. */
bool hc_say_once(const struct hc_log *log, hc_said *said, enum hc_level level, const char *prefix,
                 const struct hc_error *err);

/* "a.example, b.example and 3 more": an identity as a log line names it. */
#define HC_SUBJECT 160
const char *hc_identity_subject(const struct hc_identity *identity, char dst[HC_SUBJECT]);

#endif
