/* The bootstrap certificate, served until there is a real one; see pair.h. */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "pki/key.h"
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

static int set_name(X509 *cert)
{
    static const unsigned char text[] = "hotcert bootstrap";
    X509_NAME *name = X509_NAME_new();
    int good =
        name != NULL &&
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, text, -1, -1, 0) == 1 &&
        X509_set_subject_name(cert, name) == 1 && X509_set_issuer_name(cert, name) == 1;

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

static X509 *make_cert(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    int good = cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
               set_name(cert) && X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL &&
               X509_gmtime_adj(X509_getm_notAfter(cert), LIFE - DAY) != NULL &&
               X509_set_pubkey(cert, key) == 1 &&
               /* CA:FALSE, or httpd logs that a CA certificate is served */
               add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(cert, NID_ext_key_usage, "serverAuth") &&
               add_extension(cert, NID_subject_key_identifier, "hash") &&
               X509_sign(cert, key, EVP_sha256()) > 0;

    if (!good) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

int hc_pair_bootstrap(struct hc_pair **out, struct hc_error *err)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    int rc = -1;

    if (hc_key_new(HC_KEY_ECDSA_256, &key, err) != 0) {
        goto out;
    }
    cert = make_cert(key);
    if (cert == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making the bootstrap certificate");
        goto out;
    }
    rc = hc_pair_make(key, cert, NULL, out, err);
out:
    EVP_PKEY_free(key);
    X509_free(cert);
    ERR_clear_error();
    return rc;
}
