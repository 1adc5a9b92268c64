/* core/base/vec.c: arrays have the room that was asked for, and a place is found as in a plain
 * search. */
#include "base/vec.h"

#include <stdlib.h>

#include "failing_alloc.h"
#include "tap.h"

static void grows(bool keeps_cap)
{
    unsigned *items = NULL;
    size_t cap = 0;
    bool whole = true;

    for (unsigned i = 0; i < 1000; i++) {
        unsigned *grown = hc_vec_room(items, i, keeps_cap ? &cap : NULL, sizeof(*items), NULL);

        if (grown == NULL) {
            free(items);
            ok(false, "there is memory");
            return;
        }
        items = grown;
        items[i] = i;
    }
    for (unsigned i = 0; i < 1000; i++) {
        whole = whole && items[i] == i;
    }
    ok(whole, keeps_cap ? "a thousand numbers are what they were" : "and without a cap");
    ok(!keeps_cap || cap - 1000 < 1000 / 8, "where there are many, little is left over");
    free(items);
}

static void shrinks(void)
{
    unsigned *items = NULL;

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned count = 0; count < 37; count++) {
            items = hc_vec_room(items, count, NULL, sizeof(*items), NULL);
            items[count] = count; /* the sanitizer tells if there is no room */
        }
        for (unsigned count = 20; count > 0; count--) {
            items = hc_vec_room(items, count, NULL, sizeof(*items), NULL);
            items[count] = count;
        }
    }
    ok(items[1] == 1, "there is room also where the count has fallen");
    free(items);
}

static void without_memory(void)
{
    struct hc_error err = {0};
    size_t cap = 0;
    unsigned *items = hc_vec_room(NULL, 0, &cap, sizeof(*items), NULL);

    ok(items != NULL && cap == 1, "the first one");
    items[0] = 7;
    ok(hc_vec_room(items, 1, &cap, SIZE_MAX / 4, &err) == NULL && cap == 1,
       "more than there can be");
    ok(err.problem == HC_P_OUT_OF_MEMORY, "is told as such");
    if (FAILING_ALLOC) {
        err = (struct hc_error){0};
        alloc_countdown = 1;
        ok(hc_vec_room(items, 1, &cap, sizeof(*items), &err) == NULL && cap == 1, "no memory");
        ok(err.problem == HC_P_OUT_OF_MEMORY, "is told as such");
    }
    ok(items[0] == 7, "nothing is lost");
    free(items);
}

static int order(const void *key, const void *item)
{
    unsigned a = *(const unsigned *)key;
    unsigned b = *(const unsigned *)item;

    return a < b ? -1 : a > b;
}

static void places(void)
{
    static const unsigned items[] = {2, 4, 4, 4, 8, 10, 12};
    bool same = true;

    for (size_t count = 0; count <= sizeof(items) / sizeof(items[0]); count++) {
        for (unsigned key = 0; key < 14; key++) {
            size_t want = 0;
            size_t at = 99;
            bool found = hc_vec_place(&key, items, count, sizeof(items[0]), order, &at);

            while (want < count && items[want] < key) {
                want++;
            }
            same = same && at == want && found == (want < count && items[want] == key);
        }
    }
    ok(same, "every place of every key is the first that is not before it");
}

int main(void)
{
    grows(true);
    grows(false);
    shrinks();
    without_memory();
    places();
    return done();
}
