/*
 * Which lines of the store have a name: a hash table from names to lines, kept up to date line by
 * line, so that the best pair for a host is found without going through all that is stored.
 */
#ifndef HC_AGENT_NAMES_H
#define HC_AGENT_NAMES_H

#include "store/info.h"

#define HC_LINE_HEAD 8 /* bytes by which the index knows a line */

/* Zeroed memory is an empty index. */
struct hc_name_index {
    struct hc_name_entry *entries;
    uint32_t count; /* of entries that were ever used */
    uint32_t free;  /* the first that is used no more, + 1; 0: none */
    size_t cap;
    uint32_t *heads; /* of the chains: entries + 1 */
    size_t head_count;
};

int hc_name_index_add(struct hc_name_index *index, const char *name,
                      const unsigned char line[HC_ID_SIZE], struct hc_error *err) HC_MUST_USE;

/* Takes one back; that it is not there is fine. */
void hc_name_index_remove(struct hc_name_index *index, const char *name,
                          const unsigned char line[HC_ID_SIZE]);

/*
 * The first HC_LINE_HEAD bytes of the lines of a name, one line after the other: *at is 0 before
 * the first. NULL: no more. Now and then a line of another name is among them. Borrowed until the
 * next change.
 */
const unsigned char *hc_name_index_next(const struct hc_name_index *index, const char *name,
                                        size_t *at);

void hc_name_index_dispose(struct hc_name_index *index);

#endif
