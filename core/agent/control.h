/* The socket that `hotcert list|renew|wait` talk to. */
#ifndef HC_AGENT_CONTROL_H
#define HC_AGENT_CONTROL_H

#include "agent/parts.h"

struct hc_control;

/* fd: a listening socket, or -1. All is borrowed. */
int hc_control_new(const struct hc_parts *parts, int fd, struct hc_control **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_control_free(struct hc_control *control); /* NULL is fine */

/* By its own timer, sooner after events: answers those that wait; milliseconds until one of them
 * has waited long enough, -1: none. */
int64_t hc_control_run(struct hc_control *control);

#endif
