/*
 * hc_alias: the CNAME record that a DNAME record above a name makes for it (RFC 6672). It has no
 * signature of its own: the DNAME record has. Any thread.
 */
#ifndef HC_DNS_ALIAS_H
#define HC_DNS_ALIAS_H

#include "dns/set.h"

/* The DNAME record above the name, among the answers. False: there is none, and *out stays. */
bool hc_alias_dname(const struct hc_dns_reply *reply, const struct hc_dname *name,
                    struct hc_dns_set *out);

/* True if the CNAME record at the name is what this DNAME record makes of it. */
bool hc_alias_fits(const struct hc_dns_set *dname, const struct hc_dname *name);

#endif
