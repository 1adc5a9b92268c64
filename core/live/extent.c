/*
 * Extents: the payloads of the live table. No allocator state is shared: what is free follows from
 * the slots, so a writer that dies anywhere breaks nothing. Room is searched from a cursor onwards
 * (next-fit), so that what was freed rests before it is used again, but within a window of twice
 * what is in use and REST, so that memory is not touched that need not be.
 *
 * A reader believes an extent only when identity, value, length and checksum agree and the slot
 * still has the value with which it began.
 */
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "live/layout.h"

#define TRIES 8
#define REST  (((size_t)4 << 20) / HC_GRANULE)

static const char subject[] = "live table";

static size_t granules_of(size_t len)
{
    return (sizeof(struct hc_extent) + len + HC_GRANULE - 1) / HC_GRANULE;
}

struct hc_extent *hc_extent_at(const struct hc_table *table, uint64_t value)
{
    uint64_t granule = value & HC_GRANULE_MASK;

    /* the last granules that could not hold a header never are an extent's first */
    if (granule == 0 || granule + granules_of(1) > table->granules) {
        return NULL;
    }
    return (struct hc_extent *)(void *)(table->data + granule * HC_GRANULE);
}

/* The payload's length, or 0 if it is not one that can stand there. */
static size_t length_at(const struct hc_table *table, uint64_t value,
                        const struct hc_extent *extent)
{
    uint64_t length = atomic_load_explicit(&extent->length, memory_order_acquire);

    if (length == 0 || length > HC_BUNDLE_MAX ||
        (value & HC_GRANULE_MASK) + granules_of((size_t)length) > table->granules) {
        return 0;
    }
    return (size_t)length;
}

/* What the checksum covers besides the payload. */
struct sealed {
    unsigned char id[HC_ID_SIZE];
    uint64_t length;
    uint64_t value;
    unsigned char payload[SHA256_DIGEST_LENGTH];
};

static void checksum(const unsigned char id[HC_ID_SIZE], uint64_t value, const unsigned char *data,
                     size_t len, unsigned char sum[SHA256_DIGEST_LENGTH])
{
    struct sealed sealed;

    memcpy(sealed.id, id, HC_ID_SIZE);
    sealed.length = len;
    sealed.value = value;
    SHA256(data, len, sealed.payload);
    SHA256((const unsigned char *)&sealed, sizeof(sealed), sum);
}

static bool is_used(const struct hc_table *table, uint64_t granule)
{
    return (table->used[granule / 64] >> (granule % 64) & 1) != 0;
}

static void mark(struct hc_table *table, uint64_t first, size_t count, bool used)
{
    for (uint64_t at = first; at < first + count; at++) {
        uint64_t bit = UINT64_C(1) << (at % 64);

        if (is_used(table, at) != used) {
            table->used[at / 64] ^= bit;
            table->used_count += used ? 1 : (size_t)-1;
        }
    }
}

static void map_slots(struct hc_table *table, const struct hc_slots *slots)
{
    for (size_t i = 0; i < slots->count; i++) {
        uint64_t value = atomic_load(&slots->at[i].value);
        const struct hc_extent *extent = hc_extent_at(table, value);
        size_t len = extent != NULL ? length_at(table, value, extent) : 0;

        if (len > 0) {
            mark(table, value & HC_GRANULE_MASK, granules_of(len), true);
        }
    }
}

void hc_extent_map(struct hc_table *table)
{
    memset(table->used, 0, (table->granules / 64 + 1) * sizeof(uint64_t));
    table->used_count = 0;
    map_slots(table, &table->pairs);
    map_slots(table, &table->answers);
}

/* The first run of count free granules in from .. to - 1; 0: none. */
static uint64_t search(const struct hc_table *table, uint64_t from, uint64_t to, size_t count)
{
    size_t run = 0;

    for (uint64_t at = from; at < to; at++) {
        run = is_used(table, at) ? 0 : run + 1;
        if (run == count) {
            return at + 1 - count;
        }
    }
    return 0;
}

uint64_t hc_extent_alloc(struct hc_table *table, size_t len, size_t spare)
{
    uint64_t cursor = atomic_load(&table->header->cursor);
    size_t count = granules_of(len);
    size_t window = table->used_count * 2 + count + REST;
    uint64_t found = 0;

    if (table->used_count + count + spare > table->granules) {
        return 0;
    }
    window = window > table->granules ? table->granules : window;
    if (cursor == 0 || cursor >= window) {
        cursor = 1;
    }
    found = search(table, cursor, window, count);
    if (found == 0) {
        found = search(table, 1, window, count);
    }
    if (found == 0) {
        found = search(table, 1, table->granules, count);
    }
    if (found == 0) {
        return 0;
    }
    mark(table, found, count, true);
    atomic_store(&table->header->cursor, found + count);
    if (atomic_load(&table->header->high) < found + count) {
        atomic_store(&table->header->high, found + count);
    }
    return found;
}

