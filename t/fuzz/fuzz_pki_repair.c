/* What a caIssuers URL gave: whatever it is, it helps or it is refused with a reason. */
#include "pki/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hc_pair *pair;
    struct hc_error err = {0};
    struct hc_pair *better = NULL;

    if (pair == NULL && hc_pair_bootstrap(&pair, &err) != 0) {
        __builtin_trap();
    }
    /* nothing can have issued a self-signed certificate but itself, which is no CA */
    if (hc_repair_take(pair, (struct hc_bytes){data, size}, "fuzz", &better, &err) == 0 ||
        !hc_error_is_set(&err)) {
        __builtin_trap();
    }
    return 0;
}
