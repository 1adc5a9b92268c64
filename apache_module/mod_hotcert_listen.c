/*
 * Where httpd listens, for the core, which says what keeps a CA's question away, and which host is
 * served where a client sends no name. A listener does TLS if its protocol is https or a host that
 * is reached by its port does.
 */
#include <string.h>

#include "mod_hotcert.h"

/* True if a host that is reached by this port says so; the main server is reached by every one. */
static bool any_host(server_rec *servers, apr_port_t port,
                     bool (*says)(server_rec *server, const struct mod_hotcert_server *config))
{
    for (server_rec *server = servers; server != NULL; server = server->next) {
        for (const server_addr_rec *a = server->addrs; a != NULL; a = a->next) {
            if ((a->host_port == port || a->host_port == 0) &&
                says(server, ap_get_module_config(server->module_config, &hotcert_module))) {
                return true;
            }
        }
    }
    return false;
}

static bool wants_proxy_protocol(server_rec *server, const struct mod_hotcert_server *config)
{
    return config->proxy_protocol && config->owner == server;
}

static int add_listener(apr_sockaddr_t *at, apr_port_t port, bool tls, bool proxy_protocol,
                        struct hc_listeners *listeners, struct hc_error *err)
{
    struct hc_listener l = {.port = port, .tls = tls, .proxy_protocol = proxy_protocol};

    if ((at->family != APR_INET && at->family != APR_INET6) ||
        apr_sockaddr_ip_getbuf(l.address, sizeof(l.address), at) != APR_SUCCESS) {
        return 0; /* a socket in a folder: no CA asks there */
    }
    return hc_listeners_add(listeners, &l, err);
}

/* The addresses of the hosts that order, and the ports without TLS. */
static int collect_listeners(const struct mod_hotcert_state *state, server_rec *servers,
                             struct hc_listeners *listeners, struct hc_error *err)
{
    int rc = 0;

    for (server_rec *server = servers; server != NULL; server = server->next) {
        const struct mod_hotcert_host *host = mod_hotcert_host_of(state, server);

        if (host == NULL || state->conf->identities[host->identity].mode != HC_MODE_ON) {
            continue;
        }
        for (const server_addr_rec *a = server->addrs; a != NULL && rc == 0; a = a->next) {
            rc = add_listener(a->host_addr, a->host_port, true, false, listeners, err);
        }
    }
    for (const ap_listen_rec *l = ap_listeners; l != NULL && rc == 0; l = l->next) {
        apr_port_t port = l->bind_addr->port;

        if ((l->protocol == NULL || strcmp(l->protocol, "https") != 0) &&
            !any_host(servers, port, mod_hotcert_has_tls)) {
            rc = add_listener(l->bind_addr, port, false,
                              any_host(servers, port, wants_proxy_protocol), listeners, err);
        }
    }
    return rc;
}

static const char *place_of(const struct mod_hotcert_state *state, const server_addr_rec *at)
{
    char address[HC_ADDRESS_TEXT] = "";

    (void)apr_sockaddr_ip_getbuf(address, sizeof(address), at->host_addr);
    return apr_psprintf(state->pool, "%s:%u", address, (unsigned)at->host_port);
}

/* httpd's rule: of virtual hosts of one address and port the first in the configuration, which is
 * the last in its list. */
void mod_hotcert_firsts_note(struct mod_hotcert_state *state, server_rec *servers)
{
    state->firsts = apr_hash_make(state->pool);
    for (server_rec *server = servers->next; server != NULL; server = server->next) {
        for (const server_addr_rec *a = server->addrs; a != NULL; a = a->next) {
            apr_hash_set(state->firsts, place_of(state, a), APR_HASH_KEY_STRING, server);
        }
    }
}

bool mod_hotcert_is_first(const struct mod_hotcert_state *state, const server_rec *server)
{
    for (const server_addr_rec *a = server->addrs; a != NULL && server->is_virtual; a = a->next) {
        if (apr_hash_get(state->firsts, place_of(state, a), APR_HASH_KEY_STRING) == server) {
            return true;
        }
    }
    return !server->is_virtual; /* the main server is served where no virtual host is */
}

/* What the configuration shows of the way of a CA's question. */
int mod_hotcert_listeners_check(const struct mod_hotcert_state *state, server_rec *servers,
                                struct hc_findings *notes, struct hc_error *err)
{
    struct hc_listeners listeners = {0};
    int rc = collect_listeners(state, servers, &listeners, err);

    if (rc == 0) {
        rc = hc_listeners_check(&listeners, state->conf, notes, err);
    }
    hc_listeners_dispose(&listeners);
    return rc;
}
