/* hc_buf; see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grow(struct hc_buf *b, size_t need, struct hc_error *err)
{
    size_t cap = b->cap > 0 ? b->cap : 256;
    unsigned char *data = NULL;

    while (cap < need) {
        cap *= 2;
    }
    data = malloc(cap);
    if (data == NULL) {
        return hc_error_nomem(err);
    }
    if (b->len > 0) {
        memcpy(data, b->data, b->len);
    }
    if (b->secret && b->data != NULL) {
        explicit_bzero(b->data, b->cap);
    }
    free(b->data);
    b->data = data;
    b->cap = cap;
    return 0;
}

int hc_buf_reserve(struct hc_buf *b, size_t len, unsigned char **at, struct hc_error *err)
{
    if (len > b->max || b->len > b->max - len) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "more than %zu bytes", b->max);
    }
    if (b->len + len + 1 > b->cap && grow(b, b->len + len + 1, err) != 0) {
        return -1;
    }
    if (at != NULL) {
        *at = b->data + b->len;
    }
    return 0;
}

int hc_buf_append(struct hc_buf *b, const void *data, size_t len, struct hc_error *err)
{
    unsigned char *at = NULL;

    if (hc_buf_reserve(b, len, &at, err) != 0) {
        return -1;
    }
    if (len > 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): cap > 0 means data */
        memcpy(at, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int hc_buf_puts(struct hc_buf *b, const char *s, struct hc_error *err)
{
    return hc_buf_append(b, s, strlen(s), err);
}

int hc_buf_printf(struct hc_buf *b, struct hc_error *err, const char *fmt, ...)
{
    unsigned char *at = NULL;
    va_list args;
    int n = 0;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "a format could not be written");
    }
    if (hc_buf_reserve(b, (size_t)n, &at, err) != 0) {
        return -1;
    }
    va_start(args, fmt);
    vsnprintf((char *)at, (size_t)n + 1, fmt, args);
    va_end(args);
    b->len += (size_t)n;
    return 0;
}

const char *hc_buf_text(const struct hc_buf *b)
{
    return b->len > 0 ? (const char *)b->data : "";
}

void hc_buf_reset(struct hc_buf *b)
{
    if (b->secret && b->data != NULL) {
        explicit_bzero(b->data, b->cap);
    }
    b->len = 0;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

void hc_buf_dispose(struct hc_buf *b)
{
    if (b->secret && b->data != NULL) {
        explicit_bzero(b->data, b->cap);
    }
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}
