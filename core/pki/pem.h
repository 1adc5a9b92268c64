/*
 * PEM files (RFC 7468 and its older relatives) as operators have them: certificates and keys in
 * any order, among text, with byte order marks and foreign line ends. The servers' own readers
 * decide what a file holds (pem_load.h): what they load is taken, and what is odd there is a
 * remark; what they refuse is refused, with the line and the cause. Never prompts for a passphrase.
 * Any thread.
 */
#ifndef HC_PKI_PEM_H
#define HC_PKI_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/finding.h"
#include "base/str.h"

/* The most certificates of one file that are looked at; a whole root bundle has about 150. */
#define HC_PEM_CERTS_MAX 200

struct hc_pem_cert {
    X509 *cert;
    size_t line;  /* of its BEGIN, from 1 */
    size_t index; /* among the file's certificates, from 0 */
};

/* Zeroed memory is an empty file. Owns certificates and keys. */
struct hc_pem {
    struct hc_pem_cert *certs;
    size_t cert_count;
    size_t cert_cap;
    EVP_PKEY *key;         /* the first private key, or NULL */
    size_t key_line;       /* of the first private key block, read or not; 0: there is none */
    bool key_was_closed;   /* it was encrypted (and, if key is set, a passphrase opened it) */
    bool key_has_no_block; /* it is base64 alone, or DER, as httpd takes it */
    size_t passed_over; /* the line behind the last certificate that was looked at; 0: all were */
};

/* What is looked for: the blocks of the other kind are passed over without being decoded. */
#define HC_PEM_CERTS 0x1u
#define HC_PEM_KEY   0x2u
/* With HC_PEM_KEY: a key that is base64 alone or DER is taken as well, as httpd does. */
#define HC_PEM_KEY_HTTPD 0x4u

/* A file's text, and what is wanted of it. */
struct hc_pem_source {
    struct hc_bytes text;
    const char *subject;               /* its name in findings; lines are added to it */
    const struct hc_list *passphrases; /* or NULL */
    unsigned want;
};

/*
 * Reads it. 0 whatever the file holds: faults are findings (pem-damaged, pem-not-pem, pem-noise,
 * key-encrypted, key-unsupported); -1 only without memory.
 */
int hc_pem_read(const struct hc_pem_source *source, struct hc_pem *out,
                struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;
void hc_pem_dispose(struct hc_pem *pem);

/* "subject:line" into dst; returns dst. */
char *hc_pem_place(char *dst, size_t cap, const char *subject, size_t line);

#endif
