/* Chunks behind a four-byte big-endian length, and magic numbers: written and read, bounded. */
#ifndef HC_PKI_READER_H
#define HC_PKI_READER_H

#include "base/buf.h"

/* What is left of somebody else's bytes. */
struct hc_reader {
    const unsigned char *data;
    size_t left;
};

int hc_put_chunk(struct hc_buf *out, const unsigned char *data, size_t len,
                 struct hc_error *err) HC_MUST_USE;

/* HC_P_PROTOCOL if the bytes end too early, the chunk is empty or larger than max. */
int hc_get_chunk(struct hc_reader *in, size_t max, struct hc_bytes *chunk,
                 struct hc_error *err) HC_MUST_USE;
int hc_get_magic(struct hc_reader *in, const unsigned char magic[4],
                 struct hc_error *err) HC_MUST_USE;

#endif
