/* What the ldns at hand was built with. */
#ifndef HC_DNS_LDNS_COMPAT_H
#define HC_DNS_LDNS_COMPAT_H

#include <ldns/ldns.h>

#if LDNS_BUILD_CONFIG_USE_ED25519
#define HC_LDNS_ED25519 true
#else
#define HC_LDNS_ED25519 false
#endif

#if LDNS_BUILD_CONFIG_USE_ED448
#define HC_LDNS_ED448 true
#else
#define HC_LDNS_ED448 false
#endif

#endif
