/*
 * Orders under way. One order: lock of the line, what the store knows by now, the order with its
 * challenges, the pair, the commit, the publication. Killed at any point, the next agent goes on
 * from the state that was stored before the step that depended on it.
 *
 * Hears STORE_CLOSING (orders end, to be resumed) and STORE_READY. Raises ORDER_OBTAINED and
 * ORDER_FAILED, and ORDER_ENDED when one ends without a certificate or was not needed.
 */
#ifndef HC_AGENT_OBTAINS_H
#define HC_AGENT_OBTAINS_H

#include "agent/obtain.h"

int hc_obtains_new(const struct hc_obtain_env *options, struct hc_obtains **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_obtains_free(struct hc_obtains *obtains); /* NULL is fine */

/* Starts an order for the job at ca. What goes wrong is logged and counted. */
void hc_obtains_start(struct hc_obtains *obtains, struct hc_job *job, struct hc_ca *ca);
/* Tries again to commit what could not be committed. By its own timer, at STORE_READY. */
void hc_obtains_run(struct hc_obtains *obtains);
/* Those under way that do not only wait for a time that the CA named, or for the disk. */
int64_t hc_obtains_active(const struct hc_obtains *obtains);
size_t hc_obtains_count(const struct hc_obtains *obtains);
/* For `list`: what the order for this job is doing; NULL: there is none. */
const char *hc_obtains_activity(const struct hc_obtains *obtains, const struct hc_job *job);

#endif
