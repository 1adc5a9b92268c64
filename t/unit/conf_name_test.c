#include "conf/name.h"

#include "tap.h"

static void names_are_normalised_or_refused(void)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"Example.NET", "example.net"},
        {"example.net.", "example.net"},
        {"*.Example.net", "*.example.net"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"a.b", "a.b"},
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"[::FFFF:C000:201]", "192.0.2.1"},
        {"::1", "::1"},
        {"1and1.example", "1and1.example"},
        {"", NULL},
        {".", NULL},
        {"localhost", NULL},
        {"example..net", NULL},
        {".example.net", NULL},
        {"-a.example", NULL},
        {"a-.example", NULL},
        {"a_b.example", NULL},
        {"xn--bcher-kva.example.", "xn--bcher-kva.example"},
        {"XN--BCHER-KVA.Example", "xn--bcher-kva.example"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "CHER.Example.",
         "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example"},
        {"*.b\xc3\xbc"
         "cher.example",
         "*.xn--bcher-kva.example"},
        {"www.xn--bcher-kva.b\xc3\xbc"
         "cher.example",
         "www.xn--bcher-kva.xn--bcher-kva.example"},
        {"fa\xc3\x9f.example", "xn--fa-hia.example"},
        {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d.example", "xn--9dbne9b.example"},
        {"\xe4\xbe\x8b\xe3\x80\x82\xe6\xb5\x8b\xe8\xaf\x95", "xn--fsq.xn--0zwm56d"},
        {"\xf0\x9f\x92\xa9.example", NULL},
        {"b\xfc"
         "cher.example",
         NULL},
        {"bu\xef\xbc\xbf\xc3\xbc.example", NULL},
        {"b\xc3\xbc_cher.example", NULL},
        {"b\xc3\xbc cher.example", NULL},
        {"b\xc3\xbc..example", NULL},
        {"b\xc3\xbc", NULL},
        {"*.*.b\xc3\xbc.example", NULL},
        {"a\xe2\x80\xae.example", NULL},
        {"a b.example", NULL},
        {"a\n.example", NULL},
        {"*.*.example", NULL},
        {"a.*.example", NULL},
        {"192.0.2.256", NULL},
        {"example.123", NULL},
        {"192.0.2.010", NULL},
        {"0xc0.0.2.0x1", NULL},
        {"fe80::1%lo", NULL},
        {"[192.0.2.1]", NULL},
        {"[2001:db8::1", NULL},
        {"example.net:443", NULL},
        {"a/b.example", NULL},
        {"\xef\xbc\x8a.b\xc3\xbc"
         "cher.example",
         NULL}, /* a full-width asterisk */
        {"\xef\xbc\x8a.example.net", NULL},
    };
    char out[HC_NAME_SIZE];
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        hc_error_init(&err);
        if (cases[i].out != NULL) {
            ok(hc_name_normalise(cases[i].in, out, &err) == 0, "taken");
            is_str(out, cases[i].out, cases[i].out);
        } else {
            ok(hc_name_normalise(cases[i].in, out, &err) != 0, cases[i].in);
            is_int(err.problem, HC_P_NAME_INVALID, "as a name");
        }
    }
}

static void some_names_are_certified_by_nobody(void)
{
    static const struct {
        const char *name;
        const char *why; /* NULL: nothing is wrong with it */
    } cases[] = {
        {"www.example.net", NULL},
        {"192.0.2.1", NULL},
        {"2001:db8::1", NULL},
        {"a--b.example", NULL},
        {"abc--d.example", NULL},
        {"xn--bcher-kva.example", NULL},
        {"*.xn--bcher-kva.example", NULL},
        {"xn--mgbh0fb.xn--kgbechtv", NULL},
        {"www.xn--i-7iq.ws", NULL},
        {"ab--cd.example", "places 3 and 4"},
        {"www.r3---sn.example", "places 3 and 4"},
        {"xn--0.example", "not punycode"},
        {"xn--zzzzzz.example", "not punycode"},
        {"xn--99999999999.example", "not punycode"},
        {"xn---abc.example", "not punycode"},
        {"*.xn--0.example", "not punycode"},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        const char *why = hc_name_reserved(cases[i].name);

        ok(cases[i].why == NULL ? why == NULL : why != NULL && strstr(why, cases[i].why) != NULL,
           cases[i].name);
    }
}

static void lengths_have_the_limits_of_the_dns(void)
{
    char in[400];
    char out[HC_NAME_SIZE];

    memset(in, 'a', sizeof(in));
    memcpy(in + 63, ".example", 9);
    ok(hc_name_normalise(in, out, NULL) == 0, "63 octets in a label");
    memset(in, 'a', 64);
    memcpy(in + 64, ".example", 9);
    ok(hc_name_normalise(in, out, NULL) != 0, "not 64");
    for (size_t i = 0; i < 253; i++) {
        in[i] = i % 50 == 49 ? '.' : 'a';
    }
    in[253] = '\0';
    ok(hc_name_normalise(in, out, NULL) == 0, "253 in all");
    memcpy(in + 253, ".", 2);
    ok(hc_name_normalise(in, out, NULL) == 0, "and the root's dot");
    memcpy(in + 253, "a", 2);
    ok(hc_name_normalise(in, out, NULL) != 0, "not 254");
}

static void wildcards_cover_one_label(void)
{
    ok(hc_name_matches("a.example", "a.example"), "the name itself");
    ok(hc_name_matches("*.example.net", "www.example.net"), "one label");
    ok(!hc_name_matches("*.example.net", "a.b.example.net"), "not two");
    ok(!hc_name_matches("*.example.net", "example.net"), "not none");
    ok(!hc_name_matches("*.example.net", ".example.net"), "not an empty one");
    ok(hc_name_matches("*.example.net", "*.example.net"), "a wildcard asked for is that wildcard");
    ok(!hc_name_matches("*.2.0.192", "1.2.0.192"), "never an address");
    ok(!hc_name_matches("a.example", "b.example"), "no other name");
}

int main(void)
{
    names_are_normalised_or_refused();
    some_names_are_certified_by_nobody();
    lengths_have_the_limits_of_the_dns();
    wildcards_cover_one_label();
    return done();
}
