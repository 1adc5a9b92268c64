/* One lookup, at the resolvers and at the zone's own servers; see lookup.h. */
#include "preflight/lookup.h"

#include <string.h>

#include "preflight/lookups.h"

/* One zone's servers may be down; that of two zones none can be reached means that we are shut in.
 */
#define LOST_ZONES 2

void hc_lookup_view_dispose(struct hc_lookup_view *view)
{
    hc_dns_reply_dispose(&view->reply);
    hc_kept_error_dispose(&view->error);
}

void hc_lookup_ask_resolvers(struct hc_lookup *lookup)
{
    struct hc_dns_ask ask = {
        .question = {.name = lookup->name,
                     .type = lookup->type,
                     .recurse = true,
                     .checking_disabled = lookup->checking_disabled || lookup->asked_again,
                     .dnssec_ok = lookup->lookups->validates && !lookup->plain},
        .deadline_ms = lookup->lookups->deadline_ms,
    };
    int64_t now = hc_now_ms(lookup->lookups->clock);

    if (ask.question.dnssec_ok && ask.deadline_ms > now) {
        ask.deadline_ms = now + (ask.deadline_ms - now) / 2; /* leaves time to ask without */
    }

    hc_dns_slot_ask(&lookup->cached_slot, lookup->lookups->owner, &ask);
}

/* Puts the question to the zone's servers, beginning with the n-th. */
static void ask_zone(struct hc_lookup *lookup, unsigned n)
{
    const struct hc_zone *zone = lookup->zone;
    struct hc_dns_server servers[HC_ZONE_SERVERS];
    struct hc_dns_ask ask = {
        .question = {.name = lookup->hop, .type = lookup->type},
        .servers = servers,
        .server_count = zone->server_count,
        .deadline_ms = hc_now_ms(lookup->lookups->clock) + HC_ZONE_ASK_MS,
    };

    if (ask.deadline_ms > lookup->lookups->deadline_ms) {
        ask.deadline_ms = lookup->lookups->deadline_ms;
    }
    for (size_t i = 0; i < zone->server_count; i++) {
        servers[i] = zone->servers[(i + n) % zone->server_count];
    }
    hc_dns_slot_ask(&lookup->own_slot, lookup->lookups->owner, &ask);
}

void hc_lookup_end_direct(struct hc_lookup *lookup)
{
    lookup->own.complete = true;
    lookup->own.kind = HC_LOOKUP_FAILED;
}

/* The zone's servers are of no help: the resolvers' word counts. */
static void give_up_direct(struct hc_lookup *lookup, const struct hc_error *cause)
{
    if (!hc_kept_error_is_set(&lookup->direct_error)) {
        hc_kept_error_set(&lookup->direct_error, cause);
    }
    hc_lookup_end_direct(lookup);
}

static void give_up_direct_kept(struct hc_lookup *lookup, const struct hc_kept_error *cause)
{
    if (!hc_kept_error_is_set(&lookup->direct_error)) {
        hc_kept_error_copy(&lookup->direct_error, cause);
    }
    hc_lookup_end_direct(lookup);
}

void hc_lookup_begin_hop(struct hc_lookup *lookup, const struct hc_dname *name)
{
    struct hc_error err = {0};

    hc_dns_slot_dispose(&lookup->own_slot);
    lookup->hop = *name;
    lookup->zone = NULL;
    if (lookup->lookups->direct_closed) {
        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "this machine cannot reach any zone's own servers");
        give_up_direct(lookup, &err);
        return;
    }
    lookup->zone = hc_lookups_zone(lookup->lookups, name);
    if (lookup->zone == NULL) {
        hc_error_nomem(&err);
        give_up_direct(lookup, &err);
    }
}

/* What a reply with NOERROR or NXDOMAIN means; err for chains that are none. */
static int classify(const struct hc_dns_reply *reply, const struct hc_dname *name,
                    enum hc_dns_type type, struct hc_lookup_view *view, struct hc_error *err)
{
    unsigned links = 0;
    size_t at = 0;

    if (hc_dns_reply_follow(reply, name, &view->end, &links, err) != 0) {
        view->kind = HC_LOOKUP_FAILED;
        return -1;
    }
    if (hc_dns_reply_next(reply, &view->end, type, &at) != NULL) {
        view->kind = HC_LOOKUP_RECORDS;
    } else if (reply->rcode != HC_DNS_NXDOMAIN) {
        view->kind = HC_LOOKUP_NO_DATA;
    } else {
        view->kind = links > 0 ? HC_LOOKUP_DANGLING : HC_LOOKUP_NO_NAME;
    }
    return 0;
}

