/* Which addresses no public CA asks. */
#include "base/address.h"
#include "tap.h"

static const struct {
    const char *text;
    const char *what; /* NULL: routed */
} rows[] = {
    {"8.8.4.4", NULL},
    {"0.0.0.0", "\"this network\""},
    {"0.255.255.255", "\"this network\""},
    {"1.0.0.0", NULL},
    {"9.255.255.255", NULL},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.64.0.0", "shared by a provider's customers (carrier-grade NAT)"},
    {"100.127.255.255", "shared by a provider's customers (carrier-grade NAT)"},
    {"100.128.0.0", NULL},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"128.0.0.0", NULL},
    {"169.254.169.254", "link-local"},
    {"169.253.255.255", NULL},
    {"172.15.255.255", NULL},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"172.32.0.0", NULL},
    {"192.0.0.1", "reserved for protocols"},
    {"192.0.1.0", NULL},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "a relay between IPv4 and IPv6"},
    {"192.167.255.255", NULL},
    {"192.168.0.1", "private"},
    {"192.169.0.0", NULL},
    {"198.17.255.255", NULL},
    {"198.18.0.0", "for benchmarks"},
    {"198.19.255.255", "for benchmarks"},
    {"198.20.0.0", NULL},
    {"198.51.100.7", "documentation"},
    {"203.0.113.7", "documentation"},
    {"203.0.114.0", NULL},
    {"223.255.255.255", NULL},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.255", "reserved"},
    {"2a00:1450:4001::4", NULL},
    {"2001:4860:4860::8888", NULL},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "an IPv4 address embedded in an IPv6 one (compatible)"},
    {"::8.8.8.8", "an IPv4 address embedded in an IPv6 one (compatible)"},
    {"::ffff:8.8.8.8", "an IPv4 address embedded in an IPv6 one (mapped)"},
    {"::ffff:10.0.0.1", "an IPv4 address embedded in an IPv6 one (mapped)"},
    {"64:ff9b::8.8.8.8", "an IPv4 address embedded in an IPv6 one (translated)"},
    {"64:ff9b:1::1", "for translation between IPv4 and IPv6"},
    {"100::1", "for discarding"},
    {"2001::1", "an IPv4 address embedded in an IPv6 one (Teredo)"},
    {"2001:2::1", "reserved for protocols"},
    {"2001:10::1", "reserved for protocols"},
    {"2001:1ff:ffff::1", "reserved for protocols"},
    {"2001:200::1", NULL},
    {"2001:db8::7", "documentation"},
    {"2001:db9::7", NULL},
    {"2002:808:808::1", "an IPv4 address embedded in an IPv6 one (6to4)"},
    {"2003::1", NULL},
    {"3ffe::1", NULL},
    {"3fff::1", "documentation"},
    {"3fff:1000::1", NULL},
    {"4000::1", "reserved"},
    {"5f00::1", "for segment routing"},
    {"fc00::1", "private (unique local)"},
    {"fd12:3456::1", "private (unique local)"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"ff02::1", "multicast"},
};

int main(void)
{
    struct hc_address a;
    struct hc_address b;
    struct hc_list own = {0};
    struct hc_error err = {0};
    char text[HC_ADDRESS_TEXT];
    char reverse[HC_ADDRESS_REVERSE];

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        is_int(hc_address_parse(rows[i].text, &a), 0, rows[i].text);
        if (rows[i].what == NULL) {
            ok(hc_address_reserved(&a) == NULL, "is routed");
        } else {
            is_str(hc_address_reserved(&a), rows[i].what, rows[i].what);
        }
    }
    is_int(hc_address_parse("8.8.4", &a), -1, "three numbers are no address");
    is_int(hc_address_parse("8.8.4.4 ", &a), -1, "nor is one with a space");
    is_int(hc_address_parse("fe80::1%lo", &a), -1, "nor one with a zone");
    is_int(hc_address_parse("", &a), -1, "nor nothing");
    is_int(hc_address_parse("2A00::0001", &a), 0, "a long form");
    is_str(hc_address_format(&a, text), "2a00::1", "has a short one");
    is_int(hc_address_parse("2a00::1", &b), 0, "which");
    ok(hc_address_equal(&a, &b), "is the same address");
    is_int(hc_address_parse("42.0.0.0", &b), 0, "and");
    ok(!hc_address_equal(&a, &b), "no IPv4 address");
    is_int(hc_address_parse("192.0.2.1", &a), 0, "an address");
    is_str(hc_address_reverse(&a, reverse), "1.2.0.192.in-addr.arpa", "backwards, as in DNS");
    is_int(hc_address_parse("2001:db8::1", &a), 0, "of both families");
    is_str(hc_address_reverse(&a, reverse),
           "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
           "nibble by nibble");
    is_int(hc_address_own(&own, &err), 0, "this machine's addresses are found");
    ok(hc_list_has(&own, "127.0.0.1"), "loopback among them");
    hc_list_dispose(&own);
    return done();
}
