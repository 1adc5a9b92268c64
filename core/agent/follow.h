/*
 * Following the store: versions that other agents commit are published here too, and answers that
 * they present are answered by our servers too. An announcement (inotify) makes a scan come at
 * once; without one there is a scan now and then all the same.
 *
 * Hears STORE_OPENED, STORE_CLOSING and LINE_COMMITTED; raises LINES_CHANGED.
 */
#ifndef HC_AGENT_FOLLOW_H
#define HC_AGENT_FOLLOW_H

#include "agent/answers.h"

struct hc_follow;

/* All are borrowed. */
int hc_follow_new(const struct hc_env *env, struct hc_storage *storage, struct hc_answers *answers,
                  struct hc_follow **out, struct hc_error *err) HC_MUST_USE;
void hc_follow_free(struct hc_follow *follow); /* NULL is fine */

/* Reads answers and scans lines if there may be news; milliseconds until the next scan. */
int64_t hc_follow_run(struct hc_follow *follow);

#endif
