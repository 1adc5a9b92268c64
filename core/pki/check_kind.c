/* Kinds of pairs; see check_kind.h. */
#include "pki/check_kind.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#define KINDS 32

/* A process sets up its TLS library once, so what holds for a kind holds until it ends. */
static struct {
    pthread_mutex_t mutex;
    unsigned char kinds[KINDS][HC_DIGEST_SIZE];
    size_t count;
} known = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* What libssl asks of a certificate before it looks into the key. */
static bool add_signature(struct hc_digest *digest, X509 *cert)
{
    int numbers[] = {NID_undef, NID_undef, 0, 0};
    uint32_t flags = 0;

    if (X509_get_signature_info(cert, &numbers[0], &numbers[1], &numbers[2], &flags) != 1) {
        return false;
    }
    numbers[3] = (int)flags;
    hc_digest_chunk(digest, numbers, sizeof(numbers));
    return true;
}

static void add_usage(struct hc_digest *digest, X509 *leaf)
{
    const uint32_t numbers[] = {X509_get_extension_flags(leaf), X509_get_key_usage(leaf),
                                X509_get_extended_key_usage(leaf)};

    hc_digest_chunk(digest, numbers, sizeof(numbers));
}

static void add_key(struct hc_digest *digest, EVP_PKEY *key)
{
    const int numbers[] = {EVP_PKEY_get_base_id(key), EVP_PKEY_get_bits(key),
                           EVP_PKEY_get_security_bits(key)};
    char group[64] = "";

    (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    hc_digest_chunk(digest, numbers, sizeof(numbers));
    hc_digest_text(digest, EVP_PKEY_get0_type_name(key));
    hc_digest_text(digest, group);
}

/* Certificates behind the leaf count whole: they are the same for all of one issuer. */
static bool add_chain(struct hc_digest *digest, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(chain, i), &der);

        if (len <= 0) {
            return false;
        }
        hc_digest_chunk(digest, der, (size_t)len);
        OPENSSL_free(der);
    }
    return true;
}

bool hc_kind_of(const struct hc_pair *pair, int security_level, unsigned char kind[HC_DIGEST_SIZE])
{
    X509 *leaf = hc_pair_leaf(pair);
    struct hc_digest digest;
    bool told = false;

    hc_digest_begin(&digest);
    hc_digest_chunk(&digest, &security_level, sizeof(security_level));
    add_key(&digest, hc_pair_key(pair));
    add_usage(&digest, leaf);
    told = add_signature(&digest, leaf) && add_chain(&digest, hc_pair_chain(pair));
    ERR_clear_error();
    return hc_digest_end(&digest, kind, NULL) == 0 && told;
}

bool hc_kind_is_known(const unsigned char kind[HC_DIGEST_SIZE])
{
    bool found = false;

    pthread_mutex_lock(&known.mutex);
    for (size_t i = 0; i < known.count && !found; i++) {
        found = memcmp(known.kinds[i], kind, HC_DIGEST_SIZE) == 0;
    }
    pthread_mutex_unlock(&known.mutex);
    return found;
}

void hc_kind_add(const unsigned char kind[HC_DIGEST_SIZE])
{
    pthread_mutex_lock(&known.mutex);
    if (known.count < KINDS) {
        memcpy(known.kinds[known.count++], kind, HC_DIGEST_SIZE);
    }
    pthread_mutex_unlock(&known.mutex);
}
