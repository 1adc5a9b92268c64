/* One look, at the resolvers and at the zone's own servers; see look.h. */
#include "preflight/look.h"

#include <string.h>

#include "preflight/looks.h"

/* One zone's servers may be down; that of two zones none can be reached means that we are shut in.
 */
#define LOST_ZONES 2

void hc_look_view_dispose(struct hc_look_view *view)
{
    hc_dns_reply_dispose(&view->reply);
    hc_kept_error_dispose(&view->error);
}

void hc_look_ask_resolvers(struct hc_look *look)
{
    struct hc_dns_ask ask = {
        .question = {.name = look->name,
                     .type = look->type,
                     .recurse = true,
                     .checking_disabled = look->checking_disabled},
        .deadline_ms = look->looks->deadline_ms,
    };

    hc_dns_slot_ask(&look->cached_slot, look->looks->owner, &ask);
}

/* Puts the question to the zone's servers, beginning with the n-th. */
static void ask_zone(struct hc_look *look, unsigned n)
{
    const struct hc_zone *zone = look->zone;
    struct hc_dns_server servers[HC_RESOLVER_SERVERS];
    struct hc_dns_ask ask = {
        .question = {.name = look->hop, .type = look->type},
        .servers = servers,
        .server_count = zone->server_count,
        .deadline_ms = hc_now_ms(look->looks->clock) + HC_ZONE_ASK_MS,
    };

    if (ask.deadline_ms > look->looks->deadline_ms) {
        ask.deadline_ms = look->looks->deadline_ms;
    }
    for (size_t i = 0; i < zone->server_count; i++) {
        servers[i] = zone->servers[(i + n) % zone->server_count];
    }
    hc_dns_slot_ask(&look->own_slot, look->looks->owner, &ask);
}

void hc_look_end_direct(struct hc_look *look)
{
    look->own.complete = true;
    look->own.kind = HC_LOOK_FAILED;
}

/* The zone's servers are of no help: the resolvers' word counts. */
static void give_up_direct(struct hc_look *look, const struct hc_error *cause)
{
    if (!hc_kept_error_is_set(&look->direct_error)) {
        hc_kept_error_set(&look->direct_error, cause);
    }
    hc_look_end_direct(look);
}

static void give_up_direct_kept(struct hc_look *look, const struct hc_kept_error *cause)
{
    if (!hc_kept_error_is_set(&look->direct_error)) {
        hc_kept_error_copy(&look->direct_error, cause);
    }
    hc_look_end_direct(look);
}

void hc_look_begin_hop(struct hc_look *look, const struct hc_dname *name)
{
    struct hc_error err = {0};

    hc_dns_slot_dispose(&look->own_slot);
    look->hop = *name;
    look->zone = NULL;
    if (look->looks->direct_closed) {
        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "this machine cannot reach any zone's own servers");
        give_up_direct(look, &err);
        return;
    }
    look->zone = hc_looks_zone(look->looks, name);
    if (look->zone == NULL) {
        hc_error_nomem(&err);
        give_up_direct(look, &err);
    }
}

/* What a reply with NOERROR or NXDOMAIN means; err for chains that are none. */
static int classify(const struct hc_dns_reply *reply, const struct hc_dname *name,
                    enum hc_dns_type type, struct hc_look_view *view, struct hc_error *err)
{
    unsigned links = 0;
    size_t at = 0;

    if (hc_dns_reply_follow(reply, name, &view->end, &links, err) != 0) {
        view->kind = HC_LOOK_FAILED;
        return -1;
    }
    if (hc_dns_reply_next(reply, &view->end, type, &at) != NULL) {
        view->kind = HC_LOOK_RECORDS;
    } else if (reply->rcode != HC_DNS_NXDOMAIN) {
        view->kind = HC_LOOK_NO_DATA;
    } else {
        view->kind = links > 0 ? HC_LOOK_DANGLING : HC_LOOK_NO_NAME;
    }
    return 0;
}

/* Moves the slot's reply into the view. */
static void keep_reply(struct hc_look_view *view, struct hc_dns_slot *slot)
{
    hc_dns_reply_dispose(&view->reply);
    view->reply = slot->reply;
    memset(&slot->reply, 0, sizeof(slot->reply));
    hc_dns_server_format(&slot->from, view->from);
}

static bool says_absent(enum hc_look_kind kind)
{
    return kind == HC_LOOK_NO_NAME || kind == HC_LOOK_DANGLING;
}

