/* Mending a chain from caIssuers: what helps, what does not. */
#include <openssl/pkcs7.h>

#include "forge.h"
#include "pki/repair.h"
#include "tap.h"

static struct forged_family family;

static struct hc_pair *leaf_only(const struct forged *leaf)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_findings none = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    forge_chain_pem(&pem, leaf->cert, NULL, NULL);
    if (hc_pair_from_key(leaf->key, hc_bytes_of(&pem), "x", &pair, &none, &err) != 0) {
        forge_die(err.detail);
    }
    hc_findings_dispose(&none);
    hc_buf_dispose(&pem);
    return pair;
}

static const struct {
    const char *value;
    const char *url; /* NULL: none is found */
} accesses[] = {
    {"caIssuers;URI:http://ca.example/mid.der", "http://ca.example/mid.der"},
    {"OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/a", "http://ca.example/a"},
    {"OCSP;URI:http://ocsp.example/", NULL},
    {"caIssuers;URI:https://ca.example/mid.der", NULL},
    {"caIssuers;URI:ldap:///cn=x", NULL},
    {"caIssuers;URI:http://ca.example/;rm", NULL},
    {"caIssuers;URI:http://", NULL},
    {"caIssuers;URI:https://x/,caIssuers;URI:http://ca.example/b", "http://ca.example/b"},
};

static void the_url_is_found_and_plain(void)
{
    for (size_t i = 0; i < HC_COUNT(accesses); i++) {
        struct forged leaf = forge(&(struct forge){.name = "leaf",
                                                   .by = &family.mid,
                                                   .extra_oid = "authorityInfoAccess",
                                                   .extra_value = accesses[i].value});
        struct hc_pair *pair = leaf_only(&leaf);
        char url[HC_AIA_URL_MAX] = "";
        bool found = hc_repair_url(pair, url);

        is_int(found, accesses[i].url != NULL, accesses[i].value);
        is_str(url, accesses[i].url != NULL ? accesses[i].url : "", "the URL");
        hc_pair_free(pair);
        forged_free(&leaf);
    }
}

static void takes(struct hc_buf *reply, bool helps, const char *name)
{
    struct hc_pair *pair = leaf_only(&family.leaf);
    struct hc_pair *better = NULL;
    struct hc_error err = {0};
    int rc = hc_repair_take(pair, hc_bytes_of(reply), "http://ca.example/", &better, &err);

    is_int(rc, helps ? 0 : -1, name);
    if (helps) {
        ok(better != NULL && sk_X509_num(hc_pair_chain(better)) == 1 &&
               X509_cmp(sk_X509_value(hc_pair_chain(better), 0), family.mid.cert) == 0,
           "the issuer is in the chain");
    } else {
        is_int(err.problem, HC_P_REPAIR_USELESS, "and says so");
    }
    is_int((long long)ERR_peek_error(), 0, "OpenSSL's queue is empty");
    hc_pair_free(pair);
    hc_pair_free(better);
    hc_buf_reset(reply);
}

static void put_der(struct hc_buf *out, unsigned char *der, int len)
{
    if (len <= 0 || hc_buf_append(out, der, (size_t)len, NULL) != 0) {
        forge_die("der");
    }
    OPENSSL_free(der);
}

static void replies_of_every_form_are_read(void)
{
    struct forged_family other = forge_family(NULL, NULL);
    struct hc_buf reply = HC_BUF_INIT((size_t)1 << 20);
    unsigned char *der = NULL;
    PKCS7 *p7 = PKCS7_new();
    BIO *bio = NULL;
    int len = i2d_X509(family.mid.cert, &der);

    put_der(&reply, der, len);
    takes(&reply, true, "DER");
    forge_cert_pem(family.mid.cert, &reply);
    takes(&reply, true, "PEM");

    PKCS7_set_type(p7, NID_pkcs7_signed);
    PKCS7_content_new(p7, NID_pkcs7_data);
    PKCS7_add_certificate(p7, other.mid.cert);
    PKCS7_add_certificate(p7, family.mid.cert);
    der = NULL;
    len = i2d_PKCS7(p7, &der);
    put_der(&reply, der, len);
    takes(&reply, true, "PKCS#7 in DER, behind another CA's");
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS7(bio, p7);
    forge_drain(bio, &reply);
    takes(&reply, true, "PKCS#7 in PEM");
    PKCS7_free(p7);

    takes(&reply, false, "nothing");
    if (hc_buf_puts(&reply, "<html>404</html>", NULL) != 0) {
        forge_die("buffer");
    }
    takes(&reply, false, "a page");
    forge_cert_pem(other.mid.cert, &reply);
    takes(&reply, false, "another CA of the same name");
    forge_cert_pem(family.leaf.cert, &reply);
    takes(&reply, false, "the leaf itself");
    forge_cert_pem(family.root.cert, &reply);
    takes(&reply, false, "the root");
    forge_cert_pem(family.mid.cert, &reply);
    while (reply.len <= HC_REPAIR_BYTES) {
        if (hc_buf_puts(&reply, "\n\n\n\n\n\n\n\n", NULL) != 0) {
            forge_die("buffer");
        }
    }
    takes(&reply, false, "a reply of more than 64 KiB");
    hc_buf_dispose(&reply);
    forged_family_free(&other);
}

int main(void)
{
    family = forge_family(NULL, "DNS:a.example");
    the_url_is_found_and_plain();
    replies_of_every_form_are_read();
    forged_family_free(&family);
    return done();
}
