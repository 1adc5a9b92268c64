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

/* Does what the request asks for. The answer, the caller's, or NULL with err. */
json_t *hc_renew(const struct hc_parts *parts, const json_t *request,
                 struct hc_error *err) HC_MUST_USE;

#endif
