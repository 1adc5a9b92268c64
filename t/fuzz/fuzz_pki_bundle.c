/* The form that comes out of the live table: decoded, and what decodes must encode again. */
#include "pki/pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_buf again = HC_BUF_INIT_SECRET(2 * HC_BUNDLE_MAX);
    struct hc_error err = {0};
    struct hc_bundle *bundle = NULL;

    if (hc_bundle_decode(data, size, &bundle, &err) == 0) {
        if (hc_bundle_encode(bundle, &again, &err) != 0) {
            __builtin_trap();
        }
        hc_bundle_free(bundle);
    } else if (!hc_error_is_set(&err)) {
        __builtin_trap();
    }
    hc_buf_dispose(&again);
    return 0;
}
