/*
 * SHA-256 of several things one behind the other: what identities, lines and verdicts are known by.
 * Failures are kept until the end, so that steps need no check of their own.
 */
#ifndef HC_CONF_DIGEST_H
#define HC_CONF_DIGEST_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"

#define HC_DIGEST_SIZE 32

struct hc_digest {
    EVP_MD_CTX *ctx; /* NULL: it failed */
};

void hc_digest_begin(struct hc_digest *digest);
/* These bytes alone: for what has a length of its own, or is the last. */
void hc_digest_bytes(struct hc_digest *digest, const void *data, size_t len);
/* The text with the zero byte that ends it; NULL is as "". */
void hc_digest_text(struct hc_digest *digest, const char *text);
/* The length in eight bytes, then the bytes. */
void hc_digest_chunk(struct hc_digest *digest, const void *data, size_t len);
/* Ends it, whatever happened before. HC_P_TLS_LIBRARY. */
int hc_digest_end(struct hc_digest *digest, unsigned char out[HC_DIGEST_SIZE],
                  struct hc_error *err) HC_MUST_USE;

#endif
