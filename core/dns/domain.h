/*
 * hc_dns_domain: what our responder is authoritative for. Either one zone, to which CNAME records
 * lead, or a zone "_acme-challenge.NAME" for each of many names. Read only once it is made.
 */
#ifndef HC_DNS_DOMAIN_H
#define HC_DNS_DOMAIN_H

#include "base/address.h"
#include "base/str.h"
#include "conf/conf.h"
#include "dns/dname.h"

#define HC_DNS_LABEL "_acme-challenge" /* RFC 8555 section 8.4 */

/* A name server of the zones, and its addresses if it has a name in one of them. */
struct hc_dns_ns {
    struct hc_dname name;
    struct hc_address addresses[HC_DNS_NS_ADDRESS_MAX];
    size_t count;
};

struct hc_dns_domain {
    bool one;             /* there is one zone .. */
    struct hc_dname zone; /* .. which is this */
    const char **names;   /* else of these; in one zone those that it has; sorted, borrowed */
    size_t name_count;
    struct hc_dns_ns ns[HC_DNS_NS_MAX];
    size_t ns_count;
    bool ns_guessed; /* nobody said which there are */
};

/* A zone; *out is the caller's to dispose. */
int hc_dns_domain_of_zone(const char *zone, struct hc_dns_domain *out,
                          struct hc_error *err) HC_MUST_USE;
/* Zones of names, which are taken (of wildcards what stands behind "*."); the texts are borrowed.
 */
void hc_dns_domain_of_names(const char **take_names, size_t count, struct hc_dns_domain *out);
/*
 * Names below the one zone that exist, if only without data, "example.org" for the name that a
 * CNAME record of that host's leads to: a resolver that was told that a name does not exist
 * believes it of all types. names are taken; the texts are borrowed.
 */
void hc_dns_domain_know(struct hc_dns_domain *domain, const char **take_names, size_t count);
/*
 * The name servers: each name with its addresses behind it. Without any, who_else is the only one.
 * HC_P_BAD_VALUE: no name comes first, there are too many, or a name in the zones has no address.
 */
int hc_dns_domain_serve(struct hc_dns_domain *domain, const struct hc_list *servers,
                        const char *who_else, struct hc_error *err) HC_MUST_USE;
/*
 * What hotcert_dns_listen, hotcert_dns_zone and hotcert_dns_ns say: the one zone, or zones of all
 * names that are ordered. Borrows the configuration.
 */
int hc_dns_domain_of_conf(const struct hc_conf *conf, struct hc_dns_domain *out,
                          struct hc_error *err) HC_MUST_USE;
void hc_dns_domain_dispose(struct hc_dns_domain *domain);

/* The zone that name lies in. False: in none. */
bool hc_dns_domain_find(const struct hc_dns_domain *domain, const struct hc_dname *name,
                        struct hc_dname *apex);
/* True for one of those, and what stands above one. */
bool hc_dns_domain_knows(const struct hc_dns_domain *domain, const struct hc_dname *name);
/* The name server of this name, or NULL. */
const struct hc_dns_ns *hc_dns_domain_ns(const struct hc_dns_domain *domain,
                                         const struct hc_dname *name);
/* True if one stands below this name. */
bool hc_dns_domain_has_ns_below(const struct hc_dns_domain *domain, const struct hc_dname *name);

#endif
