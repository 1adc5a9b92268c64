/* DNS messages, RFC 1035 section 4; see message.h. */
#include "dns/message.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/str.h"

#define HEADER      12
#define CLASS_IN    1
#define FLAG_QR     0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_TC     0x0200u

char *hc_dns_type_format(unsigned type, char dst[16])
{
    static const struct {
        unsigned type;
        const char *name;
    } known[] = {
        {HC_DNS_A, "A"},         {HC_DNS_NS, "NS"},       {HC_DNS_CNAME, "CNAME"},
        {HC_DNS_SOA, "SOA"},     {HC_DNS_TXT, "TXT"},     {HC_DNS_AAAA, "AAAA"},
        {HC_DNS_DNAME, "DNAME"}, {HC_DNS_DS, "DS"},       {HC_DNS_RRSIG, "RRSIG"},
        {HC_DNS_NSEC, "NSEC"},   {HC_DNS_NSEC3, "NSEC3"}, {HC_DNS_DNSKEY, "DNSKEY"},
        {HC_DNS_CAA, "CAA"},
    };

    for (size_t i = 0; i < HC_COUNT(known); i++) {
        if (known[i].type == type) {
            snprintf(dst, 16, "%s", known[i].name);
            return dst;
        }
    }
    snprintf(dst, 16, "TYPE%u", type & 0xffffu);
    return dst;
}

char *hc_dns_rcode_format(unsigned rcode, char dst[16])
{
    static const char *const known[] = {
        [HC_DNS_NOERROR] = "NOERROR",   [HC_DNS_FORMERR] = "FORMERR",
        [HC_DNS_SERVFAIL] = "SERVFAIL", [HC_DNS_NXDOMAIN] = "NXDOMAIN",
        [HC_DNS_NOTIMP] = "NOTIMP",     [HC_DNS_REFUSED] = "REFUSED",
        [HC_DNS_NOTAUTH] = "NOTAUTH",   [HC_DNS_NOTZONE] = "NOTZONE",
    };

    if (rcode < HC_COUNT(known) && known[rcode] != NULL) {
        snprintf(dst, 16, "%s", known[rcode]);
    } else {
        snprintf(dst, 16, "RCODE%u", rcode & 0xfffu);
    }
    return dst;
}

int hc_dns_query_write(const struct hc_dns_question *question, uint16_t id, bool plain,
                       uint8_t dst[HC_DNS_QUERY_MAX], size_t *len, struct hc_error *err)
{
    ldns_rdf *name =
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, question->name.len, question->name.wire);
    uint16_t flags =
        (uint16_t)((question->recurse ? LDNS_RD : 0) | (question->checking_disabled ? LDNS_CD : 0));
    ldns_pkt *query = NULL;
    uint8_t *wire = NULL;
    int rc = -1;

    if (name == NULL) {
        return hc_error_nomem(err);
    }
    query = ldns_pkt_query_new(name, (ldns_rr_type)question->type, LDNS_RR_CLASS_IN, flags);
    if (query == NULL) {
        ldns_rdf_deep_free(name);
        return hc_error_nomem(err);
    }
    ldns_pkt_set_id(query, id);
    if (!plain) {
        ldns_pkt_set_edns_udp_size(query, HC_DNS_UDP_SIZE);
        ldns_pkt_set_edns_do(query, question->dnssec_ok);
    }
    if (ldns_pkt2wire(&wire, query, len) != LDNS_STATUS_OK || *len > HC_DNS_QUERY_MAX) {
        hc_error_set(err, HC_P_INTERNAL, NULL, "a DNS query could not be built");
        goto out;
    }
    memcpy(dst, wire, *len);
    rc = 0;

out:
    free(wire);
    ldns_pkt_free(query);
    return rc;
}

/* Length of the question's name at data[HEADER], if it is an uncompressed one; else 0. */
static size_t question_length(const uint8_t *data, size_t len)
{
    size_t at = HEADER;

    while (at < len && data[at] != 0 && data[at] < 64) {
        at += data[at] + 1U;
    }
    return at < len && data[at] == 0 ? at + 1 - HEADER : 0;
}

