/* The CA by ACME; see authority.h. */
#include "agent/authority.h"

const struct hc_authority hc_authority_acme = {
    .open = hc_acme_new,
    .close = hc_acme_free,
    .account_url = hc_acme_account_url,
    .order = hc_order_start,
    .cancel = hc_order_free,
    .leave = hc_order_leave,
    .activity = hc_order_activity,
    .waiting = hc_order_waiting,
};
