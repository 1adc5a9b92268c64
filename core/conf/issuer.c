/* Issuers and addresses; see issuer.h. */
#include "conf/issuer.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "conf/block.h"
#include "conf/url.h"

bool hc_issuer_is_inside(const struct hc_issuer *issuer)
{
    char host[HC_URL_MAX];
    struct hc_address address;

    if (issuer->network != HC_NETWORK_AUTO || issuer->directory_url == NULL) {
        return issuer->network == HC_NETWORK_PRIVATE;
    }
    if (hc_url_host(issuer->directory_url, host, sizeof(host)) != 0) {
        return false;
    }
    return hc_url_is_loopback(host) ||
           (hc_address_parse(host, &address) == 0 && hc_address_reserved(&address) != NULL);
}

static bool is_built_in(const struct hc_issuer *issuer)
{
    return strcmp(issuer->name, "letsencrypt") == 0 ||
           strcmp(issuer->name, "letsencrypt-staging") == 0;
}

const char *hc_issuer_refuses_address(const struct hc_issuer *issuer, const char *address,
                                      bool asked_for)
{
    struct hc_address parsed;

    if (hc_issuer_is_inside(issuer)) {
        return NULL;
    }
    if (is_built_in(issuer) && hc_address_parse(address, &parsed) == 0 &&
        hc_address_reserved(&parsed) != NULL) {
        return "one that the Internet does not route, so no public CA connects to it";
    }
    if (asked_for) {
        return NULL;
    }
    return is_built_in(issuer)
               ? "Let's Encrypt accepts one only in a certificate that is valid for six days; list "
                 "it "
                 "with "
                 "hotcert_names if you want that"
               : "a public CA that does not accept IP addresses would refuse the whole order; list "
                 "it with "
                 "hotcert_names if the issuer accepts it, or set `network private` in "
                 "hotcert_issuer if the issuer is inside your network";
}

int hc_issuer_check(const struct hc_issuer *issuer, struct hc_error *err)
{
    bool http = issuer->http_port > 0 && issuer->http_port != 80;
    bool tls = issuer->tls_port > 0 && issuer->tls_port != 443;

    if (issuer->network != HC_NETWORK_PUBLIC || (!http && !tls)) {
        return 0;
    }
    return hc_error_set(
        err, HC_P_CONFLICT, issuer->name,
        "a CA on the Internet connects to %s only, so %s %d has no effect with `network public` "
        "(at %s); remove it, or set `network private` if the CA is inside your network",
        http ? "port 80" : "ports 80 and 443", http ? "http_port" : "tls_port",
        (int)(http ? issuer->http_port : issuer->tls_port), issuer->where);
}

const struct hc_issuer *hc_conf_issuer(const struct hc_conf *conf, const char *name)
{
    return hc_block_find(conf, &hc_block_issuer, name);
}

const struct hc_list *hc_issuer_profile(const struct hc_issuer *issuer, const struct hc_scope *set)
{
    return set->profile.count > 0 ? &set->profile : &issuer->profile;
}

char *hc_issuer_profile_text(const struct hc_issuer *issuer, const struct hc_scope *set,
                             char dst[HC_PROFILE_TEXT])
{
    const struct hc_list *profile = hc_issuer_profile(issuer, set);

    (void)snprintf(dst, HC_PROFILE_TEXT, "%.64s%s", profile->count > 0 ? profile->items[0] : "",
                   profile->count > 1 ? " " HC_PROFILE_REQUIRED : "");
    return dst;
}

const struct hc_list *hc_issuer_methods(const struct hc_issuer *issuer, const struct hc_scope *set)
{
    return issuer->challenges.count > 0 ? &issuer->challenges : &set->challenges;
}
