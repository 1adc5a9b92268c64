/*
 * What a CA is asked over, as ACME sees it: the HTTP client returns problems of the network, and
 * here they become the CA's; and which of the URLs that a CA hands out are followed.
 */
#ifndef HC_ACME_NETWORK_H
#define HC_ACME_NETWORK_H

#include "net/http.h"

/* Makes the CA's problem of one of the network's; others stay. NULL and no error are fine. -1. */
int hc_acme_network_error(struct hc_error *err);

/* As the port's send(), with the CA's problems when it fails. Those that its callback brings are
 * the callback's to hc_acme_network_error(). */
int hc_acme_send(const struct hc_http_port *http, const struct hc_http_request *request,
                 hc_http_done *done, void *arg, uint64_t *id, struct hc_error *err) HC_MUST_USE;

/*
 * Refuses (HC_P_CA_URL) what is no URL to follow (hc_http_check_url()), and another scheme than the
 * directory's (RFC 8555 section 6.1).
 */
int hc_acme_check_url(const char *directory, const char *url, struct hc_error *err) HC_MUST_USE;

#endif