static void resolvers_failed(struct hc_look *look, unsigned rcode)
{
    char name[HC_DNAME_TEXT];
    char type[16];
    char code[16];
    char from[HC_DNS_SERVER_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    look->cached.complete = true;
    look->cached.kind = HC_LOOK_FAILED;
    if (look->cached_slot.state == HC_DNS_SLOT_FAILED) {
        hc_kept_error_copy(&look->cached.error, &look->cached_slot.error);
        return;
    }
    hc_dname_format(&look->name, name);
    hc_dns_type_format((unsigned)look->type, type);
    hc_dns_server_format(&look->cached_slot.from, from);
    if (rcode == HC_DNS_NOERROR || rcode == HC_DNS_NXDOMAIN) {
        look->lame = true;
        hc_error_set(&err, HC_P_DNS_FAILED, name,
                     "%s: %s does not resolve names for this machine, and has no answer itself",
                     type, from);
    } else {
        hc_error_set(&err, HC_P_DNS_FAILED, name, "%s: %s answers %s", type, from,
                     hc_dns_rcode_format(rcode, code));
    }
    hc_kept_error_set(&look->cached.error, &err);
}

/* A reply of the resolvers, or none. */
static void take_cached(struct hc_look *look)
{
    struct hc_dns_slot *slot = &look->cached_slot;
    unsigned rcode = slot->state == HC_DNS_SLOT_REPLY ? slot->reply.rcode : HC_DNS_SERVFAIL;
    struct hc_look_view *view = &look->cached;
    struct hc_dns_question question = {.name = look->name, .type = look->type, .recurse = true};
    struct hc_error err;

    hc_error_init(&err);
    if (slot->state == HC_DNS_SLOT_REPLY && rcode == HC_DNS_SERVFAIL && !look->checking_disabled) {
        look->checking_disabled = true;
        hc_look_ask_resolvers(look);
        return;
    }
    if (slot->state == HC_DNS_SLOT_FAILED || hc_dns_reply_is_refusal(&slot->reply, &question)) {
        resolvers_failed(look, rcode);
        return;
    }
    view->complete = true;
    if (classify(&slot->reply, &look->name, look->type, view, &err) != 0) {
        hc_kept_error_set(&view->error, &err);
        return;
    }
    keep_reply(view, slot);
    if (look->checking_disabled) {
        view->kind = HC_LOOK_DNSSEC_BROKEN;
    }
    look->cached_looks += says_absent(view->kind);
}

static void direct_failed(struct hc_look *look)
{
    const struct hc_dns_slot *slot = &look->own_slot;
    struct hc_error err = {0};
    char from[HC_DNS_SERVER_TEXT];
    char code[16];

    if (slot->state == HC_DNS_SLOT_FAILED) {
        look->looks->direct_lost += !look->zone->unreachable;
        look->zone->unreachable = true;
        look->looks->direct_closed =
            !look->looks->direct_heard && look->looks->direct_lost >= LOST_ZONES;
        give_up_direct_kept(look, &slot->error);
        return;
    }
    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "%s does not answer for this zone (%s%s)",
                 hc_dns_server_format(&slot->from, from),
                 hc_dns_rcode_format(slot->reply.rcode, code),
                 slot->reply.authoritative ? "" : ", not authoritative");
    give_up_direct(look, &err);
}

/* A reply of the zone's servers: the end, or the next hop of a CNAME that leaves the zone. */
static void take_own(struct hc_look *look)
{
    struct hc_dns_slot *slot = &look->own_slot;
    struct hc_look_view view = {0};
    struct hc_dname next;
    struct hc_error err;

    hc_error_init(&err);
    if (slot->state == HC_DNS_SLOT_REPLY && slot->reply.authoritative) {
        look->looks->direct_heard = true;
        look->looks->direct_closed = false;
    }
    if (slot->state != HC_DNS_SLOT_REPLY || !slot->reply.authoritative ||
        (slot->reply.rcode != HC_DNS_NOERROR && slot->reply.rcode != HC_DNS_NXDOMAIN)) {
        direct_failed(look);
        return;
    }
    if (classify(&slot->reply, &look->hop, look->type, &view, &err) != 0) {
        give_up_direct(look, &err);
        return;
    }
    next = view.end;
    if (!hc_dname_equal(&next, &look->hop) && view.kind != HC_LOOK_RECORDS &&
        (!hc_dname_is_within(&next, &look->zone->apex) ||
         (view.kind == HC_LOOK_NO_DATA && hc_dns_reply_soa(&slot->reply, &next) == NULL))) {
        if (++look->hops > HC_DNS_CHAIN) {
            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "more than %d CNAMEs in a row", HC_DNS_CHAIN);
            give_up_direct(look, &err);
            return;
        }
        hc_look_begin_hop(look, &next);
        return;
    }
    if (view.kind == HC_LOOK_NO_NAME && look->hops > 0) {
        view.kind = HC_LOOK_DANGLING;
    }
    if (look->own_looks > 0 && !says_absent(view.kind)) {
        view.kind = HC_LOOK_CONTRADICTED;
    }
    look->own_looks += says_absent(view.kind);
    hc_look_view_dispose(&look->own);
    look->own = view;
    look->own.complete = true;
    keep_reply(&look->own, slot);
}

