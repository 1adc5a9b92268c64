/*
 * The DNS responder: answers at the sockets that the server has bound and handed over, with the
 * texts that the answers' part holds, so that every server on the store gives the same. It begins
 * once the store was read: until then what is asked waits in the kernel, so that no agent that was
 * just started denies what the one before it has laid out. It raises no event and hears none.
 */
#ifndef HC_AGENT_RESPONDER_H
#define HC_AGENT_RESPONDER_H

#include "agent/answers.h"
#include "dns/domain.h"
#include "dns/service.h"

struct hc_responder;

/* Borrowed; all outlive it. */
struct hc_responder_options {
    const struct hc_env *env;
    const struct hc_answers *answers;
    const int *sockets; /* bound, and for TCP listening */
    size_t count;
};

int hc_responder_new(const struct hc_responder_options *options, struct hc_responder **out,
                     struct hc_error *err) HC_MUST_USE;
void hc_responder_free(struct hc_responder *responder);

/* What it answers for; NULL: the configuration has no DNS server of ours. Valid as long as this. */
const struct hc_dns_domain *hc_responder_domain(const struct hc_responder *responder);

/* What it was asked; NULL: no socket is ours to answer at. Valid as long as this. */
const struct hc_dns_counts *hc_responder_counts(const struct hc_responder *responder);

/* What its timer calls: begins as soon as it can; milliseconds until the next call, -1: never. */
int64_t hc_responder_run(struct hc_responder *responder);

#endif
