/*
 * Certificates and key of a PEM file as the servers' own readers find them. nginx and httpd both
 * leave that to OpenSSL: PEM_read_bio_X509_AUX() for the first certificate, PEM_read_bio_X509() for
 * the rest until no BEGIN line follows, PEM_read_bio_PrivateKey() for the key, on a file. The same
 * calls on the same kind of BIO are made here, so that what a server would load is what we load.
 * Why a file is odd or refused is pem.c's to say. Never prompts. Any thread.
 */
#ifndef HC_PKI_PEM_LOAD_H
#define HC_PKI_PEM_LOAD_H

#include "pki/pem.h"

/* Where a reader gave up. Zeroed: it did not. */
struct hc_pem_stop {
    bool refused;
    size_t from; /* the lines that it was reading then */
    size_t until;
    size_t block; /* of them the last BEGIN line; 0: none */
    char why[96]; /* in the library's words */
};

/*
 * Appends the certificates to out, HC_PEM_CERTS_MAX of them; out->passed_over tells whether there
 * are more. stop->refused also if there is none. -1 only without memory.
 */
int hc_pem_load_certs(struct hc_bytes text, struct hc_pem *out, struct hc_pem_stop *stop,
                      struct hc_error *err) HC_MUST_USE;

/*
 * Sets out->key (NULL: no server would find one) and out->key_was_closed. other_forms: as httpd,
 * which takes base64 without lines around it and plain DER as well. -1 only without memory.
 */
int hc_pem_load_key(struct hc_bytes text, const struct hc_list *passphrases, bool other_forms,
                    struct hc_pem *out, struct hc_error *err) HC_MUST_USE;

#endif
