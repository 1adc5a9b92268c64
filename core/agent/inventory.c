/* What the store has; see inventory.h. */
#include "agent/inventory.h"

#include <stdlib.h>
#include <string.h>

/* The place of a line, or where it would stand. */
static size_t place_of(const struct hc_inventory *inventory, const unsigned char line[HC_ID_SIZE],
                       bool *found)
{
    size_t low = 0;
    size_t high = inventory->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(inventory->items[middle].line, line, HC_ID_SIZE);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int make_room(struct hc_inventory *inventory, struct hc_error *err)
{
    size_t cap = inventory->cap > 0 ? inventory->cap * 2 : 16;
    struct hc_line_info *items = NULL;

    if (inventory->count < inventory->cap) {
        return 0;
    }
    items = realloc(inventory->items, cap * sizeof(*items));
    if (items == NULL) {
        return hc_error_nomem(err);
    }
    inventory->items = items;
    inventory->cap = cap;
    return 0;
}

static void forget_names(struct hc_inventory *inventory, const struct hc_line_info *info,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hc_name_index_remove(&inventory->names, info->names.items[i], info->line);
    }
}

static int index_names(struct hc_inventory *inventory, const struct hc_line_info *info,
                       struct hc_error *err)
{
    for (size_t i = 0; i < info->names.count; i++) {
        if (hc_name_index_add(&inventory->names, info->names.items[i], info->line, err) != 0) {
            forget_names(inventory, info, i);
            return -1;
        }
    }
    return 0;
}

int hc_inventory_put(struct hc_inventory *inventory, const struct hc_line_info *info,
                     struct hc_error *err)
{
    struct hc_line_info copy;
    bool found = false;
    size_t at = 0;

    memset(&copy, 0, sizeof(copy));
    if (make_room(inventory, err) != 0 || hc_line_info_copy(&copy, info, err) != 0) {
        return -1;
    }
    if (index_names(inventory, &copy, err) != 0) {
        hc_line_info_dispose(&copy);
        return -1;
    }
    at = place_of(inventory, info->line, &found);
    if (found) {
        forget_names(inventory, &inventory->items[at], inventory->items[at].names.count);
        hc_line_info_dispose(&inventory->items[at]);
    } else {
        memmove(inventory->items + at + 1, inventory->items + at,
                (inventory->count - at) * sizeof(*inventory->items));
        inventory->count++;
    }
    inventory->items[at] = copy;
    return 0;
}

void hc_inventory_drop(struct hc_inventory *inventory, const unsigned char line[HC_ID_SIZE])
{
    bool found = false;
    size_t at = place_of(inventory, line, &found);

    if (!found) {
        return;
    }
    forget_names(inventory, &inventory->items[at], inventory->items[at].names.count);
    hc_line_info_dispose(&inventory->items[at]);
    inventory->count--;
    memmove(inventory->items + at, inventory->items + at + 1,
            (inventory->count - at) * sizeof(*inventory->items));
}

const struct hc_line_info *hc_inventory_find(const struct hc_inventory *inventory,
                                             const unsigned char line[HC_ID_SIZE])
{
    bool found = false;
    size_t at = place_of(inventory, line, &found);

    return found ? &inventory->items[at] : NULL;
}

const struct hc_line_info *hc_inventory_named(const struct hc_inventory *inventory,
                                              const char *name, size_t *at)
{
    const unsigned char *line = NULL;

    while ((line = hc_name_index_next(&inventory->names, name, at)) != NULL) {
        const struct hc_line_info *info = hc_inventory_find(inventory, line);

        if (info != NULL && hc_list_has(&info->names, name)) {
            return info;
        }
    }
    return NULL;
}

struct reading {
    struct hc_inventory fresh;
    struct hc_error *err;
    bool failed;
};

/* Puts them one behind the other; they are sorted when all are there. */
static int read_one(void *arg, const struct hc_line_info *info)
{
    struct reading *reading = arg;
    struct hc_inventory *fresh = &reading->fresh;

    reading->failed = make_room(fresh, reading->err) != 0 ||
                      hc_line_info_copy(&fresh->items[fresh->count], info, reading->err) != 0;
    if (!reading->failed) {
        fresh->count++;
        reading->failed = index_names(fresh, &fresh->items[fresh->count - 1], reading->err) != 0;
    }
    return reading->failed;
}

static int compare_lines(const void *a, const void *b)
{
    const struct hc_line_info *left = a;
    const struct hc_line_info *right = b;

    return memcmp(left->line, right->line, HC_ID_SIZE);
}

int hc_inventory_read(struct hc_inventory *inventory, struct hc_store *store, struct hc_error *err)
{
    struct reading reading = {.err = err};

    if (hc_store_each(store, read_one, &reading, err) != 0 || reading.failed) {
        hc_inventory_dispose(&reading.fresh);
        return -1;
    }
    if (reading.fresh.count > 1) {
        qsort(reading.fresh.items, reading.fresh.count, sizeof(*reading.fresh.items),
              compare_lines);
    }
    hc_inventory_dispose(inventory);
    *inventory = reading.fresh;
    return 0;
}

void hc_inventory_dispose(struct hc_inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++) {
        hc_line_info_dispose(&inventory->items[i]);
    }
    free(inventory->items);
    inventory->items = NULL;
    inventory->count = inventory->cap = 0;
    hc_name_index_dispose(&inventory->names);
}
