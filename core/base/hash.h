/* FNV-1a: for tables and for telling texts apart, never where somebody may want them to collide. */
#ifndef HC_BASE_HASH_H
#define HC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HC_HASH_SEED UINT64_C(0xcbf29ce484222325)

/* Of these bytes, going on from seed. */
static inline uint64_t hc_hash_bytes(const void *data, size_t len, uint64_t seed)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++) {
        seed = (seed ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return seed;
}

#endif
