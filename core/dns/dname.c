/* Domain names in wire form, RFC 1035 section 3.1; see dname.h. */
#include "dns/dname.h"

#include <stdio.h>
#include <string.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

int hc_dname_from_host(const char *host, struct hc_dname *out, struct hc_error *err)
{
    size_t len = strlen(host);
    size_t label = 0; /* where the length octet of the open label stands */
    size_t at = 1;

    memset(out, 0, sizeof(*out));
    if (len > 0 && host[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > HC_DNAME_WIRE - 2) {
        return hc_error_set(err, HC_P_NAME_INVALID, host, "it is empty or too long");
    }
    for (size_t i = 0; i < len; i++, at++) {
        uint8_t c = (uint8_t)host[i];

        if (c == '.') {
            if (at == label + 1) {
                return hc_error_set(err, HC_P_NAME_INVALID, host, "it has an empty label");
            }
            label = at;
            continue;
        }
        if (at - label > 63) {
            return hc_error_set(err, HC_P_NAME_INVALID, host, "a label is longer than 63 octets");
        }
        out->wire[at] = lower(c);
        out->wire[label]++;
    }
    if (at == label + 1) {
        return hc_error_set(err, HC_P_NAME_INVALID, host, "it has an empty label");
    }
    out->wire[at++] = 0;
    out->len = (uint8_t)at;
    return 0;
}

int hc_dname_from_wire(const uint8_t *wire, size_t len, struct hc_dname *out)
{
    size_t at = 0;

    memset(out, 0, sizeof(*out));
    if (len == 0 || len > HC_DNAME_WIRE) {
        return -1;
    }
    while (wire[at] != 0) {
        size_t label = wire[at];

        /* room for this label and for the length octet of the next */
        if (label > 63 || label + 1 >= len - at) {
            return -1;
        }
        out->wire[at] = (uint8_t)label;
        for (size_t i = 1; i <= label; i++) {
            out->wire[at + i] = lower(wire[at + i]);
        }
        at += label + 1;
    }
    if (at + 1 != len) {
        return -1;
    }
    out->len = (uint8_t)len;
    return 0;
}

static size_t put_octet(char *dst, uint8_t c)
{
    if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' ||
        c == '$') {
        dst[0] = '\\';
        dst[1] = (char)c;
        return 2;
    }
    if (c > 0x20 && c < 0x7f) {
        dst[0] = (char)c;
        return 1;
    }
    dst[0] = '\\';
    dst[1] = (char)('0' + c / 100);
    dst[2] = (char)('0' + c / 10 % 10);
    dst[3] = (char)('0' + c % 10);
    return 4;
}

char *hc_dname_format(const struct hc_dname *name, char dst[HC_DNAME_TEXT])
{
    size_t out = 0;

    for (size_t at = 0; at < name->len && name->wire[at] != 0; at += name->wire[at] + 1U) {
        for (size_t i = 1; i <= name->wire[at]; i++) {
            out += put_octet(dst + out, name->wire[at + i]);
        }
        dst[out++] = '.';
    }
    if (out == 0) {
        dst[out++] = '.';
    }
    dst[out] = '\0';
    return dst;
}

bool hc_dname_equal(const struct hc_dname *a, const struct hc_dname *b)
{
    return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

bool hc_dname_is_root(const struct hc_dname *name)
{
    return name->len <= 1;
}

bool hc_dname_climb(struct hc_dname *name)
{
    size_t step = 0;

    if (hc_dname_is_root(name)) {
        return false;
    }
    step = name->wire[0] + 1U;
    name->len = (uint8_t)(name->len - step);
    memmove(name->wire, name->wire + step, name->len);
    memset(name->wire + name->len, 0, step);
    return true;
}

bool hc_dname_is_within(const struct hc_dname *name, const struct hc_dname *ancestor)
{
    struct hc_dname n = *name;

    while (n.len > ancestor->len && hc_dname_climb(&n)) {
    }
    return hc_dname_equal(&n, ancestor);
}

unsigned hc_dname_labels(const struct hc_dname *name)
{
    unsigned count = 0;

    for (size_t at = 0; at < name->len && name->wire[at] != 0; at += name->wire[at] + 1U) {
        count++;
    }
    return count;
}

void hc_dname_shorten(struct hc_dname *name, unsigned labels)
{
    for (unsigned count = hc_dname_labels(name); count > labels; count--) {
        (void)hc_dname_climb(name);
    }
}

bool hc_dname_is_wildcard(const struct hc_dname *name)
{
    return name->len > 2 && name->wire[0] == 1 && name->wire[1] == '*';
}

bool hc_dname_wildcard(const struct hc_dname *name, struct hc_dname *out)
{
    if (name->len > HC_DNAME_WIRE - 2) {
        return false;
    }
    memset(out, 0, sizeof(*out));
    out->wire[0] = 1;
    out->wire[1] = '*';
    memcpy(out->wire + 2, name->wire, name->len);
    out->len = (uint8_t)(name->len + 2);
    return true;
}

#define LABELS 128

/* Where each label begins; returns how many there are. */
static unsigned label_starts(const struct hc_dname *name, uint8_t starts[LABELS])
{
    unsigned count = 0;

    for (size_t at = 0; at < name->len && name->wire[at] != 0 && count < LABELS;
         at += name->wire[at] + 1U) {
        starts[count++] = (uint8_t)at;
    }
    return count;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
    size_t least = a[0] < b[0] ? a[0] : b[0];
    int order = least > 0 ? memcmp(a + 1, b + 1, least) : 0;

    return order != 0 ? order : (int)a[0] - (int)b[0];
}

int hc_dname_compare(const struct hc_dname *a, const struct hc_dname *b)
{
    uint8_t in_a[LABELS];
    uint8_t in_b[LABELS];
    unsigned left_a = label_starts(a, in_a);
    unsigned left_b = label_starts(b, in_b);

    while (left_a > 0 && left_b > 0) {
        int order = compare_labels(a->wire + in_a[--left_a], b->wire + in_b[--left_b]);

        if (order != 0) {
            return order;
        }
    }
    return (int)left_a - (int)left_b;
}

unsigned hc_dname_common(const struct hc_dname *a, const struct hc_dname *b)
{
    uint8_t in_a[LABELS];
    uint8_t in_b[LABELS];
    unsigned left_a = label_starts(a, in_a);
    unsigned left_b = label_starts(b, in_b);
    unsigned common = 0;

    while (left_a > 0 && left_b > 0 &&
           compare_labels(a->wire + in_a[--left_a], b->wire + in_b[--left_b]) == 0) {
        common++;
    }
    return common;
}