/* True if the message is a reply to exactly this question with this id. */
static bool is_ours(const uint8_t *data, size_t len, const struct hc_dns_question *question,
                    uint16_t id)
{
    struct hc_reader in = {data, len};
    uint64_t head[HEADER / 2];
    uint64_t type = 0;
    uint64_t class = 0;
    struct hc_bytes wire;
    struct hc_dname name;

    for (size_t i = 0; i < HEADER / 2; i++) {
        if (hc_get_number(&in, 2, &head[i], NULL) != 0) {
            return false;
        }
    }
    if (head[0] != id || (head[1] & FLAG_QR) == 0 || (head[1] & FLAG_OPCODE) != 0) {
        return false;
    }
    if (head[2] == 0) {
        /* servers that cannot read a question do not always repeat it */
        return (head[1] & 15u) == HC_DNS_FORMERR || (head[1] & 15u) == HC_DNS_NOTIMP;
    }
    return head[2] == 1 && hc_get_bytes(&in, question_length(data, len), &wire, NULL) == 0 &&
           wire.len > 0 && hc_get_number(&in, 2, &type, NULL) == 0 &&
           hc_get_number(&in, 2, &class, NULL) == 0 &&
           hc_dname_from_wire(wire.data, wire.len, &name) == 0 &&
           hc_dname_equal(&name, &question->name) && type == (unsigned)question->type &&
           class == CLASS_IN;
}

static bool is_of_dnssec(unsigned type)
{
    return type == HC_DNS_RRSIG || type == HC_DNS_NSEC || type == HC_DNS_NSEC3 ||
           type == HC_DNS_DNAME;
}

/* The others are as many again, and nobody looks at them. */
static bool is_kept(const ldns_rr *rr, const struct hc_dns_question *question)
{
    unsigned type = (unsigned)ldns_rr_get_type(rr);

    return ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN && ldns_rr_owner(rr) != NULL &&
           (type == (unsigned)question->type || type == HC_DNS_CNAME || type == HC_DNS_NS ||
            type == HC_DNS_SOA || (question->dnssec_ok && is_of_dnssec(type)));
}

static size_t rdata_length(const ldns_rr *rr)
{
    size_t len = 0;

    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        len += ldns_rdf_size(ldns_rr_rdf(rr, i));
    }
    return len;
}

/* What a reply takes. */
struct size {
    size_t records;
    size_t bytes;
};

static void measure(const ldns_rr_list *list, const struct hc_dns_question *question,
                    struct size *size)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);

        if (is_kept(rr, question)) {
            size->records++;
            size->bytes += rdata_length(rr);
        }
    }
}

/* Each name once: hundreds of records of one set have one owner. NULL if there are too many. */
static const struct hc_dname *intern(struct hc_dns_reply *reply, const struct hc_dname *name)
{
    for (size_t i = 0; i < reply->owner_count; i++) {
        if (hc_dname_equal(&reply->owners[i], name)) {
            return &reply->owners[i];
        }
    }
    if (reply->owner_count >= HC_DNS_OWNERS) {
        return NULL;
    }
    reply->owners[reply->owner_count] = *name;
    return &reply->owners[reply->owner_count++];
}

static int take_record(const ldns_rr *rr, struct hc_dns_reply *reply, struct hc_dns_record *out,
                       size_t *used, struct hc_error *err)
{
    const ldns_rdf *owner = ldns_rr_owner(rr);
    size_t start = *used;
    struct hc_dname name;

    if (rdata_length(rr) > UINT16_MAX ||
        hc_dname_from_wire(ldns_rdf_data(owner), ldns_rdf_size(owner), &name) != 0) {
        return hc_error_set(err, HC_P_DNS_FAILED, NULL, "the reply has a malformed record");
    }
    out->owner = intern(reply, &name);
    if (out->owner == NULL) {
        return hc_error_set(err, HC_P_DNS_FAILED, NULL,
                            "the reply has records of more than %d names", HC_DNS_OWNERS);
    }
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *part = ldns_rr_rdf(rr, i);

        if (ldns_rdf_size(part) > 0) {
            memcpy(reply->pool + *used, ldns_rdf_data(part), ldns_rdf_size(part));
            *used += ldns_rdf_size(part);
        }
    }
    out->type = (unsigned)ldns_rr_get_type(rr);
    out->ttl = ldns_rr_ttl(rr);
    out->data = reply->pool + start;
    out->len = (uint16_t)(*used - start);
    return 0;
}

static int take_section(const ldns_rr_list *list, const struct hc_dns_question *question,
                        struct hc_dns_reply *reply, size_t *count, size_t *used,
                        struct hc_error *err)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        struct hc_dns_record *record = &reply->records[reply->answers + reply->authorities];

        if (!is_kept(rr, question)) {
            continue;
        }
        if (take_record(rr, reply, record, used, err) != 0) {
            return -1;
        }
        (*count)++;
    }
    return 0;
}

