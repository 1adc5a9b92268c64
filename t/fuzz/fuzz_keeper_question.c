/* What keeper and askers read of each other, and what the keeper takes for a secret. */
#include <string.h>

#include "keeper/question.h"
#include "keeper/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact length is hard to guess: the input is laid over a packet that is right. */
static void lay_over(const uint8_t *data, size_t size, void *packet, size_t len)
{
    memcpy(packet, data, size < len ? size : len);
}

static void check_reply(const void *packet, size_t len)
{
    struct hc_reply r;
    struct hc_error err = {0};

    if (hc_reply_parse(packet, len, &r) == 0) {
        int rc = hc_reply_result(&r, &err);

        if (r.size > HC_PAIR_PEM_MAX || (rc == 0) != (r.slug[0] == '\0') ||
            (rc == 0) == hc_error_is_set(&err) ||
            memchr(err.detail, '\0', sizeof(err.detail)) == NULL) {
            __builtin_trap();
        }
    }
}

static void check_question(const void *packet, size_t len)
{
    struct hc_question q;

    if (hc_question_parse(packet, len, &q) == 0 && (q.file < 0 || q.create > 1)) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char secret[HC_SECRET_SIZE];
    struct hc_question q;
    struct hc_reply r;
    struct hc_error none = {0};

    check_question(data, size);
    check_reply(data, size);
    hc_question_init(&q, HC_KEEPER_READ, 1);
    hc_reply_init(&r, &q, &none);
    if (size > 8) {
        lay_over(data + 8, size - 8, (unsigned char *)&q + 8, sizeof(q) - 8);
        lay_over(data + 8, size - 8, (unsigned char *)&r + 8, sizeof(r) - 8);
    }
    check_question(&q, sizeof(q));
    check_reply(&r, sizeof(r));
    if (hc_secret_parse(data, size, "secret", secret, NULL) == 0 && size < HC_SECRET_SIZE) {
        __builtin_trap();
    }
    return 0;
}
