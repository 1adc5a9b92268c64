/*
 * hc_pair: key, leaf and chain that belong together, with what was learned of them. Built whole or
 * not at all; immutable; reference-counted (atomically). hc_bundle: the pairs of one identity, one
 * a key type, in the form that goes through the live table.
 *
 * Encodings are length-checked; whoever wrote the bytes is not trusted. Nothing is left on
 * OpenSSL's error queue.
 */
#ifndef HC_PKI_PAIR_H
#define HC_PKI_PAIR_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/finding.h"
#include "conf/conf.h"

#define HC_PAIR_PEM_MAX ((size_t)1 << 20)   /* a certificate or key file */
#define HC_CHAIN_MAX    10                  /* certificates in one served chain */
#define HC_BUNDLE_PAIRS 4                   /* RSA, ECDSA, Ed25519 and one to spare */
#define HC_BUNDLE_MAX   ((size_t)256 << 10) /* an encoded bundle */

struct hc_pair;

/* What else a chain may be completed from (pki/complete.h). Borrowed; zeroed: nothing. */
struct hc_pair_more {
    struct hc_bytes chain_pem; /* a file with the issuers */
    const char *chain_subject; /* its name; NULL: there is none */
    struct hc_bytes store_pem; /* a file with CA certificates, among them perhaps an issuer */
    const char *store_subject; /* its name, or NULL */
    const char *store_folder; /* a folder with such, under hashed names (openssl rehash); or NULL */
};

/*
 * From PEM, as files or a CA hold it: cert_pem has leaf and chain in any order and may hold the
 * key; key_pem may be empty then. passphrases: candidate passphrases, or NULL. The key says which
 * certificate is the leaf; the chain is served leaf first, in order of issue, without duplicates,
 * strangers and roots.
 *
 * What is wrong goes to findings: with an unusable one, *out is NULL and the result is -1 with err
 * set to the worst finding. cert_subject and key_subject are the names used in findings (paths).
 */
struct hc_pair_source {
    struct hc_bytes cert_pem;
    struct hc_bytes key_pem;
    const char *cert_subject;
    const char *key_subject;
    const struct hc_list *passphrases;
    struct hc_pair_more more;
    bool httpd_keys; /* take keys in the forms that only httpd reads, too: base64 alone, DER */
};
int hc_pair_from_pem(const struct hc_pair_source *source, struct hc_pair **out,
                     struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/* From a chain in PEM and a key of ours: what an ACME order ends with. As above. */
int hc_pair_from_key(EVP_PKEY *key, struct hc_bytes chain_pem, const char *subject,
                     struct hc_pair **out, struct hc_findings *findings,
                     struct hc_error *err) HC_MUST_USE;

/* The compact binary form: key (PKCS#8 DER), then the certificates (DER). out should be secret. */
int hc_pair_encode(const struct hc_pair *pair, struct hc_buf *out,
                   struct hc_error *err) HC_MUST_USE;
int hc_pair_decode(const unsigned char *data, size_t len, struct hc_pair **out,
                   struct hc_error *err) HC_MUST_USE;

struct hc_pair *hc_pair_ref(struct hc_pair *pair);
void hc_pair_free(struct hc_pair *pair); /* gives a reference back; NULL is fine */

EVP_PKEY *hc_pair_key(const struct hc_pair *pair); /* borrowed, as are all below */
X509 *hc_pair_leaf(const struct hc_pair *pair);
STACK_OF(X509) * hc_pair_chain(const struct hc_pair *pair); /* without the leaf; may be empty */
enum hc_key_type hc_pair_key_type(const struct hc_pair *pair);
int hc_pair_algorithm(const struct hc_pair *pair); /* EVP_PKEY_RSA, _EC, _ED25519 .. */
int64_t hc_pair_not_before(const struct hc_pair *pair);
int64_t hc_pair_not_after(const struct hc_pair *pair);           /* the leaf's */
const char *hc_pair_serial(const struct hc_pair *pair);          /* lower-case hex */
const char *hc_pair_fingerprint(const struct hc_pair *pair);     /* SHA-256 of leaf + chain, hex */
const struct hc_list *hc_pair_names(const struct hc_pair *pair); /* SANs: DNS and IP, normalised */
/* The file that it came from had more of a chain, above an issuer that is missing in it. */
bool hc_pair_file_goes_on(const struct hc_pair *pair);
/* How many of these names it covers (wildcards count). */
size_t hc_pair_covers(const struct hc_pair *pair, const struct hc_list *names);
bool hc_pair_equal(const struct hc_pair *a,
                   const struct hc_pair *b); /* same key and certificates */

struct hc_bundle;
/* pairs' references are taken over on success. 1 .. HC_BUNDLE_PAIRS pairs, one an algorithm. */
int hc_bundle_new(struct hc_pair **pairs, size_t count, struct hc_bundle **out,
                  struct hc_error *err) HC_MUST_USE;
int hc_bundle_encode(const struct hc_bundle *bundle, struct hc_buf *out,
                     struct hc_error *err) HC_MUST_USE;
int hc_bundle_decode(const unsigned char *data, size_t len, struct hc_bundle **out,
                     struct hc_error *err) HC_MUST_USE;
struct hc_bundle *hc_bundle_ref(struct hc_bundle *bundle);
void hc_bundle_free(struct hc_bundle *bundle);
size_t hc_bundle_count(const struct hc_bundle *bundle);
struct hc_pair *hc_bundle_pair(const struct hc_bundle *bundle, size_t i); /* borrowed */

/*
 * The bootstrap certificate: self-signed P-256 leaf, CA:FALSE, CN "hotcert bootstrap", no names of
 * anybody's, valid for ten years from a day ago; made afresh at each start. Its chain is empty.
 */
int hc_pair_bootstrap(struct hc_pair **out, struct hc_error *err) HC_MUST_USE;
/* Leaf, chain and (PKCS#8) key as one PEM text. out should be secret. */
int hc_pair_to_pem(const struct hc_pair *pair, struct hc_buf *out,
                   struct hc_error *err) HC_MUST_USE;

#endif
