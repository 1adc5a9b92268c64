/* Binary forms; see reader.h. */
#include "base/reader.h"

#include <string.h>

int hc_get_bytes(struct hc_reader *in, size_t len, struct hc_bytes *out, struct hc_error *err)
{
    if (len > in->left) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "a piece of %zu bytes where %zu are left",
                            len, in->left);
    }
    *out = (struct hc_bytes){in->data, len};
    in->data = len > 0 ? in->data + len : in->data;
    in->left -= len;
    return 0;
}

int hc_get_number(struct hc_reader *in, size_t width, uint64_t *out, struct hc_error *err)
{
    struct hc_bytes bytes;

    if (width > sizeof(*out) || in->left < width) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "the bytes end inside a number");
    }
    if (hc_get_bytes(in, width, &bytes, err) != 0) {
        return -1;
    }
    *out = 0;
    for (size_t i = 0; i < width; i++) {
        *out = *out << 8 | bytes.data[i];
    }
    return 0;
}

int hc_get_chunk(struct hc_reader *in, size_t max, struct hc_bytes *chunk, struct hc_error *err)
{
    struct hc_reader at = *in;
    uint64_t len = 0;

    if (hc_get_number(&at, 4, &len, err) != 0) {
        return -1;
    }
    if (len == 0 || len > max) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "a piece of %zu bytes where %zu are left",
                            (size_t)len, at.left);
    }
    if (hc_get_bytes(&at, (size_t)len, chunk, err) != 0) {
        return -1;
    }
    *in = at;
    return 0;
}

int hc_get_magic(struct hc_reader *in, const unsigned char magic[4], struct hc_error *err)
{
    struct hc_bytes ignored;

    if (in->left < 4 || memcmp(in->data, magic, 4) != 0) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "bytes of another kind or version");
    }
    return hc_get_bytes(in, 4, &ignored, err);
}

bool hc_skip_text(struct hc_reader *in, const char *text)
{
    size_t len = strlen(text);

    if (len > in->left || (len > 0 && memcmp(in->data, text, len) != 0)) {
        return false;
    }
    in->data += len;
    in->left -= len;
    return true;
}

bool hc_get_line(struct hc_reader *in, struct hc_bytes *line)
{
    const unsigned char *end = in->left > 0 ? memchr(in->data, '\n', in->left) : NULL;

    if (end == NULL) {
        return false;
    }
    *line = (struct hc_bytes){in->data, (size_t)(end - in->data)};
    in->data = end + 1;
    in->left -= line->len + 1;
    return true;
}

int hc_put_number(struct hc_buf *out, uint64_t number, size_t width, struct hc_error *err)
{
    unsigned char bytes[sizeof(number)];

    if (width > sizeof(bytes) || (width < sizeof(bytes) && number >> (8 * width) != 0)) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "a number in %zu bytes", width);
    }
    for (size_t i = 0; i < width; i++) {
        bytes[i] = (unsigned char)(number >> (8 * (width - 1 - i)));
    }
    return hc_buf_append(out, bytes, width, err);
}

int hc_put_chunk(struct hc_buf *out, const unsigned char *data, size_t len, struct hc_error *err)
{
    return hc_put_number(out, len, 4, err) == 0 ? hc_buf_append(out, data, len, err) : -1;
}
