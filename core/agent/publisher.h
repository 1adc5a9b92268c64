/*
 * Publishing: an identity's best bundle into the live table, and only what differs from what stands
 * there, so that workers parse nothing twice. Always after the commit. Pairs of the store it finds
 * by itself; those of watched files it is given.
 *
 * Hears STORE_OPENED, LINES_CHANGED, LINE_COMMITTED and LINE_FOUND; raises PUBLISHED.
 */
#ifndef HC_AGENT_PUBLISHER_H
#define HC_AGENT_PUBLISHER_H

#include "agent/first.h"
#include "agent/judge.h"
#include "agent/select.h"
#include "agent/storage.h"
#include "live/table.h"

struct hc_publisher;

struct hc_publisher_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
    struct hc_table *table; /* writable */
};

int hc_publisher_new(const struct hc_publisher_options *options, struct hc_publisher **out,
                     struct hc_error *err) HC_MUST_USE;
void hc_publisher_free(struct hc_publisher *publisher); /* NULL is fine */

/*
 * Publishes the best of every identity whose best may have changed by time alone: something
 * expired, or could not be published: at once, or where they are many a few at a time. Problems are
 * logged. By its own timer, once a tick.
 */
void hc_publisher_run(struct hc_publisher *publisher);

/* One version of a selection, as the publisher remembers it. */
struct hc_published {
    unsigned char line[HC_LINE_HEAD]; /* hc_inventory_find_head() finds it */
    uint64_t version;
    int64_t committed;
    bool own;
};

/* What is known of an identity. Borrowed until the next call that publishes. */
struct hc_publication {
    struct hc_published *items; /* under `on`: the selection, one for each key type at most */
    uint8_t count;
    bool known;             /* the selection says what is served */
    bool complete;          /* every key type by its own line, now valid */
    bool published;         /* something of ours or of the loader's is in the table */
    enum hc_first first;    /* whether lines beside `on` serve */
    int64_t again_ms;       /* it could not be published: tried again then; 0: it could */
    int64_t first_until;    /* notAfter of what they serve; 0: they do not */
    int64_t obtained_until; /* of what was obtained; 0: nothing */
};
const struct hc_publication *hc_publisher_of(const struct hc_publisher *publisher, size_t index);

/* The notAfter of what serves the identity now; 0: nothing does. */
int64_t hc_publisher_until(const struct hc_publisher *publisher, size_t index);
/* The stored version that serves it: its own, its certificate lines', or what stands in. NULL: none
 * does. */
const struct hc_line_info *hc_publisher_in_use(const struct hc_publisher *publisher, size_t index);
/* The one of another line that stands in for one of its own, or NULL. */
const struct hc_line_info *hc_publisher_stand_in(const struct hc_publisher *publisher,
                                                 size_t index);
/* What stands in the table for the identity now, the caller's to free; NULL: nothing. */
struct hc_bundle *hc_publisher_served(const struct hc_publisher *publisher, size_t index);

/*
 * What the identity's watched files have: pair (a reference is taken; NULL: nothing good) of the
 * which-th of them. hold: as far as it is known without reading the files; nothing is published
 * before all of the identity's files were offered.
 */
void hc_publisher_hold(struct hc_publisher *publisher, size_t index, size_t which,
                       struct hc_pair *pair);
void hc_publisher_offer(struct hc_publisher *publisher, size_t index, size_t which,
                        struct hc_pair *pair);
/* False if the files of lines beside `on` need not be read: what was obtained serves. */
bool hc_publisher_needs_files(const struct hc_publisher *publisher, size_t index);

#endif