void hc_extent_fill(struct hc_table *table, uint64_t value, const unsigned char id[HC_ID_SIZE],
                    struct hc_bytes payload)
{
    struct hc_extent *extent = hc_extent_at(table, value);
    unsigned char sum[SHA256_DIGEST_LENGTH];

    checksum(id, value, payload.data, payload.len, sum);
    atomic_store_explicit(&extent->length, payload.len, memory_order_release);
    atomic_store_explicit(&extent->value, value, memory_order_release);
    hc_words_store(extent->id, id, HC_ID_SIZE);
    hc_words_store(extent->sum, sum, sizeof(sum));
    hc_words_store(extent->payload, payload.data, payload.len);
}

void hc_extent_free(struct hc_table *table, uint64_t value)
{
    struct hc_extent *extent = hc_extent_at(table, value);
    size_t len = extent != NULL ? length_at(table, value, extent) : 0;
    size_t count = granules_of(len);

    /* only what is surely this value's own: a damaged header must not wipe its neighbours */
    if (len == 0 || atomic_load(&extent->value) != value) {
        return;
    }
    hc_words_wipe(extent->id, count * HC_GRANULE);
    mark(table, value & HC_GRANULE_MASK, count, false);
}

void hc_extent_wipe_unused(struct hc_table *table)
{
    uint64_t high = atomic_load(&table->header->high);

    high = high > table->granules ? table->granules : high;
    for (uint64_t at = 1; at < high; at++) {
        if (!is_used(table, at)) {
            hc_words_wipe((hc_word *)(void *)(table->data + at * HC_GRANULE), HC_GRANULE);
        }
    }
}

enum copy { COPY_GOOD, COPY_OTHER, COPY_DAMAGED, COPY_NOMEM };

/* One try at an extent. What it says is only worth something if the slot has not changed since. */
static enum copy copy(const struct hc_table *table, uint64_t value,
                      const unsigned char id[HC_ID_SIZE], struct hc_buf *out, struct hc_error *err)
{
    const struct hc_extent *extent = hc_extent_at(table, value);
    size_t len = extent != NULL ? length_at(table, value, extent) : 0;
    unsigned char have[HC_ID_SIZE];
    unsigned char stored[SHA256_DIGEST_LENGTH];
    unsigned char sum[SHA256_DIGEST_LENGTH];
    unsigned char *at = NULL;

    hc_buf_reset(out);
    if (len == 0) {
        return COPY_DAMAGED;
    }
    if (hc_buf_reserve(out, len, &at, err) != 0) {
        return COPY_NOMEM;
    }
    hc_words_load(have, extent->id, sizeof(have));
    hc_words_load(stored, extent->sum, sizeof(stored));
    hc_words_load(at, extent->payload, len);
    at[len] = '\0';
    out->len = len;
    checksum(have, value, at, len, sum);
    if (atomic_load(&extent->value) != value || CRYPTO_memcmp(sum, stored, sizeof(sum)) != 0) {
        return COPY_DAMAGED;
    }
    return memcmp(have, id, HC_ID_SIZE) == 0 ? COPY_GOOD : COPY_OTHER;
}

int hc_extent_read(const struct hc_table *table, const struct hc_slot_place *place, uint64_t *value,
                   struct hc_buf *out, struct hc_error *err)
{
    *value = 0;
    for (int i = 0; i < TRIES; i++) {
        uint64_t now = hc_slot_value(place->slots, place->at);
        enum copy result = COPY_OTHER;

        if (now == 0) {
            hc_buf_reset(out);
            return 0;
        }
        result = copy(table, now, place->id, out, err);
        if (hc_slot_value(place->slots, place->at) != now && result != COPY_NOMEM) {
            continue;
        }
        if (result == COPY_GOOD) {
            *value = now;
            return 1;
        }
        hc_buf_reset(out);
        switch (result) {
        case COPY_OTHER:
            if (hc_slot_find(place->slots, place->id) != place->at) {
                return 0;
            }
            /* fall through */
        case COPY_GOOD:
        case COPY_DAMAGED:
            *value = now;
            return hc_error_set(err, HC_P_PROTOCOL, subject, "the content of a slot is damaged");
        case COPY_NOMEM:
            return -1;
        }
    }
    hc_buf_reset(out);
    return hc_error_set(err, HC_P_TIMED_OUT, subject, "it changed during each of %d reads", TRIES);
}

int hc_table_read(const struct hc_table *table, int64_t slot, const unsigned char id[HC_ID_SIZE],
                  uint64_t *value, struct hc_buf *out, struct hc_error *err)
{
    return hc_extent_read(table, &(struct hc_slot_place){&table->pairs, slot, id}, value, out, err);
}
