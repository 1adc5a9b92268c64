/*
 * Asks the CAs when they want certificates renewed (RFC 9773), at the CAs' pace, and tells the
 * jobs. A CA without renewal information, or one that fails to give it, costs nothing: the agent's
 * own rule decides then.
 *
 * Hears STORE_OPENED, STORE_CLOSING, LINE_COMMITTED, LINE_FOUND, LINES_CHANGED and CLOCK_SET;
 * raises CA_CHANGED when a job may be due at another time than before.
 */
#ifndef HC_AGENT_WINDOWS_H
#define HC_AGENT_WINDOWS_H

#include "agent/window_ask.h"

struct hc_windows;

int hc_windows_new(const struct hc_windows_options *options, struct hc_windows **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_windows_free(struct hc_windows *windows); /* NULL is fine */

/* By its own timer: reads and asks what is due, a portion at a time; milliseconds until the next,
 * -1: none. */
int64_t hc_windows_run(struct hc_windows *windows);

#endif
