/* Special addresses and our own; see address.h. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* A prefix and what it is for. More specific rows stand first. */
struct range {
    uint8_t octets[16];
    unsigned bits;
    const char *what;
};

static const struct range ranges4[] = {
    {{0}, 8, "\"this network\""},
    {{10}, 8, "private"},
    {{100, 64}, 10, "shared by a provider's customers (carrier-grade NAT)"},
    {{127}, 8, "loopback"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "reserved for protocols"},
    {{192, 0, 2}, 24, "documentation"},
    {{192, 88, 99}, 24, "a relay between IPv4 and IPv6"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "for benchmarks"},
    {{198, 51, 100}, 24, "documentation"},
    {{203, 0, 113}, 24, "documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

static const struct range ranges6[] = {
    {{0}, 128, "unspecified"},
    {{[15] = 1}, 128, "loopback"},
    {{[10] = 0xff, [11] = 0xff}, 96, "an IPv4 address embedded in an IPv6 one (mapped)"},
    {{0}, 96, "an IPv4 address embedded in an IPv6 one (compatible)"},
    {{0, 0x64, 0xff, 0x9b}, 96, "an IPv4 address embedded in an IPv6 one (translated)"},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, "for translation between IPv4 and IPv6"},
    {{1}, 64, "for discarding"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},
    {{0x20, 0x01, 0, 0}, 32, "an IPv4 address embedded in an IPv6 one (Teredo)"},
    {{0x20, 0x01, 0, 0}, 23, "reserved for protocols"},
    {{0x20, 0x02}, 16, "an IPv4 address embedded in an IPv6 one (6to4)"},
    {{0x3f, 0xff}, 20, "documentation"},
    {{0x5f}, 16, "for segment routing"},
    {{0xfc}, 7, "private (unique local)"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
};

/* What the Internet routes: 2000::/3. */
static const struct range global6 = {{0x20}, 3, ""};

static bool in_range(const uint8_t *octets, const struct range *range)
{
    unsigned whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return memcmp(octets, range->octets, whole) == 0 &&
           (rest == 0 || ((octets[whole] ^ range->octets[whole]) & mask) == 0);
}

const char *hc_address_reserved(const struct hc_address *address)
{
    const struct range *ranges = address->ipv6 ? ranges6 : ranges4;
    size_t count = address->ipv6 ? HC_COUNT(ranges6) : HC_COUNT(ranges4);

    for (size_t i = 0; i < count; i++) {
        if (in_range(address->octets, &ranges[i])) {
            return ranges[i].what;
        }
    }
    return address->ipv6 && !in_range(address->octets, &global6) ? "reserved" : NULL;
}

int hc_address_parse(const char *text, struct hc_address *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, out->octets) == 1) {
        return 0;
    }
    out->ipv6 = true;
    return inet_pton(AF_INET6, text, out->octets) == 1 ? 0 : -1;
}

char *hc_address_format(const struct hc_address *address, char dst[HC_ADDRESS_TEXT])
{
    if (inet_ntop(address->ipv6 ? AF_INET6 : AF_INET, address->octets, dst, HC_ADDRESS_TEXT) ==
        NULL) {
        hc_copy(dst, HC_ADDRESS_TEXT, "?");
    }
    return dst;
}

char *hc_address_reverse(const struct hc_address *address, char dst[HC_ADDRESS_REVERSE])
{
    const uint8_t *o = address->octets;
    size_t used = 0;

    if (!address->ipv6) {
        (void)snprintf(dst, HC_ADDRESS_REVERSE, "%u.%u.%u.%u.in-addr.arpa", o[3], o[2], o[1], o[0]);
        return dst;
    }
    for (int i = 15; i >= 0; i--) {
        used += (size_t)snprintf(dst + used, HC_ADDRESS_REVERSE - used, "%x.%x.", o[i] & 15u,
                                 (unsigned)o[i] >> 4);
    }
    (void)snprintf(dst + used, HC_ADDRESS_REVERSE - used, "ip6.arpa");
    return dst;
}

const char *hc_address_server_name(const char *name, char dst[HC_ADDRESS_REVERSE])
{
    struct hc_address address;

    return hc_address_parse(name, &address) == 0 ? hc_address_reverse(&address, dst) : name;
}

bool hc_address_equal(const struct hc_address *a, const struct hc_address *b)
{
    return a->ipv6 == b->ipv6 && memcmp(a->octets, b->octets, a->ipv6 ? 16 : 4) == 0;
}

static bool take_sockaddr(const struct sockaddr *sa, struct hc_address *out)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    memset(out, 0, sizeof(*out));
    if (sa != NULL && sa->sa_family == AF_INET) {
        memcpy(&sin, sa, sizeof(sin));
        memcpy(out->octets, &sin.sin_addr, 4);
        return true;
    }
    if (sa != NULL && sa->sa_family == AF_INET6) {
        memcpy(&sin6, sa, sizeof(sin6));
        memcpy(out->octets, &sin6.sin6_addr, 16);
        out->ipv6 = true;
        return true;
    }
    return false;
}

int hc_address_own(struct hc_list *out, struct hc_error *err)
{
    struct ifaddrs *first = NULL;
    char text[HC_ADDRESS_TEXT];
    int rc = 0;

    if (getifaddrs(&first) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "getifaddrs() failed");
    }
    for (const struct ifaddrs *i = first; i != NULL && rc == 0; i = i->ifa_next) {
        struct hc_address address;

        if ((i->ifa_flags & IFF_UP) != 0 && take_sockaddr(i->ifa_addr, &address)) {
            rc = hc_list_add(out, hc_address_format(&address, text), err);
        }
    }
    freeifaddrs(first);
    return rc;
}