/* Moves the slot's reply into the view. */
static void keep_reply(struct hc_lookup_view *view, struct hc_dns_slot *slot)
{
    hc_dns_reply_dispose(&view->reply);
    view->reply = slot->reply;
    memset(&slot->reply, 0, sizeof(slot->reply));
    hc_dns_server_format(&slot->from, view->from);
}

static bool says_absent(enum hc_lookup_kind kind)
{
    return kind == HC_LOOKUP_NO_NAME || kind == HC_LOOKUP_DANGLING;
}

static void resolvers_failed(struct hc_lookup *lookup, unsigned rcode)
{
    char name[HC_DNAME_TEXT];
    char type[16];
    char code[16];
    char from[HC_DNS_SERVER_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    lookup->cached.complete = true;
    lookup->cached.kind = HC_LOOKUP_FAILED;
    if (lookup->cached_slot.state == HC_DNS_SLOT_FAILED) {
        hc_kept_error_copy(&lookup->cached.error, &lookup->cached_slot.error);
        return;
    }
    hc_dname_format(&lookup->name, name);
    hc_dns_type_format((unsigned)lookup->type, type);
    hc_dns_server_format(&lookup->cached_slot.from, from);
    if (rcode == HC_DNS_NOERROR || rcode == HC_DNS_NXDOMAIN) {
        lookup->lame = true;
        hc_error_set(&err, HC_P_DNS_FAILED, name,
                     "%s: %s does not resolve names for this machine, and has no answer itself",
                     type, from);
    } else {
        hc_error_set(&err, HC_P_DNS_FAILED, name, "%s: %s answers %s", type, from,
                     hc_dns_rcode_format(rcode, code));
    }
    hc_kept_error_set(&lookup->cached.error, &err);
}

/* What the resolvers have validated themselves is not validated again; with CD they validate
 * nothing, whatever AD says. */
static void begin_verification(struct hc_lookup *lookup)
{
    const struct hc_dns_reply *reply = &lookup->cached.reply;

    hc_verification_dispose(&lookup->verification);
    if (lookup->lookups->validates && !lookup->plain &&
        (!reply->authentic || lookup->checking_disabled || lookup->asked_again)) {
        hc_verification_begin(&lookup->verification, reply, &lookup->name, lookup->type);
    }
}

/* A reply of the resolvers, or none. */
static void take_cached(struct hc_lookup *lookup)
{
    struct hc_dns_slot *slot = &lookup->cached_slot;
    unsigned rcode = slot->state == HC_DNS_SLOT_REPLY ? slot->reply.rcode : HC_DNS_SERVFAIL;
    struct hc_lookup_view *view = &lookup->cached;
    struct hc_dns_question question = {.name = lookup->name, .type = lookup->type, .recurse = true};
    struct hc_error err;

    hc_error_init(&err);
    if (lookup->asked_again &&
        (slot->state == HC_DNS_SLOT_FAILED || hc_dns_reply_is_refusal(&slot->reply, &question))) {
        view->complete = true; /* the answer of before stands */
        return;
    }
    if (slot->state == HC_DNS_SLOT_FAILED && lookup->lookups->validates && !lookup->plain) {
        lookup->plain = true;
        hc_lookup_ask_resolvers(lookup);
        return;
    }
    if (slot->state == HC_DNS_SLOT_REPLY && rcode == HC_DNS_SERVFAIL &&
        !lookup->checking_disabled) {
        lookup->checking_disabled = true;
        hc_lookup_ask_resolvers(lookup);
        return;
    }
    if (slot->state == HC_DNS_SLOT_FAILED || hc_dns_reply_is_refusal(&slot->reply, &question)) {
        resolvers_failed(lookup, rcode);
        return;
    }
    view->complete = true;
    if (classify(&slot->reply, &lookup->name, lookup->type, view, &err) != 0) {
        hc_kept_error_set(&view->error, &err);
        return;
    }
    keep_reply(view, slot);
    begin_verification(lookup);
    lookup->cached_absent += says_absent(view->kind);
}

static void direct_failed(struct hc_lookup *lookup)
{
    const struct hc_dns_slot *slot = &lookup->own_slot;
    struct hc_error err = {0};
    char from[HC_DNS_SERVER_TEXT];
    char code[16];

    if (slot->state == HC_DNS_SLOT_FAILED) {
        lookup->lookups->direct_lost += !lookup->zone->unreachable;
        lookup->zone->unreachable = true;
        lookup->lookups->direct_closed =
            !lookup->lookups->direct_heard && lookup->lookups->direct_lost >= LOST_ZONES;
        give_up_direct_kept(lookup, &slot->error);
        return;
    }
    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "%s does not answer for this zone (%s%s)",
                 hc_dns_server_format(&slot->from, from),
                 hc_dns_rcode_format(slot->reply.rcode, code),
                 slot->reply.authoritative ? "" : ", not authoritative");
    give_up_direct(lookup, &err);
}

