/*
 * hc_table: the live table, one memfd that the agent writes and every worker reads.
 *
 * Readers take no lock and cannot be held up or misled by a writer that died or is malicious
 * within the bounds of its memory: they check bounds, copy, look again and verify identity,
 * generation and checksum. Writers take a robust process-shared mutex, and wait for it five seconds
 * at most. Fixed and sparse, untouched pages cost nothing; not dumped to core files; sealed against
 * being cut or grown.
 *
 * Slots are found by identity (open addressing) and never move while they are in use. A slot's
 * value is one 64-bit atomic {generation, extent}; generations come from one counter and are never
 * used again, so "value unchanged" means "same bundle".
 */
#ifndef HC_LIVE_TABLE_H
#define HC_LIVE_TABLE_H

#include "base/buf.h"
#include "conf/conf.h"
#include "live/answer.h"

#define HC_TABLE_SIZE_DEFAULT ((size_t)64 << 20)

#define HC_TABLE_ANSWER_MAX (HC_ANSWER_VALUE_MAX + 64) /* the max of a reader's buffer */

struct hc_table;

#define HC_TABLE_SIZE_LEAST ((size_t)2 << 20)
#define HC_TABLE_SIZE_MOST  ((size_t)1 << 30)

/* Makes the memfd (close-on-exec), formats it, maps it read-only. *fd is the caller's. */
int hc_table_create(size_t size, int *fd, struct hc_table **out, struct hc_error *err) HC_MUST_USE;

/*
 * Maps an existing one. Checks seals, size, magic and version. The descriptor stays the caller's. A
 * mapping for reading cannot be made writable later, once the process has closed the descriptor.
 * HC_P_SERVER_OTHER: it is a table of another layout; nothing in it is looked at, and whoever
 * inherited it makes one anew.
 */
int hc_table_attach(int fd, bool writable, struct hc_table **out, struct hc_error *err) HC_MUST_USE;
void hc_table_detach(struct hc_table *table); /* unmaps; NULL is fine */

/* Writers. Any process that attached it writable; may wait for the mutex. */
enum hc_publish {
    HC_PUBLISH_ADD,     /* only if the slot is empty: the loader */
    HC_PUBLISH_REPLACE, /* the agent */
};
int hc_table_publish(struct hc_table *table, const unsigned char id[HC_ID_SIZE],
                     struct hc_bytes payload, enum hc_publish how,
                     struct hc_error *err) HC_MUST_USE;
/* Removes what was published for id, if anything; its memory is wiped. */
int hc_table_remove(struct hc_table *table, const unsigned char id[HC_ID_SIZE],
                    struct hc_error *err) HC_MUST_USE;
/* Calls each for every used identity; for the agent, which removes those that nobody wants. */
int hc_table_each(struct hc_table *table,
                  int (*each)(void *arg, const unsigned char id[HC_ID_SIZE]), void *arg,
                  struct hc_error *err) HC_MUST_USE;

/* Readers: any process, any thread, no lock, no allocation but out's. */

/* The slot of an identity, or -1 if nothing was ever published for it. */
int64_t hc_table_find(const struct hc_table *table, const unsigned char id[HC_ID_SIZE]);
/* What stands in a slot now; 0: nothing. Compare with what was read last. */
uint64_t hc_table_value(const struct hc_table *table, int64_t slot);
/*
 * Copies the payload of a slot into out (reset first; should be secret, max >= HC_BUNDLE_MAX) and
 * its value into *value. 1 copied; 0 nothing there or not this identity (*value is 0); -1 keep what
 * you have: the copy could not be had in a bounded number of tries (*value is 0), or what stands
 * there is damaged (*value is its value, which need not be tried again).
 */
int hc_table_read(const struct hc_table *table, int64_t slot, const unsigned char id[HC_ID_SIZE],
                  uint64_t *value, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/*
 * Answers to challenges (pending.c), one at a place (kind and key). As many as the table's size has
 * room for: they share its memory with the pairs. One that is put at a place where another stands
 * takes that one's place; readers find the one or the other all the time. Those that are over at
 * now make room. HC_P_TABLE_FULL; HC_P_CA_REPLY as hc_answer_check() says.
 */
int hc_table_answer_put(struct hc_table *table, const struct hc_answer *answer, int64_t now,
                        struct hc_error *err) HC_MUST_USE;
/* Whatever stands at the answer's place; nothing there is fine. */
int hc_table_answer_remove(struct hc_table *table, const struct hc_answer *answer,
                           struct hc_error *err) HC_MUST_USE;
/*
 * Readers: true if an answer stands at the place (key has len bytes) and is not over at now. value
 * is reset first, NUL-terminated; its max at least HC_TABLE_ANSWER_MAX. Nothing is allocated unless
 * something stands there.
 */
bool hc_table_answer_get(const struct hc_table *table, enum hc_answer_kind kind, const char *key,
                         size_t len, int64_t now, struct hc_buf *value);

/* Figures for `list` and the bench. */
struct hc_table_stats {
    size_t size, slots_used, bytes_used, answers;
    uint64_t generation;
};
void hc_table_stats(const struct hc_table *table, struct hc_table_stats *out);

#endif
