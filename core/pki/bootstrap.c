/* The bootstrap certificate, served until there is a real one; see pair.h and bootstrap.h. */
#include "pki/bootstrap.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "conf/name.h"
#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair.h"
#include "pki/pair_make.h"
#include "pki/recipe.h"

#define LIFE (3650L * 86400L)

/* CA:FALSE, or httpd logs that a CA certificate is served. */
static const struct hc_recipe plain = {
    .subject = "hotcert bootstrap",
    .issuer = "hotcert bootstrap",
    .constraints = "critical,CA:FALSE",
    .life = LIFE,
};
static const char issuer_name[] = "hotcert bootstrap issuer";

int hc_pair_bootstrap(struct hc_pair **out, struct hc_error *err)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    int rc = -1;

    if (hc_key_new(HC_KEY_ECDSA_256, &key, err) != 0) {
        goto out;
    }
    cert = hc_recipe_make(key, &plain);
    if (cert == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making the bootstrap certificate");
        goto out;
    }
    rc = hc_pair_make(key, cert, NULL, out, err);
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc;
}

/* ---- many of them ---- */

struct hc_bootstraps {
    EVP_PKEY *key;
    X509 *leaf; /* made once; name, issuer, serial number and signature change */
    X509 *issuer;
    struct hc_buf key_pem;
};

/* The name, if it is a host name that a certificate can have. */
static int add_name(struct hc_list *names, const char *name, struct hc_error *err)
{
    char normal[HC_NAME_SIZE];
    struct hc_error unused;

    hc_error_init(&unused);
    if (name == NULL || hc_name_normalise(name, normal, &unused) != 0 || hc_name_is_ip(normal)) {
        return 0;
    }
    return hc_list_add(names, normal, err);
}

static int append(BIO *bio, struct hc_buf *out, struct hc_error *err)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    return hc_buf_append(out, text, len > 0 ? (size_t)len : 0, err);
}

static int write_key(struct hc_bootstraps *b, struct hc_error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int rc =
        bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, b->key, NULL, NULL, 0, NULL, NULL) == 1
            ? append(bio, &b->key_pem, err)
            : hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "writing the bootstrap key");

    BIO_free(bio); /* its memory is wiped: BUF_MEM_free() clears */
    return rc;
}

int hc_bootstraps_new(struct hc_bootstraps **out, struct hc_error *err)
{
    const struct hc_recipe ca = {
        .subject = issuer_name,
        .issuer = issuer_name,
        .constraints = "critical,CA:TRUE",
        .life = LIFE,
    };
    struct hc_bootstraps *b = calloc(1, sizeof(*b));
    int rc = -1;

    if (b == NULL) {
        return hc_error_nomem(err);
    }
    b->key_pem = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    if (hc_key_new(HC_KEY_ECDSA_256, &b->key, err) != 0 || write_key(b, err) != 0) {
        goto out;
    }
    b->leaf = hc_recipe_make(b->key, &plain);
    b->issuer = hc_recipe_make(b->key, &ca);
    if (b->leaf == NULL || b->issuer == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making the bootstrap certificate");
        goto out;
    }
    *out = b;
    b = NULL;
    rc = 0;
out:
    hc_bootstraps_free(b);
    ERR_clear_error();
    return rc;
}

/* The leaf of one host out of that of another. */
static int change(struct hc_bootstraps *b, const char *name, bool issuer, struct hc_error *err)
{
    struct hc_list names = {NULL, 0, 0};
    struct hc_recipe leaf = plain;
    int rc = add_name(&names, name, err);

    leaf.names = names.count > 0 ? &names : NULL;
    leaf.issuer = issuer ? issuer_name : plain.issuer;
    if (rc == 0 && !hc_recipe_change(b->leaf, b->key, &leaf)) {
        rc = hc_error_set_openssl(err, HC_P_TLS_LIBRARY, name, "making the bootstrap certificate");
    }
    hc_list_dispose(&names);
    return rc;
}

int hc_bootstraps_pem(struct hc_bootstraps *b, const char *name, bool issuer, struct hc_buf *out,
                      struct hc_error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int rc = -1;

    if (change(b, name, issuer, err) != 0) {
        goto out;
    }
    if (bio == NULL || PEM_write_bio_X509(bio, b->leaf) != 1 ||
        (issuer && PEM_write_bio_X509(bio, b->issuer) != 1)) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, name, "writing the bootstrap certificate");
        goto out;
    }
    rc = append(bio, out, err) == 0 ? hc_buf_append(out, b->key_pem.data, b->key_pem.len, err) : -1;
out:
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

void hc_bootstraps_free(struct hc_bootstraps *b)
{
    if (b != NULL) {
        EVP_PKEY_free(b->key);
        X509_free(b->leaf);
        X509_free(b->issuer);
        hc_buf_dispose(&b->key_pem);
        free(b);
    }
}
