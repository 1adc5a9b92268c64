/*
 * Finds by content in a growing array of the caller's: a hash of what the numbers 0, 1, 2 .. stand
 * for. Zeroed memory is an empty index. One thread.
 */
#ifndef HC_CONF_INDEX_H
#define HC_CONF_INDEX_H

#include "base/compiler.h"
#include "base/error.h"

struct hc_index {
    struct hc_index_slot {
        uint32_t hash;
        uint32_t number; /* one more than it; 0: empty */
    } * slots;
    size_t cap, count;
};

/* True if number's content is what is looked for. */
typedef bool hc_index_same(const void *self, size_t number);

/* The number with this hash for which same() holds, or SIZE_MAX. */
size_t hc_index_find(const struct hc_index *index, uint64_t hash, hc_index_same *same,
                     const void *self);
/* number is not in it yet, and below UINT32_MAX. */
int hc_index_add(struct hc_index *index, uint64_t hash, size_t number,
                 struct hc_error *err) HC_MUST_USE;
void hc_index_dispose(struct hc_index *index);

#endif
