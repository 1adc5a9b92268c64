/*
 * hc_view: what one worker process has read of the table: per identity the newest bundle, parsed
 * once a generation. One per process; the glue guards it (nginx: single-threaded; httpd: one
 * read-write lock an entry around refresh and take).
 */
#ifndef HC_LIVE_VIEW_H
#define HC_LIVE_VIEW_H

#include "conf/conf.h"
#include "live/table.h"
#include "pki/pair.h"

struct hc_view_entry {
    unsigned char id[HC_ID_SIZE];
    int security_level;       /* of the hosts that are served from it; 0: the library's default */
    int64_t slot;             /* -1: not found yet */
    uint64_t value;           /* of the bundle below; 0: none yet */
    uint64_t refused;         /* a value that could not be read or parsed: not tried again */
    struct hc_bundle *bundle; /* owned; NULL: bootstrap */
};

void hc_view_entry_init(struct hc_view_entry *entry, const struct hc_identity *identity);
void hc_view_entry_dispose(struct hc_view_entry *entry);

/*
 * True if the table has something newer than the entry: two comparisons, no lock, no call into
 * the system. The check of every handshake. Any thread, if value is not written meanwhile.
 */
bool hc_view_entry_stale(const struct hc_view_entry *entry, const struct hc_table *table);

/*
 * Reads and parses the newer bundle. 1: replaced (the old bundle's reference is given back), 0:
 * nothing new, -1: what is there cannot be used (damaged, or too weak for the hosts' security
 * level), the entry keeps what it has (err says why; the same value is refused once). The caller
 * holds whatever guards the entry.
 */
int hc_view_entry_refresh(struct hc_view_entry *entry, const struct hc_table *table,
                          struct hc_error *err) HC_MUST_USE;

#endif
