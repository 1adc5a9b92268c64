/* Domain names in wire form. */
#include <stdlib.h>

#include "dns/dname.h"
#include "tap.h"

static void test_hosts(void)
{
    static const struct {
        const char *host;
        const char *text; /* NULL: refused */
    } rows[] = {
        {"www.Example.NET", "www.example.net."},
        {"example.net.", "example.net."},
        {"net", "net."},
        {"_acme-challenge.example.net", "_acme-challenge.example.net."},
        {"xn--mnchen-3ya.example", "xn--mnchen-3ya.example."},
        {"a b.example", "a\\032b.example."},
        {"\xc3\xa4.example", "\\195\\164.example."},
        {"a\\b.example", "a\\\\b.example."},
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a..", NULL},
    };
    struct hc_dname n;
    char text[HC_DNAME_TEXT];
    char label[80];

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        int rc = hc_dname_from_host(rows[i].host, &n, NULL);

        is_int(rc, rows[i].text == NULL ? -1 : 0, rows[i].host);
        if (rc == 0) {
            is_str(hc_dname_format(&n, text), rows[i].text, "and back");
        }
    }
    memset(label, 'a', sizeof(label));
    label[63] = '\0';
    is_int(hc_dname_from_host(label, &n, NULL), 0, "a label of 63 octets");
    label[63] = 'a';
    label[64] = '\0';
    is_int(hc_dname_from_host(label, &n, NULL), -1, "one of 64 is too long");
}

static void test_long(void)
{
    char host[300] = "";
    struct hc_dname n;
    char text[HC_DNAME_TEXT];

    for (size_t i = 0; i < 253; i++) {
        host[i] = i % 2 == 0 ? 'a' : '.';
    }
    is_int(strlen(host), 253, "a name of 253 characters");
    is_int(hc_dname_from_host(host, &n, NULL), 0, "fits");
    is_int(n.len, 255, "in 255 octets");
    is_int(hc_dname_labels(&n), 127, "127 labels");
    is_int(strlen(hc_dname_format(&n, text)), 254, "and can be written");
    host[253] = 'a';
    is_int(hc_dname_from_host(host, &n, NULL), -1, "one more does not fit");
}

static int from_wire(const char *wire, size_t len)
{
    struct hc_dname n;
    uint8_t *exact = malloc(len > 0 ? len : 1);
    int rc = -2;

    if (exact != NULL) {
        memcpy(exact, wire, len);
        rc = hc_dname_from_wire(exact, len, &n);
        free(exact);
    }
    return rc;
}

static void test_wire(void)
{
    char many[256];

    is_int(from_wire("\0", 1), 0, "the root");
    is_int(from_wire("\1a\0", 3), 0, "one label");
    is_int(from_wire("", 0), -1, "nothing is no name");
    is_int(from_wire("\1a", 2), -1, "nor is one without its end");
    is_int(from_wire("\1a\0x", 4), -1, "nor one with something behind it");
    is_int(from_wire("\5a\0", 3), -1, "nor a label that is longer than the name");
    is_int(from_wire("\xc0\x0c", 2), -1, "nor a compression pointer");
    is_int(
        from_wire("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0", 68),
        -1, "nor a label of 64 octets");
    memset(many, 1, sizeof(many));
    many[255] = '\0';
    is_int(from_wire(many, 256), -1, "nor one of 256 octets");
}

static void test_relations(void)
{
    struct hc_dname name;
    struct hc_dname zone;
    struct hc_dname other;
    char text[HC_DNAME_TEXT];

    is_int(hc_dname_from_host("a.www.example.net", &name, NULL), 0, "a name");
    is_int(hc_dname_from_host("example.net", &zone, NULL), 0, "a zone");
    is_int(hc_dname_from_host("xample.net", &other, NULL), 0, "another");
    ok(hc_dname_is_within(&name, &zone), "is within");
    ok(hc_dname_is_within(&zone, &zone), "itself too");
    ok(!hc_dname_is_within(&zone, &name), "not the other way round");
    ok(!hc_dname_is_within(&name, &other), "half a label does not count");
    is_int(hc_dname_labels(&name), 4, "four labels");
    ok(hc_dname_climb(&name) && hc_dname_climb(&name), "climbs");
    ok(hc_dname_equal(&name, &zone), "to the zone");
    ok(hc_dname_climb(&name) && hc_dname_climb(&name), "and further");
    ok(hc_dname_is_root(&name), "to the root");
    is_str(hc_dname_format(&name, text), ".", "which is a dot");
    ok(!hc_dname_climb(&name), "and no further");
    ok(hc_dname_is_within(&zone, &name), "all is within the root");
}

/* RFC 4034 section 6.1: the order that it gives, but for names with octets that no host has. */
static void test_order(void)
{
    static const char *const names[] = {"example",     "a.example", "yljkjljk.a.example",
                                        "Z.a.example", "z.example", "*.z.example"};
    struct hc_dname a;
    struct hc_dname b;

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        for (size_t k = 0; k < HC_COUNT(names); k++) {
            int wants = i < k ? -1 : i > k ? 1 : 0;
            int order = 0;

            if (hc_dname_from_host(names[i], &a, NULL) == 0 &&
                hc_dname_from_host(names[k], &b, NULL) == 0) {
                order = hc_dname_compare(&a, &b);
            }
            is_int(order < 0 ? -1 : order > 0 ? 1 : 0, wants, "the order of names");
        }
    }
    is_int(hc_dname_from_host("x.y.a.example", &a, NULL), 0, "a name");
    is_int(hc_dname_from_host("z.b.a.example", &b, NULL), 0, "another");
    is_int(hc_dname_common(&a, &b), 2, "two labels in common");
    hc_dname_shorten(&a, 3);
    is_int(hc_dname_labels(&a), 3, "is shortened");
    hc_dname_shorten(&a, 5);
    is_int(hc_dname_labels(&a), 3, "and not made longer");
    ok(hc_dname_wildcard(&a, &b) && hc_dname_is_wildcard(&b) && hc_dname_labels(&b) == 4,
       "the wildcard below it");
    ok(!hc_dname_is_wildcard(&a), "which it is not");
    memset(&a, 0, sizeof(a));
    a.len = HC_DNAME_WIRE - 1;
    ok(!hc_dname_wildcard(&a, &b), "there is none below the longest names");
}

int main(void)
{
    test_hosts();
    test_long();
    test_wire();
    test_relations();
    test_order();
    return done();
}
