/*
 * Kinds of pairs, for a start with many of them (check_wire.c): what libssl makes of a handshake
 * hangs on the kind of key, the leaf's signature and usage, and the certificates behind it, and not
 * on the numbers in key and leaf.
 */
#ifndef HC_PKI_CHECK_KIND_H
#define HC_PKI_CHECK_KIND_H

#include "conf/digest.h"
#include "pki/pair.h"

/* False: it cannot be told, and the pair is of no kind. */
bool hc_kind_of(const struct hc_pair *pair, int security_level, unsigned char kind[HC_DIGEST_SIZE]);

/* Whether a pair of this kind was added in this process. Any thread. */
bool hc_kind_is_known(const unsigned char kind[HC_DIGEST_SIZE]);
void hc_kind_add(const unsigned char kind[HC_DIGEST_SIZE]);

#endif
