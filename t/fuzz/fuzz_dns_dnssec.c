/*
 * DNSSEC, with what a DNS server sends: signatures, keys, proofs, the walk down from an anchor, and
 * a whole validation, where the same bytes answer every question. What no bytes can pass (a good
 * signature) is left out for the proofs: those are judged as if they were signed.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/verification.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000

static const uint8_t *bytes;
static size_t bytes_len;

/* ---- a resolver that answers everything with the same bytes ---- */

static struct {
    hc_dns_done *done;
    void *arg;
    struct hc_dns_question question;
} pending[128];
static size_t pending_count;

static int ask(void *self, const struct hc_dns_ask *what, hc_dns_done *done, void *arg,
               uint64_t *id, struct hc_error *err)
{
    (void)self;
    if (pending_count == HC_COUNT(pending)) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "too many");
    }
    pending[pending_count].done = done;
    pending[pending_count].arg = arg;
    pending[pending_count].question = what->question;
    *id = ++pending_count;
    return 0;
}

static void cancel(void *self, uint64_t id)
{
    (void)self;
    pending[id - 1].done = NULL;
}

static void wake(void *self)
{
    (void)self;
}

static int64_t now(void *self)
{
    (void)self;
    return NOW;
}

static const struct hc_dns_port port = {NULL, ask, cancel};
static const struct hc_dns_slot_owner owner = {.dns = &port, .wake = wake};
static const struct hc_clock fixed = {NULL, now, now};

/* Reads the bytes as the reply to this question. */
static bool read_as(const struct hc_dns_question *question, struct hc_dns_reply *out)
{
    static const uint8_t head[] = {0, 7, 0x81, 0x80, 0, 1};
    uint8_t message[4096 + 300];
    size_t len = 12;
    struct hc_error err;

    hc_error_init(&err);
    memcpy(message, bytes, 12);
    memcpy(message, head, sizeof(head));
    message[3] = (uint8_t)(0x80 | (bytes[3] & 0x2f));
    memcpy(message + len, question->name.wire, question->name.len);
    len += question->name.len;
    message[len++] = (uint8_t)((unsigned)question->type >> 8);
    message[len++] = (uint8_t)question->type;
    message[len++] = 0;
    message[len++] = 1;
    memcpy(message + len, bytes + 12, bytes_len - 12);
    return hc_dns_reply_read(message, len + bytes_len - 12, question, 7, out, &err) ==
               HC_DNS_READ_REPLY &&
           !out->truncated;
}

static void answer_all(void)
{
    const struct hc_dns_server from = {.len = 0};

    for (size_t i = 0; i < pending_count; i++) {
        struct hc_dns_reply reply;
        struct hc_error err;
        hc_dns_done *done = pending[i].done;

        hc_error_init(&err);
        pending[i].done = NULL;
        if (done == NULL) {
            continue;
        }
        if (read_as(&pending[i].question, &reply)) {
            done(pending[i].arg, &reply, &from, NULL);
            hc_dns_reply_dispose(&reply);
        } else {
            hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
            done(pending[i].arg, NULL, NULL, &err);
        }
    }
    pending_count = 0;
}

/* ---- what is done with it ---- */

static void validate(const struct hc_dns_reply *reply, const struct hc_dns_question *question,
                     const struct hc_anchors *anchors)
{
    struct hc_verification v = {.begun = false};
    struct hc_links links;

    hc_links_init(&links, &owner, anchors, &fixed, NOW + 9000);
    hc_verification_begin(&v, reply, &question->name, question->type);
    for (int i = 0; i < 300 && !hc_verification_settled(&v); i++) {
        hc_links_begin_pass(&links);
        while (hc_links_step(&links) || hc_verification_step(&v, &links)) {
        }
        if (links.work.tries > HC_LINKS_TRIES + HC_DNSSEC_TRIES + HC_DENIAL_HASHES + 1) {
            __builtin_trap();
        }
        answer_all();
    }
    if (!hc_verification_settled(&v)) {
        __builtin_trap(); /* it would never end */
    }
    hc_verification_dispose(&v);
    hc_links_dispose(&links);
}

static void judge_proofs(const struct hc_dns_reply *reply, const struct hc_dns_question *question)
{
    struct hc_denials d;

    memset(&d, 0, sizeof(d));
    if (hc_dname_from_host("example.net", &d.zone, NULL) != 0) {
        return;
    }
    for (size_t i = 0; i < reply->answers + reply->authorities; i++) {
        const struct hc_dns_record *record = &reply->records[i];

        if (record->type == HC_DNS_NSEC && d.nsec_count < HC_DENIAL_RECORDS &&
            hc_nsec_read(record, &d.nsec[d.nsec_count]) == 0) {
            d.nsec_count++;
        }
        if (record->type == HC_DNS_NSEC3 && d.nsec3_count < HC_DENIAL_RECORDS &&
            hc_nsec3_read(record, &d.zone, &d.nsec3[d.nsec3_count]) == 0 &&
            d.nsec3[d.nsec3_count].iterations <= HC_NSEC3_ITERATIONS) {
            d.nsec3_count++;
        }
    }
    (void)hc_denial_of_name(&d, &question->name);
    (void)hc_denial_of_type(&d, &question->name, (unsigned)question->type);
    (void)hc_denial_of_closer(&d, &question->name, 2);
    (void)hc_denial_of_cut(&d, &question->name);
    if (d.hashed > HC_DENIAL_HASHES) {
        __builtin_trap();
    }
}

static void take_keys(const struct hc_dns_reply *reply, const struct hc_dname *zone)
{
    struct hc_dnssec_work work = {.now = NOW, .left = HC_DNSSEC_TRIES};
    struct hc_trust trust = {reply, false};
    struct hc_keys keys;
    struct hc_error err;

    hc_error_init(&err);
    /* the reply names its own keys */
    (void)hc_keys_take(reply, zone, &trust, &work, &keys, &err);
    hc_keys_dispose(&keys);
    if (work.tries > HC_DNSSEC_TRIES) {
        __builtin_trap();
    }
}

/* The first octet chooses the type; the rest is what follows the question, behind 12 octets of
 * which the counts of a header are taken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum hc_dns_type types[] = {HC_DNS_A, HC_DNS_CAA, HC_DNS_DS, HC_DNS_DNSKEY};
    static const char text[] =
        ". IN DS 1 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
    static struct hc_anchors anchors;
    struct hc_dns_question question = {.recurse = true, .dnssec_ok = true};
    struct hc_dns_reply reply;
    struct hc_dns_reply parsed;
    struct hc_error err;

    hc_error_init(&err);
    if (anchors.records.answers == 0 &&
        hc_anchors_parse(text, sizeof(text) - 1, "", &anchors.records, &err) != 0) {
        __builtin_trap();
    }
    if (size < 13 || size > 2048 ||
        hc_dname_from_host("www.example.net", &question.name, NULL) != 0) {
        return 0;
    }
    if (hc_anchors_parse((const char *)data, size, "", &parsed, &err) == 0) {
        hc_dns_reply_dispose(&parsed);
    }
    question.type = types[data[0] & 3];
    bytes = data + 1;
    bytes_len = size - 1;
    if (read_as(&question, &reply)) {
        take_keys(&reply, &question.name);
        judge_proofs(&reply, &question);
        validate(&reply, &question, &anchors);
        hc_dns_reply_dispose(&reply);
    }
    return 0;
}
