/*
 * JSON Web Signature as ACME uses it: flattened serialisation (RFC 7515 section 7.2.2), ES256 (RFC
 * 7518 section 3.4), JWK of a P-256 key (RFC 7517, 7518 section 6.2), thumbprint (RFC 7638).
 */
#ifndef HC_ACME_JWS_H
#define HC_ACME_JWS_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"

#define HC_JWS_MAX        ((size_t)64 << 10) /* one signed request */
#define HC_JWS_THUMBPRINT 44                 /* base64url of SHA-256, with its NUL */

/* {"crv":..,"kty":"EC","x":..,"y":..}: members sorted, no blanks, as the thumbprint needs it. */
int hc_jws_jwk(EVP_PKEY *key, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/* base64url(SHA-256(text)) of a JWK in that canonical form. */
int hc_jws_thumbprint_of(const char *jwk, char out[HC_JWS_THUMBPRINT],
                         struct hc_error *err) HC_MUST_USE;

int hc_jws_thumbprint(EVP_PKEY *key, char out[HC_JWS_THUMBPRINT], struct hc_error *err) HC_MUST_USE;

/*
 * Signs protected_header and payload (both as plain text; an empty payload is POST-as-GET) with a
 * P-256 key and appends {"protected":..,"payload":..,"signature":..}.
 */
int hc_jws_sign(EVP_PKEY *key, const char *protected_header, const char *payload,
                struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/* The same by HMAC (RFC 7518 section 3.2). algorithm: "HS256", "HS384" or "HS512". */
int hc_jws_sign_hmac(const char *algorithm, struct hc_bytes key, const char *protected_header,
                     const char *payload, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
