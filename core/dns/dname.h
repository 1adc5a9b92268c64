/*
 * hc_dname: a domain name as a value, in wire form (RFC 1035 section 3.1): uncompressed, lower
 * case, at most 255 octets with the root's label. Zeroed memory is no name; the root is {1, {0}}.
 */
#ifndef HC_DNS_DNAME_H
#define HC_DNS_DNAME_H

#include "base/compiler.h"
#include "base/error.h"

#define HC_DNAME_WIRE 255
/* Presentation form: each octet as \DDD at worst, dots, NUL. */
#define HC_DNAME_TEXT 1024

struct hc_dname {
    uint8_t len;
    uint8_t wire[HC_DNAME_WIRE];
};

/* A host name, with or without the trailing dot, "_" allowed. HC_P_NAME_INVALID. */
int hc_dname_from_host(const char *host, struct hc_dname *out, struct hc_error *err) HC_MUST_USE;

/* Uncompressed wire form, exactly len octets; letters are lowered. -1 if it is not a name. */
int hc_dname_from_wire(const uint8_t *wire, size_t len, struct hc_dname *out) HC_MUST_USE;

/* "www.example.net." (RFC 1035 section 5.1, RFC 4343); "." for the root. Returns dst. */
char *hc_dname_format(const struct hc_dname *name, char dst[HC_DNAME_TEXT]);

bool hc_dname_equal(const struct hc_dname *a, const struct hc_dname *b);
bool hc_dname_is_root(const struct hc_dname *name);
/* True if name is ancestor, or stands below it. */
bool hc_dname_is_within(const struct hc_dname *name, const struct hc_dname *ancestor);
/* Takes the leftmost label off; false (and nothing done) at the root. */
bool hc_dname_climb(struct hc_dname *name);
/* Labels without the root's. */
unsigned hc_dname_labels(const struct hc_dname *name);
/* Takes labels off at the left until no more than this are left. */
void hc_dname_shorten(struct hc_dname *name, unsigned labels);
/* "*." in front of it; false (and nothing done) if that is too long. */
bool hc_dname_wildcard(const struct hc_dname *name, struct hc_dname *out);
/* True if its first label is "*". */
bool hc_dname_is_wildcard(const struct hc_dname *name);
/* Below 0, 0 or above, in the order of RFC 4034 section 6.1: label by label from the right. */
int hc_dname_compare(const struct hc_dname *a, const struct hc_dname *b);
/* How many labels, from the right, two names have in common. */
unsigned hc_dname_common(const struct hc_dname *a, const struct hc_dname *b);

#endif
