/* Keys: made, written, read, compared; signing requests. */
#include "forge.h"
#include "pki/key.h"
#include "tap.h"

static const struct {
    const char *kind;
    enum hc_key_type type;
    bool supported;
} kinds[] = {
    {"P-256", HC_KEY_ECDSA_256, true},   {"P-384", HC_KEY_ECDSA_384, true},
    {"P-521", HC_KEY_OTHER, true},       {"RSA:2048", HC_KEY_RSA_2048, true},
    {"RSA:3072", HC_KEY_RSA_3072, true}, {"RSA:1024", HC_KEY_OTHER, true},
    {"ED25519", HC_KEY_OTHER, true},     {"RSA-PSS", HC_KEY_OTHER, true},
    {"ED448", HC_KEY_OTHER, true},       {"X25519", HC_KEY_OTHER, false},
};

static void every_kind_goes_through_der_and_back(void)
{
    for (size_t i = 0; i < HC_COUNT(kinds); i++) {
        struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
        struct hc_error err = {0};
        EVP_PKEY *key = forge_key(kinds[i].kind);
        EVP_PKEY *back = NULL;

        printf("# %s\n", kinds[i].kind);
        is_int(hc_key_type_of(key), kinds[i].type, "its type is told");
        is_int(hc_key_is_supported(key), kinds[i].supported, "it is known whether it is supported");
        is_int(hc_key_to_der(key, &der, &err), 0, "it can be written");
        if (kinds[i].supported) {
            is_int(hc_key_from_der(der.data, der.len, &back, &err), 0, "and read");
            ok(back != NULL && EVP_PKEY_eq(key, back) == 1, "and is the same");
            ok(hc_key_works_with(key, back), "and works with itself");
            ok(hc_key_from_der(der.data, der.len - 1, &back, &err) != 0, "a cut one is refused");
        } else {
            is_int(hc_key_from_der(der.data, der.len, &back, &err), -1, "it is refused");
            is_int(err.problem, HC_P_KEY_UNSUPPORTED, "as unsupported");
        }
        is_int((long long)ERR_peek_error(), 0, "OpenSSL's queue is empty");
        EVP_PKEY_free(key);
        EVP_PKEY_free(back);
        hc_buf_dispose(&der);
    }
}

/* Digests of pairs that older versions made hang on it. */
static void what_is_written_is_what_openssl_writes(void)
{
    static const char *const names[] = {"P-256", "P-384", "P-521", "RSA:2048", "ED25519"};

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
        struct hc_error err = {0};
        EVP_PKEY *key = forge_key(names[i]);
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
        unsigned char *wanted = NULL;
        int len = i2d_PKCS8_PRIV_KEY_INFO(info, &wanted);

        ok(hc_key_to_der(key, &der, &err) == 0 && len > 0 && der.len == (size_t)len &&
               memcmp(der.data, wanted, der.len) == 0,
           names[i]);
        OPENSSL_free(wanted);
        PKCS8_PRIV_KEY_INFO_free(info);
        EVP_PKEY_free(key);
        hc_buf_dispose(&der);
    }
}

static void each_type_that_is_ordered_can_be_made(void)
{
    static const enum hc_key_type types[] = {HC_KEY_ECDSA_256, HC_KEY_ECDSA_384, HC_KEY_RSA_2048,
                                             HC_KEY_RSA_3072};

    for (size_t i = 0; i < HC_COUNT(types); i++) {
        struct hc_error err = {0};
        EVP_PKEY *key = NULL;

        is_int(hc_key_new(types[i], &key, &err), 0, "a key is made");
        is_int(hc_key_type_of(key), types[i], "of the type that was asked for");
        EVP_PKEY_free(key);
    }
    struct hc_error err = {0};
    EVP_PKEY *key = NULL;

    is_int(hc_key_new(HC_KEY_OTHER, &key, &err), -1, "no key of no type");
}

static bool same_number(EVP_PKEY *a, EVP_PKEY *b, const char *name)
{
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    bool had = EVP_PKEY_get_bn_param(a, name, &x) == 1;
    bool has = EVP_PKEY_get_bn_param(b, name, &y) == 1;
    bool same = had == has && (!had || BN_cmp(x, y) == 0);

    BN_clear_free(x);
    BN_clear_free(y);
    ERR_clear_error();
    return same;
}

