/*
 * What is looked for in the DNS to prove a name: the record that is written, the one that stands,
 * and what was written to the wrong place; see internal.h.
 */
#include <string.h>

#include "conf/method.h"
#include "preflight/internal.h"
#include "preflight/judge.h"

int hc_preflight_take_targets(struct hc_preflight *p, const struct hc_list *targets,
                              struct hc_error *err)
{
    for (size_t k = 0; targets != NULL && k + 1 < targets->count; k += 2) {
        for (size_t i = 0; i < p->count; i++) {
            if (strcmp(p->names[i].host, targets->items[k]) == 0 &&
                hc_dname_from_host(targets->items[k + 1], &p->names[i].target, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

void hc_preflight_begin_records(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    struct hc_dname label;

    if (p->label[0] != '\0' && hc_record_lookup_new(&p->owner, p->label, n->host,
                                                    hc_now_ms(p->clock) + HC_PREFLIGHT_DNS_MS - 500,
                                                    &n->record, &p->error) != 0) {
        n->record = NULL; /* the error says that it was not asked for */
    }
    n->own_dns = p->wants_responder && hc_delegation_begin(&n->delegation, p->responder, p->lookups,
                                                           n->host, &p->error) == 0;
    if (p->wants_persist && hc_persist_name(n->host, &label, &p->error) == 0) {
        n->persist = hc_preflight_lookup(p, &label, HC_DNS_TXT, true);
    }
}

/*
 * Whether the challenge record would validate. It may not exist yet, and the resolvers are not to
 * learn that: its zone's SOA record says as much, and so does the alias, which exists.
 */
bool hc_preflight_step_record(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    bool changed = hc_record_lookup_step(n->record, &p->owner);
    const struct hc_dns_place *place = n->record != NULL ? &n->record->place : NULL;

    if (place == NULL || place->state != HC_PLACE_READY || place->zone.state != HC_ZONE_READY ||
        n->zone_soa != NULL) {
        return changed;
    }
    n->zone_soa = hc_preflight_lookup(p, &place->zone.apex, HC_DNS_SOA, false);
    if (place->links > 0) {
        n->alias = hc_preflight_lookup(p, &n->record->label, HC_DNS_CNAME, false);
    }
    return n->zone_soa != NULL || changed;
}

static bool complete(const struct hc_lookup *lookup)
{
    return lookup == NULL || lookup->complete;
}

bool hc_preflight_records_settled(const struct hc_preflight_sight *n)
{
    return hc_delegation_complete(&n->delegation) && hc_record_lookup_complete(n->record) &&
           complete(n->persist) && complete(n->alias) && complete(n->zone_soa) &&
           hc_misplaced_complete(&n->misplaced) && hc_misplaced_complete(&n->persist_misplaced);
}

/* ---- what was written to the wrong place ---- */

static bool leads_to_us(const struct hc_preflight *p, const struct hc_preflight_sight *n)
{
    return n->own_dns && hc_judge_leads_to_responder(&n->delegation, p->responder);
}

/* An order's own record is hotcert's to write: only who diagnoses asks where an earlier one is. */
static bool seeks_record(const struct hc_preflight *p, const struct hc_preflight_sight *n)
{
    return n->record != NULL && !n->misplaced.asked && hc_record_lookup_complete(n->record) &&
           hc_delegation_complete(&n->delegation) && (p->compares_accounts || n->own_dns) &&
           !leads_to_us(p, n) && hc_record_lookup_is_missing(n->record);
}

bool hc_preflight_seek_misplaced(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    bool changed = false;

    if (seeks_record(p, n)) {
        hc_misplaced_begin(&n->misplaced, p->lookups, &n->record->label, &n->dname,
                           &n->record->place.zone.apex);
        changed = true;
    }
    if (n->persist != NULL && n->persist->complete && !n->persist_misplaced.asked &&
        (n->persist->kind == HC_LOOKUP_NO_NAME || n->persist->kind == HC_LOOKUP_NO_DATA) &&
        hc_lookup_zone(n->persist) != NULL) {
        hc_misplaced_begin(&n->persist_misplaced, p->lookups, &n->persist->name, &n->dname,
                           &hc_lookup_zone(n->persist)->apex);
        changed = true;
    }
    return changed;
}

/* ---- what it means ---- */

/* How one way to prove a name by the DNS looks from here. */
enum way {
    WAY_NONE, /* no such method */
    WAY_OPEN,
    WAY_CLOSED,
    WAY_UNSURE, /* a lookup failed, or what to compare with is not known */
};

/* True if the name of the record that is written depends on who will order, which nobody said. */
static bool lacks_account(const struct hc_preflight *p)
{
    return p->compares_accounts && p->label[0] == '\0' && hc_methods_written(&p->methods) != NULL;
}

static enum way way_written(const struct hc_preflight *p, const struct hc_preflight_sight *n)
{
    if (n->own_dns) {
        enum hc_lookup_kind kind = n->delegation.label_soa->kind;

        return leads_to_us(p, n)                                            ? WAY_OPEN
               : kind == HC_LOOKUP_FAILED || kind == HC_LOOKUP_CONTRADICTED ? WAY_UNSURE
                                                                            : WAY_CLOSED;
    }
    if (n->record != NULL && n->target.len > 0 && n->record->place.state == HC_PLACE_READY &&
        !hc_dname_equal(&n->record->place.name, &n->target)) {
        return WAY_CLOSED;
    }
    if (n->record != NULL) {
        return n->record->place.state == HC_PLACE_READY &&
                       n->record->place.zone.state == HC_ZONE_READY
                   ? WAY_OPEN
                   : WAY_UNSURE;
    }
    if (hc_methods_written(&p->methods) == NULL) {
        return WAY_NONE;
    }
    /* before its first order an agent has no account, and so the record no name: nothing is known
     * against it. Who diagnoses can name one */
    return lacks_account(p) ? WAY_UNSURE : WAY_OPEN;
}

static enum way way_standing(const struct hc_preflight_sight *n, const struct hc_name_judge *judge,
                             const struct hc_persist_asker *asker)
{
    struct hc_persist_sight sight;

    if (n->persist == NULL) {
        return WAY_NONE;
    }
    if (hc_judge_persist_see(n->persist, asker, judge->accounts, &sight, judge->err) != 0 ||
        sight.unsure) {
        return WAY_UNSURE;
    }
    if (sight.verdict.reason == HC_PERSIST_RIGHT) {
        return WAY_OPEN;
    }
    return sight.account != NULL ? WAY_CLOSED : WAY_UNSURE;
}

static void judge_written(struct hc_preflight *p, struct hc_preflight_sight *n,
                          struct hc_name_judge *judge, bool alone)
{
    if (n->own_dns) { /* that says all: the servers of that zone are ours */
        hc_judge_delegation(judge, p->responder, &n->delegation, alone);
    } else if (n->record != NULL) {
        if (n->target.len > 0) {
            hc_judge_alias(judge, n->record, &n->target, alone);
        }
        hc_judge_record(judge, n->record, alone);
    } else if (lacks_account(p) && !n->ip) {
        hc_judge_note(judge, HC_P_ACCOUNT_UNKNOWN, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING,
                      "%s: where the record stands depends on the account; %s",
                      hc_methods_written(&p->methods),
                      p->accounts.count > 0 ? "the stores of this machine have several"
                                            : "hotcert does not know which one will order");
        hc_judge_hint(judge, HC_JUDGE_NAME_ACCOUNT);
    }
    hc_judge_misplaced(judge, &n->misplaced, hc_record_is_challenge);
}

void hc_preflight_judge_records(struct hc_preflight *p, struct hc_preflight_sight *n,
                                struct hc_name_judge *judge)
{
    struct hc_persist_asker asker = {.issuers = &p->caa_domains,
                                     .account_uri = p->account_uri,
                                     .wildcard = n->wildcard,
                                     .now = hc_now(p->clock)};
    /* what fails is a remark where another way is open; that of the ports is judged later */
    bool other = p->has_other_methods && !n->wildcard;
    enum way written = way_written(p, n);
    enum way standing = way_standing(n, judge, &asker);

    judge_written(p, n, judge, !other && (standing == WAY_NONE || standing == WAY_CLOSED));
    if (n->persist != NULL) {
        bool alone = written != WAY_OPEN && (written != WAY_UNSURE || standing == WAY_UNSURE);

        hc_judge_persist(judge, n->persist, &asker, !other && alone);
        hc_judge_misplaced(judge, &n->persist_misplaced, hc_record_is_standing);
    }
}
