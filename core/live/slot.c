/*
 * Slots: open addressing by identity, linear probing. An identity is a SHA-256, so its first bytes
 * are the hash. A look-up ends at the first slot that was never used, or after PROBES slots: memory
 * full of nonsense costs a reader no more than that.
 */
#include <string.h>

#include "live/layout.h"

#define PROBES 512

static size_t home(const struct hc_slots *slots, const unsigned char id[HC_ID_SIZE])
{
    uint64_t hash = 0;

    memcpy(&hash, id, sizeof(hash));
    return (size_t)hash & (slots->count - 1);
}

enum match { MATCH_NEVER_USED, MATCH_OTHER, MATCH_SAME };

static enum match match(const struct hc_slot *slot, const unsigned char id[HC_ID_SIZE])
{
    uint64_t have[HC_ID_WORDS];
    uint64_t any = 0;

    hc_words_load(have, slot->id, HC_ID_SIZE);
    for (size_t i = 0; i < HC_ID_WORDS; i++) {
        any |= have[i];
    }
    if (any == 0) {
        return MATCH_NEVER_USED;
    }
    return memcmp(have, id, HC_ID_SIZE) == 0 ? MATCH_SAME : MATCH_OTHER;
}

int64_t hc_slot_find(const struct hc_slots *slots, const unsigned char id[HC_ID_SIZE])
{
    size_t at = home(slots, id);

    for (size_t i = 0; i < PROBES; i++) {
        switch (match(&slots->at[at], id)) {
        case MATCH_NEVER_USED:
            return -1;
        case MATCH_SAME:
            return (int64_t)at;
        case MATCH_OTHER:
            break;
        }
        at = (at + 1) & (slots->count - 1);
    }
    return -1;
}

int64_t hc_slot_claim(const struct hc_slots *slots, const unsigned char id[HC_ID_SIZE], bool *fresh)
{
    int64_t at = hc_slot_find(slots, id);
    size_t probe = home(slots, id);

    *fresh = at < 0;
    if (at >= 0) {
        return at;
    }
    for (size_t i = 0; i < PROBES; i++) {
        if (atomic_load(&slots->at[probe].value) == 0) {
            return (int64_t)probe;
        }
        probe = (probe + 1) & (slots->count - 1);
    }
    return -1;
}

void hc_slot_forget(const struct hc_slots *slots, int64_t at)
{
    static const unsigned char none[HC_ID_SIZE];
    size_t i = (size_t)at;

    if (match(&slots->at[(i + 1) & (slots->count - 1)], none) != MATCH_NEVER_USED) {
        return; /* something may be found beyond */
    }
    for (size_t k = 0; k < PROBES && atomic_load(&slots->at[i].value) == 0 &&
                       match(&slots->at[i], none) != MATCH_NEVER_USED;
         k++) {
        hc_words_wipe(slots->at[i].id, HC_ID_SIZE);
        i = (i - 1) & (slots->count - 1);
    }
}

uint64_t hc_slot_value(const struct hc_slots *slots, int64_t at)
{
    if (at < 0 || (uint64_t)at >= slots->count) {
        return 0;
    }
    return atomic_load_explicit(&slots->at[at].value, memory_order_acquire);
}

int64_t hc_table_find(const struct hc_table *table, const unsigned char id[HC_ID_SIZE])
{
    return hc_slot_find(&table->pairs, id);
}

uint64_t hc_table_value(const struct hc_table *table, int64_t slot)
{
    return hc_slot_value(&table->pairs, slot);
}
