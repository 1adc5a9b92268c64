/* Fuzz target: replies to updates with their signatures, and key files. */
#include <string.h>

#include "dns/tsig.h"
#include "dns/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char secret[32] = "a secret of thirty-two octets ..";
    const struct hc_bytes bytes = {data, size};
    struct hc_tsig_key key = {.bits = 256, .len = sizeof(secret)};
    struct hc_tsig_mac mac = {.len = 32};
    struct hc_dns_update update = {.value = "value"};
    struct hc_error err = {0};
    int used = 0;

    memcpy(key.secret, secret, sizeof(secret));
    if (hc_dname_from_host("key.test", &key.name, &err) != 0 ||
        hc_dname_from_host("a.test", &update.zone, &err) != 0) {
        return 0;
    }
    used += hc_tsig_verify(bytes, &key, 1700000000, &mac, &err);
    used += hc_dns_update_check(bytes, &update, 7, &err);
    used += hc_tsig_key_parse(bytes, "file", &key, &err);
    return used > 0 ? -1 : 0;
}
