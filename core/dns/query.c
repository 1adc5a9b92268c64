/* Questions to our responder; see query.h. */
#include "dns/query.h"

#include <string.h>

#include "base/reader.h"

#define FLAG_QR     0x8000u
#define FLAG_OPCODE 0x7800u
#define TYPE_OPT    41
#define OPT_DO      0x8000u

/* The six numbers of a header. */
enum { ID, FLAGS, QUESTIONS, ANSWERS, AUTHORITIES, ADDITIONALS, NUMBERS };

static int get16(struct hc_reader *in, unsigned *out)
{
    uint64_t number = 0;

    if (hc_get_number(in, 2, &number, NULL) != 0) {
        return -1;
    }
    *out = (unsigned)number;
    return 0;
}

/* Octets of the uncompressed name that the bytes begin with; 0: it is none. */
static size_t name_length(const struct hc_reader *in)
{
    size_t at = 0;

    while (at < in->left && in->data[at] != 0 && in->data[at] < 64) {
        at += in->data[at] + 1U;
    }
    return at < in->left && in->data[at] == 0 ? at + 1 : 0;
}

static int read_question(struct hc_reader *in, struct hc_dns_query *out)
{
    const uint8_t *start = in->data;
    struct hc_bytes wire;

    /* nothing stands before it that its name could point to */
    if (hc_get_bytes(in, name_length(in), &wire, NULL) != 0 ||
        hc_dname_from_wire(wire.data, wire.len, &out->name) != 0 || get16(in, &out->type) != 0 ||
        get16(in, &out->class) != 0) {
        return -1;
    }
    out->question = start;
    out->question_len = wire.len + 4;
    return 0;
}

/* Passes over a name that may end in a pointer. */
static int skip_name(struct hc_reader *in)
{
    struct hc_bytes label;
    uint64_t length = 0;

    do {
        if (hc_get_number(in, 1, &length, NULL) != 0) {
            return -1;
        }
        if (length >= 0xc0) {
            return hc_get_bytes(in, 1, &label, NULL);
        }
        if (length > 63 || hc_get_bytes(in, (size_t)length, &label, NULL) != 0) {
            return -1;
        }
    } while (length != 0);
    return 0;
}

/* One record behind the question: of interest is EDNS alone. 1: of a version that nobody knows. */
static int read_additional(struct hc_reader *in, struct hc_dns_query *out)
{
    bool root = in->left > 0 && in->data[0] == 0;
    unsigned number[5]; /* type, class, TTL in two halves, length */
    struct hc_bytes data;

    if (skip_name(in) != 0) {
        return -1;
    }
    for (size_t i = 0; i < 5; i++) {
        if (get16(in, &number[i]) != 0) {
            return -1;
        }
    }
    if (hc_get_bytes(in, number[4], &data, NULL) != 0) {
        return -1;
    }
    if (number[0] != TYPE_OPT) {
        return 0;
    }
    if (out->edns || !root) {
        return -1; /* RFC 6891 section 6.1.1 */
    }
    out->edns = true;
    out->dnssec_ok = (number[3] & OPT_DO) != 0;
    return (number[2] & 0xffu) != 0 ? 1 : 0;
}

static enum hc_dns_query_state read_rest(struct hc_reader *in, const unsigned head[NUMBERS],
                                         struct hc_dns_query *out)
{
    bool unknown = false;

    if (head[QUESTIONS] != 1 || read_question(in, out) != 0 || head[ANSWERS] != 0 ||
        head[AUTHORITIES] != 0) {
        return HC_DNS_QUERY_MALFORMED;
    }
    for (unsigned i = 0; i < head[ADDITIONALS]; i++) {
        int rc = read_additional(in, out);

        if (rc < 0) {
            return HC_DNS_QUERY_MALFORMED;
        }
        unknown = unknown || rc > 0;
    }
    return unknown ? HC_DNS_QUERY_VERSION : HC_DNS_QUERY_GOOD;
}

enum hc_dns_query_state hc_dns_query_read(const uint8_t *data, size_t len, struct hc_dns_query *out)
{
    struct hc_reader in = {data, len};
    unsigned head[NUMBERS];

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < NUMBERS; i++) {
        if (get16(&in, &head[i]) != 0) {
            return HC_DNS_QUERY_DROPPED;
        }
    }
    out->id = (uint16_t)head[ID];
    out->flags = (uint16_t)head[FLAGS];
    if ((head[FLAGS] & FLAG_QR) != 0) {
        return HC_DNS_QUERY_DROPPED; /* two responders would answer each other for ever */
    }
    if ((head[FLAGS] & FLAG_OPCODE) != 0) {
        return HC_DNS_QUERY_UNKNOWN;
    }
    return read_rest(&in, head, out);
}