/* True when another look is needed to believe that the name does not exist; begins it. */
static bool look_again(struct hc_look *look)
{
    int64_t now = hc_now_ms(look->looks->clock);

    if (!says_absent(look->own.kind) &&
        !(look->own.kind == HC_LOOK_FAILED && says_absent(look->cached.kind))) {
        return false;
    }
    if (look->own_looks + look->cached_looks >= 2 ||
        now + HC_LOOK_AGAIN_MS >= look->looks->deadline_ms) {
        return false;
    }
    if (look->again_ms == 0) {
        look->again_ms = now + HC_LOOK_AGAIN_MS;
    }
    if (now < look->again_ms) {
        return true;
    }
    look->again_ms = 0;
    if (says_absent(look->own.kind)) {
        look->own.complete = false;
        ask_zone(look, 1);
    } else {
        look->cached.complete = false;
        hc_look_ask_resolvers(look);
    }
    return true;
}

static void fail_look(struct hc_look *look, const struct hc_error *cause)
{
    look->kind = HC_LOOK_FAILED;
    look->view = NULL;
    hc_kept_error_set(&look->error, cause);
}

/* Both sides are heard: what counts. */
static void decide(struct hc_look *look)
{
    look->complete = true;
    if (look->cached.kind == HC_LOOK_DNSSEC_BROKEN) {
        look->kind = HC_LOOK_DNSSEC_BROKEN; /* the zone's servers do not validate: CAs do */
        look->view = &look->cached;
        return;
    }
    if (look->own.kind != HC_LOOK_FAILED) {
        look->kind = look->own.kind;
        look->view = &look->own;
        look->direct = true;
    } else if (look->cached.kind != HC_LOOK_FAILED) {
        look->kind = look->cached.kind;
        look->view = &look->cached;
    } else {
        struct hc_error err;

        hc_kept_error_get(&look->cached.error, &err);
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer");
        fail_look(look, &err);
        return;
    }
    if (says_absent(look->kind) && look->own_looks + look->cached_looks < 2) {
        struct hc_error err = {0};

        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "it did not exist at the first query; there was no time for a second");
        fail_look(look, &err);
    }
}

static bool step_own(struct hc_look *look)
{
    bool changed = false;

    if (look->own.complete) {
        return false;
    }
    if (look->own_slot.state == HC_DNS_SLOT_IDLE) {
        if (look->zone->same != NULL) {
            look->zone = look->zone->same;
        }
        if (!hc_zone_settled(look->zone)) {
            return false;
        }
        changed = true;
        if (look->zone->state == HC_ZONE_FAILED) {
            give_up_direct_kept(look, &look->zone->error);
        } else if (look->zone->unreachable || look->looks->direct_closed) {
            struct hc_error err = {0};

            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "the zone's own servers do not answer");
            give_up_direct(look, &err);
        } else {
            ask_zone(look, look->own_looks);
        }
    }
    if (!look->own.complete && look->own_slot.state != HC_DNS_SLOT_IDLE &&
        hc_dns_slot_settled(&look->own_slot)) {
        take_own(look);
        changed = true;
    }
    return changed;
}

bool hc_look_step(struct hc_look *look)
{
    bool changed = false;

    if (look->complete) {
        return false;
    }
    if (!look->cached.complete && hc_dns_slot_settled(&look->cached_slot)) {
        take_cached(look);
        changed = true;
    }
    changed = step_own(look) || changed;
    if (look->cached.complete && look->own.complete && !look_again(look)) {
        decide(look);
        changed = true;
    }
    return changed;
}

const struct hc_zone *hc_look_zone(const struct hc_look *look)
{
    return look->zone != NULL && look->zone->state == HC_ZONE_READY ? look->zone : NULL;
}

const struct hc_dns_record *hc_look_record(const struct hc_look *look, size_t *at)
{
    if (look->view == NULL || look->kind != HC_LOOK_RECORDS) {
        return NULL;
    }
    return hc_dns_reply_next(&look->view->reply, &look->view->end, look->type, at);
}
