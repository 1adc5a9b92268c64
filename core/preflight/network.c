/* Whether the CA is inside or on the Internet, and which addresses lead here; see internal.h. */
#include <string.h>

#include "net/url.h"
#include "preflight/internal.h"

static bool address_of(const struct hc_dns_record *record, struct hc_address *out)
{
    memset(out, 0, sizeof(*out));
    if (record == NULL || record->len > sizeof(out->octets)) {
        return false;
    }
    out->ipv6 = record->type == HC_DNS_AAAA;
    memcpy(out->octets, record->data, record->len);
    return true;
}

bool hc_lookup_address(const struct hc_lookup *lookup, size_t *at, struct hc_address *out)
{
    return address_of(lookup != NULL ? hc_lookup_record(lookup, at) : NULL, out);
}

/* An address that is worth suggesting for a name without one: that of a name beside it, or ours. */
void hc_preflight_suggest(const struct hc_preflight *p, char dst[HC_ADDRESS_TEXT])
{
    struct hc_address address;

    dst[0] = '\0';
    for (size_t i = 0; i < p->count; i++) {
        const struct hc_lookup *lookups[] = {p->names[i].a, p->names[i].aaaa};

        for (size_t k = 0; k < HC_COUNT(lookups); k++) {
            size_t at = 0;

            if (hc_lookup_address(lookups[k], &at, &address) &&
                (p->private_network || hc_address_reserved(&address) == NULL)) {
                hc_address_format(&address, dst);
                return;
            }
        }
    }
    for (size_t i = 0; i < p->own.count; i++) {
        if (hc_address_parse(p->own.items[i], &address) == 0 &&
            hc_address_reserved(&address) == NULL) {
            hc_address_format(&address, dst);
            return;
        }
    }
}

/*
 * AUTO: the CA is inside if its directory is at reserved addresses only. Whether these validate
 * does not matter: an inner name is signed by nobody, be it that of a zone which is on the Internet
 * as well.
 */
void hc_preflight_decide_network(struct hc_preflight *p)
{
    const struct hc_lookup *lookups[] = {p->directory_a, p->directory_aaaa};
    size_t count = 0;
    bool reserved = true;

    for (size_t k = 0; k < HC_COUNT(lookups); k++) {
        struct hc_address address;
        size_t at = 0;

        while (lookups[k] != NULL && address_of(hc_lookup_heard(lookups[k], &at), &address)) {
            reserved = reserved && hc_address_reserved(&address) != NULL;
            count++;
        }
    }
    if (count > 0) {
        p->private_network = reserved;
    }
}

/* network auto: finds out where the CA's directory is, if its URL does not say so itself. */
void hc_preflight_find_directory(struct hc_preflight *p, const char *url)
{
    struct hc_url_parts directory;
    struct hc_address address;
    struct hc_dname name;
    struct hc_error ignored = {0};

    if (hc_url_take(url, &directory) != NULL) {
        return; /* a public CA is assumed */
    }
    if (hc_address_parse(directory.host, &address) == 0) {
        p->private_network = hc_address_reserved(&address) != NULL;
    } else if (strcmp(directory.host, "localhost") == 0) {
        p->private_network = true;
    } else if (hc_dname_from_host(directory.host, &name, &ignored) == 0) {
        p->directory_a = hc_preflight_lookup(p, &name, HC_DNS_A, false);
        p->directory_aaaa = hc_preflight_lookup(p, &name, HC_DNS_AAAA, false);
    }
}
