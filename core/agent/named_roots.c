/* Roots that directives name; see named_roots.h. */
#include "agent/named_roots.h"

#include "conf/issuer.h"
#include "dns/anchors.h"
#include "pki/roots.h"
#include "preflight/ranges.h"

/* Each file once. */
static int check_roots(const char *path, const char *directive, const char *where,
                       struct hc_list *seen, struct hc_error *err)
{
    struct hc_roots *roots = NULL;
    struct hc_error own;
    int rc = 0;

    hc_error_init(&own);
    if (path == NULL || hc_list_has(seen, path)) {
        return 0;
    }
    rc = hc_roots_load(path, &roots, &own);
    hc_roots_free(roots);
    return rc == 0 ? hc_list_add(seen, path, err)
                   : hc_error_set(err, own.problem, path, "%s; %s (%s) names it", own.detail,
                                  directive, where);
}

/* Without it DNSSEC would not be validated although the operator wants it. */
static int check_anchor(const struct hc_conf *conf, struct hc_error *err)
{
    struct hc_error own;

    hc_error_init(&own);
    return hc_anchors_check(conf->dnssec_anchor, &own) == 0
               ? 0
               : hc_error_set(err, own.problem, own.subject,
                              "%s; hotcert_dnssec_anchor names it, and takes a file of DS or "
                              "DNSKEY records",
                              own.detail);
}

static int check_ranges(const struct hc_conf *conf, struct hc_error *err)
{
    struct hc_ranges ranges = {0};
    struct hc_error own;
    int rc = 0;

    hc_error_init(&own);
    rc = hc_ranges_add_files(&ranges, &conf->cdn_ranges, &own);
    hc_ranges_dispose(&ranges);
    return rc == 0 ? 0
                   : hc_error_set(err, own.problem, own.subject, "%s; hotcert_cdn_ranges names it",
                                  own.detail);
}

int hc_named_roots_check(const struct hc_conf *conf, struct hc_error *err)
{
    struct hc_list seen = {NULL, 0, 0};
    int rc = check_anchor(conf, err) == 0 ? check_ranges(conf, err) : -1;

    for (size_t i = 0; i < conf->identity_count && rc == 0; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        rc = check_roots(identity->set->trusted_certificate, "hotcert_trusted_certificate",
                         identity->where.items[0], &seen, err);
        for (size_t k = 0; k < identity->set->use.count && rc == 0; k++) {
            const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[k]);

            rc = issuer != NULL
                     ? check_roots(issuer->ca_bundle, "ca_bundle", issuer->name, &seen, err)
                     : 0;
        }
    }
    hc_list_dispose(&seen);
    return rc;
}
