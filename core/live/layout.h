/*
 * The layout of the live table's memory, shared by the files of this folder only.
 *
 *   header   magic, version, size, counters, the writers' mutex       one page
 *   pairs    slots: value and identity, open addressing by identity
 *   answers  slots of the same form, found by where a CA looks for the answer to a challenge
 *   data     extents, in granules of 64 bytes
 *
 * Where each part begins follows from the size alone, which comes from the descriptor: nothing that
 * a writer can put into the memory ever steers an access outside of it.
 *
 * All words are atomics. Data words are stored with release and loaded with acquire, so that a
 * reader that sees any word of a later use of an extent also sees that the slot has changed (it
 * looks at the slot again after copying). Compilers and CPUs that reorder, and thread sanitizers,
 * are content without fences.
 */
#ifndef HC_LIVE_LAYOUT_H
#define HC_LIVE_LAYOUT_H

#include <pthread.h>
#include <stdatomic.h>

#include "live/table.h"
#include "pki/pair.h"

#define HC_LAYOUT_MAGIC   UINT64_C(0x3165766974726568)
#define HC_LAYOUT_VERSION 2 /* 1: tokens in a part of their own, 2,048 of them */
#define HC_LAYOUT_PAGE    ((size_t)4096)

#define HC_GRANULE        ((size_t)64)
#define HC_GRANULE_BITS   24
#define HC_GRANULE_MASK   ((UINT64_C(1) << HC_GRANULE_BITS) - 1)
#define HC_GENERATION_MAX ((UINT64_C(1) << (64 - HC_GRANULE_BITS)) - 1)
_Static_assert(HC_TABLE_SIZE_MOST == HC_GRANULE << HC_GRANULE_BITS,
               "all of it has a granule number");

#define HC_ID_WORDS  (HC_ID_SIZE / 8)
#define HC_SUM_WORDS 4

typedef _Atomic uint64_t hc_word;

struct hc_header {
    hc_word magic;
    hc_word version;
    hc_word size;
    hc_word generation; /* the last one given out */
    hc_word changes;    /* counts the writers' turns: whose private map of extents is still right */
    hc_word cursor;     /* granule where the next search for room begins */
    hc_word high;       /* granules from here on were never written */
    pthread_mutex_t lock;
};

/*
 * value: generation << 24 | granule; 0: nothing. An identity of zeros: never used. A slot that was
 * emptied keeps its identity, until another one takes the slot over.
 */
struct hc_slot {
    hc_word value;
    hc_word id[HC_ID_WORDS];
};

struct hc_extent {
    hc_word id[HC_ID_WORDS];
    hc_word length; /* of the payload, bytes */
    hc_word value;  /* the slot's */
    hc_word sum[HC_SUM_WORDS];
    hc_word payload[];
};

/* One of the two parts with slots. */
struct hc_slots {
    struct hc_slot *at;
    size_t count; /* a power of two */
};

struct hc_table {
    void *base;
    size_t size;
    bool writable;
    struct hc_header *header;
    struct hc_slots pairs;
    struct hc_slots answers;
    unsigned char *data;
    size_t granules;
    uint64_t *used;    /* writers: a bit a granule; this process' own, under the mutex */
    size_t used_count; /* bits set in it */
    uint64_t used_at;  /* header.changes when it was right */
};

/* Copies between bytes and words; len need not be a multiple of eight (stored padded with 0). */
void hc_words_store(hc_word *dst, const void *src, size_t len);
void hc_words_load(void *dst, const hc_word *src, size_t len);
void hc_words_wipe(hc_word *dst, size_t len);

/* table.c: the writers' turn. */
int hc_table_lock(struct hc_table *table, struct hc_error *err) HC_MUST_USE;
void hc_table_unlock(struct hc_table *table);

/* slot.c. */

/* Where id stands, or -1. */
int64_t hc_slot_find(const struct hc_slots *slots, const unsigned char id[HC_ID_SIZE]);
/* What stands in a slot; 0: nothing. */
uint64_t hc_slot_value(const struct hc_slots *slots, int64_t at);
/* Under the mutex: where id stands or may be put; -1: no room. *fresh: id is not there. */
int64_t hc_slot_claim(const struct hc_slots *slots, const unsigned char id[HC_ID_SIZE],
                      bool *fresh);
/*
 * Under the mutex: makes an empty slot one that was never used, and those before it, where nothing
 * is found by passing them. For what comes and goes: look-ups stay short.
 */
void hc_slot_forget(const struct hc_slots *slots, int64_t at);

/* publish.c. */

/* A place in either part, and for whom. */
struct hc_slot_place {
    const struct hc_slots *slots;
    int64_t at;
    const unsigned char *id; /* HC_ID_SIZE of it */
};

/* Under the mutex: fills a slot that was claimed (fresh as it was then), and frees what it had. */
int hc_slot_fill(struct hc_table *table, const struct hc_slot_place *place, bool fresh,
                 struct hc_bytes payload, struct hc_error *err) HC_MUST_USE;
/* Under the mutex: empties a slot and frees what it had. */
void hc_slot_empty(struct hc_table *table, const struct hc_slots *slots, int64_t at);

/* extent.c. */

/* The extent that a slot's value points to, or NULL if it could not lie within the data area. */
struct hc_extent *hc_extent_at(const struct hc_table *table, uint64_t value);
/* Under the mutex: builds the private map of used granules anew, from the slots. */
void hc_extent_map(struct hc_table *table);
/* As hc_table_read(), for either part. */
int hc_extent_read(const struct hc_table *table, const struct hc_slot_place *place, uint64_t *value,
                   struct hc_buf *out, struct hc_error *err) HC_MUST_USE;
/* Under the mutex: room for a payload of len bytes that leaves `spare` granules free; 0: none. */
uint64_t hc_extent_alloc(struct hc_table *table, size_t len, size_t spare);
/* Under the mutex: fills the extent of this value. */
void hc_extent_fill(struct hc_table *table, uint64_t value, const unsigned char id[HC_ID_SIZE],
                    struct hc_bytes payload);
/* Under the mutex: wipes the extent of a value that no slot has any more. */
void hc_extent_free(struct hc_table *table, uint64_t value);
/* Under the mutex: wipes whatever was once written and belongs to no slot. */
void hc_extent_wipe_unused(struct hc_table *table);

#endif
