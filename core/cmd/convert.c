/* Files that are not PEM; see convert.h. */
#include "cmd/convert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

/* What a file was, once it is known. */
struct form {
    const char *what;
    const char *command; /* FILE stands for its name */
};

static const struct form pkcs12 = {"the file is PKCS#12, not PEM",
                                   "openssl pkcs12 -in FILE -nodes -out FILE.pem"};
static const struct form der_cert = {"the file is a certificate in DER, not PEM",
                                     "openssl x509 -inform DER -in FILE -out FILE.pem"};
static const struct form der_key = {"the file is a private key in DER, not PEM",
                                    "openssl pkey -inform DER -in FILE -out FILE.pem"};
static const struct form der_pkcs7 = {
    "the file is PKCS#7 in DER, not PEM",
    "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem"};

static void write_certs(BIO *out, STACK_OF(X509) * certs)
{
    int count = certs != NULL ? sk_X509_num(certs) : 0;

    for (int i = 0; i < count; i++) {
        (void)PEM_write_bio_X509(out, sk_X509_value(certs, i));
    }
}

static bool open_pkcs12(PKCS12 *p12, const struct hc_list *passphrases, BIO *out)
{
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    STACK_OF(X509) *others = NULL;
    int opened = PKCS12_parse(p12, "", &key, &leaf, &others);

    for (size_t i = 0; opened != 1 && i < passphrases->count; i++) {
        opened = PKCS12_parse(p12, passphrases->items[i], &key, &leaf, &others);
    }
    if (leaf != NULL) {
        (void)PEM_write_bio_X509(out, leaf);
    }
    write_certs(out, others);
    if (key != NULL) {
        (void)PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    }
    EVP_PKEY_free(key);
    X509_free(leaf);
    sk_X509_pop_free(others, X509_free);
    return opened == 1;
}

static const struct form *from_pkcs12(const struct hc_buf *text, const struct hc_list *passphrases,
                                      BIO *out, bool *closed)
{
    const unsigned char *p = text->data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)text->len);

    if (p12 == NULL) {
        return NULL;
    }
    *closed = !open_pkcs12(p12, passphrases, out);
    PKCS12_free(p12);
    return &pkcs12;
}

static const struct form *from_cert(const struct hc_buf *text, BIO *out)
{
    const unsigned char *p = text->data;
    X509 *cert = d2i_X509(NULL, &p, (long)text->len);

    if (cert == NULL) {
        return NULL;
    }
    (void)PEM_write_bio_X509(out, cert);
    X509_free(cert);
    return &der_cert;
}

static const struct form *from_pkcs7(const struct hc_buf *text, BIO *out)
{
    const unsigned char *p = text->data;
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)text->len);
    const struct form *form = NULL;

    if (p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL) {
        write_certs(out, p7->d.sign->cert);
        form = &der_pkcs7;
    }
    PKCS7_free(p7);
    return form;
}

static const struct form *from_key(const struct hc_buf *text, BIO *out)
{
    const unsigned char *p = text->data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)text->len);

    if (key == NULL) {
        return NULL;
    }
    (void)PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    EVP_PKEY_free(key);
    return &der_key;
}

static int replace(struct hc_buf *text, BIO *pem, struct hc_error *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(pem, &data);

    hc_buf_reset(text);
    return hc_buf_append(text, data, len > 0 ? (size_t)len : 0, err);
}

int hc_convert_to_pem(struct hc_buf *text, const char *subject, const struct hc_list *passphrases,
                      struct hc_findings *findings, struct hc_error *err)
{
    BIO *pem = NULL;
    const struct form *form = NULL;
    bool closed = false;
    int rc = 0;

    if (text->len == 0) {
        return hc_findings_add(findings, HC_P_PEM_NOT_PEM, subject, err, "the file is empty") == 0
                   ? hc_findings_hint(findings, err, "copy the file again from its source")
                   : -1;
    }
    if (text->data[0] != 0x30) {
        return 0;
    }
    pem = BIO_new(BIO_s_mem());
    if (pem == NULL) {
        return hc_error_nomem(err);
    }
    form = from_pkcs12(text, passphrases, pem, &closed);
    form = form != NULL ? form : from_cert(text, pem);
    form = form != NULL ? form : from_pkcs7(text, pem);
    form = form != NULL ? form : from_key(text, pem);
    if (form != NULL) {
        rc = hc_findings_add(findings, HC_P_PEM_NOT_PEM, subject, err, "%s%s", form->what,
                             closed ? "; none of the given passphrases opens it" : "") == 0 &&
                     hc_findings_hint(findings, err, "convert it: %s", form->command) == 0
                 ? replace(text, pem, err)
                 : -1;
    }
    BIO_free(pem);
    ERR_clear_error();
    return rc;
}