static int allocate(struct hc_dns_reply *reply, const struct size *size, size_t owners,
                    struct hc_error *err)
{
    reply->records = calloc(size->records + 1, sizeof(*reply->records));
    reply->owners = calloc(owners + 1, sizeof(*reply->owners));
    reply->pool = malloc(size->bytes + 1);
    if (reply->records == NULL || reply->owners == NULL || reply->pool == NULL) {
        hc_dns_reply_dispose(reply);
        return hc_error_nomem(err);
    }
    return 0;
}

static enum hc_dns_read take_reply(const ldns_pkt *packet, const struct hc_dns_question *question,
                                   struct hc_dns_reply *out, struct hc_error *err)
{
    const ldns_rr_list *answers = ldns_pkt_answer(packet);
    const ldns_rr_list *authorities = ldns_pkt_authority(packet);
    struct size size = {0, 0};
    size_t used = 0;

    measure(answers, question, &size);
    measure(authorities, question, &size);
    if (allocate(out, &size, HC_DNS_OWNERS, err) != 0) {
        return HC_DNS_READ_FAILED;
    }
    out->rcode =
        (unsigned)ldns_pkt_get_rcode(packet) | (unsigned)ldns_pkt_edns_extended_rcode(packet) << 4;
    out->authoritative = ldns_pkt_aa(packet);
    out->recursive = ldns_pkt_ra(packet);
    out->authentic = ldns_pkt_ad(packet);
    out->dnssec_ok = ldns_pkt_edns_do(packet);
    if (take_section(answers, question, out, &out->answers, &used, err) != 0 ||
        take_section(authorities, question, out, &out->authorities, &used, err) != 0) {
        hc_dns_reply_dispose(out);
        return HC_DNS_READ_MALFORMED;
    }
    return HC_DNS_READ_REPLY;
}

enum hc_dns_read hc_dns_reply_read(const uint8_t *data, size_t len,
                                   const struct hc_dns_question *question, uint16_t id,
                                   struct hc_dns_reply *out, struct hc_error *err)
{
    enum hc_dns_read result = HC_DNS_READ_MALFORMED;
    ldns_pkt *packet = NULL;
    ldns_status status = LDNS_STATUS_OK;

    memset(out, 0, sizeof(*out));
    if (!is_ours(data, len, question, id)) {
        return HC_DNS_READ_NOT_OURS;
    }
    if (((unsigned)data[2] << 8 & FLAG_TC) != 0) {
        out->truncated = true; /* what is there of it is asked for again over TCP */
        return HC_DNS_READ_REPLY;
    }
    if (len > HC_DNS_REPLY_MAX) {
        hc_error_set(err, HC_P_DNS_FAILED, NULL, "the reply is larger than %zu octets",
                     HC_DNS_REPLY_MAX);
        return HC_DNS_READ_MALFORMED;
    }
    status = ldns_wire2pkt(&packet, data, len);
    if (status != LDNS_STATUS_OK) {
        hc_error_set(err, HC_P_DNS_FAILED, NULL, "the reply is malformed: %s",
                     ldns_get_errorstr_by_id(status));
    } else {
        result = take_reply(packet, question, out, err);
    }
    ldns_pkt_free(packet);
    return result;
}

void hc_dns_reply_dispose(struct hc_dns_reply *reply)
{
    free(reply->records);
    free(reply->owners);
    free(reply->pool);
    memset(reply, 0, sizeof(*reply));
}

int hc_dns_reply_copy(const struct hc_dns_reply *from, struct hc_dns_reply *to,
                      struct hc_error *err)
{
    struct size size = {from->answers + from->authorities, 0};
    size_t used = 0;

    *to = *from;
    for (size_t i = 0; i < size.records; i++) {
        size.bytes += from->records[i].len;
    }
    if (allocate(to, &size, from->owner_count, err) != 0) {
        return -1;
    }
    if (from->owner_count > 0) {
        memcpy(to->owners, from->owners, from->owner_count * sizeof(*to->owners));
    }
    for (size_t i = 0; i < size.records; i++) {
        struct hc_dns_record *record = &to->records[i];

        *record = from->records[i];
        record->owner = to->owners + (from->records[i].owner - from->owners);
        record->data = to->pool + used;
        if (record->len > 0) {
            memcpy(to->pool + used, from->records[i].data, record->len);
        }
        used += record->len;
    }
    return 0;
}

