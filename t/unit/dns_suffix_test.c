/* The Public Suffix List as CAs read it. */
#include "dns/suffix.h"

#include "tap.h"

static const struct {
    const char *host;
    enum hc_suffix is;
} cases[] = {
    {"com", HC_SUFFIX_ITSELF},
    {"co.uk", HC_SUFFIX_ITSELF},
    {"example.com", HC_SUFFIX_BELOW},
    {"www.example.co.uk", HC_SUFFIX_BELOW},
    {"example.uk", HC_SUFFIX_BELOW},
    {"github.io", HC_SUFFIX_BELOW}, /* the private section: a name of somebody's */
    {"somebody.github.io", HC_SUFFIX_BELOW},
    {"anything.ck", HC_SUFFIX_ITSELF}, /* a rule with a star .. */
    {"www.ck", HC_SUFFIX_BELOW},       /* .. and its exception */
    {"xn--p1ai", HC_SUFFIX_ITSELF},
    {"xn--80aswg.xn--p1ai", HC_SUFFIX_BELOW},
    {"xn--55qx5d.cn", HC_SUFFIX_ITSELF},
    {"localhost", HC_SUFFIX_UNKNOWN},
    {"www.corp.lan", HC_SUFFIX_UNKNOWN},
    {"www.zone.test", HC_SUFFIX_UNKNOWN},
    {"host.internal", HC_SUFFIX_UNKNOWN},
    {"router.local", HC_SUFFIX_UNKNOWN},
    {"4.4.8.8.in-addr.arpa", HC_SUFFIX_REVERSE},
    {"in-addr.arpa", HC_SUFFIX_REVERSE},
    {"1.0.0.2.ip6.arpa", HC_SUFFIX_REVERSE},
    {"notin-addr.arpa", HC_SUFFIX_BELOW},
};

int main(void)
{
    struct hc_suffixes *suffixes = NULL;

    if (hc_suffixes_new(&suffixes, NULL) != 0) {
        return 99;
    }
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        is_int(hc_suffixes_find(suffixes, cases[i].host), cases[i].is, cases[i].host);
    }
    hc_suffixes_free(suffixes);
    hc_suffixes_free(NULL);
    return done();
}
