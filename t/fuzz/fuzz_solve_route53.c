/* What Route 53 answers. */
#include <string.h>

#include "solve/route53_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hc_bytes bytes = {data, size};
    struct hc_route53_zones zones = {.name = "a.test"};
    struct hc_route53_set set = {.ttl = 0};
    struct hc_route53_change change;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_route53_take_zones(bytes, &zones, &err) == 0 &&
        (zones.count > 0) != (zones.id[0] != 0)) {
        __builtin_trap();
    }
    hc_error_init(&err);
    if (hc_route53_take_set(bytes, "_acme-challenge.a.test", &set, &err) == 0 && !set.there &&
        set.values.count > 0) {
        __builtin_trap();
    }
    hc_route53_set_dispose(&set);
    hc_error_init(&err);
    if (hc_route53_take_change(bytes, &change, &err) == 0 &&
        strspn(change.id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") !=
            strlen(change.id)) {
        __builtin_trap();
    }
    return 0;
}
