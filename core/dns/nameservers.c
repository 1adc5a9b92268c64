/* Which resolvers are asked, and in which order; see nameservers.h. */
#include "dns/nameservers.h"

#include <stdlib.h>

#define FILE_MS 5000 /* resolv.conf is looked at that seldom */

static void read_file(struct hc_nameservers *ns)
{
    ns->count = hc_dns_servers_of_system(ns->resolv_conf, ns->servers, HC_RESOLVER_SERVERS);
}

int hc_nameservers_init(struct hc_nameservers *ns, const struct hc_list *servers,
                        const char *resolv_conf, int64_t now_ms, struct hc_error *err)
{
    ns->serial = 1;
    if (servers == NULL || servers->count == 0) {
        if (hc_strdup(resolv_conf != NULL ? resolv_conf : "/etc/resolv.conf", &ns->resolv_conf,
                      err) != 0) {
            return -1;
        }
        (void)hc_dns_file_changed(ns->resolv_conf, &ns->stamp);
        ns->look_ms = now_ms + FILE_MS;
        read_file(ns);
        return 0;
    }
    if (servers->count > HC_RESOLVER_SERVERS) {
        return hc_error_set(err, HC_P_BAD_VALUE, NULL, "hotcert asks at most %d resolvers",
                            HC_RESOLVER_SERVERS);
    }
    for (size_t i = 0; i < servers->count; i++) {
        if (hc_dns_server_parse(servers->items[i], &ns->servers[i], err) != 0) {
            return -1;
        }
    }
    ns->count = servers->count;
    return 0;
}

void hc_nameservers_dispose(struct hc_nameservers *ns)
{
    free(ns->resolv_conf);
    ns->resolv_conf = NULL;
}

/* A machine's resolvers change while it runs: a VPN, another network, a container moved. */
bool hc_nameservers_follow(struct hc_nameservers *ns, int64_t now_ms)
{
    if (ns->resolv_conf == NULL || now_ms < ns->look_ms) {
        return false;
    }
    ns->look_ms = now_ms + FILE_MS;
    if (!hc_dns_file_changed(ns->resolv_conf, &ns->stamp)) {
        return false;
    }
    read_file(ns);
    ns->preferred = 0;
    ns->serial = ns->serial + 1 > 0 ? ns->serial + 1 : 1;
    return true;
}

void hc_nameservers_answered(struct hc_nameservers *ns, unsigned serial, size_t place)
{
    if (serial == ns->serial) {
        ns->preferred = place;
    }
}

void hc_nameservers_silent(struct hc_nameservers *ns, unsigned serial, size_t place)
{
    if (serial == ns->serial && place == ns->preferred) {
        ns->preferred = (ns->preferred + 1) % ns->count;
    }
}
