/*
 * The checks: what is wrong with a pair, in findings. Strict: only the given roots, only what is
 * served as untrusted, nothing fetched, nothing borrowed from the machine; every name; now, at now
 * + margin, and in the legacy mode of old clients. Then once over the wire in memory. RFC 5280,
 * RFC 6125 / 9525, RFC 6962, RFC 7633.
 *
 * Pure but for the clock that is given: no file, no network. Any thread. Nothing is left on
 * OpenSSL's error queue.
 */
#ifndef HC_PKI_CHECK_H
#define HC_PKI_CHECK_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/finding.h"
#include "base/str.h"
#include "pki/pair.h"
#include "pki/roots.h"

/* The key's file, for key-permissions. */
struct hc_check_file {
    const char *path;
    uint32_t mode; /* st_mode */
    uint32_t uid;
    uint32_t owner; /* who may own it besides root: the user that the asker runs as */
};

/* What a pair is judged by. Everything is borrowed. */
struct hc_check {
    const struct hc_list *names; /* that it shall cover, normalised; NULL: names are not judged */
    const struct hc_list *left_out; /* names left out on purpose, normalised; or NULL */
    const struct hc_roots *roots;   /* NULL: whom the chain leads to is not judged */
    int64_t now;                    /* UTC seconds */
    int64_t margin;                 /* seconds that it shall still be good for; < 0: a third of its
                                       life, 133 days at most; expires-soon if it is not */
    bool file_goes_on;              /* above a gap in the chain, as hc_pair_file_goes_on() */
    /* above a gap that the file does not show: whether this certificate's issuer is known, and is
       no root. NULL: nobody is asked. Called where a path ends, with self */
    bool (*knows_issuer)(void *self, X509 *cert);
    void *self;
    bool stapled;       /* an OCSP staple is served with it */
    int security_level; /* of the servers that will have it, as OpenSSL counts; 0: the default */
    const struct hc_check_file *key_file; /* or NULL */
};

/*
 * Judges a pair: hc_check_chain() on what it serves, the key's file, and hc_check_wire() with an
 * SSL_CTX made as the servers make theirs. findings: those of this pair so far (what
 * hc_pair_from_pem() said is taken into account), or empty. 0 whatever was found; look at
 * hc_findings_worst(): unusable ones may be among them (tls-refused), and then it must not be
 * served. -1: it could not be judged (memory).
 */
int hc_check_pair(const struct hc_pair *pair, const struct hc_check *how,
                  struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/*
 * Judges certificates alone, as they are or would be served: leaf, then chain in any order (what
 * came from a running server). chain may be NULL.
 */
int hc_check_chain(X509 *leaf, STACK_OF(X509) * chain, const struct hc_check *how,
                   struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/*
 * A handshake in memory, over a BIO pair, with a server context that holds the pair (or NULL: one
 * is made, for this security level); what arrives must be the pair's leaf and chain: wire-differs,
 * tls-refused. The context must not have callbacks that need a connection of a server's.
 */
int hc_check_wire(SSL_CTX *server, int security_level, const struct hc_pair *pair,
                  struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/*
 * The part of hc_check_pair() that decides whether the pair can be served at all: libssl loads it
 * at this security level, and a handshake with it, or in this process with another of its kind
 * (check_kind.h), succeeds. For many pairs at once.
 */
int hc_check_usable(const struct hc_pair *pair, int security_level, struct hc_findings *findings,
                    struct hc_error *err) HC_MUST_USE;

/* What a check at this level is made at: 0 is the library's own, as it is set up here. */
int hc_check_level(int security_level);

/*
 * Whether OpenSSL would load the bundle's pairs into a server of this security level: the last look
 * of a worker before it gives up what it has. 0, or -1: tls-refused.
 */
int hc_check_loads(const struct hc_bundle *bundle, int security_level,
                   struct hc_error *err) HC_MUST_USE;

/*
 * The subject of findings about this certificate: "certificate 2 (R11)" for position 2 as served,
 * "root (ISRG Root X1)" for position 0, not served. Its number is the position, or, not served, one
 * that no position has.
 */
void hc_check_subject(X509 *cert, int position, struct hc_subject *out);

#endif
