/*
 * A record that was meant for a label, and stands elsewhere: a panel that appends the zone made
 * "_acme-challenge.example.org.example.org" of it, or it was written at the name itself. Asked
 * for where the record itself is missing. Nobody else asks for these: no CA meets with a resolver
 * that remembers that they do not exist.
 */
#ifndef HC_PREFLIGHT_MISPLACED_H
#define HC_PREFLIGHT_MISPLACED_H

#include "preflight/lookup.h"

/* Of one label of one name. Zeroed: nothing is asked. */
struct hc_misplaced {
    bool asked;
    struct hc_dname label;              /* where it belongs: "_acme-challenge" of the host */
    struct hc_dname zone;               /* that this stands in */
    const struct hc_lookup *doubled;    /* TXT (or an alias) at label and zone; or NULL */
    const struct hc_lookup *beside;     /* TXT at a label beside it that nobody made; or NULL */
    const struct hc_lookup *unlabelled; /* TXT at the host; or NULL */
};

/* Asks. A label that is a zone of its own has no zone that could be appended. */
void hc_misplaced_begin(struct hc_misplaced *misplaced, struct hc_lookups *lookups,
                        const struct hc_dname *label, const struct hc_dname *host,
                        const struct hc_dname *zone);
bool hc_misplaced_complete(const struct hc_misplaced *misplaced);

/* What stands at the doubled name, in presentation form: a TXT record for which is_meant says yes,
 * or an alias with where it leads. False: nothing does, or only what a wildcard of the zone gives
 * for every name. */
bool hc_misplaced_doubled(const struct hc_misplaced *misplaced,
                          bool (*is_meant)(const struct hc_dns_record *record),
                          char text[HC_DNS_RECORD_TEXT]);
/* The TXT record at the host, behind *at (from 0 on), for which is_meant says yes; NULL: none. */
const struct hc_dns_record *
hc_misplaced_unlabelled(const struct hc_misplaced *misplaced,
                        bool (*is_meant)(const struct hc_dns_record *record), size_t *at);

/* What an ACME client writes for a challenge looks like this: 32 bytes in base64url .. */
bool hc_record_is_challenge(const struct hc_dns_record *record);
/* .. and this what an operator adds once for all: it names an account. */
bool hc_record_is_standing(const struct hc_dns_record *record);

#endif
