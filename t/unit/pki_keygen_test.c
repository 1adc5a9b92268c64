/* Keys made in a child. */
#include "pki/keygen.h"

#include "tap.h"

#define PATIENCE_MS 120000

static struct hc_loop *loop;

struct got {
    struct hc_keygen keygen;
    bool done;
    EVP_PKEY *key;
    struct hc_error err;
};

static void on_done(void *self, EVP_PKEY *key, const struct hc_error *err)
{
    struct got *got = self;

    got->done = true;
    got->key = key;
    if (err != NULL) {
        got->err = *err;
    }
}

static bool make(struct got *got, enum hc_key_type type)
{
    int64_t began = hc_now_ms(&hc_clock_system);

    memset(got, 0, sizeof(*got));
    if (hc_keygen_start(loop, &got->keygen, type, on_done, got, &got->err) != 0) {
        return false;
    }
    while (!got->done && hc_now_ms(&hc_clock_system) - began < PATIENCE_MS) {
        (void)!hc_loop_pass(loop, 100, NULL);
    }
    return got->done;
}

int main(void)
{
    static struct got got;

    if (hc_loop_new(&hc_clock_system, &loop, NULL) != 0) {
        return 99;
    }
    ok(hc_keygen_is_slow(HC_KEY_RSA_2048) && hc_keygen_is_slow(HC_KEY_RSA_4096) &&
           !hc_keygen_is_slow(HC_KEY_ECDSA_256) && !hc_keygen_is_slow(HC_KEY_ECDSA_384),
       "RSA keys are those that take long");
    ok(make(&got, HC_KEY_RSA_4096) && got.key != NULL && EVP_PKEY_get_bits(got.key) == 4096,
       "an RSA key of 4,096 bits");
    ok(hc_activity_worst(hc_loop_activities(loop))->worst_us < 1000 * 100,
       "the loop was not held meanwhile (making one takes longer than that)");
    EVP_PKEY_free(got.key);
    ok(make(&got, HC_KEY_NONE) && got.key == NULL && hc_error_is_set(&got.err),
       "what cannot be made is an error");
    ok(hc_keygen_start(loop, &got.keygen, HC_KEY_RSA_4096, on_done, &got, &got.err) == 0,
       "one begins");
    got.done = false;
    hc_keygen_stop(&got.keygen);
    ok(!got.done && hc_loop_next_ms(loop) == -1, "and is stopped without a word");
    hc_loop_free(loop);
    return done();
}
