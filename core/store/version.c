/* The bytes of a version; see version.h. */
#include "store/version.h"

#include "store/head.h"
#include "store/seal.h"

#define PURPOSE "hotcert pair 1"

int hc_version_seal(const unsigned char secret[HC_SECRET_SIZE], const struct hc_line_info *info,
                    struct hc_bytes encoded, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf head = HC_BUF_INIT(HC_HEAD_MAX);
    int rc = -1;

    if (hc_head_write(info, &head, err) == 0 && hc_buf_append(out, head.data, head.len, err) == 0) {
        rc = hc_seal(secret, PURPOSE, hc_bytes_of(&head), encoded, out, err);
    }
    hc_buf_dispose(&head);
    return rc;
}

int hc_version_unseal(const unsigned char *secret, struct hc_bytes version,
                      struct hc_line_info *info, struct hc_buf *plain, struct hc_error *err)
{
    size_t head = 0;

    if (hc_head_read(version, info, &head, err) != 0) {
        return -1;
    }
    if (secret == NULL) {
        return 0;
    }
    return hc_unseal(secret, PURPOSE, (struct hc_bytes){version.data, head},
                     (struct hc_bytes){version.data + head, version.len - head}, plain, err);
}
