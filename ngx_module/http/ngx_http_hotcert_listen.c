/* Where nginx listens, for the core, which says what keeps a CA's question away. */
#include "ngx_http_hotcert.h"

static bool any_server_is_on(const ngx_http_hotcert_main_conf_t *main,
                             const ngx_http_conf_addr_t *addr)
{
    ngx_http_core_srv_conf_t **cscf = addr->servers.elts;

    for (ngx_uint_t i = 0; i < addr->servers.nelts; i++) {
        const ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        if (hc_scope_mode(main->own.conf, srv->scope) == HC_MODE_ON) {
            return true;
        }
    }
    return false;
}

static int add_listener(const ngx_http_hotcert_main_conf_t *main, const ngx_http_conf_addr_t *addr,
                        struct hc_listeners *listeners, struct hc_error *err)
{
    struct hc_listener l = {
        .port = ngx_inet_get_port(addr->opt.sockaddr),
        .tls = ngx_http_hotcert_listens_tls(&addr->opt),
        .proxy_protocol = addr->opt.proxy_protocol,
    };
    size_t len = 0;

    if (addr->opt.sockaddr->sa_family == AF_UNIX || (l.tls && !any_server_is_on(main, addr))) {
        return 0;
    }
    len = ngx_sock_ntop(addr->opt.sockaddr, addr->opt.socklen, (u_char *)l.address,
                        sizeof(l.address) - 1, 0);
    l.address[len] = '\0';
    return hc_listeners_add(listeners, &l, err);
}

/* What the configuration shows of the way of a CA's question. */
int ngx_http_hotcert_listeners_check(ngx_conf_t *cf, const ngx_http_hotcert_main_conf_t *main,
                                     const ngx_http_core_main_conf_t *cmcf, struct hc_error *err)
{
    const ngx_http_conf_port_t *port = cmcf->ports != NULL ? cmcf->ports->elts : NULL;
    struct hc_listeners listeners = {0};
    struct hc_findings notes = {0};
    struct hc_log log = ngx_hotcert_log(cf->log);
    int rc = 0;

    for (ngx_uint_t p = 0; port != NULL && p < cmcf->ports->nelts; p++) {
        const ngx_http_conf_addr_t *addr = port[p].addrs.elts;

        for (ngx_uint_t a = 0; rc == 0 && a < port[p].addrs.nelts; a++) {
            rc = add_listener(main, &addr[a], &listeners, err);
        }
    }
    if (rc == 0) {
        rc = hc_listeners_check(&listeners, main->own.conf, &notes, err);
    }
    hc_remarks_log(&notes, &log);
    hc_findings_dispose(&notes);
    hc_listeners_dispose(&listeners);
    return rc;
}
