/*
 * Addresses as a CA on the Internet sees them: the special-purpose registries of IANA (RFC 6890,
 * RFC 8190), and which addresses are this machine's own. Any thread.
 */
#ifndef HC_BASE_ADDRESS_H
#define HC_BASE_ADDRESS_H

#include "base/str.h"

/* An IPv4 or IPv6 address. */
struct hc_address {
    bool ipv6;
    uint8_t octets[16]; /* IPv4: the first four */
};

/* "192.0.2.1", "2001:db8::1"; -1 if it is neither. */
int hc_address_parse(const char *text, struct hc_address *out) HC_MUST_USE;

#define HC_ADDRESS_TEXT 46
char *hc_address_format(const struct hc_address *address, char dst[HC_ADDRESS_TEXT]);

/* "1.2.0.192.in-addr.arpa", or the 32 nibbles and "ip6.arpa" (RFC 1035, RFC 3596). Returns dst. */
#define HC_ADDRESS_REVERSE 80
char *hc_address_reverse(const struct hc_address *address, char dst[HC_ADDRESS_REVERSE]);

/*
 * What a CA calls a name in a TLS handshake (RFC 8738 section 6): the name, of an address the
 * reverse. dst is room for that.
 */
const char *hc_address_server_name(const char *name, char dst[HC_ADDRESS_REVERSE]);

/*
 * Why no public CA asks it: "private", "documentation", "loopback", "an IPv4 address inside of an
 * IPv6 one" and so on; NULL for an address that the Internet routes. Mapped, translated and
 * tunnelled forms of IPv4 count as reserved whatever is inside of them.
 */
const char *hc_address_reserved(const struct hc_address *address);

bool hc_address_equal(const struct hc_address *a, const struct hc_address *b);

/* The addresses of this machine's interfaces that are up, as text, by getifaddrs(3). */
int hc_address_own(struct hc_list *out, struct hc_error *err) HC_MUST_USE;

#endif
