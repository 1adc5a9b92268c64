/* The way from the trust anchor to a zone's keys; see links.h. */
#include "dns/links.h"

#include <stdlib.h>
#include <string.h>

#include "dns/alias.h"

void hc_links_init(struct hc_links *links, const struct hc_dns_slot_owner *owner,
                   const struct hc_anchors *anchors, const struct hc_clock *clock,
                   int64_t deadline_ms)
{
    memset(links, 0, sizeof(*links));
    links->owner = owner;
    links->anchors = anchors;
    links->clock = clock;
    links->deadline_ms = deadline_ms;
    links->tail = &links->first;
    links->work.now = hc_now(clock);
}

void hc_links_dispose(struct hc_links *links)
{
    while (links->first != NULL) {
        struct hc_link *link = links->first;

        links->first = link->next;
        hc_dns_slot_dispose(&link->slot);
        hc_dns_reply_dispose(&link->trust);
        hc_keys_dispose(&link->keys);
        hc_kept_error_dispose(&link->why);
        free(link);
    }
    memset(links, 0, sizeof(*links));
}

void hc_links_begin_pass(struct hc_links *links)
{
    links->work.tries = 0;
    links->more = false;
}

bool hc_links_rest(struct hc_links *links)
{
    links->more = links->more || links->work.tries >= HC_LINKS_TRIES;
    return links->more;
}

/* ---- one link ---- */

static void ask(struct hc_links *links, struct hc_link *link, enum hc_dns_type type)
{
    struct hc_dns_ask question = {
        .question = {.name = link->name,
                     .type = type,
                     .recurse = true,
                     .checking_disabled = true,
                     .dnssec_ok = true},
        .deadline_ms = hc_now_ms(links->clock) + HC_LINKS_ASK_MS,
    };

    if (question.deadline_ms > links->deadline_ms) {
        question.deadline_ms = links->deadline_ms;
    }
    link->stage = type == HC_DNS_DS ? HC_LINK_DS : HC_LINK_KEYS;
    hc_dns_slot_ask(&link->slot, links->owner, &question);
}

static void settle(struct hc_link *link, enum hc_dnssec state, const struct hc_link *zone)
{
    link->stage = HC_LINK_SETTLED;
    link->state = state;
    link->zone = zone;
    hc_dns_slot_dispose(&link->slot);
    hc_dns_reply_dispose(&link->trust);
}

/* Where even the beginning cannot be had, whatever is wrong with it, nobody is to blame. */
static void fail(const struct hc_links *links, struct hc_link *link, enum hc_dnssec state,
                 struct hc_error *why)
{
    link->at_top = link->parent == NULL;
    if (link->at_top && links->anchors->path != NULL) {
        hc_error_add(why, " (trust anchor: %s)", links->anchors->path);
    }
    hc_kept_error_set(&link->why, why);
    settle(link, link->at_top ? HC_DNSSEC_UNCHECKED : state, NULL);
}

/* True if there is a reply that can say something. */
static bool is_answered(const struct hc_links *links, struct hc_link *link, enum hc_dns_type type)
{
    const struct hc_dns_slot *slot = &link->slot;
    struct hc_dns_question question = {.name = link->name, .type = type, .recurse = true};
    char name[HC_DNAME_TEXT];
    char kind[16];
    char code[16];
    char from[HC_DNS_SERVER_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    if (slot->state == HC_DNS_SLOT_FAILED) {
        hc_kept_error_get(&slot->error, &err);
    } else if (hc_dns_reply_is_refusal(&slot->reply, &question)) {
        hc_error_set(&err, HC_P_DNS_FAILED, NULL, "%s answers %s for %s of %s",
                     hc_dns_server_format(&slot->from, from),
                     hc_dns_rcode_format(slot->reply.rcode, code),
                     hc_dns_type_format((unsigned)type, kind), hc_dname_format(&link->name, name));
    } else {
        return true;
    }
    fail(links, link, HC_DNSSEC_UNCHECKED, &err);
    return false;
}

/* A resolver that leaves signatures out cannot be told from a zone without them: at the top all
 * are signed. */
static bool is_stripped(const struct hc_links *links, struct hc_link *link)
{
    struct hc_dns_set keys = {
        .reply = &link->slot.reply, .owner = &link->name, .type = HC_DNS_DNSKEY};
    struct hc_rrsig ignored;
    char from[HC_DNS_SERVER_TEXT];
    char name[HC_DNAME_TEXT];
    struct hc_error err;
    size_t at = 0;

    if (link->parent != NULL || hc_dns_set_signature(&keys, &at, &ignored) != NULL) {
        return false;
    }
    hc_error_init(&err);
    hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                 "the resolver %s leaves out keys or signatures: for %s it has %s",
                 hc_dns_server_format(&link->slot.from, from), hc_dname_format(&link->name, name),
                 hc_dns_set_is_empty(&keys) ? "no DNSKEY records" : "no RRSIG records");
    fail(links, link, HC_DNSSEC_UNCHECKED, &err);
    return true;
}

