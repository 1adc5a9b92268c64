/* SHA-256 of several things; see digest.h. */
#include "conf/digest.h"

#include <openssl/err.h>
#include <string.h>

static void spoil(struct hc_digest *digest)
{
    EVP_MD_CTX_free(digest->ctx);
    digest->ctx = NULL;
}

void hc_digest_begin(struct hc_digest *digest)
{
    digest->ctx = EVP_MD_CTX_new();
    if (digest->ctx != NULL && EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1) {
        spoil(digest);
    }
}

void hc_digest_bytes(struct hc_digest *digest, const void *data, size_t len)
{
    if (digest->ctx != NULL && len > 0 && EVP_DigestUpdate(digest->ctx, data, len) != 1) {
        spoil(digest);
    }
}

void hc_digest_text(struct hc_digest *digest, const char *text)
{
    const char *whole = text != NULL ? text : "";

    hc_digest_bytes(digest, whole, strlen(whole) + 1);
}

void hc_digest_chunk(struct hc_digest *digest, const void *data, size_t len)
{
    unsigned char size[8];

    for (size_t i = 0; i < sizeof(size); i++) {
        size[i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
    }
    hc_digest_bytes(digest, size, sizeof(size));
    hc_digest_bytes(digest, data, len);
}

int hc_digest_end(struct hc_digest *digest, unsigned char out[HC_DIGEST_SIZE], struct hc_error *err)
{
    bool good = digest->ctx != NULL && EVP_DigestFinal_ex(digest->ctx, out, NULL) == 1;

    spoil(digest);
    if (good) {
        return 0;
    }
    (void)hc_error_set(err, HC_P_TLS_LIBRARY, NULL, "SHA-256");
    ERR_clear_error();
    return -1;
}
