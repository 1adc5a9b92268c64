/*
 * The bytes of a version: its head (head.h) and, bound to it, the sealed pair. Needs no store and
 * no file.
 */
#ifndef HC_STORE_VERSION_H
#define HC_STORE_VERSION_H

#include "base/buf.h"
#include "base/secret.h"
#include "store/info.h"

/* Appends the version that info describes to out. encoded: the pair, as hc_pair_encode() has it. */
int hc_version_seal(const unsigned char secret[HC_SECRET_SIZE], const struct hc_line_info *info,
                    struct hc_bytes encoded, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/*
 * Reads one. info is zeroed memory, the caller's to dispose also on -1. plain gets the encoded
 * pair; without a secret (NULL) nothing, and the head is protected against accidents only.
 * HC_P_STORE_DAMAGED if it is not what was sealed under this secret.
 */
int hc_version_unseal(const unsigned char *secret, struct hc_bytes version,
                      struct hc_line_info *info, struct hc_buf *plain,
                      struct hc_error *err) HC_MUST_USE;

#endif
