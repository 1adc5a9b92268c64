/* Arrays that grow; see vec.h. */
#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>

#define MANY 64 /* up to here an array doubles; what is larger would waste half of it */

/* No array is as large; who asks for more has miscounted. */
#define BYTES_MAX ((size_t)PTRDIFF_MAX >> (sizeof(size_t) > 4 ? 23 : 0))

void *hc_vec_room(void *items, size_t count, size_t *cap, size_t size, struct hc_error *err)
{
    size_t wanted = cap != NULL && count >= MANY ? count + count / 8 : count > 0 ? 2 * count : 1;
    void *grown = NULL;

    if (items != NULL && (cap != NULL ? count < *cap : (count & (count - 1)) != 0)) {
        return items;
    }
    if (count <= BYTES_MAX / 2 / size) {
        grown = realloc(items, wanted * size);
    }
    if (grown == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    if (cap != NULL) {
        *cap = wanted;
    }
    return grown;
}

bool hc_vec_place(const void *key, const void *items, size_t count, size_t size,
                  hc_vec_order *order, size_t *place)
{
    size_t low = 0;
    size_t high = count;
    bool found = false;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int after = order(key, (const char *)items + middle * size);

        found = found || after == 0;
        if (after > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *place = low;
    return found;
}