/* The same in every private number, not only in the public half. */
static bool same_key(EVP_PKEY *a, EVP_PKEY *b)
{
    static const char *const numbers[] = {"priv",
                                          "d",
                                          "rsa-factor1",
                                          "rsa-factor2",
                                          "rsa-exponent1",
                                          "rsa-exponent2",
                                          "rsa-coefficient1"};
    bool same = EVP_PKEY_eq(a, b) == 1;

    for (size_t i = 0; same && i < HC_COUNT(numbers); i++) {
        same = same_number(a, b, numbers[i]);
    }
    return same;
}

/* Flips every byte of a key: what is still accepted beside its certificate is the same key. */
static void no_damaged_key_works(const char *kind)
{
    struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    struct hc_error err = {0};
    EVP_PKEY *key = forge_key(kind);
    unsigned wrong = 0;
    unsigned read = 0;

    if (hc_key_to_der(key, &der, &err) != 0) {
        forge_die("der");
    }
    for (size_t i = 0; i < der.len; i++) {
        EVP_PKEY *other = NULL;
        struct hc_error ignored = {0};

        der.data[i] ^= 0x10;
        if (hc_key_from_der(der.data, der.len, &other, &ignored) == 0) {
            read++;
            wrong += hc_key_works_with(other, key) && !same_key(other, key);
            EVP_PKEY_free(other);
        }
        der.data[i] ^= 0x10;
    }
    printf("# %s: %u damaged ones could be read\n", kind, read);
    is_int(wrong, 0, "none of them works beside the certificate");
    is_int((long long)ERR_peek_error(), 0, "OpenSSL's queue is empty");
    EVP_PKEY_free(key);
    hc_buf_dispose(&der);
}

static void a_request_has_names_and_no_subject(void)
{
    static const char *const wanted[] = {"www.example.org", "*.example.org", "192.0.2.7",
                                         "2001:db8::1"};
    struct hc_list names = {0};
    struct hc_buf der = HC_BUF_INIT(65536);
    struct hc_error err = {0};
    EVP_PKEY *key = forge_key("P-256");
    const unsigned char *p = NULL;
    X509_REQ *req = NULL;
    STACK_OF(X509_EXTENSION) *exts = NULL;
    GENERAL_NAMES *sans = NULL;

    is_int(hc_csr_new(key, &names, &der, &err), -1, "no request without names");
    hc_error_init(&err);
    for (size_t i = 0; i < HC_COUNT(wanted); i++) {
        if (hc_list_add(&names, wanted[i], &err) != 0) {
            forge_die("list");
        }
    }
    is_int(hc_csr_new(key, &names, &der, &err), 0, "a request is made");
    p = der.data;
    req = d2i_X509_REQ(NULL, &p, (long)der.len);
    ok(req != NULL && p == der.data + der.len, "it is DER");
    ok(X509_REQ_verify(req, key) == 1, "signed with the key");
    is_int(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 0, "without a subject");
    exts = X509_REQ_get_extensions(req);
    sans = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
    is_int(sk_GENERAL_NAME_num(sans), 4, "with every name");
    is_int(sk_GENERAL_NAME_value(sans, 1)->type, GEN_DNS, "the wildcard as a DNS name");
    is_int(sk_GENERAL_NAME_value(sans, 2)->type, GEN_IPADD, "the address as an IP name");
    is_int(ASN1_STRING_length(sk_GENERAL_NAME_value(sans, 3)->d.iPAddress), 16, "IPv6 in 16 bytes");
    GENERAL_NAMES_free(sans);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    hc_list_dispose(&names);
    hc_buf_dispose(&der);
    EVP_PKEY_free(key);
}

int main(void)
{
    every_kind_goes_through_der_and_back();
    what_is_written_is_what_openssl_writes();
    each_type_that_is_ordered_can_be_made();
    no_damaged_key_works("P-256");
    no_damaged_key_works("RSA:2048");
    no_damaged_key_works("ED25519");
    no_damaged_key_works("ED448");
    a_request_has_names_and_no_subject();
    return done();
}
