/* core/base/hash.h: FNV-1a as it is published. */
#include "base/hash.h"

#include "tap.h"

int main(void)
{
    ok(hc_hash_bytes("", 0, HC_HASH_SEED) == UINT64_C(0xcbf29ce484222325), "of nothing");
    ok(hc_hash_bytes("a", 1, HC_HASH_SEED) == UINT64_C(0xaf63dc4c8601ec8c), "of a letter");
    ok(hc_hash_bytes("foobar", 6, HC_HASH_SEED) == UINT64_C(0x85944171f73967e8), "of a word");
    ok(hc_hash_bytes("bar", 3, hc_hash_bytes("foo", 3, HC_HASH_SEED)) ==
           UINT64_C(0x85944171f73967e8),
       "in two steps it is the same");
    return done();
}
