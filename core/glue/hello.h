/*
 * What a client says first (the ClientHello of RFC 8446 section 4.1.2), as far as servers look at
 * it before OpenSSL does. Hostile input.
 */
#ifndef HC_GLUE_HELLO_H
#define HC_GLUE_HELLO_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define HC_HELLO_NAME 256

struct hc_hello {
    /*
     * It offers the one application protocol of a CA that validates (RFC 8737 section 4) and no
     * other. Who offers it among others is a client like any other.
     */
    bool validates;
    /* Of server_name (RFC 6066 section 3), lower case, without a dot at its end; "": there is none,
     * or it is malformed. */
    char name[HC_HELLO_NAME];
    size_t name_len;
};

/* Reads the body of a ClientHello; false: it is none. */
bool hc_hello_read(struct hc_bytes body, struct hc_hello *out);

/* The same name, from within OpenSSL's callback for ClientHellos. Its length. */
size_t hc_hello_name(SSL *ssl, char name[HC_HELLO_NAME]);

#endif
