/* Nonces; see nonce.h. */
#include "acme/nonce.h"

#include <string.h>

void hc_nonces_put(struct hc_nonces *nonces, const char *nonce)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(nonce);

    if (len == 0 || len >= HC_NONCE_SIZE || strspn(nonce, allowed) != len) {
        return;
    }
    if (nonces->count == HC_NONCE_POOL) {
        memmove(nonces->items[0], nonces->items[1], sizeof(nonces->items) - HC_NONCE_SIZE);
        nonces->count--;
    }
    memcpy(nonces->items[nonces->count++], nonce, len + 1);
}

bool hc_nonces_take(struct hc_nonces *nonces, char out[HC_NONCE_SIZE])
{
    if (nonces->count == 0) {
        return false;
    }
    memcpy(out, nonces->items[--nonces->count], HC_NONCE_SIZE);
    return true;
}

void hc_nonces_clear(struct hc_nonces *nonces)
{
    nonces->count = 0;
}
