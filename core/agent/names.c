/* Which lines have a name; see names.h. */
#include "agent/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"

struct hc_name_entry {
    uint32_t hash;
    uint32_t next; /* in its chain, or among those that are free: + 1; 0: the last */
    unsigned char line[HC_LINE_HEAD];
};

static uint32_t hash_of(const char *name)
{
    uint64_t hash = hc_hash_bytes(name, strlen(name), HC_HASH_SEED);

    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t *head_of(const struct hc_name_index *index, uint32_t hash)
{
    return &index->heads[hash & (index->head_count - 1)];
}

/* As many chains as there may be entries, and a power of two. */
static int grow_heads(struct hc_name_index *index, size_t entries, struct hc_error *err)
{
    size_t count = index->head_count > 0 ? index->head_count : 1;
    uint32_t *heads = NULL;

    while (count < entries) {
        count *= 2;
    }
    heads = count <= UINT32_MAX ? calloc(count, sizeof(*heads)) : NULL;
    if (heads == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < index->head_count; i++) {
        for (uint32_t at = index->heads[i]; at != 0;) {
            struct hc_name_entry *entry = &index->entries[at - 1];
            uint32_t next = entry->next;
            uint32_t *head = &heads[entry->hash & (count - 1)];

            entry->next = *head;
            *head = at;
            at = next;
        }
    }
    free(index->heads);
    index->heads = heads;
    index->head_count = count;
    return 0;
}

static int make_room(struct hc_name_index *index, struct hc_error *err)
{
    size_t cap = index->cap;
    struct hc_name_entry *entries = NULL;

    if (index->free != 0 || index->count < index->cap) {
        return 0;
    }
    entries = hc_vec_room(index->entries, index->count, &cap, sizeof(*entries), err);
    if (entries == NULL) {
        return -1;
    }
    index->entries = entries;
    if (cap > index->head_count && grow_heads(index, cap, err) != 0) {
        return -1;
    }
    index->cap = cap;
    return 0;
}

int hc_name_index_add(struct hc_name_index *index, const char *name,
                      const unsigned char line[HC_ID_SIZE], struct hc_error *err)
{
    struct hc_name_entry *entry = NULL;
    uint32_t at = 0;
    uint32_t *head = NULL;

    if (make_room(index, err) != 0) {
        return -1;
    }
    at = index->free != 0 ? index->free : ++index->count;
    entry = &index->entries[at - 1];
    index->free = index->free != 0 ? entry->next : 0;
    entry->hash = hash_of(name);
    memcpy(entry->line, line, HC_LINE_HEAD);
    head = head_of(index, entry->hash);
    entry->next = *head;
    *head = at;
    return 0;
}

void hc_name_index_remove(struct hc_name_index *index, const char *name,
                          const unsigned char line[HC_ID_SIZE])
{
    uint32_t hash = hash_of(name);
    uint32_t *place = index->head_count > 0 ? head_of(index, hash) : NULL;

    while (place != NULL && *place != 0) {
        struct hc_name_entry *entry = &index->entries[*place - 1];

        if (entry->hash == hash && memcmp(entry->line, line, HC_LINE_HEAD) == 0) {
            uint32_t at = *place;

            *place = entry->next;
            entry->next = index->free;
            index->free = at;
            return;
        }
        place = &entry->next;
    }
}

const unsigned char *hc_name_index_next(const struct hc_name_index *index, const char *name,
                                        size_t *at)
{
    uint32_t hash = hash_of(name);

    if (*at != 0) {
        *at = index->entries[*at - 1].next;
    } else if (index->head_count > 0) {
        *at = *head_of(index, hash);
    }
    while (*at != 0 && index->entries[*at - 1].hash != hash) {
        *at = index->entries[*at - 1].next;
    }
    return *at != 0 ? index->entries[*at - 1].line : NULL;
}

void hc_name_index_dispose(struct hc_name_index *index)
{
    free(index->entries);
    free(index->heads);
    memset(index, 0, sizeof(*index));
}
