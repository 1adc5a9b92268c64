/*
 * The bytes of a record: one line of text, then salt, ciphertext and tag. bound says where they
 * belong and is authenticated with them. Needs no store and no file.
 */
#ifndef HC_STORE_ENVELOPE_H
#define HC_STORE_ENVELOPE_H

#include "base/buf.h"
#include "base/secret.h"

#define HC_ENVELOPE_VALUE_MAX (((size_t)2 << 20) - 4096)

/* Appends the record of value to out. HC_P_TOO_LARGE beyond HC_ENVELOPE_VALUE_MAX. */
int hc_envelope_seal(const unsigned char secret[HC_SECRET_SIZE], const char *bound,
                     struct hc_bytes value, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/* Appends the value to out (should be secret). HC_P_STORE_DAMAGED if it is none, or another's. */
int hc_envelope_open(const unsigned char secret[HC_SECRET_SIZE], const char *bound,
                     struct hc_bytes record, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
