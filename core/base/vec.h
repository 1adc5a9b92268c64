/*
 * Arrays that grow, and sorted ones: the elements are the owner's, of whatever type; this makes
 * room and finds places.
 */
#ifndef HC_BASE_VEC_H
#define HC_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * items, with room for one more of size bytes behind count of them: take what it returns as the
 * items. It doubles, and where there are many grows by an eighth. cap: how many there is room for;
 * NULL where the owner does not keep that: it always doubles, and is full whenever count is a power
 * of two. NULL without memory: items are as they were.
 */
void *hc_vec_room(void *items, size_t count, size_t *cap, size_t size,
                  struct hc_error *err) HC_MUST_USE;

/* As bsearch() and qsort() have it; the first one is the key where it is for hc_vec_place(). */
typedef int hc_vec_order(const void *key, const void *item);

/* The first place in sorted items whose item is not before key; true if it is key's. */
bool hc_vec_place(const void *key, const void *items, size_t count, size_t size,
                  hc_vec_order *order, size_t *place);

#endif
