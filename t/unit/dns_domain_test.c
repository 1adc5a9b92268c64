/* What the responder is authoritative for. */
#include "dns/domain.h"

#include <stdlib.h>

#include "tap.h"

static struct hc_dname name_of(const char *text)
{
    struct hc_dname name;

    if (hc_dname_from_host(text, &name, NULL) != 0) {
        printf("Bail out! %s\n", text);
        exit(1);
    }
    return name;
}

static const char *zone_of(const struct hc_dns_domain *domain, const char *text)
{
    static char out[HC_DNAME_TEXT];
    struct hc_dname name = name_of(text);
    struct hc_dname apex;

    return hc_dns_domain_find(domain, &name, &apex) ? hc_dname_format(&apex, out) : "none";
}

static void test_names(void)
{
    const char **names = calloc(4, sizeof(*names));
    struct hc_dns_domain domain;

    if (names == NULL) {
        return;
    }
    names[0] = "www.example.net";
    names[1] = "*.example.org";
    names[2] = "example.net";
    names[3] = "example.net";
    hc_dns_domain_of_names(names, 4, &domain);
    is_str(zone_of(&domain, "_acme-challenge.example.net"), "_acme-challenge.example.net.",
           "a delegated label");
    is_str(zone_of(&domain, "_ACME-challenge.EXAMPLE.net"), "_acme-challenge.example.net.",
           "in capitals");
    is_str(zone_of(&domain, "_acme-challenge.example.org"), "_acme-challenge.example.org.",
           "a wildcard's is that of its name");
    is_str(zone_of(&domain, "_x._acme-challenge.www.example.net"),
           "_acme-challenge.www.example.net.", "a label below");
    is_str(zone_of(&domain, "_acme-challenge._acme-challenge.example.net"),
           "_acme-challenge.example.net.", "the same label twice");
    is_str(zone_of(&domain, "example.net"), "none", "the name itself is not ours");
    is_str(zone_of(&domain, "_acme-challenge.sub.example.net"), "none", "nor one below it");
    is_str(zone_of(&domain, "_acme-challenge.net"), "none", "nor one above");
    is_str(zone_of(&domain, "acme-challenge.example.net"), "none", "another label");
    hc_dns_domain_dispose(&domain);
    hc_dns_domain_of_names(NULL, 0, &domain);
    is_str(zone_of(&domain, "_acme-challenge.example.net"), "none", "of no names nothing is");
}

static void test_known(struct hc_dns_domain *domain)
{
    const char **names = calloc(3, sizeof(*names));
    struct hc_dname name = name_of("www.Example.org.acme.example.net");

    if (names == NULL) {
        return;
    }
    names[0] = "*.www.example.org";
    names[1] = "example.org";
    names[2] = "org";
    hc_dns_domain_know(domain, names, 3);
    ok(hc_dns_domain_knows(domain, &name), "a host's name is known in it");
    ok(hc_dname_climb(&name) && hc_dns_domain_knows(domain, &name), "and what is above it");
    name = name_of("ftp.example.org.acme.example.net");
    ok(!hc_dns_domain_knows(domain, &name), "another one is not");
    name = name_of("www.example.org");
    ok(!hc_dns_domain_knows(domain, &name), "nor the host itself");
}

static void test_zone(void)
{
    struct hc_dns_domain domain;

    is_int(hc_dns_domain_of_zone("acme.example.net.", &domain, NULL), 0, "a zone");
    is_str(zone_of(&domain, "acme.example.net"), "acme.example.net.", "it is ours");
    is_str(zone_of(&domain, "a.b.acme.example.net"), "acme.example.net.", "with what is below");
    is_str(zone_of(&domain, "example.net"), "none", "not what is above");
    is_str(zone_of(&domain, "xacme.example.net"), "none", "nor what is beside");
    is_str(zone_of(&domain, "_acme-challenge.example.net"), "none", "nor any label");
    test_known(&domain);
    hc_dns_domain_dispose(&domain);
}

static int serve(struct hc_dns_domain *domain, const char *const words[], struct hc_error *err)
{
    struct hc_list list = {NULL, 0, 0};
    int rc = 0;

    hc_error_init(err);
    for (size_t i = 0; words[i] != NULL && rc == 0; i++) {
        rc = hc_list_add(&list, words[i], err);
    }
    rc = rc == 0 ? hc_dns_domain_serve(domain, &list, "www.example.net", err) : rc;
    hc_list_dispose(&list);
    return rc;
}

static void test_servers(void)
{
    static const char *const none[] = {NULL};
    static const char *const two[] = {
        "ns1.acme.example.net", "192.0.2.1", "2001:db8::1", "192.0.2.2", "ns2.example.org", NULL};
    static const char *const bare[] = {"ns1.acme.example.net", NULL};
    static const char *const lost[] = {"192.0.2.1", NULL};
    static const char *const many[] = {"a.test", "b.test", "c.test", "d.test", "e.test", NULL};
    struct hc_dns_domain domain;
    struct hc_dname name = name_of("NS1.acme.example.net");
    struct hc_dname above = name_of("acme.example.net");
    struct hc_error err;

    if (hc_dns_domain_of_zone("acme.example.net", &domain, NULL) != 0) {
        return;
    }
    is_int(serve(&domain, none, &err), 0, "without any");
    is_int(domain.ns_count, 1, "there is one all the same");
    is_int(serve(&domain, two, &err), 0, "two");
    is_int(domain.ns_count, 2, "are two");
    is_int(domain.ns[0].count, 3, "the first with its addresses");
    is_int(domain.ns[1].count, 0, "the other one with none");
    ok(hc_dns_domain_ns(&domain, &name) == &domain.ns[0], "it is found by its name");
    ok(hc_dns_domain_ns(&domain, &above) == NULL, "and by no other");
    ok(hc_dns_domain_has_ns_below(&domain, &above), "it stands below the zone");
    is_int(serve(&domain, bare, &err), -1, "one in the zone without addresses");
    is_int(err.problem, HC_P_BAD_VALUE, "is refused");
    is_int(serve(&domain, lost, &err), -1, "an address without a name, too");
    is_int(serve(&domain, many, &err), -1, "and too many");
    hc_dns_domain_dispose(&domain);
}

int main(void)
{
    test_names();
    test_zone();
    test_servers();
    return done();
}
