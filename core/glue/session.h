/*
 * Which host a TLS session belongs to: SHA-256 over what must be equal where it resumes. Stock
 * servers take the certificate or the host's name for that; here certificates come and go, and two
 * hosts may share a name. The caller begins, adds what is its own (names, addresses), and ends.
 */
#ifndef HC_GLUE_SESSION_H
#define HC_GLUE_SESSION_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "conf/digest.h"

#define HC_SESSION_TAG 32

struct hc_session_tag {
    struct hc_digest digest;
    bool good; /* nothing has failed so far */
};

/* id: the identity that the host is served, HC_ID_SIZE bytes; NULL: none. */
void hc_session_begin(struct hc_session_tag *tag, const unsigned char *id);
/* Adds bytes, their length first, so that no two lists of parts give the same tag. */
void hc_session_add(struct hc_session_tag *tag, const void *data, size_t len);
/*
 * Adds how the context verifies clients (mode, depth, names of the CAs): a session must not pass by
 * what a full handshake would demand.
 */
void hc_session_add_clients(struct hc_session_tag *tag, const SSL_CTX *ctx);
/* False: OpenSSL has no memory for it. Its error queue is left to the caller. */
bool hc_session_end(struct hc_session_tag *tag, unsigned char out[HC_SESSION_TAG]);

#endif
