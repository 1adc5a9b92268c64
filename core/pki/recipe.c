/* Self-signed certificates; see recipe.h. */
#include "pki/recipe.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "pki/san.h"

#define DAY 86400L

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

static int add_extension(X509 *cert, const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension = NULL;
    int good = 0;

    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_nconf(NULL, &ctx, name, value);
    good = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static int add_names(X509 *cert, const struct hc_list *names)
{
    GENERAL_NAMES *sans = NULL;
    int good = 0;

    if (names == NULL) {
        return 1;
    }
    good = hc_san_new(names, &sans, NULL) == 0 &&
           X509_add1_ext_i2d(cert, NID_subject_alt_name, sans, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(sans);
    return good;
}

X509 *hc_recipe_make(EVP_PKEY *key, const struct hc_recipe *recipe)
{
    X509 *cert = X509_new();
    int good = cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
               set_name(cert, recipe->subject, X509_set_subject_name) &&
               set_name(cert, recipe->issuer, X509_set_issuer_name) &&
               X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL &&
               X509_gmtime_adj(X509_getm_notAfter(cert), recipe->life - DAY) != NULL &&
               X509_set_pubkey(cert, key) == 1 &&
               add_extension(cert, "basicConstraints", recipe->constraints) &&
               add_extension(cert, "extendedKeyUsage", "serverAuth") &&
               add_extension(cert, "subjectKeyIdentifier", "hash") &&
               add_names(cert, recipe->names) &&
               (recipe->extra == NULL || add_extension(cert, recipe->extra, recipe->extra_value)) &&
               X509_sign(cert, key, EVP_sha256()) > 0;

    if (!good) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

bool hc_recipe_change(X509 *cert, EVP_PKEY *key, const struct hc_recipe *recipe)
{
    int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

    if (at >= 0) {
        X509_EXTENSION_free(X509_delete_ext(cert, at));
    }
    return set_serial(cert) && set_name(cert, recipe->issuer, X509_set_issuer_name) &&
           add_names(cert, recipe->names) && X509_sign(cert, key, EVP_sha256()) > 0;
}
