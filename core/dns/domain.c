/* What our responder is authoritative for; see domain.h. */
#include "dns/domain.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

int hc_dns_domain_of_zone(const char *zone, struct hc_dns_domain *out, struct hc_error *err)
{
    memset(out, 0, sizeof(*out));
    out->one = true;
    return hc_dname_from_host(zone, &out->zone, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void take(struct hc_dns_domain *domain, const char **names, size_t count)
{
    domain->names = names;
    domain->name_count = count;
    for (size_t i = 0; i < count; i++) {
        names[i] += strncmp(names[i], "*.", 2) == 0 ? 2 : 0;
    }
    if (count > 0) {
        qsort(names, count, sizeof(*names), by_text);
    }
}

void hc_dns_domain_of_names(const char **take_names, size_t count, struct hc_dns_domain *out)
{
    memset(out, 0, sizeof(*out));
    take(out, take_names, count);
}

void hc_dns_domain_know(struct hc_dns_domain *domain, const char **take_names, size_t count)
{
    take(domain, take_names, count);
}

void hc_dns_domain_dispose(struct hc_dns_domain *domain)
{
    free(domain->names);
    memset(domain, 0, sizeof(*domain));
}

static bool has_name(const struct hc_dns_domain *domain, const struct hc_dname *name)
{
    char text[HC_DNAME_TEXT];
    const char *key = text;
    size_t place = 0;

    hc_dname_format(name, text);
    text[strlen(text) - 1] = '\0'; /* the root's dot */
    return hc_vec_place(&key, domain->names, domain->name_count, sizeof(*domain->names), by_text,
                        &place);
}

bool hc_dns_domain_knows(const struct hc_dns_domain *domain, const struct hc_dname *name)
{
    struct hc_dname inside = *name;

    if (!domain->one || !hc_dname_is_within(name, &domain->zone)) {
        return false;
    }
    inside.len = (uint8_t)(name->len - domain->zone.len + 1);
    inside.wire[inside.len - 1] = 0;
    return has_name(domain, &inside);
}

static bool begins_with_label(const struct hc_dname *name)
{
    size_t len = strlen(HC_DNS_LABEL);

    return name->wire[0] == len && memcmp(name->wire + 1, HC_DNS_LABEL, len) == 0;
}

bool hc_dns_domain_find(const struct hc_dns_domain *domain, const struct hc_dname *name,
                        struct hc_dname *apex)
{
    struct hc_dname at = *name;

    if (domain->one) {
        *apex = domain->zone;
        return hc_dname_is_within(name, &domain->zone);
    }
    do {
        struct hc_dname above = at;

        if (begins_with_label(&at) && hc_dname_climb(&above) && has_name(domain, &above)) {
            *apex = at;
            return true;
        }
    } while (hc_dname_climb(&at));
    return false;
}

const struct hc_dns_ns *hc_dns_domain_ns(const struct hc_dns_domain *domain,
                                         const struct hc_dname *name)
{
    for (size_t i = 0; i < domain->ns_count; i++) {
        if (hc_dname_equal(&domain->ns[i].name, name)) {
            return &domain->ns[i];
        }
    }
    return NULL;
}

bool hc_dns_domain_has_ns_below(const struct hc_dns_domain *domain, const struct hc_dname *name)
{
    for (size_t i = 0; i < domain->ns_count; i++) {
        if (hc_dname_is_within(&domain->ns[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* ---- the name servers ---- */

static int add_server(struct hc_dns_domain *domain, const char *text, struct hc_error *err)
{
    struct hc_address address;
    struct hc_dns_ns *ns = &domain->ns[domain->ns_count > 0 ? domain->ns_count - 1 : 0];

    if (hc_address_parse(text, &address) == 0) {
        if (domain->ns_count == 0 || ns->count == HC_DNS_NS_ADDRESS_MAX) {
            return hc_error_set(err, HC_P_BAD_VALUE, text,
                                "at most %d addresses may follow a name, and none may come first",
                                HC_DNS_NS_ADDRESS_MAX);
        }
        ns->addresses[ns->count++] = address;
        return 0;
    }
    if (domain->ns_count == HC_DNS_NS_MAX) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "there can be %d names", HC_DNS_NS_MAX);
    }
    return hc_dname_from_host(text, &domain->ns[domain->ns_count++].name, err);
}

int hc_dns_domain_serve(struct hc_dns_domain *domain, const struct hc_list *servers,
                        const char *who_else, struct hc_error *err)
{
    struct hc_dname apex;

    memset(domain->ns, 0, sizeof(domain->ns));
    domain->ns_count = 0;
    for (size_t i = 0; i < servers->count; i++) {
        if (add_server(domain, servers->items[i], err) != 0) {
            return -1;
        }
    }
    domain->ns_guessed = domain->ns_count == 0;
    if (domain->ns_guessed && add_server(domain, who_else, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < domain->ns_count; i++) {
        char text[HC_DNAME_TEXT];

        /* nobody is told to go to a guess, so it needs no address */
        if (!domain->ns_guessed && domain->ns[i].count == 0 &&
            hc_dns_domain_find(domain, &domain->ns[i].name, &apex)) {
            return hc_error_set(err, HC_P_BAD_VALUE, hc_dname_format(&domain->ns[i].name, text),
                                "this name is in the zone of hotcert's own DNS server: write its "
                                "addresses after it");
        }
    }
    return 0;
}
