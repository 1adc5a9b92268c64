/* The place for one answer; see slot.h. */
#include "dns/slot.h"

#include <string.h>

static void fill(void *arg, const struct hc_dns_reply *reply, const struct hc_dns_server *from,
                 const struct hc_error *err)
{
    struct hc_dns_slot *slot = arg;
    const struct hc_dns_slot_owner *owner = slot->owner;
    struct hc_error copying;

    hc_error_init(&copying);
    slot->id = 0;
    slot->state = HC_DNS_SLOT_FAILED;
    if (reply == NULL) {
        hc_kept_error_set(&slot->error, err);
    } else if (hc_dns_reply_copy(reply, &slot->reply, &copying) == 0) {
        slot->from = *from;
        slot->state = HC_DNS_SLOT_REPLY;
    } else {
        hc_kept_error_set(&slot->error, &copying);
    }
    owner->wake(owner->self); /* may free the slot */
}

void hc_dns_slot_ask(struct hc_dns_slot *slot, const struct hc_dns_slot_owner *owner,
                     const struct hc_dns_ask *ask)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_dns_slot_dispose(slot);
    slot->owner = owner;
    slot->state = HC_DNS_SLOT_PENDING;
    if (owner->dns->ask(owner->dns->self, ask, fill, slot, &slot->id, &err) != 0) {
        hc_kept_error_set(&slot->error, &err);
        slot->state = HC_DNS_SLOT_FAILED;
    }
}

bool hc_dns_slot_settled(const struct hc_dns_slot *slot)
{
    return slot->state != HC_DNS_SLOT_PENDING;
}

void hc_dns_slot_dispose(struct hc_dns_slot *slot)
{
    if (slot->state == HC_DNS_SLOT_PENDING) {
        slot->owner->dns->cancel(slot->owner->dns->self, slot->id);
    }
    hc_dns_reply_dispose(&slot->reply);
    hc_kept_error_dispose(&slot->error);
    memset(slot, 0, sizeof(*slot));
}
