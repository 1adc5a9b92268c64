/*
 * Private keys: making, reading, writing. Keys are EVP_PKEY; their bytes live in secret buffers.
 * Any thread; nothing is left on OpenSSL's error queue.
 */
#ifndef HC_PKI_KEY_H
#define HC_PKI_KEY_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "conf/conf.h"

#define HC_KEY_DER_MAX 8192

/* A fresh key; *out is the caller's to EVP_PKEY_free(). type is one that `on` can order. */
int hc_key_new(enum hc_key_type type, EVP_PKEY **out, struct hc_error *err) HC_MUST_USE;

/* PKCS#8 DER. out should be secret. */
int hc_key_to_der(EVP_PKEY *key, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/* PKCS#8 DER of supported kinds. */
int hc_key_from_der(const unsigned char *der, size_t len, EVP_PKEY **out,
                    struct hc_error *err) HC_MUST_USE;

/* RSA sizes and curves by their exact type, all else HC_KEY_OTHER. */
enum hc_key_type hc_key_type_of(EVP_PKEY *key);

/*
 * RSA, RSA-PSS, named curves, and whatever else signs, as this machine's OpenSSL has it. Whether
 * TLS and clients know it is the check's to say.
 */
bool hc_key_is_supported(EVP_PKEY *key);

/* EVP_PKEY_RSA, _EC, _ED25519 ..; an object's number where OpenSSL has no other for the kind. */
int hc_key_algorithm(EVP_PKEY *key);

/*
 * Signs text into the *len bytes at out, with SHA-256 (where the kind has none of its own); *len
 * becomes what the signature takes. False, with OpenSSL's queue as it is, if that fails.
 */
HC_MUST_USE bool hc_key_sign(EVP_PKEY *key, struct hc_bytes text, unsigned char *out, size_t *len);

/*
 * True if what key signs is verified by other (a certificate's public key), and an RSA key's
 * numbers fit together. More than a comparison of public halves: a damaged private half beside a
 * whole public one is found.
 */
bool hc_key_works_with(EVP_PKEY *key, EVP_PKEY *other);

/*
 * The certificate signing request of RFC 2986 for these names (DNS and IP SANs, no subject),
 * signed with key, in DER.
 */
int hc_csr_new(EVP_PKEY *key, const struct hc_list *names, struct hc_buf *der,
               struct hc_error *err) HC_MUST_USE;

#endif
