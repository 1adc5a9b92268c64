/*
 * A signed Internet for unit tests: the root, test, and zones below it, behind a resolver that the
 * test steps by hand. signed_reply.h writes and signs.
 */
#ifndef HC_T_SIGNED_WORLD_H
#define HC_T_SIGNED_WORLD_H

#include "dns/anchors.h"
#include "dns/slot.h"
#include "signed_reply.h"
#include "tap.h"

static struct pen root_pen, test_pen, good_pen, other_pen, moved_pen, before_pen, inner_root_pen;

/* ---- the resolver ---- */

struct stored {
    char name[64];
    unsigned type;
    struct hc_dns_reply reply;
    bool silent;
    bool small;                         /* with DNSSEC records it would be too large to arrive */
    const struct hc_dns_reply *made_up; /* without CD; or NULL */
    bool servfail;                      /* unless with CD, as who validates does */
    unsigned asked;
};

static struct stored stored[64];
static size_t stored_count;

static struct {
    hc_dns_done *tell;
    void *arg;
    struct hc_dns_question question;
} pending[64];
static size_t pending_count;

static void store(const char *name, unsigned type, struct hc_dns_reply reply)
{
    struct stored *s = &stored[stored_count++];

    memset(s, 0, sizeof(*s));
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->type = type;
    s->reply = reply;
}

static struct stored *find(const char *name, unsigned type)
{
    for (size_t i = stored_count; i-- > 0;) {
        if (strcmp(stored[i].name, name) == 0 && stored[i].type == type) {
            return &stored[i];
        }
    }
    return NULL;
}

static int fake_ask(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                    uint64_t *id, struct hc_error *err)
{
    (void)self;
    (void)err;
    *id = pending_count + 1;
    ok(ask->question.recurse, "asked with RD");
    if (ask->question.type == HC_DNS_DS || ask->question.type == HC_DNS_DNSKEY) {
        ok(ask->question.dnssec_ok, "and for keys with DO");
        ok(ask->question.checking_disabled, "for keys with CD");
    }
    pending[pending_count].tell = done;
    pending[pending_count].arg = arg;
    pending[pending_count++].question = ask->question;
    return 0;
}

static void fake_cancel(void *self, uint64_t id)
{
    (void)self;
    (void)id;
}

static void wake(void *self)
{
    (void)self;
}

static const struct hc_dns_port port = {NULL, fake_ask, fake_cancel};
static const struct hc_dns_slot_owner owner = {.dns = &port, .wake = wake};

static void answer_all(void)
{
    size_t count = pending_count;
    const struct hc_dns_server from = {.len = 0};

    for (size_t i = 0; i < count; i++) {
        char name[HC_DNAME_TEXT];
        struct stored *s = NULL;
        struct hc_error err = {0};

        hc_dname_format(&pending[i].question.name, name);
        s = find(name, (unsigned)pending[i].question.type);
        if (s != NULL && s->servfail && !pending[i].question.checking_disabled) {
            struct hc_dns_reply servfail = {.rcode = HC_DNS_SERVFAIL, .recursive = true};

            pending[i].tell(pending[i].arg, &servfail, &from, NULL);
        } else if (s != NULL && s->made_up != NULL && !pending[i].question.checking_disabled) {
            pending[i].tell(pending[i].arg, s->made_up, &from, NULL);
        } else if (s == NULL || s->silent || (s->small && pending[i].question.dnssec_ok)) {
            hc_error_set(&err, HC_P_DNS_FAILED, name, "no answer in time");
            pending[i].tell(pending[i].arg, NULL, NULL, &err);
        } else {
            s->asked++;
            pending[i].tell(pending[i].arg, &s->reply, &from, NULL);
        }
    }
    memmove(pending, pending + count, (pending_count - count) * sizeof(pending[0]));
    pending_count -= count;
}

/* ---- the world ---- */

static struct hc_dns_reply signed_set(const struct pen *pen, const char *text)
{
    struct draft d;

    draft_begin(&d);
    draft_set(&d, pen, text);
    return draft_end(&d, 0);
}

static struct hc_dns_reply keys_reply(const struct pen *pen, const struct pen *signer)
{
    struct draft d;

    draft_begin(&d);
    draft_record(&d, signer, pen->dnskey);
    return draft_end(&d, 0);
}

static struct hc_dns_reply ds_reply(const struct pen *pen, const struct pen *child)
{
    struct draft d;

    draft_begin(&d);
    draft_ds(&d, pen, child, LDNS_SHA256);
    return draft_end(&d, 0);
}

/* There is nothing of this type: NSEC records as given. */
static struct hc_dns_reply nothing(const struct pen *pen, const char *nsec, unsigned rcode)
{
    struct draft d;

    draft_begin(&d);
    draft_authority(&d);
    if (nsec != NULL) {
        draft_set(&d, pen, nsec);
    }
    return draft_end(&d, rcode);
}

static char anchor_path[] = "anchor";
static struct hc_anchors anchors;

static void build(void)
{
    root_pen = pen_make(".");
    test_pen = pen_make("test.");
    good_pen = pen_make("good.test.");
    other_pen = pen_unlike("good.test.", &good_pen);
    moved_pen = pen_make("moved.test.");
    before_pen = pen_unlike("moved.test.", &moved_pen);
    inner_root_pen = pen_unlike(".", &root_pen);
    anchors.path = anchor_path;
    anchors.records = ds_reply(NULL, &root_pen);

    store(".", HC_DNS_DNSKEY, keys_reply(&root_pen, &root_pen));
    store("test.", HC_DNS_DS, ds_reply(&root_pen, &test_pen));
    store("test.", HC_DNS_DNSKEY, keys_reply(&test_pen, &test_pen));
    store("good.test.", HC_DNS_DS, ds_reply(&test_pen, &good_pen));
    store("good.test.", HC_DNS_DNSKEY, keys_reply(&good_pen, &good_pen));
    store("www.good.test.", HC_DNS_DS,
          nothing(&good_pen, "www.good.test. 300 IN NSEC good.test. A RRSIG NSEC", 0));
    store("plain.test.", HC_DNS_DS,
          nothing(&test_pen, "plain.test. 300 IN NSEC test. NS RRSIG NSEC", 0));
    store("moved.test.", HC_DNS_DS, ds_reply(&test_pen, &before_pen));
    store("moved.test.", HC_DNS_DNSKEY, keys_reply(&moved_pen, &moved_pen));
    store("unproved.test.", HC_DNS_DS, nothing(&test_pen, NULL, 0));
    store("silent.test.", HC_DNS_DS, nothing(NULL, NULL, 0));
    find("silent.test.", HC_DNS_DS)->silent = true;
}

static int64_t fake_now(void *self)
{
    (void)self;
    return PEN_NOW;
}

static int64_t fake_ms(void *self)
{
    (void)self;
    return 1000;
}

static const struct hc_clock clock_then = {.now = fake_now, .monotonic_ms = fake_ms};

static void take_down(void)
{
    for (size_t i = 0; i < stored_count; i++) {
        hc_dns_reply_dispose(&stored[i].reply);
    }
    hc_dns_reply_dispose(&anchors.records);
    pen_free(&root_pen);
    pen_free(&test_pen);
    pen_free(&good_pen);
    pen_free(&other_pen);
    pen_free(&moved_pen);
    pen_free(&before_pen);
    pen_free(&inner_root_pen);
}

#endif
