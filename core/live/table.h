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

#define HC_TABLE_SIZE_DEFAULT ((size_t)64 << 20)
#define HC_TOKEN_MAX          128 /* RFC 8555 section 8.3: base64url; CAs use 43 */
#define HC_KEYAUTH_MAX        256
#define HC_TOKENS             2048 /* pending at one time */

struct hc_table;

#define HC_TABLE_SIZE_LEAST ((size_t)2 << 20)
#define HC_TABLE_SIZE_MOST  ((size_t)1 << 30)

/* Makes the memfd (close-on-exec), formats it, maps it read-only. *fd is the caller's. */
int hc_table_create(size_t size, int *fd, struct hc_table **out, struct hc_error *err) HC_MUST_USE;

/*
 * Maps an existing one. Checks seals, size, magic and version. The descriptor stays the caller's. A
 * mapping for reading cannot be made writable later, once the process has closed the descriptor.
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

/* Pending http-01 tokens (RFC 8555 section 8.3). expires: UTC seconds; expired ones are reused. */
int hc_table_token_put(struct hc_table *table, const char *token, const char *keyauth,
                       int64_t expires, struct hc_error *err) HC_MUST_USE;
int hc_table_token_remove(struct hc_table *table, const char *token,
                          struct hc_error *err) HC_MUST_USE;
/* Readers: true and the NUL-terminated key authorization if token (len bytes) is pending at now. */
bool hc_table_token_get(const struct hc_table *table, const char *token, size_t len, int64_t now,
                        char keyauth[HC_KEYAUTH_MAX]);

/* Figures for `list` and the bench. */
struct hc_table_stats {
    size_t size, slots_used, bytes_used, tokens;
    uint64_t generation;
};
void hc_table_stats(const struct hc_table *table, struct hc_table_stats *out);

#endif
