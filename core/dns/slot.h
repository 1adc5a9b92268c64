/*
 * hc_dns_slot: the place for one question's answer. The DNS port's callback only fills it and wakes
 * its owner; whoever waits for it looks at its state. So nothing is called from within anything.
 */
#ifndef HC_DNS_SLOT_H
#define HC_DNS_SLOT_H

#include "base/kept_error.h"
#include "dns/resolver.h"

enum hc_dns_slot_state {
    HC_DNS_SLOT_IDLE,
    HC_DNS_SLOT_PENDING,
    HC_DNS_SLOT_REPLY,
    HC_DNS_SLOT_FAILED
};

/* Who is to be told that a slot was filled: once for each, last thing in the callback. */
struct hc_dns_slot_owner {
    const struct hc_dns_port *dns;
    void (*wake)(void *self);
    void *self;
};

/* Zeroed memory is an idle slot. Does not move while pending. */
struct hc_dns_slot {
    enum hc_dns_slot_state state;
    const struct hc_dns_slot_owner *owner;
    uint64_t id;
    struct hc_dns_reply reply; /* HC_DNS_SLOT_REPLY */
    struct hc_dns_server from;
    struct hc_kept_error error; /* HC_DNS_SLOT_FAILED */
};

/* Asks; what the slot held before is gone. If asking itself fails, the slot is HC_DNS_SLOT_FAILED.
 */
void hc_dns_slot_ask(struct hc_dns_slot *slot, const struct hc_dns_slot_owner *owner,
                     const struct hc_dns_ask *ask);

/* True unless it is pending. */
bool hc_dns_slot_settled(const struct hc_dns_slot *slot);

/* Cancels what is pending, forgets what is there. */
void hc_dns_slot_dispose(struct hc_dns_slot *slot);

#endif
