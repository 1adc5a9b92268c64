/* core/conf/digest.c: the sums are SHA-256's, and lengths keep things apart. */
#include "conf/digest.h"

#include <string.h>

#include "base/str.h"
#include "tap.h"

/* FIPS 180-2, "abc" */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sum(struct hc_digest *digest, char hex[65])
{
    unsigned char out[HC_DIGEST_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_digest_end(digest, out, &err) == 0, "a sum");
    hc_hex(hex, out, sizeof(out));
}

int main(void)
{
    struct hc_digest digest;
    char one[65];
    char two[65];

    hc_digest_begin(&digest);
    hc_digest_bytes(&digest, "ab", 2);
    hc_digest_bytes(&digest, NULL, 0);
    hc_digest_bytes(&digest, "c", 1);
    sum(&digest, one);
    is_str(one, ABC, "it is SHA-256 of all of it");

    hc_digest_begin(&digest);
    hc_digest_text(&digest, "ab");
    hc_digest_text(&digest, NULL);
    sum(&digest, one);
    hc_digest_begin(&digest);
    hc_digest_bytes(&digest, "ab\0\0", 4);
    sum(&digest, two);
    is_str(one, two, "a text has its zero byte");

    hc_digest_begin(&digest);
    hc_digest_chunk(&digest, "ab", 2);
    hc_digest_chunk(&digest, "c", 1);
    sum(&digest, one);
    hc_digest_begin(&digest);
    hc_digest_chunk(&digest, "a", 1);
    hc_digest_chunk(&digest, "bc", 2);
    sum(&digest, two);
    ok(strcmp(one, two) != 0, "chunks are kept apart");
    return done();
}
