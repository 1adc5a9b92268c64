/*
 * hc_bundle: the pairs of one identity; see pair.h. Encoded as "hcb1", then each pair's encoding
 * behind its length.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/reader.h"
#include "pki/pair.h"

struct hc_bundle {
    atomic_uint references;
    struct hc_pair *pairs[HC_BUNDLE_PAIRS];
    size_t count;
};

static const unsigned char magic[4] = {'h', 'c', 'b', '1'};

static int check_pairs(struct hc_pair *const *pairs, size_t count, struct hc_error *err)
{
    if (count == 0 || count > HC_BUNDLE_PAIRS) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "%zu pairs in one bundle", count);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (hc_pair_algorithm(pairs[i]) == hc_pair_algorithm(pairs[j])) {
                return hc_error_set(err, HC_P_PROTOCOL, NULL,
                                    "two pairs of one key algorithm in one bundle");
            }
        }
    }
    return 0;
}

int hc_bundle_new(struct hc_pair **pairs, size_t count, struct hc_bundle **out,
                  struct hc_error *err)
{
    struct hc_bundle *bundle = NULL;

    if (check_pairs(pairs, count, err) != 0) {
        return -1;
    }
    bundle = calloc(1, sizeof(*bundle));
    if (bundle == NULL) {
        return hc_error_nomem(err);
    }
    atomic_init(&bundle->references, 1);
    for (size_t i = 0; i < count; i++) {
        bundle->pairs[i] = pairs[i];
    }
    bundle->count = count;
    *out = bundle;
    return 0;
}

int hc_bundle_encode(const struct hc_bundle *bundle, struct hc_buf *out, struct hc_error *err)
{
    struct hc_buf one = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    int rc = hc_buf_append(out, magic, sizeof(magic), err);

    for (size_t i = 0; rc == 0 && i < bundle->count; i++) {
        hc_buf_reset(&one);
        rc = hc_pair_encode(bundle->pairs[i], &one, err);
        rc = rc == 0 ? hc_put_chunk(out, one.data, one.len, err) : -1;
    }
    hc_buf_dispose(&one);
    return rc;
}

int hc_bundle_decode(const unsigned char *data, size_t len, struct hc_bundle **out,
                     struct hc_error *err)
{
    struct hc_reader in = {data, len};
    struct hc_pair *pairs[HC_BUNDLE_PAIRS] = {NULL};
    struct hc_bytes chunk;
    size_t count = 0;
    int rc = -1;

    if (hc_get_magic(&in, magic, err) != 0) {
        goto out;
    }
    while (in.left > 0) {
        if (count == HC_BUNDLE_PAIRS) {
            hc_error_set(err, HC_P_PROTOCOL, NULL, "more than %d pairs in one bundle",
                         HC_BUNDLE_PAIRS);
            goto out;
        }
        if (hc_get_chunk(&in, HC_BUNDLE_MAX, &chunk, err) != 0 ||
            hc_pair_decode(chunk.data, chunk.len, &pairs[count], err) != 0) {
            goto out;
        }
        count++;
    }
    rc = hc_bundle_new(pairs, count, out, err);
out:
    for (size_t i = 0; rc != 0 && i < count; i++) {
        hc_pair_free(pairs[i]);
    }
    return rc;
}

struct hc_bundle *hc_bundle_ref(struct hc_bundle *bundle)
{
    atomic_fetch_add_explicit(&bundle->references, 1, memory_order_relaxed);
    return bundle;
}

void hc_bundle_free(struct hc_bundle *bundle)
{
    if (bundle == NULL ||
        atomic_fetch_sub_explicit(&bundle->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < bundle->count; i++) {
        hc_pair_free(bundle->pairs[i]);
    }
    free(bundle);
}

size_t hc_bundle_count(const struct hc_bundle *bundle)
{
    return bundle->count;
}

struct hc_pair *hc_bundle_pair(const struct hc_bundle *bundle, size_t i)
{
    return i < bundle->count ? bundle->pairs[i] : NULL;
}
