/*
 * Port: one TLS handshake as a CA makes it that validates over TLS (RFC 8737 section 3), and the
 * adapter that makes it over the loop. To one numeric address, with this server name and one
 * application protocol; nothing is verified, and nothing is sent after it. Any certificate will do,
 * so nothing but a comparison may be made with what came.
 */
#ifndef HC_NET_HANDSHAKE_H
#define HC_NET_HANDSHAKE_H

#include <openssl/x509.h>

#include "base/address.h"
#include "base/error.h"
#include "loop/loop.h"

struct hc_handshake_ask {
    const struct hc_address *address;
    unsigned port;
    const char *server_name; /* copied, as the next one */
    const char *protocol;    /* of ALPN */
    int64_t timeout_ms;
};

/* In place of an alert: */
#define HC_HANDSHAKE_ODD      (-1) /* it chose a protocol that was not offered */
#define HC_HANDSHAKE_FOREIGN  (-2) /* it answered, but not in TLS */
#define HC_HANDSHAKE_GREETING 16   /* of that answer, with NUL */

/* Valid during the callback. cert NULL: the server ended it with this alert (RFC 8446 section 6).
 */
struct hc_handshake_reply {
    X509 *cert;
    bool agreed; /* on the protocol */
    int alert;
    const char
        *greeting; /* HC_HANDSHAKE_FOREIGN: the first line's beginning, as it came; else "" */
};

/*
 * Once for each, never from ask(): either reply is set, or err (HC_P_FETCH_FAILED,
 * HC_P_FETCH_TIMEOUT: no connection, or no answer to the end; its own words tell).
 */
typedef void hc_handshake_done(void *arg, const struct hc_handshake_reply *reply,
                               const struct hc_error *err);

/* One thread; never blocks. */
struct hc_handshake_port {
    void *self;
    /* Starts; *id (never 0) can cancel it. 0, or -1 with err and no callback. */
    int (*ask)(void *self, const struct hc_handshake_ask *ask, hc_handshake_done *done, void *arg,
               uint64_t *id, struct hc_error *err);
    /* Ends it without its callback. Unknown ids are ignored. */
    void (*cancel)(void *self, uint64_t id);
};

struct hc_handshakes;
int hc_handshakes_new(struct hc_loop *loop, struct hc_handshakes **out,
                      struct hc_error *err) HC_MUST_USE;
void hc_handshakes_free(
    struct hc_handshakes *handshakes); /* those under way end without callbacks */
const struct hc_handshake_port *hc_handshakes_port(struct hc_handshakes *handshakes);

#endif
