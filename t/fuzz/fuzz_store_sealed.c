/*
 * Sealed bodies: versions and records as a store finds them. Nothing that was not sealed may open;
 * what is sealed from the input must open to the input again, and not with one bit turned.
 */
#include <string.h>

#include "store/envelope.h"
#include "store/internal.h"
#include "store/seal.h"
#include "store/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_not_open(struct hc_store *store, struct hc_bytes raw)
{
    struct hc_buf plain = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX);
    struct hc_line_info info = {.version = 0};

    if (hc_version_unseal(store->secret, raw, &info, &plain, NULL) == 0 ||
        hc_envelope_open(store->secret, "job/x", raw, &plain, NULL) == 0 || plain.len != 0) {
        __builtin_trap();
    }
    hc_line_info_dispose(&info);
    hc_buf_dispose(&plain);
}

static void must_come_back(struct hc_store *store, struct hc_bytes raw)
{
    struct hc_bytes bound = {(const unsigned char *)"bound", 5};
    struct hc_buf sealed = HC_BUF_INIT(HC_STORE_FILE_MAX);
    struct hc_buf plain = HC_BUF_INIT_SECRET(HC_STORE_FILE_MAX);

    if (hc_seal(store->secret, "fuzz", bound, raw, &sealed, NULL) != 0 ||
        hc_unseal(store->secret, "fuzz", bound, hc_bytes_of(&sealed), &plain, NULL) != 0 ||
        plain.len != raw.len || (raw.len > 0 && memcmp(plain.data, raw.data, raw.len) != 0)) {
        __builtin_trap();
    }
    hc_buf_reset(&plain);
    sealed.data[raw.len > 0 ? raw.data[0] % sealed.len : 0] ^= 4;
    if (hc_unseal(store->secret, "fuzz", bound, hc_bytes_of(&sealed), &plain, NULL) == 0 ||
        plain.len != 0) {
        __builtin_trap();
    }
    hc_buf_dispose(&sealed);
    hc_buf_dispose(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_store store = {.has_secret = true, .secret = "the secret of these fuzzing runs"};

    must_not_open(&store, (struct hc_bytes){data, size});
    must_come_back(&store, (struct hc_bytes){data, size});
    return 0;
}
