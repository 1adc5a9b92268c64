/*
 * Proving names over TLS (tls-alpn-01, RFC 8737): a CA connects, offers "acme-tls/1" and no other
 * protocol, and names the host; it is shown the certificate that the agent made for it, and no
 * other. Both servers alike, and ahead of whatever they do with a connection: their choice of the
 * host, the host's certificates, ciphers, protocols and demand for a certificate of the client.
 *
 * How: OpenSSL shows a ClientHello to the connection's message callback before anything is done
 * with it. One that validates moves the connection to a context of ours; all others are not touched
 * again. Nothing else is ever served on such a connection: a name that is not pending gets the
 * alert no_application_protocol, and HTTP is not spoken afterwards (hc_proofs_took()).
 */
#ifndef HC_GLUE_PROOF_H
#define HC_GLUE_PROOF_H

#include <openssl/ssl.h>

#include "base/log.h"
#include "live/table.h"

struct hc_proofs;

/* Borrowed, as long as there are connections. */
struct hc_proofs_options {
    struct hc_table *const *table; /* where it stands; NULL there: there is none yet */
    const struct hc_log *log;
    void *self;
    /* True if another module proves this name: its handshake is left alone. NULL: there is none. */
    bool (*is_anothers)(void *self, const char *name);
};

/* *out is the caller's. */
int hc_proofs_new(const struct hc_proofs_options *options, struct hc_proofs **out,
                  struct hc_error *err) HC_MUST_USE;
/* After the connections. NULL is fine. */
void hc_proofs_free(struct hc_proofs *proofs);

/* Looks at the connections that are made from this context; a callback that is there is replaced.
 */
void hc_proofs_watch_context(struct hc_proofs *proofs, SSL_CTX *ctx);
/* Looks at this connection, whose handshake has not begun. */
void hc_proofs_watch(struct hc_proofs *proofs, SSL *ssl);

/* True if it is, or was, a validation: there is nothing to be served on it. */
bool hc_proofs_took(const struct hc_proofs *proofs, const SSL *ssl);

#endif
