/*
 * hc_links: from the trust anchor down to the keys of the zone that a name is in, by way of the
 * resolvers (RFC 4035 section 5.1): a link for each name on the way. Keys are known for as long as
 * one look at names takes, and no longer. Stepped; see slot.h.
 */
#ifndef HC_DNS_LINKS_H
#define HC_DNS_LINKS_H

#include "base/time.h"
#include "dns/anchors.h"
#include "dns/denial.h"
#include "dns/slot.h"

#define HC_LINKS_MOST 4000 /* names on the way to all names of one look */
#define HC_LINKS_ASK_MS                                                                            \
    5000                  /* for one question: who is silent on DNSSEC delays no order for long */
#define HC_LINKS_TRIES 32 /* signatures that are tried in one go: about 5 ms */

enum hc_link_stage {
    HC_LINK_PARENT, /* the name above is not known yet */
    HC_LINK_DS,     /* is there a DS record? */
    HC_LINK_KEYS,   /* the keys of the zone that begins here */
    HC_LINK_SETTLED,
};

struct hc_link {
    struct hc_link *next;
    struct hc_dname name;
    const struct hc_link *parent; /* NULL: the root, or a name that an anchor is for */
    const struct hc_link *zone;   /* SECURE: the one whose keys sign what is at this name */
    enum hc_link_stage stage;
    enum hc_dnssec state;
    bool at_top;         /* UNCHECKED: it is the anchor or the resolver, whatever name is asked */
    struct hc_keys keys; /* SECURE, and a zone begins here */
    struct hc_kept_error why;  /* BOGUS, UNCHECKED */
    struct hc_dns_reply trust; /* its DS records, verified */
    struct hc_dns_slot slot;
};

struct hc_links {
    const struct hc_dns_slot_owner *owner;
    const struct hc_anchors *anchors; /* outlives it */
    const struct hc_clock *clock;
    int64_t deadline_ms;
    struct hc_link *first;
    struct hc_link **tail;
    size_t count;
    struct hc_dnssec_work work;
    bool more;         /* there is work that waits for the next pass */
    unsigned good;     /* zones whose signatures are valid now */
    unsigned untimely; /* .. and those that are not, or not any more */
};

/* owner and clock outlive it. Zeroed memory is fine to dispose. */
void hc_links_init(struct hc_links *links, const struct hc_dns_slot_owner *owner,
                   const struct hc_anchors *anchors, const struct hc_clock *clock,
                   int64_t deadline_ms);
void hc_links_dispose(struct hc_links *links);

/* The link of this name, begun if it is not there; NULL: no memory, or too many; err says it. */
const struct hc_link *hc_links_find(struct hc_links *links, const struct hc_dname *name,
                                    struct hc_error *err);

/* A new pass begins: there may be work again. */
void hc_links_begin_pass(struct hc_links *links);
/* True if this pass has done enough; there is more to do then. */
bool hc_links_rest(struct hc_links *links);

/* Goes on; true if anything changed. */
bool hc_links_step(struct hc_links *links);

/* Adds the hint that the clock may be wrong, if it is mostly times that do not fit. */
void hc_links_hint_clock(const struct hc_links *links, struct hc_error *err);

#endif
