/*
 * hc_buf: a growing run of bytes with a maximum. A value: init or zero-initialise with
 * HC_BUF_INIT(max), dispose when done (safe on zeroed memory and twice). Always NUL-terminated
 * behind its length, so text in it can be handed to C functions.
 */
#ifndef HC_BASE_BUF_H
#define HC_BASE_BUF_H

#include "base/compiler.h"
#include "base/error.h"

struct hc_buf {
    unsigned char *data; /* NULL while empty */
    size_t len;
    size_t cap;
    size_t max;  /* the most bytes it may ever hold */
    bool secret; /* wiped when it grows and when it is disposed */
};

#define HC_BUF_INIT(maximum)                                                                       \
    {                                                                                              \
        NULL, 0, 0, (maximum), false                                                               \
    }
#define HC_BUF_INIT_SECRET(maximum)                                                                \
    {                                                                                              \
        NULL, 0, 0, (maximum), true                                                                \
    }

/* Appends; HC_P_TOO_LARGE beyond max, and then nothing is appended. */
int hc_buf_append(struct hc_buf *b, const void *data, size_t len, struct hc_error *err) HC_MUST_USE;
int hc_buf_puts(struct hc_buf *b, const char *s, struct hc_error *err) HC_MUST_USE;
int hc_buf_printf(struct hc_buf *b, struct hc_error *err, const char *fmt, ...)
    HC_FORMAT(3, 4) HC_MUST_USE;

/* Makes room for len more bytes without using them; *at points at the room. */
int hc_buf_reserve(struct hc_buf *b, size_t len, unsigned char **at,
                   struct hc_error *err) HC_MUST_USE;

/* The text, "" while empty. Valid until the next change. */
const char *hc_buf_text(const struct hc_buf *b);

/* Empties, keeps the memory (wiped if secret). */
void hc_buf_reset(struct hc_buf *b);

void hc_buf_dispose(struct hc_buf *b);

/* A view of bytes that somebody else owns. */
struct hc_bytes {
    const unsigned char *data;
    size_t len;
};

static inline struct hc_bytes hc_bytes_of(const struct hc_buf *b)
{
    struct hc_bytes v = {b->data, b->len};

    return v;
}

#endif
