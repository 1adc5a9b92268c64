/* Between the files that read keys; not for others. */
#ifndef HC_PKI_KEY_EC_H
#define HC_PKI_KEY_EC_H

#include <openssl/x509.h>

#include "base/buf.h"

/*
 * The key of a PKCS#8 structure that holds an elliptic curve key in the form that we write (RFC
 * 5915: named curve, both halves), built from its numbers: a sixth of the time of OpenSSL's
 * decoders, which counts where a worker reads thousands of pairs. NULL: any other form; let OpenSSL
 * decide.
 */
EVP_PKEY *hc_key_ec_from_pkcs8(const PKCS8_PRIV_KEY_INFO *info) HC_MUST_USE;

/*
 * Appends a key on one of the same curves in that form, byte for byte as OpenSSL writes it, which
 * looks through all of its encoders each time. False: it is another key, or one of its numbers
 * cannot be had; out is as it was.
 */
bool hc_key_ec_to_pkcs8(EVP_PKEY *key, struct hc_buf *out);

#endif
