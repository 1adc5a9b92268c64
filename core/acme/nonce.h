/* Nonces that the CA gave and that were not used yet, RFC 8555 section 6.5. The newest goes first.
 */
#ifndef HC_ACME_NONCE_H
#define HC_ACME_NONCE_H

#include "base/compiler.h"

#define HC_NONCE_POOL 32
#define HC_NONCE_SIZE 256

/* Zeroed memory is an empty pool. */
struct hc_nonces {
    char items[HC_NONCE_POOL][HC_NONCE_SIZE];
    unsigned count;
};

/* Keeps a Replay-Nonce. One that is not base64url is ignored (section 6.5.1); the oldest gives way.
 */
void hc_nonces_put(struct hc_nonces *nonces, const char *nonce);
/* Takes the newest; false if there is none. */
bool hc_nonces_take(struct hc_nonces *nonces, char out[HC_NONCE_SIZE]);
void hc_nonces_clear(struct hc_nonces *nonces);

#endif
