/* Listeners, http-01 and IP addresses; see listener.h. */
#include "conf/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "conf/issuer.h"
#include "conf/method.h"
#include "conf/name.h"

int hc_listeners_add(struct hc_listeners *list, const struct hc_listener *listener,
                     struct hc_error *err)
{
    struct hc_listener *items = NULL;

    /* thousands of hosts have one address: the last one, most often */
    for (size_t i = list->count; i > 0; i--) {
        const struct hc_listener *l = &list->items[i - 1];

        if (l->port == listener->port && l->tls == listener->tls &&
            l->proxy_protocol == listener->proxy_protocol &&
            strcmp(l->address, listener->address) == 0) {
            return 0;
        }
    }
    items = hc_vec_room(list->items, list->count, &list->room, sizeof(*items), err);
    if (items == NULL) {
        return -1;
    }
    list->items = items;
    list->items[list->count++] = *listener;
    return 0;
}

void hc_listeners_dispose(struct hc_listeners *list)
{
    free(list->items);
    memset(list, 0, sizeof(*list));
}

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool is_loopback(const char *text)
{
    struct hc_address address;
    const char *what = hc_address_parse(text, &address) == 0 ? hc_address_reserved(&address) : NULL;

    return what != NULL && strcmp(what, "loopback") == 0;
}

/* Whether what asks this address on this port is heard. */
static bool is_plain(const struct hc_listener *l, unsigned port)
{
    return !l->tls && l->port == port;
}

/* A question to `address`; all addresses: from the outside, to any that is not loopback. */
static bool is_heard(const struct hc_listeners *list, unsigned port, const char *address)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hc_listener *l = &list->items[i];

        if (is_plain(l, port) && (is_any(l->address) || strcmp(l->address, address) == 0 ||
                                  (is_any(address) && !is_loopback(l->address)))) {
            return true;
        }
    }
    return false;
}

/* The first plain listener of a port; NULL: none. *all_proxied: each wants the PROXY protocol. */
static const struct hc_listener *plain_of(const struct hc_listeners *list, unsigned port,
                                          bool *all_proxied)
{
    const struct hc_listener *first = NULL;

    *all_proxied = true;
    for (size_t i = 0; i < list->count; i++) {
        if (is_plain(&list->items[i], port)) {
            first = first == NULL ? &list->items[i] : first;
            *all_proxied = *all_proxied && list->items[i].proxy_protocol;
        }
    }
    return first;
}

/* The first address that TLS is served on and this port is not. */
static const struct hc_listener *unheard_of(const struct hc_listeners *list, unsigned port)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hc_listener *l = &list->items[i];

        /* TLS on loopback is behind a proxy, which may be asked anywhere */
        if (l->tls && !is_loopback(l->address) && !is_heard(list, port, l->address)) {
            return l;
        }
    }
    return NULL;
}

static int check_port(const struct hc_listeners *list, unsigned port,
                      const struct hc_issuer *issuer, const struct hc_identity *identity,
                      struct hc_findings *notes, struct hc_error *err)
{
    bool all_proxied = false;
    const struct hc_listener *plain = plain_of(list, port, &all_proxied);
    const struct hc_listener *tls = NULL;
    char subject[32];

    (void)snprintf(subject, sizeof(subject), "port %u", port);
    if (plain == NULL) {
        return hc_findings_add(notes, HC_P_PORT_NOT_SERVED, subject, err,
                               "%s connects to it for the host at %s", issuer->name,
                               identity->where.items[0]);
    }
    if (all_proxied) {
        return hc_findings_add(notes, HC_P_PORT_PROXY_PROTOCOL, subject, err,
                               "%s connects to it for the host at %s", issuer->name,
                               identity->where.items[0]);
    }
    tls = unheard_of(list, port);
    if (tls == NULL) {
        return 0;
    }
    return hc_findings_add(notes, HC_P_PORT_ELSEWHERE, subject, err,
                           "the server listens for it on %s, and for TLS on %s", plain->address,
                           is_any(tls->address) ? "all addresses" : tls->address);
}

/* True if the issuer's handshakes are answered, and so port 80 is not needed. */
static bool is_proved_over_tls(const struct hc_listeners *list, const struct hc_issuer *issuer,
                               const struct hc_list *methods)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hc_listener *l = &list->items[i];

        if (l->tls && l->port == (unsigned)issuer->tls_port && !l->proxy_protocol &&
            !is_loopback(l->address)) {
            return hc_methods_go_over(methods, HC_OVER_TLS);
        }
    }
    return false;
}

/* True if the issuer asks over HTTP, and nothing else will do. */
static bool needs_http(const struct hc_listeners *list, const struct hc_issuer *issuer,
                       const struct hc_identity *identity)
{
    const struct hc_list *methods = hc_issuer_methods(issuer, identity->set);

    return hc_methods_go_over(methods, HC_OVER_HTTP) && !is_proved_over_tls(list, issuer, methods);
}

/* Each issuer once, told of with the first host that orders from it. */
static int check_identity(const struct hc_listeners *list, const struct hc_conf *conf,
                          const struct hc_identity *identity, bool *checked,
                          struct hc_findings *notes, struct hc_error *err)
{
    for (size_t k = 0; k < identity->set->use.count; k++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[k]);

        if (issuer == NULL || checked[issuer - conf->issuers] ||
            !needs_http(list, issuer, identity)) {
            continue;
        }
        checked[issuer - conf->issuers] = true;
        if (check_port(list, (unsigned)issuer->http_port, issuer, identity, notes, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* True if a host that is served without a name has it among its own. */
static bool has_default(const struct hc_conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        if (identity->is_default && hc_list_has(&identity->names, address)) {
            return true;
        }
    }
    return false;
}

static int check_addresses(const struct hc_conf *conf, const struct hc_identity *identity,
                           struct hc_findings *notes, struct hc_error *err)
{
    for (size_t i = 0; i < identity->names.count; i++) {
        const char *name = identity->names.items[i];

        if (hc_name_is_ip(name) && !has_default(conf, name) &&
            hc_findings_add(notes, HC_P_ADDRESS_NOT_DEFAULT, name, err,
                            "they send no server name (SNI) for one, and the host at %s is %s",
                            identity->where.items[0],
                            conf->server == HC_SERVER_HTTPD
                                ? "not the first virtual host of its address and port"
                                : "the default_server of no `listen .. ssl`") != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_listeners_check(const struct hc_listeners *list, const struct hc_conf *conf,
                       struct hc_findings *notes, struct hc_error *err)
{
    bool *checked = calloc(conf->issuer_count + 1, sizeof(*checked));
    int rc = 0;

    if (checked == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->identity_count && rc == 0; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        if (identity->mode != HC_MODE_ON) {
            continue;
        }
        rc = check_identity(list, conf, identity, checked, notes, err);
        rc = rc == 0 ? check_addresses(conf, identity, notes, err) : rc;
    }
    free(checked);
    return rc;
}