const struct hc_dns_record *hc_dns_reply_next(const struct hc_dns_reply *reply,
                                              const struct hc_dname *owner, enum hc_dns_type type,
                                              size_t *at)
{
    while (*at < reply->answers) {
        const struct hc_dns_record *record = &reply->records[(*at)++];

        if (record->type == (unsigned)type && hc_dname_equal(record->owner, owner)) {
            return record;
        }
    }
    return NULL;
}

int hc_dns_record_target(const struct hc_dns_record *record, struct hc_dname *out)
{
    if (record->type != HC_DNS_CNAME && record->type != HC_DNS_NS) {
        return -1;
    }
    return hc_dname_from_wire(record->data, record->len, out);
}

int hc_dns_reply_follow(const struct hc_dns_reply *reply, const struct hc_dname *name,
                        struct hc_dname *end, unsigned *links, struct hc_error *err)
{
    *end = *name;
    for (*links = 0; *links <= HC_DNS_CHAIN; (*links)++) {
        size_t at = 0;
        const struct hc_dns_record *alias = hc_dns_reply_next(reply, end, HC_DNS_CNAME, &at);

        if (alias == NULL) {
            return 0;
        }
        if (hc_dns_record_target(alias, end) != 0) {
            return hc_error_set(err, HC_P_DNS_FAILED, NULL, "a CNAME record is malformed");
        }
    }
    return hc_error_set(err, HC_P_DNS_FAILED, NULL,
                        "the CNAME records form a loop, or a chain of more than %d", HC_DNS_CHAIN);
}

const struct hc_dns_record *hc_dns_reply_soa(const struct hc_dns_reply *reply,
                                             const struct hc_dname *name)
{
    for (size_t i = 0; i < reply->answers + reply->authorities; i++) {
        const struct hc_dns_record *record = &reply->records[i];

        if (record->type == HC_DNS_SOA && hc_dname_is_within(name, record->owner)) {
            return record;
        }
    }
    return NULL;
}

static bool has_authority(const struct hc_dns_reply *reply, enum hc_dns_type type)
{
    for (size_t i = reply->answers; i < reply->answers + reply->authorities; i++) {
        if (reply->records[i].type == (unsigned)type) {
            return true;
        }
    }
    return false;
}

bool hc_dns_txt_is(const struct hc_dns_record *record, const char *text)
{
    size_t left = strlen(text);

    for (size_t at = 0; at < record->len;) {
        size_t len = record->data[at++];

        if (len > (size_t)record->len - at || len > left ||
            memcmp(record->data + at, text, len) != 0) {
            return false;
        }
        at += len;
        text += len;
        left -= len;
    }
    return left == 0;
}

bool hc_dns_reply_has_txt(const struct hc_dns_reply *reply, const struct hc_dname *owner,
                          const char *text)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    while ((record = hc_dns_reply_next(reply, owner, HC_DNS_TXT, &at)) != NULL) {
        if (hc_dns_txt_is(record, text)) {
            return true;
        }
    }
    return false;
}

bool hc_dns_reply_is_lame(const struct hc_dns_reply *reply, const struct hc_dns_question *question)
{
    struct hc_dname end;
    struct hc_error ignored = {0};
    unsigned links = 0;
    size_t at = 0;

    if (reply->rcode != HC_DNS_NOERROR && reply->rcode != HC_DNS_NXDOMAIN) {
        return false;
    }
    if (!question->recurse) {
        return !reply->authoritative;
    }
    if (hc_dns_reply_follow(reply, &question->name, &end, &links, &ignored) != 0 ||
        hc_dns_reply_next(reply, &end, question->type, &at) != NULL ||
        hc_dns_reply_soa(reply, &end) != NULL || (reply->authoritative && links == 0)) {
        return false;
    }
    /* some stubs leave the SOA out of an answer that there is none, but they do recurse */
    return !reply->recursive || has_authority(reply, HC_DNS_NS);
}

bool hc_dns_reply_is_refusal(const struct hc_dns_reply *reply,
                             const struct hc_dns_question *question)
{
    return (reply->rcode != HC_DNS_NOERROR && reply->rcode != HC_DNS_NXDOMAIN) ||
           hc_dns_reply_is_lame(reply, question);
}
