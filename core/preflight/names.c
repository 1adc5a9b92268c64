/* What DNS says of each name of an order, and what that means for it; see internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conf/method.h"
#include "preflight/internal.h"
#include "preflight/judge.h"

#define CLIMB_MAX 16 /* owners above a name that CAA is asked for; no name has as many */

const struct hc_lookup *hc_preflight_lookup(struct hc_preflight *p, const struct hc_dname *name,
                                            enum hc_dns_type type, bool direct)
{
    return hc_lookups_ask(p->lookups, name, type, direct, &p->error);
}

/* Whose the name is; of a top-level domain that no list has, whether the DNS has it. */
static void begin_suffix(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    struct hc_dname top = n->dname;

    n->suffix = hc_suffixes_find(p->suffixes, n->host);
    if (n->suffix != HC_SUFFIX_UNKNOWN || p->private_network) {
        return;
    }
    while (hc_dname_labels(&top) > 1 && hc_dname_climb(&top)) {
    }
    n->top = hc_preflight_lookup(p, &top, HC_DNS_SOA, false);
}

void hc_preflight_begin_name(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    if (n->ip) {
        n->caa_complete = true; /* RFC 8738 section 7: CAA is not for addresses */
        return;
    }
    begin_suffix(p, n);
    if (p->wants_address) {
        n->a = hc_preflight_lookup(p, &n->dname, HC_DNS_A, true);
        n->aaaa = hc_preflight_lookup(p, &n->dname, HC_DNS_AAAA, false);
    }
    hc_preflight_begin_records(p, n);
    n->caa_complete = p->caa_domains.count == 0;
    if (!n->caa_complete) {
        n->caa = n->caa_first = hc_preflight_lookup(p, &n->dname, HC_DNS_CAA, true);
    }
}

/* RFC 8659 section 3: up to, not including, the root; the first set that is not empty decides. */
bool hc_preflight_climb(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    struct hc_dname parent;

    if (n->caa_complete || n->caa == NULL || !n->caa->complete) {
        return false;
    }
    parent = n->caa->name;
    if ((n->caa->kind != HC_LOOKUP_NO_DATA && n->caa->kind != HC_LOOKUP_NO_NAME &&
         n->caa->kind != HC_LOOKUP_DANGLING) ||
        ++n->climbed > CLIMB_MAX || !hc_dname_climb(&parent) || hc_dname_is_root(&parent)) {
        n->caa_complete = true;
        return true;
    }
    n->caa = hc_preflight_lookup(p, &parent, HC_DNS_CAA, true);
    n->caa_complete = n->caa == NULL;
    return true;
}

bool hc_preflight_stop_validating(struct hc_preflight *p)
{
    bool stops = p->anchors != NULL && p->private_network && !p->anchors->named &&
                 hc_lookups_stop_validating(p->lookups);

    for (size_t i = 0; stops && i < p->count; i++) {
        struct hc_preflight_sight *n = &p->names[i];

        n->caa_complete = n->caa_complete && (n->caa == NULL || n->caa->complete);
    }
    return stops;
}

static bool complete(const struct hc_lookup *lookup)
{
    return lookup == NULL || lookup->complete;
}

bool hc_preflight_lookups_settled(const struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct hc_preflight_sight *n = &p->names[i];

        if (!complete(n->a) || !complete(n->aaaa) || !complete(n->top) || !n->caa_complete ||
            !hc_preflight_records_settled(n)) {
            return false;
        }
    }
    return complete(p->directory_a) && complete(p->directory_aaaa);
}

/* dns-01 alone: a name needs no address, not even to exist. */
static void judge_without_address(struct hc_name_judge *judge, const struct hc_preflight_sight *n)
{
    char name[HC_DNAME_TEXT];

    if (n->caa_first != NULL && n->caa_first->kind == HC_LOOKUP_NO_NAME) {
        hc_judge_note(judge, HC_P_DNS_NO_SUCH_NAME, HC_JUDGE_NOTHING,
                      "%.255s does not exist, but proof by a DNS record does not need it",
                      hc_dname_format(&n->dname, name));
    }
}

