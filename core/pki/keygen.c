/* Keys made in a child; see keygen.h. */
#include "pki/keygen.h"

#include <errno.h>
#include <unistd.h>

#define KEY_MAX  16384  /* octets of PKCS #8; RSA 4096: 2,400 */
#define LIMIT_MS 300000 /* for a slow machine under load */

bool hc_keygen_is_slow(enum hc_key_type type)
{
    return hc_key_type_is_rsa(type);
}

/* In the child: the key to standard output. What went wrong is told there as text. */
static int make_key(void *arg)
{
    const struct hc_keygen *keygen = arg;
    struct hc_buf der = HC_BUF_INIT_SECRET(KEY_MAX);
    EVP_PKEY *key = NULL;
    struct hc_error err;
    size_t done = 0;

    hc_error_init(&err);
    if (hc_key_new(keygen->type, &key, &err) != 0 || hc_key_to_der(key, &der, &err) != 0) {
        return 1;
    }
    while (done < der.len) {
        ssize_t n = write(STDOUT_FILENO, der.data + done, der.len - done);

        if (n < 0 && errno != EINTR) {
            return 1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0; /* the process ends: nothing is left to wipe or to free */
}

static void on_made(void *self, const struct hc_child_result *result)
{
    struct hc_keygen *keygen = self;
    EVP_PKEY *key = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_child_check(result, HC_P_SYSTEM, hc_key_type_name(keygen->type), &err) != 0 ||
        hc_key_from_der(result->output.data, result->output.len, &key, &err) != 0) {
        hc_error_during(&err, "making a key in a child");
    }
    keygen->done(keygen->self, key, key != NULL ? NULL : &err);
}

int hc_keygen_start(struct hc_loop *loop, struct hc_keygen *keygen, enum hc_key_type type,
                    hc_keygen_done *done, void *self, struct hc_error *err)
{
    struct hc_child_options options = {
        .name = "key",
        .work = make_key,
        .arg = keygen,
        .output_max = KEY_MAX,
        .secret = true,
        .limit_ms = LIMIT_MS,
    };

    keygen->type = type;
    keygen->done = done;
    keygen->self = self;
    return hc_child_start(loop, &keygen->child, &options, on_made, keygen, err);
}

void hc_keygen_stop(struct hc_keygen *keygen)
{
    hc_child_stop(&keygen->child);
}