/* A reply of the zone's servers: the end, or the next hop of a CNAME that leaves the zone. */
static void take_own(struct hc_lookup *lookup)
{
    struct hc_dns_slot *slot = &lookup->own_slot;
    struct hc_lookup_view view = {0};
    struct hc_dname next;
    struct hc_error err;

    hc_error_init(&err);
    if (slot->state == HC_DNS_SLOT_REPLY && slot->reply.authoritative) {
        lookup->lookups->direct_heard = true;
        lookup->lookups->direct_closed = false;
    }
    if (slot->state != HC_DNS_SLOT_REPLY || !slot->reply.authoritative ||
        (slot->reply.rcode != HC_DNS_NOERROR && slot->reply.rcode != HC_DNS_NXDOMAIN)) {
        direct_failed(lookup);
        return;
    }
    if (classify(&slot->reply, &lookup->hop, lookup->type, &view, &err) != 0) {
        give_up_direct(lookup, &err);
        return;
    }
    next = view.end;
    if (!hc_dname_equal(&next, &lookup->hop) && view.kind != HC_LOOKUP_RECORDS &&
        (!hc_dname_is_within(&next, &lookup->zone->apex) ||
         (view.kind == HC_LOOKUP_NO_DATA && hc_dns_reply_soa(&slot->reply, &next) == NULL))) {
        if (++lookup->hops > HC_DNS_CHAIN) {
            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "more than %d CNAMEs in a row", HC_DNS_CHAIN);
            give_up_direct(lookup, &err);
            return;
        }
        hc_lookup_begin_hop(lookup, &next);
        return;
    }
    if (view.kind == HC_LOOKUP_NO_NAME && lookup->hops > 0) {
        view.kind = HC_LOOKUP_DANGLING;
    }
    if (lookup->own_absent > 0 && !says_absent(view.kind)) {
        view.kind = HC_LOOKUP_CONTRADICTED;
    }
    lookup->own_absent += says_absent(view.kind);
    hc_lookup_view_dispose(&lookup->own);
    lookup->own = view;
    lookup->own.complete = true;
    keep_reply(&lookup->own, slot);
}

/* True when another lookup is needed to believe that the name does not exist; begins it. */
static bool ask_again(struct hc_lookup *lookup)
{
    int64_t now = hc_now_ms(lookup->lookups->clock);

    if (lookup->verification.state == HC_DNSSEC_BOGUS) {
        return false; /* whether it exists decides nothing then */
    }
    if (!says_absent(lookup->own.kind) &&
        !(lookup->own.kind == HC_LOOKUP_FAILED && says_absent(lookup->cached.kind))) {
        return false;
    }
    if (lookup->own_absent + lookup->cached_absent >= 2 ||
        now + HC_LOOKUP_AGAIN_MS >= lookup->lookups->deadline_ms) {
        return false;
    }
    if (lookup->again_ms == 0) {
        lookup->again_ms = now + HC_LOOKUP_AGAIN_MS;
    }
    if (now < lookup->again_ms) {
        return true;
    }
    lookup->again_ms = 0;
    if (says_absent(lookup->own.kind)) {
        lookup->own.complete = false;
        ask_zone(lookup, 1);
    } else {
        lookup->cached.complete = false;
        hc_lookup_ask_resolvers(lookup);
    }
    return true;
}

static void fail_lookup(struct hc_lookup *lookup, const struct hc_error *cause)
{
    lookup->kind = HC_LOOKUP_FAILED;
    lookup->view = NULL;
    hc_kept_error_set(&lookup->error, cause);
}

/* What our own validation came to; without one, the resolvers' word counts. */
static enum hc_dnssec judge_dnssec(struct hc_lookup *lookup)
{
    const struct hc_verification *v = &lookup->verification;
    bool heard = lookup->cached.kind != HC_LOOKUP_FAILED;

    if (v->begun && v->state == HC_DNSSEC_UNCHECKED && v->at_top &&
        !hc_kept_error_is_set(&lookup->lookups->unchecked)) {
        hc_kept_error_copy(&lookup->lookups->unchecked, &v->why);
    }
    if (heard && v->begun && v->state != HC_DNSSEC_UNCHECKED) {
        return v->state;
    }
    if (heard && lookup->checking_disabled) {
        return HC_DNSSEC_BOGUS; /* SERVFAIL, but an answer with checking disabled */
    }
    return heard && lookup->cached.reply.authentic ? HC_DNSSEC_SECURE : HC_DNSSEC_UNCHECKED;
}

