/*
 * hc_keygen: a private key made in a child, since an RSA key takes up to seconds of CPU. A guest of
 * the loop.
 */
#ifndef HC_PKI_KEYGEN_H
#define HC_PKI_KEYGEN_H

#include "loop/child.h"
#include "pki/key.h"

/* Called once, from the loop: key is the callee's to free, or NULL and err says why. */
typedef void hc_keygen_done(void *self, EVP_PKEY *key, const struct hc_error *err);

/* Embedded in its owner, who neither moves nor copies it meanwhile. Zeroed memory does nothing. */
struct hc_keygen {
    struct hc_child child;
    enum hc_key_type type;
    hc_keygen_done *done;
    void *self;
};

/* True if a key of this type takes longer than the loop may be held. */
bool hc_keygen_is_slow(enum hc_key_type type);

/* -1 with err and no callback. */
int hc_keygen_start(struct hc_loop *loop, struct hc_keygen *keygen, enum hc_key_type type,
                    hc_keygen_done *done, void *self, struct hc_error *err) HC_MUST_USE;

/* Ends it without a callback. */
void hc_keygen_stop(struct hc_keygen *keygen);

#endif
