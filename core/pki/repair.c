/* Mending an incomplete chain; see repair.h. */
#include "pki/repair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/pair_make.h"

#define HTTP "http://"
/* A PKCS#7 reply may hold more than one; what is beyond this is not looked at. */
#define CERTS_MAX 20

/* Copies an URL that is safe to print and to hand to an HTTP client. */
static bool plain_http(const ASN1_IA5STRING *text, char url[HC_AIA_URL_MAX])
{
    const unsigned char *data = ASN1_STRING_get0_data(text);
    size_t len = (size_t)ASN1_STRING_length(text);

    if (len <= sizeof(HTTP) - 1 || len >= HC_AIA_URL_MAX ||
        memcmp(data, HTTP, sizeof(HTTP) - 1) != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (data[i] <= ' ' || data[i] > 0x7e || strchr("\"'`\\<>|;&$(){}@#", data[i]) != NULL) {
            return false;
        }
    }
    memcpy(url, data, len);
    url[len] = '\0';
    return true;
}

bool hc_aia_url(X509 *cert, char url[HC_AIA_URL_MAX])
{
    AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    bool found = false;

    for (int i = 0; !found && i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(aia, i);

        found = OBJ_obj2nid(access->method) == NID_ad_ca_issuers &&
                access->location->type == GEN_URI &&
                plain_http(access->location->d.uniformResourceIdentifier, url);
    }
    AUTHORITY_INFO_ACCESS_free(aia);
    ERR_clear_error();
    return found;
}

static X509 *last_of(const struct hc_pair *pair)
{
    STACK_OF(X509) *chain = hc_pair_chain(pair);
    int count = sk_X509_num(chain);

    return count > 0 ? sk_X509_value(chain, count - 1) : hc_pair_leaf(pair);
}

bool hc_repair_url(const struct hc_pair *pair, char url[HC_AIA_URL_MAX])
{
    return hc_aia_url(last_of(pair), url);
}

static STACK_OF(X509) * of_pkcs7(const PKCS7 *p7)
{
    STACK_OF(X509) *certs = NULL;

    if (p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL && p7->d.sign->cert != NULL) {
        certs = X509_chain_up_ref(p7->d.sign->cert);
    }
    return certs;
}

static STACK_OF(X509) * of_one(X509 *cert)
{
    STACK_OF(X509) *certs = cert != NULL ? sk_X509_new_null() : NULL;

    if (certs == NULL || sk_X509_push(certs, cert) <= 0) {
        X509_free(cert);
        sk_X509_free(certs);
        return NULL;
    }
    return certs;
}

/* PEM: one certificate, or PKCS#7. */
static STACK_OF(X509) * of_pem(struct hc_bytes reply)
{
    BIO *bio = BIO_new_mem_buf(reply.data, (int)reply.len);
    STACK_OF(X509) *certs = bio != NULL ? of_one(PEM_read_bio_X509(bio, NULL, NULL, NULL)) : NULL;

    if (certs == NULL && bio != NULL && BIO_reset(bio) == 1) {
        PKCS7 *p7 = PEM_read_bio_PKCS7(bio, NULL, NULL, NULL);

        certs = of_pkcs7(p7);
        PKCS7_free(p7);
    }
    BIO_free(bio);
    return certs;
}

/* DER: one certificate, or PKCS#7 ("certs-only", RFC 5280 section 4.2.2.1). */
static STACK_OF(X509) * of_der(struct hc_bytes reply)
{
    const unsigned char *p = reply.data;
    STACK_OF(X509) *certs = of_one(d2i_X509(NULL, &p, (long)reply.len));

    if (certs == NULL) {
        PKCS7 *p7 = NULL;

        p = reply.data;
        p7 = d2i_PKCS7(NULL, &p, (long)reply.len);
        certs = of_pkcs7(p7);
        PKCS7_free(p7);
    }
    return certs;
}

static STACK_OF(X509) * certs_of(struct hc_bytes reply)
{
    STACK_OF(X509) *certs = NULL;

    if (reply.len > 0 && reply.len <= HC_REPAIR_BYTES) {
        certs = reply.data[0] == 0x30 ? of_der(reply) : of_pem(reply);
    }
    ERR_clear_error();
    return certs;
}

/* The issuer of a certificate among these: a root, or one that is none. */
static X509 *find_issuer(STACK_OF(X509) * certs, X509 *of, bool root)
{
    int count = certs != NULL ? sk_X509_num(certs) : 0;

    for (int i = 0; i < count && i < CERTS_MAX; i++) {
        X509 *cert = sk_X509_value(certs, i);

        if (X509_get0_pubkey(cert) != NULL && X509_check_ca(cert) >= 1 &&
            hc_cert_self_signed(cert) == root && hc_cert_issued(cert, of)) {
            return cert;
        }
    }
    return NULL;
}

int hc_repair_take(const struct hc_pair *pair, struct hc_bytes reply, const char *subject,
                   struct hc_pair **out, struct hc_error *err)
{
    STACK_OF(X509) *certs = certs_of(reply);
    STACK_OF(X509) *chain = NULL;
    X509 *issuer = find_issuer(certs, last_of(pair), false);
    X509 *root = issuer == NULL ? find_issuer(certs, last_of(pair), true) : NULL;
    char label[HC_CERT_LABEL];
    int rc = -1;

    if (root != NULL) {
        hc_error_set(err, HC_P_UNTRUSTED_ROOT, subject,
                     "the issuer there, %s, is a root: no intermediate is missing",
                     hc_cert_label(root, label));
        goto out;
    }
    if (issuer == NULL) {
        hc_error_set(err, HC_P_REPAIR_USELESS, subject, "%zu bytes with %d certificates", reply.len,
                     certs != NULL ? sk_X509_num(certs) : 0);
        goto out;
    }
    if (sk_X509_num(hc_pair_chain(pair)) >= HC_CHAIN_MAX - 1) {
        hc_error_set(err, HC_P_REPAIR_USELESS, subject, "the chain has reached its maximum length");
        goto out;
    }
    chain = X509_chain_up_ref(hc_pair_chain(pair));
    if (chain == NULL || X509_add_cert(chain, issuer, X509_ADD_FLAG_UP_REF) != 1) {
        hc_error_nomem(err);
        goto out;
    }
    rc = hc_pair_make(hc_pair_key(pair), hc_pair_leaf(pair), chain, out, err);
out:
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    return rc;
}
