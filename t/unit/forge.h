/*
 * Certificates for tests, made when a test runs: never stored keys of anyone. forge_*() end the
 * process when OpenSSL refuses: a test cannot go on then.
 */
#ifndef HC_T_FORGE_H
#define HC_T_FORGE_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "pki/pair.h"

#define FORGE_DAY 86400L

/* One certificate with its key. */
struct forged {
    EVP_PKEY *key;
    X509 *cert;
};

/* How to make one; zeroed members mean what their comment says. */
struct forge {
    const char *name;        /* common name; NULL: none */
    const char *sans;        /* "DNS:a.example,IP:192.0.2.1"; NULL: none */
    const struct forged *by; /* issuer; NULL: self-signed */
    const char *key;         /* "P-256" (default), "P-384", "RSA:2048", "ED25519", a curve .. */
    bool ca;
    const char *eku;         /* "serverAuth" default for leaves; "" : none */
    long from, days;         /* notBefore, notAfter as days from now; 0, 0: -1 and 90 (CA: 900) */
    const EVP_MD *md;        /* SHA-256 */
    const char *extra_oid;   /* an extension by oid .. */
    const char *extra_value; /* .. and its value as in openssl.cnf */
    EVP_PKEY *with_key;      /* use this key, not a new one */
    bool no_ids;             /* no key identifiers */
};

static inline void forge_die(const char *what)
{
    fprintf(stderr, "forge: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(99);
}

static inline EVP_PKEY *forge_key(const char *kind)
{
    EVP_PKEY *key = NULL;

    if (kind == NULL) {
        key = EVP_EC_gen("P-256");
    } else if (strncmp(kind, "RSA:", 4) == 0) {
        key = EVP_RSA_gen((unsigned)atoi(kind + 4));
    } else if (strcmp(kind, "RSA-PSS") == 0) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);

        if (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) != 1 ||
            EVP_PKEY_generate(ctx, &key) != 1) {
            forge_die("RSA-PSS");
        }
        EVP_PKEY_CTX_free(ctx);
    } else if (strncmp(kind, "ED", 2) == 0 || strncmp(kind, "X", 1) == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    } else {
        key = EVP_EC_gen(kind);
    }
    if (key == NULL) {
        forge_die(kind);
    }
    return key;
}

static inline void forge_ext(X509 *cert, X509 *issuer, const char *oid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext = NULL;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf(NULL, &ctx, oid, value);
    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1) {
        forge_die(oid);
    }
    X509_EXTENSION_free(ext);
}

static inline void forge_name(X509 *cert, const char *name, X509 *issuer)
{
    X509_NAME *n = X509_NAME_new();

    if (name != NULL) {
        X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    }
    X509_set_subject_name(cert, n);
    X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : n);
    X509_NAME_free(n);
}

static inline struct forged forge(const struct forge *f)
{
    struct forged made = {f->with_key, X509_new()};
    X509 *issuer = f->by != NULL ? f->by->cert : made.cert;
    EVP_PKEY *signer = NULL;
    const EVP_MD *md = f->md != NULL ? f->md : EVP_sha256();
    long from = f->from == 0 && f->days == 0 ? -1 : f->from;
    long days = f->from == 0 && f->days == 0 ? (f->ca ? 900 : 90) : f->days;
    unsigned char serial[16];

    if (made.key == NULL) {
        made.key = forge_key(f->key);
    } else {
        EVP_PKEY_up_ref(made.key);
    }
    signer = f->by != NULL ? f->by->key : made.key;
    RAND_bytes(serial, sizeof(serial));
    serial[0] = 0x51;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.cert));
    BN_free(number);
    X509_set_version(made.cert, X509_VERSION_3);
    forge_name(made.cert, f->name, f->by != NULL ? issuer : NULL);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), from * FORGE_DAY);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), days * FORGE_DAY);
    X509_set_pubkey(made.cert, made.key);
    forge_ext(made.cert, issuer, "basicConstraints",
              f->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    forge_ext(made.cert, issuer, "keyUsage",
              f->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!f->no_ids) {
        forge_ext(made.cert, issuer, "subjectKeyIdentifier", "hash");
        forge_ext(made.cert, issuer, "authorityKeyIdentifier", "keyid");
    }
    if (!f->ca && (f->eku == NULL || f->eku[0] != '\0')) {
        forge_ext(made.cert, issuer, "extendedKeyUsage", f->eku != NULL ? f->eku : "serverAuth");
    }
    if (f->sans != NULL) {
        forge_ext(made.cert, issuer, "subjectAltName", f->sans);
    }
    if (f->extra_oid != NULL) {
        forge_ext(made.cert, issuer, f->extra_oid, f->extra_value);
    }
    if (EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519) {
        md = NULL;
    }
    if (X509_sign(made.cert, signer, md) <= 0) {
        forge_die("signing");
    }
    return made;
}

static inline void forged_free(struct forged *f)
{
    EVP_PKEY_free(f->key);
    X509_free(f->cert);
    f->key = NULL;
    f->cert = NULL;
}

/* A root, an intermediate below it, a leaf below that. */
struct forged_family {
    struct forged root, mid, leaf;
};

static inline struct forged_family forge_family(const char *key, const char *sans)
{
    struct forged_family f;

    f.root = forge(&(struct forge){.name = "Test Root", .ca = true});
    f.mid = forge(&(struct forge){.name = "Test Intermediate", .ca = true, .by = &f.root});
    f.leaf = forge(&(struct forge){.name = "leaf", .sans = sans, .by = &f.mid, .key = key});
    return f;
}

static inline void forged_family_free(struct forged_family *f)
{
    forged_free(&f->root);
    forged_free(&f->mid);
    forged_free(&f->leaf);
}

/* PEM texts; the caller disposes of the buffer. */
static inline void forge_drain(BIO *bio, struct hc_buf *out)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    if (hc_buf_append(out, text, (size_t)len, NULL) != 0) {
        forge_die("buffer");
    }
    BIO_free(bio);
}

static inline void forge_cert_pem(X509 *cert, struct hc_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, cert);
    forge_drain(bio, out);
}

static inline void forge_key_pem(EVP_PKEY *key, struct hc_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    forge_drain(bio, out);
}

/* PKCS#1 or SEC1; with a passphrase: the old kind of encryption. */
static inline void forge_key_pem_traditional(EVP_PKEY *key, const char *passphrase,
                                             struct hc_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char pass[64];
    size_t len = passphrase != NULL ? strlen(passphrase) : 0;

    memcpy(pass, passphrase != NULL ? passphrase : "", len);
    if (PEM_write_bio_PrivateKey_traditional(bio, key, len > 0 ? EVP_aes_128_cbc() : NULL,
                                             len > 0 ? pass : NULL, (int)len, NULL, NULL) != 1) {
        forge_die("traditional key");
    }
    forge_drain(bio, out);
}

/* The whole file of these: leaf first. */
static inline void forge_chain_pem(struct hc_buf *out, X509 *a, X509 *b, X509 *c)
{
    X509 *certs[] = {a, b, c};

    for (size_t i = 0; i < HC_COUNT(certs); i++) {
        if (certs[i] != NULL) {
            forge_cert_pem(certs[i], out);
        }
    }
}

#endif
