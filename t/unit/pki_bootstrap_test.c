/* core/pki/bootstrap.c: certificates for hosts that have none yet. */
#include "pki/bootstrap.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pki/pair.h"
#include "pki/san.h"
#include "tap.h"

/* What a server reads. */
struct made {
    X509 *leaf;
    X509 *issuer; /* NULL: none stands behind it */
    EVP_PKEY *key;
};

static void make(struct hc_bootstraps *b, const char *name, bool issuer, struct made *m)
{
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_error err = {0};
    BIO *bio = NULL;

    is_int(hc_bootstraps_pem(b, name, issuer, &pem, &err), 0, "it is made");
    bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    m->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    m->issuer = issuer ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    m->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ok(m->leaf != NULL && m->key != NULL && (m->issuer != NULL) == issuer &&
           X509_check_private_key(m->leaf, m->key) == 1,
       "leaf, issuer if one is asked for, and the key");
    BIO_free(bio);
    hc_buf_dispose(&pem);
}

static void made_free(struct made *m)
{
    X509_free(m->leaf);
    X509_free(m->issuer);
    EVP_PKEY_free(m->key);
}

static const struct {
    const char *name;
    const char *covered; /* NULL: no name at all */
    bool issuer;
} rows[] = {{"Www.Example.org.", "www.example.org", true},
            {"*.example.org", "*.example.org", false},
            {"127.0.0.1", NULL, true},
            {"b.example.org", "b.example.org", false},
            {"a,DNS:evil.example", NULL, false},
            {NULL, NULL, true}};

static void each_has_its_name_and_an_issuer(struct hc_bootstraps *b)
{
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_list names = {NULL, 0, 0};
        struct hc_error err = {0};
        struct made m;
        X509 *issuer = NULL;

        make(b, rows[i].name, rows[i].issuer, &m);
        is_int(hc_san_of(m.leaf, &names, &err), 0, "its names");
        is_int((long long)names.count, rows[i].covered != NULL, "are one at most");
        if (rows[i].covered != NULL && names.count > 0) {
            is_str(names.items[0], rows[i].covered, "the host's");
        }
        issuer = m.issuer != NULL ? m.issuer : m.leaf;
        is_int(X509_check_ca(m.leaf), 0, "the leaf is no CA");
        is_int(X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(m.leaf)), 0,
               "the leaf's issuer");
        is_int(X509_verify(m.leaf, X509_get0_pubkey(issuer)), 1, "has signed it");
        ok(X509_cmp_current_time(X509_get0_notBefore(m.leaf)) < 0 &&
               X509_cmp_current_time(X509_get0_notAfter(m.leaf)) > 0,
           "it is valid now");
        hc_list_dispose(&names);
        made_free(&m);
    }
}

static void each_is_another(struct hc_bootstraps *b)
{
    struct made one;
    struct made two;

    make(b, "a.test", false, &one);
    make(b, "a.test", false, &two);
    ok(ASN1_INTEGER_cmp(X509_get0_serialNumber(one.leaf), X509_get0_serialNumber(two.leaf)) != 0,
       "no serial number comes twice");
    made_free(&one);
    made_free(&two);
}

int main(void)
{
    struct hc_bootstraps *b = NULL;
    struct hc_error err = {0};

    is_int(hc_bootstraps_new(&b, &err), 0, "there is a maker");
    if (b != NULL) {
        each_has_its_name_and_an_issuer(b);
        each_is_another(b);
    }
    is_int((long long)ERR_peek_error(), 0, "nothing is left on the queue");
    hc_bootstraps_free(b);
    hc_bootstraps_free(NULL);
    return done();
}
