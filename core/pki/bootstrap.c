/* The bootstrap certificate, served until there is a real one; see pair.h. */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "conf/name.h"
#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair.h"
#include "pki/pair_make.h"

#define DAY  86400L
#define LIFE (3650L * DAY)

static int set_serial(X509 *cert)
{
    unsigned char bytes[16];
    BIGNUM *number = NULL;
    int good = RAND_bytes(bytes, sizeof(bytes)) == 1;

    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, of full length */
    number = good ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
    good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return good;
}

/* What differs between the certificates made here. */
struct recipe {
    const char *subject; /* common names */
    const char *issuer;
    const char *constraints;
    const char *names; /* NULL: none */
};

static int set_name(X509 *cert, const char *text, int (*set)(X509 *cert, const X509_NAME *name))
{
    const unsigned char *bytes = (const unsigned char *)text;
    X509_NAME *name = X509_NAME_new();
    int good =
        name != NULL &&
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, bytes, -1, -1, 0) == 1 &&
        set(cert, name) == 1;

    X509_NAME_free(name);
    return good;
}

static int add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension = NULL;
    int good = 0;

    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static X509 *make_cert(EVP_PKEY *key, const struct recipe *recipe)
{
    X509 *cert = X509_new();
    int good =
        cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        set_name(cert, recipe->subject, X509_set_subject_name) &&
        set_name(cert, recipe->issuer, X509_set_issuer_name) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), LIFE - DAY) != NULL &&
        X509_set_pubkey(cert, key) == 1 &&
        add_extension(cert, NID_basic_constraints, recipe->constraints) &&
        add_extension(cert, NID_ext_key_usage, "serverAuth") &&
        add_extension(cert, NID_subject_key_identifier, "hash") &&
        (recipe->names == NULL || add_extension(cert, NID_subject_alt_name, recipe->names)) &&
        X509_sign(cert, key, EVP_sha256()) > 0;

    if (!good) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

/* CA:FALSE, or httpd logs that a CA certificate is served. */
static const struct recipe plain = {"hotcert bootstrap", "hotcert bootstrap", "critical,CA:FALSE",
                                    NULL};
static const char issuer_name[] = "hotcert bootstrap issuer";

/* The leaf, and with an issuer a chain of that: nobody trusts either, so one key signs both. */
static int make_pair(EVP_PKEY *key, const struct recipe *leaf, bool issuer, struct hc_pair **out,
                     struct hc_error *err)
{
    const struct recipe ca = {issuer_name, issuer_name, "critical,CA:TRUE", NULL};
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *ca_cert = issuer ? make_cert(key, &ca) : NULL;
    X509 *cert = make_cert(key, leaf);
    int rc = -1;

    if (chain == NULL || cert == NULL ||
        (issuer && (ca_cert == NULL || sk_X509_push(chain, ca_cert) <= 0))) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making the bootstrap certificate");
        goto out;
    }
    ca_cert = NULL; /* the chain's */
    rc = hc_pair_make(key, cert, chain, out, err);
out:
    X509_free(cert);
    X509_free(ca_cert);
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return rc;
}

static int make_key_and_pair(const struct recipe *leaf, bool issuer, struct hc_pair **out,
                             struct hc_error *err)
{
    EVP_PKEY *key = NULL;
    int rc = hc_key_new(HC_KEY_ECDSA_256, &key, err);

    if (rc == 0) {
        rc = make_pair(key, leaf, issuer, out, err);
    }
    EVP_PKEY_free(key);
    return rc;
}

int hc_pair_bootstrap(struct hc_pair **out, struct hc_error *err)
{
    return make_key_and_pair(&plain, false, out, err);
}

/* "DNS:name" for a host name that a certificate can have; else "". */
static void san_of(const char *name, char san[HC_NAME_SIZE + 4])
{
    char normal[HC_NAME_SIZE];
    struct hc_error unused;

    hc_error_init(&unused);
    san[0] = '\0';
    if (name != NULL && hc_name_normalise(name, normal, &unused) == 0 && !hc_name_is_ip(normal)) {
        snprintf(san, HC_NAME_SIZE + 4, "DNS:%s", normal);
    }
}

int hc_pair_bootstrap_for(const char *name, bool issuer, struct hc_pair **out, struct hc_error *err)
{
    char san[HC_NAME_SIZE + 4];
    struct recipe leaf = plain;

    san_of(name, san);
    leaf.names = san[0] != '\0' ? san : NULL;
    leaf.issuer = issuer ? issuer_name : plain.issuer;
    return make_key_and_pair(&leaf, issuer, out, err);
}
