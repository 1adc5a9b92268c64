/* The certificate that proves a name over TLS; see proof.h. */
#include "pki/proof.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair_make.h"
#include "pki/recipe.h"

#define IDENTIFIER "1.3.6.1.5.5.7.1.31" /* id-pe-acmeIdentifier */
#define COMMON     "hotcert challenge"
#define LIFE       (8L * 86400L) /* no CA looks; clocks differ */
#define VALUE      (2 + HC_PROOF_DIGEST)

static const unsigned char value_head[2] = {V_ASN1_OCTET_STRING, HC_PROOF_DIGEST};

#define VALUE_TEXT (sizeof("critical,DER:") + 2 * VALUE)

/* The extension's value as OpenSSL's configuration has it. */
static void format_value(const unsigned char digest[HC_PROOF_DIGEST], char text[VALUE_TEXT])
{
    size_t used =
        (size_t)snprintf(text, VALUE_TEXT, "critical,DER:%02x%02x", value_head[0], value_head[1]);

    for (size_t i = 0; i < HC_PROOF_DIGEST; i++) {
        used += (size_t)snprintf(text + used, VALUE_TEXT - used, "%02x", digest[i]);
    }
}

static int make_pair(EVP_PKEY *key, const struct hc_list *names,
                     const unsigned char digest[HC_PROOF_DIGEST], struct hc_pair **out,
                     struct hc_error *err)
{
    char value[VALUE_TEXT];
    const struct hc_recipe recipe = {
        .subject = COMMON,
        .issuer = COMMON,
        .constraints = "critical,CA:FALSE",
        .names = names,
        .extra = IDENTIFIER,
        .extra_value = value,
        .life = LIFE,
    };
    X509 *cert = NULL;
    int rc = -1;

    format_value(digest, value);
    cert = hc_recipe_make(key, &recipe);
    if (cert == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, names->items[0],
                             "making the certificate of its challenge");
    } else {
        rc = hc_pair_make(key, cert, NULL, out, err);
    }
    X509_free(cert);
    ERR_clear_error();
    return rc;
}

int hc_proof_make(const char *name, const unsigned char digest[HC_PROOF_DIGEST], struct hc_buf *pem,
                  struct hc_error *err)
{
    struct hc_list names = {NULL, 0, 0};
    struct hc_pair *pair = NULL;
    EVP_PKEY *key = NULL;
    int rc = hc_list_add(&names, name, err);

    rc = rc == 0 ? hc_key_new(HC_KEY_ECDSA_256, &key, err) : rc;
    rc = rc == 0 ? make_pair(key, &names, digest, &pair, err) : rc;
    rc = rc == 0 ? hc_pair_to_pem(pair, pem, err) : rc;
    hc_pair_free(pair);
    EVP_PKEY_free(key);
    hc_list_dispose(&names);
    return rc;
}

bool hc_proof_of(const X509 *cert, unsigned char digest[HC_PROOF_DIGEST])
{
    ASN1_OBJECT *wanted = OBJ_txt2obj(IDENTIFIER, 1);
    int at = wanted != NULL ? X509_get_ext_by_OBJ(cert, wanted, -1) : -1;
    X509_EXTENSION *extension = at >= 0 ? X509_get_ext(cert, at) : NULL;
    const ASN1_STRING *value = extension != NULL ? X509_EXTENSION_get_data(extension) : NULL;
    bool good = value != NULL && X509_EXTENSION_get_critical(extension) == 1 &&
                ASN1_STRING_length(value) == VALUE &&
                memcmp(ASN1_STRING_get0_data(value), value_head, sizeof(value_head)) == 0;

    if (good) {
        memcpy(digest, ASN1_STRING_get0_data(value) + sizeof(value_head), HC_PROOF_DIGEST);
    }
    ASN1_OBJECT_free(wanted);
    ERR_clear_error();
    return good;
}

int hc_proof_read(struct hc_bytes pem, const char *name, struct hc_pair **out, struct hc_error *err)
{
    struct hc_pair_source source = {
        .cert_pem = pem, .key_pem = pem, .cert_subject = name, .key_subject = name};
    unsigned char digest[HC_PROOF_DIGEST];
    struct hc_findings findings = {0};
    int rc = hc_pair_from_pem(&source, out, &findings, err);

    if (rc == 0 && !hc_proof_of(hc_pair_leaf(*out), digest)) {
        hc_pair_free(*out);
        *out = NULL;
        rc = hc_error_set(err, HC_P_INTERNAL, name, "a certificate that proves nothing");
    }
    hc_findings_dispose(&findings);
    return rc;
}

static bool digest_in(const char *pem, unsigned char digest[HC_PROOF_DIGEST])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool good = cert != NULL && hc_proof_of(cert, digest);

    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return good;
}

bool hc_proof_same(const char *pem, const char *other)
{
    unsigned char a[HC_PROOF_DIGEST];
    unsigned char b[HC_PROOF_DIGEST];

    return digest_in(pem, a) && digest_in(other, b) && memcmp(a, b, sizeof(a)) == 0;
}
