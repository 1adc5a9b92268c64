/* The pool of nonces. */
#include "acme/nonce.h"

#include "tap.h"

int main(void)
{
    static struct hc_nonces pool;
    static const char *const bad[] = {"", "a b", "a\n", "caf\xc3\xa9", "a=", "a+b", "a/b"};
    char out[HC_NONCE_SIZE] = "";
    char text[HC_NONCE_SIZE + 1];

    ok(!hc_nonces_take(&pool, out), "an empty pool has none");
    hc_nonces_put(&pool, "first");
    hc_nonces_put(&pool, "second_-9");
    ok(hc_nonces_take(&pool, out), "a pool has one");
    is_str(out, "second_-9", "the newest goes first");
    ok(hc_nonces_take(&pool, out) && strcmp(out, "first") == 0, "then the one before");
    ok(!hc_nonces_take(&pool, out), "each once");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        hc_nonces_put(&pool, bad[i]);
    }
    memset(text, 'a', HC_NONCE_SIZE);
    text[HC_NONCE_SIZE] = '\0';
    hc_nonces_put(&pool, text);
    ok(!hc_nonces_take(&pool, out), "what is not base64url, or too long, is no nonce");
    for (int i = 0; i < HC_NONCE_POOL + 5; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        hc_nonces_put(&pool, text);
    }
    is_int(pool.count, HC_NONCE_POOL, "a full pool forgets");
    for (int i = 0; i < HC_NONCE_POOL; i++) {
        (void)hc_nonces_take(&pool, out);
    }
    is_str(out, "n5", "the oldest");
    hc_nonces_put(&pool, "x");
    hc_nonces_clear(&pool);
    ok(!hc_nonces_take(&pool, out), "a cleared pool has none");
    return done();
}
