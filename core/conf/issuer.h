/* What an issuer's block says about the addresses that it deals with. Any thread. */
#ifndef HC_CONF_ISSUER_H
#define HC_CONF_ISSUER_H

#include "conf/conf.h"

/*
 * True if the issuer is known to stand inside of this network: `network private`, or a directory
 * whose URL has a reserved address. A name in that URL is not looked up here.
 */
bool hc_issuer_is_inside(const struct hc_issuer *issuer);

/*
 * Why this IP address is not ordered from this issuer, in words that follow "it is an IP address,
 * and"; NULL: it is. asked_for: hotcert_names lists it.
 */
const char *hc_issuer_refuses_address(const struct hc_issuer *issuer, const char *address,
                                      bool asked_for);

/* Settings that contradict each other, before defaults are filled in. HC_P_CONFLICT. */
int hc_issuer_check(const struct hc_issuer *issuer, struct hc_error *err) HC_MUST_USE;

const struct hc_issuer *hc_conf_issuer(const struct hc_conf *conf, const char *name);

#define HC_PROFILE_REQUIRED "required"

/* The profile for orders at this issuer: the host's, else its block's. Empty: none. */
const struct hc_list *hc_issuer_profile(const struct hc_issuer *issuer, const struct hc_scope *set);
#define HC_PROFILE_TEXT 128 /* bytes for it as text */
/* As one text: NAME, or "NAME required" of a host that takes no other; "": none. */
char *hc_issuer_profile_text(const struct hc_issuer *issuer, const struct hc_scope *set,
                             char dst[HC_PROFILE_TEXT]);

/* The methods for orders at this issuer: its own where its block names any, else the host's. */
const struct hc_list *hc_issuer_methods(const struct hc_issuer *issuer, const struct hc_scope *set);

#endif
