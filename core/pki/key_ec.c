/* Elliptic curve keys from their numbers; see key_ec.h. RFC 5915 section 3. */
#include "pki/key_ec.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* P-521: 66 bytes; its public point uncompressed: 1 + 2 * 66. */
#define PRIVATE_MAX 66
#define PUBLIC_MAX  133

/* Bytes of a number on this curve; 0: a curve that is left to OpenSSL. */
static int field_size(int nid)
{
    switch (nid) {
    case NID_X9_62_prime256v1:
        return 32;
    case NID_secp384r1:
        return 48;
    case NID_secp521r1:
        return 66;
    default:
        return 0;
    }
}

/* One DER element out of a run of them. */
static bool take(const unsigned char **p, const unsigned char *end, int tag, int class,
                 const unsigned char **data, long *len)
{
    int got_tag = 0;
    int got_class = 0;

    return *p < end && (ASN1_get_object(p, len, &got_tag, &got_class, end - *p) & 0x81) == 0 &&
           got_tag == tag && got_class == class && *len <= end - *p &&
           ((*data = *p), (*p += *len), true);
}

/* The two halves inside of an ECPrivateKey; they point into der. */
static bool split(const unsigned char *der, int der_len, const unsigned char **private,
                  long *private_len, const unsigned char **public, long *public_len)
{
    const unsigned char *p = der;
    const unsigned char *data = NULL;
    long len = 0;

    if (!take(&p, der + der_len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &data, &len) ||
        p != der + der_len) {
        return false;
    }
    p = data;
    if (!take(&p, data + len, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, public, public_len) ||
        *public_len != 1 || (*public)[0] != 1 ||
        !take(&p, data + len, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL, private, private_len)) {
        return false;
    }
    der = data + len; /* where the sequence ends */
    if (!take(&p, der, 1, V_ASN1_CONTEXT_SPECIFIC, &data, &len) || p != der) {
        return false;
    }
    p = data;
    if (!take(&p, data + len, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, public, public_len) ||
        p != data + len || *public_len < 2 || (*public)[0] != 0) {
        return false;
    }
    (*public)++; /* the number of unused bits */
    (*public_len)--;
    return *private_len > 0 && *private_len <= PRIVATE_MAX && *public_len <= PUBLIC_MAX;
}

static EVP_PKEY *build(const char *group, const unsigned char *private, size_t private_len,
                       const unsigned char *public, size_t public_len)
{
    unsigned char native[PRIVATE_MAX]; /* OSSL_PARAM has numbers in the machine's own order */
    unsigned char point[PUBLIC_MAX];
    char name[64];
    OSSL_PARAM params[4];
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *number = BN_bin2bn(private, (int)private_len, NULL);
    size_t n = strlen(group);

    if (ctx == NULL || number == NULL || n >= sizeof(name) ||
        BN_bn2nativepad(number, native, (int)private_len) < 0) {
        goto out;
    }
    memcpy(name, group, n + 1);
    memcpy(point, public, public_len);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, n);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, public_len);
    params[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, private_len);
    params[3] = OSSL_PARAM_construct_end();
    if (EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        key = NULL;
    }
out:
    OPENSSL_cleanse(native, sizeof(native));
    BN_clear_free(number);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *hc_key_ec_from_pkcs8(const PKCS8_PRIV_KEY_INFO *info)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    const unsigned char *der = NULL;
    const unsigned char *private = NULL;
    const unsigned char *public = NULL;
    long private_len = 0;
    long public_len = 0;
    int type = V_ASN1_UNDEF;
    int der_len = 0;
    int nid = NID_undef;

    if (PKCS8_pkey_get0(NULL, &der, &der_len, &algorithm, info) != 1) {
        return NULL;
    }
    X509_ALGOR_get0(&object, &type, &value, algorithm);
    if (OBJ_obj2nid(object) != NID_X9_62_id_ecPublicKey || type != V_ASN1_OBJECT) {
        return NULL;
    }
    nid = OBJ_obj2nid(value);
    if (field_size(nid) == 0 ||
        !split(der, der_len, &private, &private_len, &public, &public_len)) {
        ERR_clear_error();
        return NULL;
    }
    return build(OBJ_nid2sn(nid), private, (size_t)private_len, public, (size_t)public_len);
}

