/*
 * The certificate that proves a name over TLS, RFC 8737 section 3 and RFC 8738 section 6:
 * self-signed, one subject alternative name, and in a critical extension the SHA-256 of the key
 * authorization. Nobody but a validating CA is ever sent one. Any thread; nothing is left on
 * OpenSSL's error queue.
 */
#ifndef HC_PKI_PROOF_H
#define HC_PKI_PROOF_H

#include "pki/pair.h"

#define HC_PROOF_DIGEST 32

/*
 * Appends certificate and (PKCS#8) key of a fresh P-256 pair to pem, which should be secret. Its
 * common name is not the name, which may be longer than one can be.
 */
int hc_proof_make(const char *name, const unsigned char digest[HC_PROOF_DIGEST], struct hc_buf *pem,
                  struct hc_error *err) HC_MUST_USE;

/* The digest that a certificate has; false: it is no proof of anything. */
bool hc_proof_of(const X509 *cert, unsigned char digest[HC_PROOF_DIGEST]);

/*
 * The pair that hc_proof_make() wrote; *out is the caller's. HC_P_KEY_MISMATCH and others of
 * hc_pair_from_pem(); HC_P_INTERNAL: it is a pair, and no proof.
 */
int hc_proof_read(struct hc_bytes pem, const char *name, struct hc_pair **out,
                  struct hc_error *err) HC_MUST_USE;

/* True if both texts prove the same: one digest, whatever the keys. */
bool hc_proof_same(const char *pem, const char *other);

#endif
