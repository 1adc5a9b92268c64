/*
 * Sealing under the secret: AES-256-GCM (NIST SP 800-38D) with a key and nonce of its own for every
 * file, derived by HKDF-SHA256 (RFC 5869) from the secret, 32 fresh random bytes that stand in
 * front, and a word for the purpose. What is bound to it (identity, version, kind, name) is
 * authenticated beside it. Any thread; nothing is left on OpenSSL's error queue.
 */
#ifndef HC_STORE_SEAL_H
#define HC_STORE_SEAL_H

#include "base/buf.h"
#include "base/secret.h"

#define HC_SEAL_SALT  32
#define HC_SEAL_TAG   16
#define HC_SEAL_EXTRA (HC_SEAL_SALT + HC_SEAL_TAG) /* what sealing adds */

/* Appends salt, ciphertext and tag of plain to out. */
int hc_seal(const unsigned char secret[HC_SECRET_SIZE], const char *purpose, struct hc_bytes bound,
            struct hc_bytes plain, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/*
 * Appends what was sealed to out (should be secret). HC_P_STORE_DAMAGED if it is not what was
 * sealed with this secret, purpose and bound; then out is unchanged.
 */
int hc_unseal(const unsigned char secret[HC_SECRET_SIZE], const char *purpose,
              struct hc_bytes bound, struct hc_bytes sealed, struct hc_buf *out,
              struct hc_error *err) HC_MUST_USE;

/* What tells one secret from another without telling the secret: HMAC-SHA256 over label and id. */
int hc_seal_fingerprint(const unsigned char secret[HC_SECRET_SIZE], struct hc_bytes id,
                        unsigned char fingerprint[32], struct hc_error *err) HC_MUST_USE;

/* SHA-256 of the text, in hex: the checksum that stands behind it in files that are not sealed. */
int hc_seal_checksum(struct hc_bytes text, char hex[65], struct hc_error *err) HC_MUST_USE;

#endif
