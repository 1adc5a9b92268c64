/* What the configuration makes our DNS server authoritative for; see domain.h. */
#include <stdlib.h>
#include <string.h>

#include "conf/name.h"
#include "dns/domain.h"

/* Where the next label begins, or NULL. */
static const char *above(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot != NULL ? dot + 1 : NULL;
}

/* The names of what is ordered, suffixes: and all above them; returns how many. names: NULL, or
 * room for them. */
static size_t collect(const struct hc_conf *conf, bool suffixes, const char **names)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        for (size_t n = 0; identity->mode == HC_MODE_ON && n < identity->names.count; n++) {
            const char *name = identity->names.items[n];

            if (hc_name_is_ip(name)) {
                continue;
            }
            do {
                if (names != NULL) {
                    names[count] = name;
                }
                count++;
                name = suffixes ? above(name) : NULL;
            } while (name != NULL);
        }
    }
    return count;
}

int hc_dns_domain_of_conf(const struct hc_conf *conf, struct hc_dns_domain *out,
                          struct hc_error *err)
{
    bool one = conf->dns_zone != NULL;
    size_t count = collect(conf, one, NULL);
    const char **names = calloc(count + 1, sizeof(*names));
    const char *first = "localhost";
    int rc = 0;

    if (names == NULL) {
        return hc_error_nomem(err);
    }
    if (collect(conf, one, names) > 0) {
        first = names[0] + (hc_name_is_wildcard(names[0]) ? 2 : 0);
    }
    if (!one) {
        hc_dns_domain_of_names(names, count, out);
    } else if ((rc = hc_dns_domain_of_zone(conf->dns_zone, out, err)) == 0) {
        hc_dns_domain_know(out, names, count);
    } else {
        free(names);
    }
    if (rc == 0) {
        rc = hc_dns_domain_serve(out, &conf->dns_ns, first, err);
    }
    if (rc != 0) {
        hc_dns_domain_dispose(out);
    }
    return rc;
}