/* ---- writing ---- */

/* The lengths of what is inside of each other, from the inside out. */
struct layout {
    int private_len;
    int public_len; /* with the byte of unused bits */
    int bits;       /* the BIT STRING */
    int numbers;    /* the inside of ECPrivateKey */
    int sequence;   /* ECPrivateKey */
    int curve;      /* its object identifier */
    int algorithm;  /* the inside of AlgorithmIdentifier */
    int inner;      /* the inside of it all */
    int whole;
};

static struct layout lay_out(int nid, int private_len, size_t public_len)
{
    struct layout l = {.private_len = private_len, .public_len = (int)public_len + 1};
    int one = ASN1_object_size(0, 1, V_ASN1_INTEGER);

    l.bits = ASN1_object_size(0, l.public_len, V_ASN1_BIT_STRING);
    l.numbers = one + ASN1_object_size(0, private_len, V_ASN1_OCTET_STRING) +
                ASN1_object_size(1, l.bits, 1);
    l.sequence = ASN1_object_size(1, l.numbers, V_ASN1_SEQUENCE);
    l.curve = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), NULL);
    l.algorithm = l.curve + i2d_ASN1_OBJECT(OBJ_nid2obj(NID_X9_62_id_ecPublicKey), NULL);
    l.inner = one + ASN1_object_size(1, l.algorithm, V_ASN1_SEQUENCE) +
              ASN1_object_size(0, l.sequence, V_ASN1_OCTET_STRING);
    l.whole = ASN1_object_size(1, l.inner, V_ASN1_SEQUENCE);
    return l;
}

static void put_small(unsigned char **p, unsigned char value)
{
    ASN1_put_object(p, 0, 1, V_ASN1_INTEGER, V_ASN1_UNIVERSAL);
    *(*p)++ = value;
}

static bool put_numbers(unsigned char **p, const struct layout *l, const BIGNUM *private,
                        const unsigned char *public)
{
    put_small(p, 1);
    ASN1_put_object(p, 0, l->private_len, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
    if (BN_bn2binpad(private, *p, l->private_len) != l->private_len) {
        return false;
    }
    *p += l->private_len;
    ASN1_put_object(p, 1, l->bits, 1, V_ASN1_CONTEXT_SPECIFIC);
    ASN1_put_object(p, 0, l->public_len, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
    *(*p)++ = 0;
    memcpy(*p, public, (size_t)l->public_len - 1);
    *p += l->public_len - 1;
    return true;
}

static bool put_key(struct hc_buf *out, int nid, const BIGNUM *private, const unsigned char *public,
                    size_t public_len)
{
    struct layout l = lay_out(nid, field_size(nid), public_len);
    unsigned char *start = NULL;
    unsigned char *p = NULL;

    if (hc_buf_reserve(out, (size_t)l.whole, &start, NULL) != 0) {
        return false;
    }
    p = start;
    ASN1_put_object(&p, 1, l.inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    put_small(&p, 0);
    ASN1_put_object(&p, 1, l.algorithm, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    (void)i2d_ASN1_OBJECT(OBJ_nid2obj(NID_X9_62_id_ecPublicKey), &p);
    (void)i2d_ASN1_OBJECT(OBJ_nid2obj(nid), &p);
    ASN1_put_object(&p, 0, l.sequence, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
    ASN1_put_object(&p, 1, l.numbers, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    if (!put_numbers(&p, &l, private, public)) {
        OPENSSL_cleanse(start, (size_t)l.whole);
        return false;
    }
    out->len += (size_t)l.whole;
    return true;
}

bool hc_key_ec_to_pkcs8(EVP_PKEY *key, struct hc_buf *out)
{
    char group[64] = "";
    unsigned char *public = NULL;
    BIGNUM *private = NULL;
    size_t public_len = 0;
    int nid = NID_undef;
    bool done = false;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        nid = OBJ_sn2nid(group);
    }
    if (field_size(nid) > 0 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &private) == 1) {
        public_len = EVP_PKEY_get1_encoded_public_key(key, &public);
    }
    if (public_len > 0 && public_len <= PUBLIC_MAX) {
        done = put_key(out, nid, private, public, public_len);
    }
    OPENSSL_free(public);
    BN_clear_free(private);
    ERR_clear_error();
    return done;
}