static void count_time(struct hc_links *links, const struct hc_link *link, enum hc_dnssec state)
{
    struct hc_dns_set set = {
        .reply = &link->slot.reply, .owner = &link->name, .type = HC_DNS_DNSKEY};
    struct hc_rrsig rrsig;
    size_t at = 0;
    uint32_t now = (uint32_t)links->work.now;

    links->good += state == HC_DNSSEC_SECURE;
    if (state == HC_DNSSEC_BOGUS && hc_dns_set_signature(&set, &at, &rrsig) != NULL) {
        links->untimely += (int32_t)(rrsig.expires + HC_SIGNATURE_SLACK - now) < 0 ||
                           (int32_t)(now - rrsig.begins + HC_SIGNATURE_SLACK) < 0;
    }
}

static void after_keys(struct hc_links *links, struct hc_link *link)
{
    bool by_parent = link->trust.answers > 0;
    struct hc_trust trust = {by_parent ? &link->trust : &links->anchors->records, !by_parent};
    enum hc_dnssec state = HC_DNSSEC_UNCHECKED;
    struct hc_error err;

    hc_error_init(&err);
    if (!is_answered(links, link, HC_DNS_DNSKEY) || is_stripped(links, link)) {
        return;
    }
    hc_dnssec_work_begin(&links->work);
    state = hc_keys_take(&link->slot.reply, &link->name, &trust, &links->work, &link->keys, &err);
    count_time(links, link, state);
    if (state == HC_DNSSEC_INSECURE && !by_parent) {
        state = HC_DNSSEC_UNCHECKED; /* an anchor that cannot be used proves nothing */
        hc_error_set(&err, HC_P_DNS_FAILED, NULL,
                     "the trust anchor has no key of an algorithm that hotcert knows");
    }
    if (state == HC_DNSSEC_SECURE || state == HC_DNSSEC_INSECURE) {
        settle(link, state, link);
        return;
    }
    hc_links_hint_clock(links, &err);
    fail(links, link, state, &err);
}

/* There is a DS record: a signed zone begins here. */
static void after_ds(struct hc_links *links, struct hc_link *link, const struct hc_dns_set *set)
{
    const struct hc_keys *keys = &link->parent->zone->keys;
    struct hc_signature signature;
    struct hc_error err;

    hc_error_init(&err);
    hc_signature_check(set, keys, &links->work, &signature);
    if (signature.flaw != HC_SIGNATURE_GOOD) {
        enum hc_dnssec state = hc_signature_fail(set, keys, &signature, &err);

        links->untimely += hc_signature_is_of_time(&signature);
        hc_links_hint_clock(links, &err);
        fail(links, link, state, &err);
        return;
    }
    link->trust = link->slot.reply;
    memset(&link->slot.reply, 0, sizeof(link->slot.reply));
    ask(links, link, HC_DNS_DNSKEY);
}

/* There is an alias instead: beside a CNAME record stands no delegation, nor below a DNAME. */
static void after_alias(struct hc_links *links, struct hc_link *link, struct hc_dns_set *alias)
{
    const struct hc_link *zone = link->parent->zone;
    struct hc_signature signature;
    struct hc_dns_set dname;
    struct hc_dname signer;
    enum hc_dnssec state = HC_DNSSEC_SECURE;
    struct hc_error err;

    hc_error_init(&err);
    if (!hc_dns_set_signer(alias, &signer) && hc_alias_dname(alias->reply, &link->name, &dname) &&
        hc_alias_fits(&dname, &link->name)) {
        *alias = dname;
    }
    hc_signature_check(alias, &zone->keys, &links->work, &signature);
    if (signature.flaw == HC_SIGNATURE_GOOD) {
        settle(link, HC_DNSSEC_SECURE, zone);
        return;
    }
    state = hc_signature_fail(alias, &zone->keys, &signature, &err);
    fail(links, link, state, &err);
}

/* There is none: is that proved, and does a zone begin here? */
static void after_no_ds(struct hc_links *links, struct hc_link *link)
{
    const struct hc_link *zone = link->parent->zone;
    const struct hc_dns_reply *reply = &link->slot.reply;
    struct hc_dns_set alias = {.reply = reply, .owner = &link->name, .type = HC_DNS_CNAME};
    struct hc_denials denials;
    enum hc_cut cut = HC_CUT_UNPROVED;
    enum hc_dnssec state = HC_DNSSEC_BOGUS;
    char what[HC_DNAME_TEXT + 16] = "DS record of ";
    struct hc_error err;

    hc_error_init(&err);
    if (!hc_dns_set_is_empty(&alias)) {
        after_alias(links, link, &alias);
        return;
    }
    hc_denials_take(reply, &zone->keys, &links->work, &denials);
    cut = hc_denial_of_cut(&denials, &link->name);
    links->work.tries += hc_denials_cost(&denials);
    switch (cut) {
    case HC_CUT_NONE:
        settle(link, HC_DNSSEC_SECURE, zone);
        return;
    case HC_CUT_UNSIGNED:
        settle(link, HC_DNSSEC_INSECURE, NULL);
        return;
    case HC_CUT_UNPROVED:
        break;
    }
    (void)hc_dname_format(&link->name, what + strlen(what));
    state = hc_denial_fail(&denials, &zone->keys, what, &err);
    fail(links, link, state, &err);
}

