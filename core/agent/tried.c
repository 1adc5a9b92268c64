/* Methods that were tried; see tried.h. */
#include "agent/tried.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"

#define KEPT_S ((int64_t)400 * 86400) /* longer than any certificate lives */

static uint64_t hash_of(const struct hc_list *list)
{
    uint64_t hash = HC_HASH_SEED;

    for (size_t i = 0; i < list->count; i++) {
        hash = hc_hash_bytes(list->items[i], strlen(list->items[i]) + 1, hash);
    }
    return hash & INT64_MAX;
}

static int compare(const void *key, const void *item)
{
    return strcmp(key, ((const struct hc_tried_name *)item)->name);
}

static size_t place_of(const struct hc_tried *tried, const char *name, bool *found)
{
    size_t at = 0;

    *found = hc_vec_place(name, tried->items, tried->count, sizeof(*tried->items), compare, &at);
    return at;
}

static void dispose_one(struct hc_tried_name *one)
{
    free(one->name);
    free(one->method);
}

/* Takes the strings of one; NULL: no memory, and they are the caller's still. */
static struct hc_tried_name *insert(struct hc_tried *tried, const struct hc_tried_name *one)
{
    bool found = false;
    size_t at = place_of(tried, one->name, &found);
    struct hc_tried_name *items = NULL;

    if (found) {
        dispose_one(&tried->items[at]);
        tried->items[at] = *one;
        return &tried->items[at];
    }
    items = hc_vec_room(tried->items, tried->count, &tried->cap, sizeof(*items), NULL);
    if (items == NULL) {
        return NULL;
    }
    tried->items = items;
    memmove(items + at + 1, items + at, (tried->count - at) * sizeof(*items));
    items[at] = *one;
    tried->count++;
    return &items[at];
}

/* Copies name and method of one, which has borrowed them. */
static int put(struct hc_tried *tried, const struct hc_tried_name *one, struct hc_error *err)
{
    struct hc_tried_name copy = *one;

    copy.name = copy.method = NULL;
    if (hc_strdup(one->name, &copy.name, err) != 0 ||
        hc_strdup(one->method, &copy.method, err) != 0 || insert(tried, &copy) == NULL) {
        dispose_one(&copy);
        return hc_error_nomem(err);
    }
    return 0;
}

static size_t place_in(const struct hc_list *list, const char *method)
{
    size_t at = 0;

    while (at < list->count && strcmp(list->items[at], method) != 0) {
        at++;
    }
    return at;
}

bool hc_tried_note(struct hc_tried *tried, const char *name, const struct hc_list *list,
                   const char *method, bool worked, int64_t now)
{
    size_t place = place_in(list, method);
    struct hc_tried_name one = {.worked = worked, .list = hash_of(list), .at = now};
    bool found = false;

    (void)place_of(tried, name, &found);
    if (place == list->count ||
        (!found && ((worked && place == 0) || list->count < 2 || tried->count >= HC_TRIED_NAMES))) {
        return false;
    }
    one.name = (char *)(uintptr_t)name;
    one.method = list->items[place];
    return put(tried, &one, NULL) == 0;
}

int hc_tried_order(const struct hc_tried *tried, const char *name, const struct hc_list *list,
                   struct hc_list *out, struct hc_error *err)
{
    bool found = false;
    size_t at = place_of(tried, name, &found);
    const struct hc_tried_name *one = found ? &tried->items[at] : NULL;
    size_t first = 0;

    if (one != NULL && one->list == hash_of(list)) {
        first = place_in(list, one->method) + !one->worked;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (hc_list_add(out, list->items[(first + i) % list->count], err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the record ---- */

static bool is_forgotten(const struct hc_tried_name *one, int64_t now)
{
    return one->at < now - KEPT_S;
}

int hc_tried_merge(struct hc_tried *tried, const struct hc_tried *other, int64_t now,
                   struct hc_error *err)
{
    for (size_t i = 0; i < other->count; i++) {
        const struct hc_tried_name *theirs = &other->items[i];
        bool found = false;
        size_t at = place_of(tried, theirs->name, &found);

        if (is_forgotten(theirs, now) || (found && tried->items[at].at >= theirs->at)) {
            continue;
        }
        if (put(tried, theirs, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_tried_pull_back(struct hc_tried *tried, int64_t now)
{
    for (size_t i = 0; i < tried->count; i++) {
        if (tried->items[i].at > now) {
            tried->items[i].at = now;
        }
    }
}

json_t *hc_tried_to_json(const struct hc_tried *tried)
{
    json_t *object = json_object();

    for (size_t i = 0; i < tried->count; i++) {
        const struct hc_tried_name *one = &tried->items[i];

        json_object_set_new(object, one->name,
                            json_pack("{s:s, s:b, s:I, s:I}", "method", one->method, "worked",
                                      (int)one->worked, "list", (json_int_t)one->list, "at",
                                      (json_int_t)one->at));
    }
    return object;
}

int hc_tried_from_json(json_t *object, int64_t now, struct hc_tried *tried, struct hc_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(object, name, value)
    {
        struct hc_tried_name one = {
            .name = (char *)(uintptr_t)name,
            .method = (char *)(uintptr_t)json_string_value(json_object_get(value, "method")),
            .worked = json_is_true(json_object_get(value, "worked")),
            .list = (uint64_t)json_integer_value(json_object_get(value, "list")),
            .at = (int64_t)json_integer_value(json_object_get(value, "at")),
        };

        one.at = one.at > now ? now : one.at;
        if (one.method != NULL && !is_forgotten(&one, now) && tried->count < HC_TRIED_NAMES &&
            put(tried, &one, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_tried_dispose(struct hc_tried *tried)
{
    for (size_t i = 0; i < tried->count; i++) {
        dispose_one(&tried->items[i]);
    }
    free(tried->items);
    memset(tried, 0, sizeof(*tried));
}
