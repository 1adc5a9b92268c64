/* The Public Suffix List; see suffix.h. */
#include "dns/suffix.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

struct hc_suffixes {
    psl_ctx_t *list;
};

int hc_suffixes_new(struct hc_suffixes **out, struct hc_error *err)
{
    struct hc_suffixes *suffixes = calloc(1, sizeof(*suffixes));

    *out = suffixes;
    if (suffixes == NULL) {
        return hc_error_nomem(err);
    }
    suffixes->list = psl_latest(NULL);
    if (suffixes->list == NULL) {
        free(suffixes);
        *out = NULL;
        return hc_error_set(err, HC_P_SYSTEM, NULL, "libpsl has no public suffix list");
    }
    return 0;
}

void hc_suffixes_free(struct hc_suffixes *suffixes)
{
    if (suffixes != NULL) {
        psl_free(suffixes->list);
        free(suffixes);
    }
}

static bool is_within(const char *host, const char *domain)
{
    size_t len = strlen(host);
    size_t want = strlen(domain);

    return len >= want && strcmp(host + len - want, domain) == 0 &&
           (len == want || host[len - want - 1] == '.');
}

enum hc_suffix hc_suffixes_find(const struct hc_suffixes *suffixes, const char *host)
{
    const int listed = PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE;
    const char *dot = strrchr(host, '.');
    const char *top = dot != NULL ? dot + 1 : host;

    if (is_within(host, "in-addr.arpa") || is_within(host, "ip6.arpa")) {
        return HC_SUFFIX_REVERSE;
    }
    if (psl_is_public_suffix2(suffixes->list, host, listed) != 0) {
        return HC_SUFFIX_ITSELF;
    }
    return psl_is_public_suffix2(suffixes->list, top, listed) != 0 ? HC_SUFFIX_BELOW
                                                                   : HC_SUFFIX_UNKNOWN;
}