static void after_parent(struct hc_links *links, struct hc_link *link)
{
    switch (link->parent->state) {
    case HC_DNSSEC_SECURE:
        ask(links, link, HC_DNS_DS);
        return;
    case HC_DNSSEC_PENDING:
    case HC_DNSSEC_INSECURE:
    case HC_DNSSEC_BOGUS:
    case HC_DNSSEC_UNCHECKED:
        break;
    }
    hc_kept_error_copy(&link->why, &link->parent->why);
    link->at_top = link->parent->at_top;
    settle(link, link->parent->state, NULL);
}

static void take_ds(struct hc_links *links, struct hc_link *link)
{
    struct hc_dns_set set = {.reply = &link->slot.reply, .owner = &link->name, .type = HC_DNS_DS};

    if (!is_answered(links, link, HC_DNS_DS)) {
        return;
    }
    hc_dnssec_work_begin(&links->work);
    if (hc_dns_set_is_empty(&set)) {
        after_no_ds(links, link);
    } else {
        after_ds(links, link, &set);
    }
}

static bool step(struct hc_links *links, struct hc_link *link)
{
    switch (link->stage) {
    case HC_LINK_PARENT:
        if (link->parent->stage != HC_LINK_SETTLED) {
            return false;
        }
        after_parent(links, link);
        return true;
    case HC_LINK_DS:
        if (!hc_dns_slot_settled(&link->slot)) {
            return false;
        }
        take_ds(links, link);
        return true;
    case HC_LINK_KEYS:
        if (!hc_dns_slot_settled(&link->slot)) {
            return false;
        }
        after_keys(links, link);
        return true;
    case HC_LINK_SETTLED:
        break;
    }
    return false;
}

bool hc_links_step(struct hc_links *links)
{
    bool changed = false;

    /* those above come first, so one round takes what is known all the way down */
    for (struct hc_link *link = links->first; link != NULL && !hc_links_rest(links);
         link = link->next) {
        changed = step(links, link) || changed;
    }
    return changed;
}

/* ---- all of them ---- */

static struct hc_link *known(struct hc_links *links, const struct hc_dname *name)
{
    for (struct hc_link *link = links->first; link != NULL; link = link->next) {
        if (hc_dname_equal(&link->name, name)) {
            return link;
        }
    }
    return NULL;
}

static bool has_anchor(const struct hc_links *links, const struct hc_dname *name)
{
    const struct hc_dns_reply *records = &links->anchors->records;

    for (size_t i = 0; i < records->answers; i++) {
        if (hc_dname_equal(records->records[i].owner, name)) {
            return true;
        }
    }
    return false;
}

static void begin_top(struct hc_links *links, struct hc_link *link)
{
    struct hc_error err;

    if (has_anchor(links, &link->name)) {
        ask(links, link, HC_DNS_DNSKEY);
        return;
    }
    hc_error_init(&err);
    (void)hc_error_chain(&err, &links->anchors->why);
    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "%s has no trust anchor for names here",
                 links->anchors->path != NULL ? links->anchors->path : "hotcert");
    fail(links, link, HC_DNSSEC_UNCHECKED, &err);
}

static struct hc_link *begin(struct hc_links *links, const struct hc_dname *name,
                             const struct hc_link *parent, struct hc_error *err)
{
    struct hc_link *link = NULL;

    if (links->count == HC_LINKS_MOST) {
        hc_error_set(err, HC_P_TOO_LARGE, NULL,
                     "more than %d names are on the way from the trust anchor to these",
                     HC_LINKS_MOST);
        return NULL;
    }
    link = calloc(1, sizeof(*link));
    if (link == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    link->name = *name;
    link->parent = has_anchor(links, name) ? NULL : parent;
    link->stage = HC_LINK_PARENT;
    *links->tail = link;
    links->tail = &link->next;
    links->count++;
    if (link->parent == NULL) {
        begin_top(links, link);
    }
    return link;
}

const struct hc_link *hc_links_find(struct hc_links *links, const struct hc_dname *name,
                                    struct hc_error *err)
{
    const struct hc_link *link = known(links, name);
    unsigned labels = hc_dname_labels(name);

    /* from the top down */
    for (unsigned count = 0; link == NULL || !hc_dname_equal(&link->name, name); count++) {
        struct hc_dname above = *name;
        const struct hc_link *parent = link;

        hc_dname_shorten(&above, count);
        link = known(links, &above);
        link = link != NULL ? link : begin(links, &above, parent, err);
        if (link == NULL || count > labels) {
            return NULL;
        }
    }
    return link;
}

void hc_links_hint_clock(const struct hc_links *links, struct hc_error *err)
{
    char now[HC_TIME_TEXT];

    if (links->untimely > links->good) {
        hc_error_hint(err,
                      "check this machine's clock, which says %s; if it is right, re-sign the "
                      "zone",
                      hc_time_format(links->work.now, now));
    }
}
