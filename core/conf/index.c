/* An open-addressed table of numbers; see index.h. */
#include "conf/index.h"

#include <stdlib.h>

static uint32_t fold(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

size_t hc_index_find(const struct hc_index *index, uint64_t hash, hc_index_same *same,
                     const void *self)
{
    uint32_t own = fold(hash);

    for (size_t at = own, tried = 0; tried < index->cap; at++, tried++) {
        const struct hc_index_slot *slot = &index->slots[at & (index->cap - 1)];

        if (slot->number == 0) {
            break;
        }
        if (slot->hash == own && same(self, slot->number - 1)) {
            return slot->number - 1;
        }
    }
    return SIZE_MAX;
}

static void put(struct hc_index_slot *slots, size_t cap, struct hc_index_slot slot)
{
    size_t at = slot.hash;

    while (slots[at & (cap - 1)].number != 0) {
        at++;
    }
    slots[at & (cap - 1)] = slot;
}

/* At most half of it is used, and a power of two. */
static int grow(struct hc_index *index, struct hc_error *err)
{
    size_t cap = index->cap > 0 ? index->cap * 2 : 16;
    struct hc_index_slot *slots = calloc(cap, sizeof(*slots));

    if (slots == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < index->cap; i++) {
        if (index->slots[i].number != 0) {
            put(slots, cap, index->slots[i]);
        }
    }
    free(index->slots);
    index->slots = slots;
    index->cap = cap;
    return 0;
}

int hc_index_add(struct hc_index *index, uint64_t hash, size_t number, struct hc_error *err)
{
    if (2 * (index->count + 1) > index->cap && grow(index, err) != 0) {
        return -1;
    }
    put(index->slots, index->cap, (struct hc_index_slot){fold(hash), (uint32_t)number + 1});
    index->count++;
    return 0;
}

void hc_index_dispose(struct hc_index *index)
{
    free(index->slots);
    *index = (struct hc_index){0};
}
