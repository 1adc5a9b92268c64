/*
 * Who connects to the control socket. The agent asks the kernel (SO_PEERCRED) before it gives
 * anybody a place: a user who may ask nothing is told so and sent away at once, so that he cannot
 * hold the places of those who may.
 */
#ifndef HC_AGENT_CALLER_H
#define HC_AGENT_CALLER_H

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"

/* Root may ask everything; the agent's own user may ask. */
bool hc_caller_may_ask(uid_t uid);

#define HC_CALLER_NONE    (-1) /* nobody waits */
#define HC_CALLER_REFUSED (-2) /* somebody came and was sent away */
/*
 * Takes one connection from a listening socket, without waiting. The descriptor (non-blocking,
 * close-on-exec, the caller's) of somebody who may ask, with *uid; or one of the above.
 */
int hc_caller_accept(int control, uid_t *uid) HC_MUST_USE;

/* The reply that refuses: slug, parts and line of an error. The caller's; NULL without memory. */
json_t *hc_caller_refusal(enum hc_problem p, const char *subject, const char *detail);

#endif
