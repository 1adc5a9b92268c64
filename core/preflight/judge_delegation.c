/* Whether a challenge record leads to our own DNS server, and what lacks; see judge.h. */
#include <stdio.h>
#include <string.h>

#include "dns/respond.h"
#include "preflight/judge.h"

#define RECORDS 2048 /* a message shows less */

/* Where a lookup leads: its name, or the end of the CNAMEs. */
static const struct hc_dname *end_of(const struct hc_lookup *lookup)
{
    return lookup->view != NULL ? &lookup->view->end : &lookup->name;
}

/* The SOA of the zone that it leads to is one that our responder makes, for a zone of ours. */
static bool is_ours(const struct hc_lookup *lookup, const struct hc_dns_domain *domain)
{
    const struct hc_dns_record *soa =
        lookup->view != NULL ? hc_dns_reply_soa(&lookup->view->reply, end_of(lookup)) : NULL;
    struct hc_dname apex;

    return soa != NULL && hc_dns_domain_find(domain, end_of(lookup), &apex) &&
           hc_dname_equal(soa->owner, &apex) && hc_dns_soa_is_responders(soa->data, soa->len);
}

bool hc_judge_leads_to_responder(const struct hc_delegation *delegation,
                                 const struct hc_dns_domain *domain)
{
    return is_ours(delegation->label_soa, domain);
}

/* ---- the records to add ---- */

/* NS records for a zone, and the addresses of servers that have a name in it. */
static void append_delegation(char *dst, size_t cap, const struct hc_dns_domain *domain,
                              const struct hc_dname *zone)
{
    char owner[HC_DNAME_TEXT];
    char server[HC_DNAME_TEXT];
    size_t used = strlen(dst);

    for (size_t i = 0; i < domain->ns_count && used < cap; i++) {
        const struct hc_dns_ns *ns = &domain->ns[i];

        used += (size_t)snprintf(dst + used, cap - used, "%s%.255s 300 IN NS %.255s",
                                 used > 0 ? " and " : "", hc_dname_format(zone, owner),
                                 hc_dname_format(&ns->name, server));
        for (size_t k = 0; k < ns->count && used < cap && hc_dname_is_within(&ns->name, zone);
             k++) {
            char address[HC_ADDRESS_TEXT];

            used += (size_t)snprintf(dst + used, cap - used, " and %.255s 300 IN %s %s", server,
                                     ns->addresses[k].ipv6 ? "AAAA" : "A",
                                     hc_address_format(&ns->addresses[k], address));
        }
    }
}

/* What has to stand at the label. */
static void append_record(char *dst, size_t cap, const struct hc_name_judge *judge,
                          const struct hc_dns_domain *domain, const struct hc_dname *label)
{
    char owner[HC_DNAME_TEXT];
    char zone[HC_DNAME_TEXT];

    if (domain->one) {
        (void)snprintf(dst, cap, "%.255s 300 IN CNAME %.255s.%.255s", hc_dname_format(label, owner),
                       judge->host, hc_dname_format(&domain->zone, zone));
    } else {
        append_delegation(dst, cap, domain, label);
    }
}

/* ---- what is wrong ---- */

static enum hc_judge_effect effect_of(bool alone)
{
    return alone ? HC_JUDGE_BLOCK : HC_JUDGE_NOTHING;
}

/* Nobody answers for it, or with SERVFAIL: the way from the delegation to us is broken. */
static void judge_silence(struct hc_name_judge *judge, const struct hc_dns_domain *domain,
                          const struct hc_lookup *lookup, bool alone)
{
    char records[RECORDS] = "";
    char name[HC_DNAME_TEXT];
    struct hc_error why;

    hc_kept_error_get(&lookup->error, &why);
    hc_judge_note(judge, HC_P_DNS_DELEGATION_SILENT, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING,
                  "%s: %s", hc_dname_format(&lookup->name, name), why.detail);
    append_delegation(records, sizeof(records), domain,
                      domain->one ? &domain->zone : &lookup->name);
    hc_judge_hint(judge,
                  "if it is delegated (%.1000s), let port 53 (UDP and TCP) of that name server "
                  "reach an address of hotcert_dns_listen",
                  records);
}

/* True if the responder's one zone is known not to lead to us. */
static bool zone_lacks(const struct hc_dns_domain *domain, const struct hc_lookup *zone)
{
    return zone != NULL && zone->kind != HC_LOOKUP_FAILED &&
           zone->kind != HC_LOOKUP_DNSSEC_BROKEN && !is_ours(zone, domain);
}

static void judge_records(struct hc_name_judge *judge, const struct hc_dns_domain *domain,
                          const struct hc_delegation *d, bool alone)
{
    const struct hc_dname *end = end_of(d->label_soa);
    bool alias = !hc_dname_equal(end, &d->label);
    bool lacks = zone_lacks(domain, d->zone_soa);
    struct hc_dname apex;
    bool good = lacks && hc_dns_domain_find(domain, end, &apex); /* the CNAME record is */
    char records[RECORDS] = "";
    char label[HC_DNAME_TEXT];
    char target[HC_DNAME_TEXT];
    char zone[HC_DNAME_TEXT];

    hc_dname_format(&d->label, label);
    hc_dname_format(&domain->zone, zone);
    if (good) {
        hc_judge_note(judge, HC_P_DNS_NOT_DELEGATED, effect_of(alone),
                      "the zone %s is not delegated to it", zone);
    } else if (alias) {
        hc_judge_note(judge, HC_P_DNS_NOT_DELEGATED, effect_of(alone),
                      "%s is an alias of %s, for which it does not answer", label,
                      hc_dname_format(end, target));
    } else {
        hc_judge_note(judge, HC_P_DNS_NOT_DELEGATED, effect_of(alone),
                      "%s has no record of it%s%s%s", label, lacks ? ", and the zone " : "",
                      lacks ? zone : "", lacks ? " is not delegated to it" : "");
    }
    if (!good) {
        append_record(records, sizeof(records), judge, domain, &d->label);
    }
    if (lacks) {
        append_delegation(records, sizeof(records), domain, &domain->zone);
    }
    hc_judge_hint(judge, "%s: %.1500s", alias && !good ? "replace the CNAME record; add" : "add",
                  records);
}

void hc_judge_delegation(struct hc_name_judge *judge, const struct hc_dns_domain *domain,
                         const struct hc_delegation *d, bool alone)
{
    const struct hc_lookup *lookup = d->label_soa;
    char name[HC_DNAME_TEXT];

    hc_dname_format(&d->label, name);
    if (is_ours(lookup, domain)) {
        hc_judge_seen(judge, "%s: hotcert's DNS server answers", name);
        return;
    }
    if (lookup->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        hc_judge_broken(judge, lookup, alone ? HC_JUDGE_FAIL : HC_JUDGE_NOTHING);
        hc_judge_hint(judge, "hotcert's DNS server does not sign its zone: remove the DS record "
                             "from the parent zone");
        return;
    }
    if (lookup->kind == HC_LOOKUP_FAILED || lookup->view == NULL) {
        judge_silence(judge, domain, lookup, alone);
        return;
    }
    judge_records(judge, domain, d, alone);
}
