/*
 * The readable head of a stored version: whatever is read must be written again byte for byte. The
 * first byte says what is done to the input so that deep places are reached: bit 0 ends it with the
 * checksum that it should have, bit 1 puts a good beginning before it, bit 2 a good end behind it.
 */
#include <string.h>

#include "store/head.h"
#include "store/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char beginning[] =
    "hotcert pair 1\n"
    "line: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nversion: 7\nmode: on\n"
    "issuer: https://ca.example/dir\nissuer-name: example\nkey-type: ecdsa:256\nname: a.example\n";
static const char end[] = "not-before: 2026-01-01T00:00:00Z\nnot-after: 2026-03-01T00:00:00Z\n"
                          "committed: 2026-01-01T00:00:01Z\nserial: 0a\n";

static int make_input(const uint8_t *data, size_t size, struct hc_buf *in)
{
    struct hc_bytes text;
    char hex[65];

    if (((data[0] & 2) != 0 && hc_buf_puts(in, beginning, NULL) != 0) ||
        hc_buf_append(in, data + 1, size - 1, NULL) != 0 ||
        ((data[0] & 4) != 0 && hc_buf_puts(in, end, NULL) != 0)) {
        return -1;
    }
    if ((data[0] & 1) == 0) {
        return 0;
    }
    text = hc_bytes_of(in);
    if (hc_seal_checksum(text, hex, NULL) != 0) {
        return -1;
    }
    return hc_buf_printf(in, NULL, "check: %s\n\n", hex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_buf in = HC_BUF_INIT(HC_HEAD_MAX);
    struct hc_buf again = HC_BUF_INIT(4 * HC_HEAD_MAX);
    struct hc_line_info info = {.version = 0};
    struct hc_error err = {0};
    size_t used = 0;

    if (size > 0 && make_input(data, size, &in) == 0) {
        if (hc_head_read(hc_bytes_of(&in), &info, &used, &err) != 0) {
            if (!hc_error_is_set(&err)) {
                __builtin_trap();
            }
        } else if (hc_head_write(&info, &again, &err) == 0) {
            if (again.len != used || memcmp(again.data, in.data, used) != 0) {
                __builtin_trap();
            }
        } else if (err.problem != HC_P_TOO_LARGE) {
            __builtin_trap(); /* a value that is longer than we write */
        }
    }
    hc_line_info_dispose(&info);
    hc_buf_dispose(&in);
    hc_buf_dispose(&again);
    return 0;
}
