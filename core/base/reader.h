/*
 * Binary forms, read and written: numbers in big-endian, chunks behind a length of four bytes,
 * magic numbers, lines. Whoever wrote the bytes may be hostile: nothing is read beyond their end,
 * and what is taken points into them. Where a call fails, the reader stays where it was.
 */
#ifndef HC_BASE_READER_H
#define HC_BASE_READER_H

#include "base/buf.h"

/* What is left of somebody else's bytes. */
struct hc_reader {
    const unsigned char *data;
    size_t left;
};

static inline struct hc_reader hc_reader_of(struct hc_bytes bytes)
{
    struct hc_reader in = {bytes.data, bytes.len};

    return in;
}

/* So many bytes. HC_P_PROTOCOL if there are not. */
int hc_get_bytes(struct hc_reader *in, size_t len, struct hc_bytes *out,
                 struct hc_error *err) HC_MUST_USE;
/* A number of 1 to 8 bytes. */
int hc_get_number(struct hc_reader *in, size_t width, uint64_t *out,
                  struct hc_error *err) HC_MUST_USE;
/* HC_P_PROTOCOL if the bytes end too early, the chunk is empty or larger than max. */
int hc_get_chunk(struct hc_reader *in, size_t max, struct hc_bytes *chunk,
                 struct hc_error *err) HC_MUST_USE;
int hc_get_magic(struct hc_reader *in, const unsigned char magic[4],
                 struct hc_error *err) HC_MUST_USE;
/* True if they begin with this text; then it is taken. */
bool hc_skip_text(struct hc_reader *in, const char *text) HC_MUST_USE;
/* Up to the next newline, which is taken as well. False if there is none. */
bool hc_get_line(struct hc_reader *in, struct hc_bytes *line) HC_MUST_USE;

int hc_put_number(struct hc_buf *out, uint64_t number, size_t width,
                  struct hc_error *err) HC_MUST_USE;
/* HC_P_TOO_LARGE if its length finds no room in four bytes, or the chunk none in out. */
int hc_put_chunk(struct hc_buf *out, const unsigned char *data, size_t len,
                 struct hc_error *err) HC_MUST_USE;

#endif