/* Every answer that a CA needs; the record's own zone is judged here, the others with what they
 * say. */
static void judge_dnssec(struct hc_name_judge *judge, const struct hc_preflight_sight *n)
{
    const struct hc_lookup *all[] = {n->a,       n->aaaa,  n->caa_first, n->caa,
                                     n->persist, n->alias, n->zone_soa};
    const struct hc_lookup *record[] = {n->alias, n->zone_soa};

    for (size_t i = 0; i < HC_COUNT(record); i++) {
        if (record[i] != NULL && record[i]->kind == HC_LOOKUP_DNSSEC_BROKEN) {
            hc_judge_broken(judge, record[i], HC_JUDGE_FAIL);
        }
    }
    hc_judge_dnssec(judge, all, HC_COUNT(all));
}

/* None of the methods can prove such a name. */
static void judge_unfit(const struct hc_preflight *p, const struct hc_preflight_sight *n,
                        struct hc_name_judge *judge)
{
    char methods[128];
    size_t fit = 0;

    hc_judge_note(judge, n->ip ? HC_P_ADDRESS_NEEDS_HTTP : HC_P_WILDCARD_NEEDS_DNS, HC_JUDGE_FAIL,
                  "%s is %s, which %s cannot prove", n->text,
                  n->ip ? "an IP address" : "a wildcard",
                  hc_methods_format(&p->methods, methods, sizeof(methods)));
    while (fit < hc_method_count && !hc_method_takes(&hc_methods[fit], n->text)) {
        fit++;
    }
    if (n->wildcard && fit < hc_method_count) {
        hc_judge_hint(judge,
                      "use a DNS method for it: `hotcert diagnose --method %s '%s'` checks the DNS "
                      "for that; or list the names one by one",
                      hc_methods[fit].word, n->text);
    }
}

void hc_preflight_judge_name(struct hc_preflight *p, size_t i, const char *suggestion)
{
    struct hc_preflight_sight *n = &p->names[i];
    struct hc_name_judge judge = {
        .out = &p->results[i],
        .host = n->host,
        .private_network = p->private_network,
        .own = p->knows_own ? &p->own : NULL,
        .ranges = p->ranges,
        .cdn_fails = p->over_tls_alone,
        .accounts = p->compares_accounts ? &p->accounts : NULL,
        .suggestion = suggestion[0] != '\0' ? suggestion : NULL,
        .err = &p->error,
    };
    struct hc_caa_asker who = {
        .domains = &p->caa_domains,
        .methods = &p->methods,
        .account_uri = p->account_uri,
        .wildcard = n->wildcard,
    };

    if (!hc_methods_take(&p->methods, n->text)) {
        judge_unfit(p, n, &judge);
    }
    if (!n->ip && !p->private_network) {
        hc_judge_suffix(&judge, n->suffix, n->wildcard, n->top);
    }
    if (n->ip && p->wants_address) {
        hc_judge_ip(&judge);
    } else if (n->a != NULL && n->aaaa != NULL) {
        hc_judge_addresses(&judge, n->a, n->aaaa);
    } else {
        judge_without_address(&judge, n);
    }
    if (n->caa != NULL) {
        hc_judge_caa(&judge, n->caa, &who);
    }
    judge_dnssec(&judge, n);
    hc_preflight_judge_records(p, n, &judge);
}

int hc_preflight_take_names(struct hc_preflight *p, const struct hc_list *names,
                            struct hc_error *err)
{
    p->names = calloc(names->count + 1, sizeof(*p->names));
    p->results = calloc(names->count + 1, sizeof(*p->results));
    if (p->names == NULL || p->results == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < names->count; i++) {
        struct hc_preflight_sight *n = &p->names[i];
        struct hc_address ignored;

        n->text = p->names_text.items[i];
        n->wildcard = strncmp(n->text, "*.", 2) == 0;
        n->host = n->wildcard ? n->text + 2 : n->text;
        n->ip = hc_address_parse(n->text, &ignored) == 0;
        p->results[i].name = n->text;
        p->count++;
        if (!n->ip && hc_dname_from_host(n->host, &n->dname, err) != 0) {
            return -1;
        }
    }
    return 0;
}
