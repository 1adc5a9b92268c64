/* The bootstrap certificate, served until there is a real one; see pair.h. */
#include <openssl/err.h>

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

/* The leaf, and with an issuer a chain of that: nobody trusts either, so one key signs both. */
static int make_pair(EVP_PKEY *key, const struct hc_recipe *leaf, bool issuer, struct hc_pair **out,
                     struct hc_error *err)
{
    const struct hc_recipe ca = {
        .subject = issuer_name,
        .issuer = issuer_name,
        .constraints = "critical,CA:TRUE",
        .life = LIFE,
    };
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *ca_cert = issuer ? hc_recipe_make(key, &ca) : NULL;
    X509 *cert = hc_recipe_make(key, leaf);
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

static int make_key_and_pair(const struct hc_recipe *leaf, bool issuer, struct hc_pair **out,
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

int hc_pair_bootstrap_for(const char *name, bool issuer, struct hc_pair **out, struct hc_error *err)
{
    struct hc_list names = {NULL, 0, 0};
    struct hc_recipe leaf = plain;
    int rc = add_name(&names, name, err);

    leaf.names = names.count > 0 ? &names : NULL;
    leaf.issuer = issuer ? issuer_name : plain.issuer;
    rc = rc == 0 ? make_key_and_pair(&leaf, issuer, out, err) : rc;
    hc_list_dispose(&names);
    return rc;
}
