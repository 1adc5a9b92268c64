/* The bytes of a record; see envelope.h. */
#include "store/envelope.h"

#include <string.h>

#include "base/reader.h"
#include "store/seal.h"

#define FIRST_LINE "hotcert record 1\n"
#define PURPOSE    "hotcert record 1"

static struct hc_bytes bytes_of(const char *text)
{
    return (struct hc_bytes){(const unsigned char *)text, strlen(text)};
}

int hc_envelope_seal(const unsigned char secret[HC_SECRET_SIZE], const char *bound,
                     struct hc_bytes value, struct hc_buf *out, struct hc_error *err)
{
    if (value.len > HC_ENVELOPE_VALUE_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, bound, "%zu bytes", value.len);
    }
    if (hc_buf_puts(out, FIRST_LINE, err) != 0) {
        return -1;
    }
    return hc_seal(secret, PURPOSE, bytes_of(bound), value, out, err);
}

int hc_envelope_open(const unsigned char secret[HC_SECRET_SIZE], const char *bound,
                     struct hc_bytes record, struct hc_buf *out, struct hc_error *err)
{
    struct hc_reader in = hc_reader_of(record);

    if (!hc_skip_text(&in, FIRST_LINE)) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, bound, "it does not begin as a record does");
    }
    return hc_unseal(secret, PURPOSE, bytes_of(bound), (struct hc_bytes){in.data, in.left}, out,
                     err);
}
