/* Chunks; see reader.h. */
#include "pki/reader.h"

#include <string.h>

int hc_put_chunk(struct hc_buf *out, const unsigned char *data, size_t len, struct hc_error *err)
{
    unsigned char head[4] = {(unsigned char)(len >> 24), (unsigned char)(len >> 16),
                             (unsigned char)(len >> 8), (unsigned char)len};

    return hc_buf_append(out, head, sizeof(head), err) == 0 ? hc_buf_append(out, data, len, err)
                                                            : -1;
}

int hc_get_chunk(struct hc_reader *in, size_t max, struct hc_bytes *chunk, struct hc_error *err)
{
    size_t len = 0;

    if (in->left < 4) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "the bytes end inside of a length");
    }
    len = (size_t)in->data[0] << 24 | (size_t)in->data[1] << 16 | (size_t)in->data[2] << 8 |
          (size_t)in->data[3];
    if (len == 0 || len > max || len > in->left - 4) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "a piece of %zu bytes where %zu are left",
                            len, in->left - 4);
    }
    *chunk = (struct hc_bytes){in->data + 4, len};
    in->data += 4 + len;
    in->left -= 4 + len;
    return 0;
}

int hc_get_magic(struct hc_reader *in, const unsigned char magic[4], struct hc_error *err)
{
    if (in->left < 4 || memcmp(in->data, magic, 4) != 0) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "bytes of another kind or version");
    }
    in->data += 4;
    in->left -= 4;
    return 0;
}
