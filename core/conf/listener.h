/*
 * Where the server listens, as its configuration has it, and what that means for http-01 and for
 * IP addresses among the names: said before a try at the CA is spent. The glue fills the list, the
 * core judges it.
 */
#ifndef HC_CONF_LISTENER_H
#define HC_CONF_LISTENER_H

#include "base/address.h"
#include "conf/conf.h"

struct hc_listener {
    char address[HC_ADDRESS_TEXT]; /* "0.0.0.0" and "::" are all addresses of this machine */
    unsigned port;
    bool tls; /* only those that a host with `hotcert on` is reached by are of interest */
    bool proxy_protocol; /* it reads nothing but the PROXY protocol */
};

/* Zeroed memory is an empty list. */
struct hc_listeners {
    struct hc_listener *items;
    size_t count;
    size_t room;
};

/* Adds a copy. */
int hc_listeners_add(struct hc_listeners *list, const struct hc_listener *listener,
                     struct hc_error *err) HC_MUST_USE;
void hc_listeners_dispose(struct hc_listeners *list);

/*
 * Remarks on what keeps a CA's question on port 80 (http_port of a private one) from getting here:
 * no listener, the PROXY protocol, other addresses than those that TLS is served on. One remark for
 * each port and reason. And on each IP address that is ordered for a host that no client gets by
 * it: clients send no server name for one. conf is finished.
 */
int hc_listeners_check(const struct hc_listeners *list, const struct hc_conf *conf,
                       struct hc_findings *notes, struct hc_error *err) HC_MUST_USE;

#endif
