/* hc_table: what writers put into it and take out of it; see table.h. */
#include <stdlib.h>
#include <string.h>

#include "live/layout.h"

#define ANSWERS_SHARE 32 /* of the memory, that pairs leave to answers */

static const char subject[] = "live table";

static bool id_is_zero(const unsigned char id[HC_ID_SIZE])
{
    static const unsigned char zero[HC_ID_SIZE];

    return memcmp(id, zero, sizeof(zero)) == 0;
}

/* A new extent, then the slot's one word, then the old extent's end. */
int hc_slot_fill(struct hc_table *table, const struct hc_slot_place *place, bool fresh,
                 struct hc_bytes payload, struct hc_error *err)
{
    struct hc_slot *slot = &place->slots->at[place->at];
    uint64_t generation = atomic_load(&table->header->generation) + 1;
    uint64_t before = atomic_load(&slot->value);
    uint64_t granule = 0;
    uint64_t value = 0;

    if (generation > HC_GENERATION_MAX) {
        return hc_error_set(err, HC_P_TABLE_FULL, subject, "its generations are used up");
    }
    /* a table full of pairs can still be asked to prove their names */
    granule = hc_extent_alloc(table, payload.len,
                              place->slots == &table->pairs ? table->granules / ANSWERS_SHARE : 0);
    if (granule == 0) {
        return hc_error_set(err, HC_P_TABLE_FULL, subject, "no room for %zu bytes in %zu",
                            payload.len, table->size);
    }
    value = generation << HC_GRANULE_BITS | granule;
    atomic_store(&table->header->generation, generation);
    hc_extent_fill(table, value, place->id, payload);
    if (fresh) {
        hc_words_store(slot->id, place->id, HC_ID_SIZE);
    }
    atomic_store_explicit(&slot->value, value, memory_order_release);
    if (before != 0) {
        hc_extent_free(table, before);
    }
    return 0;
}

void hc_slot_empty(struct hc_table *table, const struct hc_slots *slots, int64_t at)
{
    uint64_t before = atomic_exchange(&slots->at[at].value, 0);

    if (before != 0) {
        hc_extent_free(table, before);
    }
}

int hc_table_publish(struct hc_table *table, const unsigned char id[HC_ID_SIZE],
                     struct hc_bytes payload, enum hc_publish how, struct hc_error *err)
{
    bool fresh = false;
    int64_t at = -1;
    int rc = -1;

    if (payload.len == 0 || payload.len > HC_BUNDLE_MAX || id_is_zero(id)) {
        return hc_error_set(err, HC_P_TOO_LARGE, subject, "a bundle of %zu bytes", payload.len);
    }
    if (hc_table_lock(table, err) != 0) {
        return -1;
    }
    at = hc_slot_claim(&table->pairs, id, &fresh);
    if (at < 0) {
        hc_error_set(err, HC_P_TABLE_FULL, subject, "all %zu slots are in use", table->pairs.count);
    } else if (how == HC_PUBLISH_ADD && hc_slot_value(&table->pairs, at) != 0) {
        rc = 0;
    } else {
        rc = hc_slot_fill(table, &(struct hc_slot_place){&table->pairs, at, id}, fresh, payload,
                          err);
    }
    hc_table_unlock(table);
    return rc;
}

int hc_table_remove(struct hc_table *table, const unsigned char id[HC_ID_SIZE],
                    struct hc_error *err)
{
    int64_t at = -1;

    if (hc_table_lock(table, err) != 0) {
        return -1;
    }
    at = hc_table_find(table, id);
    if (at >= 0) {
        hc_slot_empty(table, &table->pairs, at);
    }
    hc_table_unlock(table);
    return 0;
}

int hc_table_each(struct hc_table *table,
                  int (*each)(void *arg, const unsigned char id[HC_ID_SIZE]), void *arg,
                  struct hc_error *err)
{
    unsigned char(*ids)[HC_ID_SIZE] = NULL;
    size_t count = 0;

    /* gathered first, so that each may publish and remove */
    ids = calloc(table->pairs.count, sizeof(*ids));
    if (ids == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < table->pairs.count; i++) {
        if (atomic_load_explicit(&table->pairs.at[i].value, memory_order_acquire) != 0) {
            hc_words_load(ids[count++], table->pairs.at[i].id, HC_ID_SIZE);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (each(arg, ids[i]) != 0) {
            break;
        }
    }
    free(ids);
    return 0;
}

void hc_table_stats(const struct hc_table *table, struct hc_table_stats *out)
{
    memset(out, 0, sizeof(*out));
    out->size = table->size;
    out->generation = atomic_load(&table->header->generation);
    for (size_t i = 0; i < table->pairs.count; i++) {
        uint64_t value = atomic_load_explicit(&table->pairs.at[i].value, memory_order_acquire);
        const struct hc_extent *extent = hc_extent_at(table, value);

        if (extent != NULL) {
            out->slots_used++;
            out->bytes_used += (size_t)atomic_load(&extent->length) + sizeof(*extent);
        }
    }
    for (size_t i = 0; i < table->answers.count; i++) {
        out->answers += hc_slot_value(&table->answers, (int64_t)i) != 0;
    }
}
