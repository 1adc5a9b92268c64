/*
 * Port: the certificate authority as the agent sees it. The one implementation is hc_acme, whose
 * functions have these signatures (acme/acme.h says what they promise); tests put a CA of their own
 * here. Called on the agent's one thread; nothing blocks.
 */
#ifndef HC_AGENT_AUTHORITY_H
#define HC_AGENT_AUTHORITY_H

#include "acme/acme.h"

struct hc_authority {
    int (*open)(const struct hc_acme_options *options, const struct hc_acme_account *account,
                struct hc_acme **out, struct hc_error *err);
    void (*close)(struct hc_acme *acme);
    const char *(*account_url)(const struct hc_acme *acme);
    int (*order)(struct hc_acme *acme, const struct hc_order_options *options,
                 struct hc_order **out, struct hc_error *err);
    void (*cancel)(struct hc_order *order);
    void (*leave)(struct hc_order *order);
    const char *(*activity)(const struct hc_order *order);
    bool (*waiting)(const struct hc_order *order);
};

extern const struct hc_authority hc_authority_acme;

#endif
