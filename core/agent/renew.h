/* `renew` of the control socket; what is asked and answered: control.c. */
#ifndef HC_AGENT_RENEW_H
#define HC_AGENT_RENEW_H

#include <jansson.h>

#include "agent/parts.h"

struct hc_job;

/*
 * The operator asked for it: forgets failures (four times an hour, since CAs count failed
 * validations; a try that reached no CA is not one of them), may force an order. False if the four
 * are used up.
 */
bool hc_job_renew(const struct hc_parts *parts, struct hc_job *job, bool force);

/* One request: orders are begun at once, checks of watched files take their time. */
struct hc_renewal;

/* Does what the request asks for. */
int hc_renewal_new(const struct hc_parts *parts, const json_t *request, struct hc_renewal **out,
                   struct hc_error *err) HC_MUST_USE;
/* False while checks that it asked for are under way. */
bool hc_renewal_is_ready(const struct hc_renewal *renewal);
/* The answer, the caller's, with what is known of the files now. NULL: no memory. */
json_t *hc_renewal_answer(struct hc_renewal *renewal);
void hc_renewal_free(struct hc_renewal *renewal); /* NULL is fine */

#endif