/* Both sides are heard: what counts. */
static void decide(struct hc_lookup *lookup)
{
    lookup->complete = true;
    lookup->dnssec = judge_dnssec(lookup);
    if (lookup->dnssec == HC_DNSSEC_BOGUS) {
        lookup->kind = HC_LOOKUP_DNSSEC_BROKEN; /* the zone's servers do not validate: CAs do */
        lookup->view = &lookup->cached;
        return;
    }
    if (lookup->own.kind != HC_LOOKUP_FAILED) {
        lookup->kind = lookup->own.kind;
        lookup->view = &lookup->own;
        lookup->direct = true;
    } else if (lookup->cached.kind != HC_LOOKUP_FAILED) {
        lookup->kind = lookup->cached.kind;
        lookup->view = &lookup->cached;
    } else {
        struct hc_error err;

        hc_kept_error_get(&lookup->cached.error, &err);
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer");
        fail_lookup(lookup, &err);
        return;
    }
    if (says_absent(lookup->kind) && lookup->own_absent + lookup->cached_absent < 2) {
        struct hc_error err = {0};

        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "it did not exist at the first query; there was no time for a second");
        fail_lookup(lookup, &err);
    }
}

static bool step_own(struct hc_lookup *lookup)
{
    bool changed = false;

    if (lookup->own.complete) {
        return false;
    }
    if (lookup->own_slot.state == HC_DNS_SLOT_IDLE) {
        if (lookup->zone->same != NULL) {
            lookup->zone = lookup->zone->same;
        }
        if (!hc_zone_settled(lookup->zone)) {
            return false;
        }
        changed = true;
        if (lookup->zone->state == HC_ZONE_FAILED) {
            give_up_direct_kept(lookup, &lookup->zone->error);
        } else if (lookup->zone->unreachable || lookup->lookups->direct_closed) {
            struct hc_error err = {0};

            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "the zone's own servers do not answer");
            give_up_direct(lookup, &err);
        } else {
            ask_zone(lookup, lookup->own_absent);
        }
    }
    if (!lookup->own.complete && lookup->own_slot.state != HC_DNS_SLOT_IDLE &&
        hc_dns_slot_settled(&lookup->own_slot)) {
        take_own(lookup);
        changed = true;
    }
    return changed;
}

/*
 * A resolver may make answers up, an IPv6 address in a network without IPv4 (DNS64, RFC 6147) or
 * another one in place of what it blocks. With CD it does not: asked once more, before anybody is
 * blamed.
 */
static bool doubt(struct hc_lookup *lookup)
{
    if (!lookup->cached.complete || lookup->verification.state != HC_DNSSEC_BOGUS ||
        lookup->checking_disabled || lookup->asked_again) {
        return false;
    }
    lookup->asked_again = true;
    lookup->cached_absent = 0; /* that was not valid either */
    lookup->cached.complete = false;
    hc_lookup_ask_resolvers(lookup);
    return true;
}

bool hc_lookup_step(struct hc_lookup *lookup)
{
    bool changed = false;

    if (lookup->complete) {
        return false;
    }
    if (!lookup->cached.complete && hc_dns_slot_settled(&lookup->cached_slot)) {
        take_cached(lookup);
        changed = true;
    }
    changed = step_own(lookup) || changed;
    changed = hc_verification_step(&lookup->verification, &lookup->lookups->links) || changed;
    changed = doubt(lookup) || changed;
    if (lookup->cached.complete && lookup->own.complete &&
        hc_verification_settled(&lookup->verification) && !ask_again(lookup)) {
        decide(lookup);
        changed = true;
    }
    return changed;
}

const struct hc_zone *hc_lookup_zone(const struct hc_lookup *lookup)
{
    return lookup->zone != NULL && lookup->zone->state == HC_ZONE_READY ? lookup->zone : NULL;
}

const struct hc_dns_record *hc_lookup_heard(const struct hc_lookup *lookup, size_t *at)
{
    const struct hc_lookup_view *view = &lookup->cached;

    return view->complete && view->kind == HC_LOOKUP_RECORDS
               ? hc_dns_reply_next(&view->reply, &view->end, lookup->type, at)
               : NULL;
}

const struct hc_dns_record *hc_lookup_record(const struct hc_lookup *lookup, size_t *at)
{
    if (lookup->view == NULL || lookup->kind != HC_LOOKUP_RECORDS) {
        return NULL;
    }
    return hc_dns_reply_next(&lookup->view->reply, &lookup->view->end, lookup->type, at);
}
