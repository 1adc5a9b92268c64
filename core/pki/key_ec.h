/* Between the files that read keys; not for others. */
#ifndef HC_PKI_KEY_EC_H
#define HC_PKI_KEY_EC_H

#include <openssl/x509.h>

#include "base/compiler.h"

/*
 * The key of a PKCS#8 structure that holds an elliptic curve key in the form that we write (RFC
 * 5915: named curve, both halves), built from its numbers: a sixth of the time of OpenSSL's
 * decoders, which counts where a worker reads thousands of pairs. NULL: any other form; let OpenSSL
 * decide.
 */
EVP_PKEY *hc_key_ec_from_pkcs8(const PKCS8_PRIV_KEY_INFO *info) HC_MUST_USE;

#endif
