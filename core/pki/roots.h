/*
 * hc_roots: the trust anchors that chains are judged against. Self-signed certificates only: an
 * intermediate in the bundle is ignored, since it would hide that one is missing from the chain.
 * Loaded once, used often; reference-counted; any thread. Parsed as they are asked for.
 */
#ifndef HC_PKI_ROOTS_H
#define HC_PKI_ROOTS_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/error.h"

#define HC_ROOTS_MAX ((size_t)8 << 20) /* bytes of a bundle */

struct hc_roots;

/*
 * Reads a PEM file of roots; path NULL: the system's bundle, OpenSSL's default file (the
 * environment's SSL_CERT_FILE counts there). HC_P_FILE_UNREADABLE; HC_P_BAD_VALUE if it holds no
 * self-signed certificate.
 */
int hc_roots_load(const char *path, struct hc_roots **out, struct hc_error *err) HC_MUST_USE;

/* The same from bytes. subject names them; system: they are the roots that browsers have, too. */
int hc_roots_parse(struct hc_bytes pem, const char *subject, bool system, struct hc_roots **out,
                   struct hc_error *err) HC_MUST_USE;

struct hc_roots *hc_roots_ref(struct hc_roots *roots);
void hc_roots_free(struct hc_roots *roots); /* gives a reference back; NULL is fine */

/*
 * Has the roots of this name, if there are any, parsed, verified to be self-signed, and put into
 * the store: to be called for the issuer's name of each certificate of a chain before it is
 * verified.
 */
int hc_roots_want(const struct hc_roots *roots, const X509_NAME *name,
                  struct hc_error *err) HC_MUST_USE;

X509_STORE *hc_roots_store(const struct hc_roots *roots); /* borrowed; do not add to it */
bool hc_roots_is_system(const struct hc_roots *roots);
/* SHA-256 of the bytes that they were read from; 32 of them, borrowed. */
const unsigned char *hc_roots_digest(const struct hc_roots *roots);
const char *hc_roots_subject(const struct hc_roots *roots); /* the path */
size_t hc_roots_count(const struct hc_roots *roots);        /* that name themselves as issuer */

#endif
