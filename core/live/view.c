/* hc_view: what a worker has read of the table; see view.h. */
#include "live/view.h"

#include <string.h>

#include "pki/check.h"

void hc_view_entry_init(struct hc_view_entry *entry, const struct hc_identity *identity)
{
    memset(entry, 0, sizeof(*entry));
    memcpy(entry->id, identity->id, HC_ID_SIZE);
    entry->security_level = identity->security_level;
    entry->slot = -1;
}

void hc_view_entry_dispose(struct hc_view_entry *entry)
{
    hc_bundle_free(entry->bundle);
    entry->bundle = NULL;
    entry->value = 0;
    entry->slot = -1;
}

bool hc_view_entry_stale(const struct hc_view_entry *entry, const struct hc_table *table)
{
    uint64_t value = 0;

    if (entry->slot < 0) {
        return hc_table_find(table, entry->id) >= 0;
    }
    value = hc_table_value(table, entry->slot);
    return value != entry->value && value != entry->refused && value != 0;
}

static int replace(struct hc_view_entry *entry, uint64_t value, const struct hc_buf *payload,
                   struct hc_error *err)
{
    struct hc_bundle *bundle = NULL;

    if (hc_bundle_decode(payload->data, payload->len, &bundle, err) != 0 ||
        hc_check_loads(bundle, entry->security_level, err) != 0) {
        hc_bundle_free(bundle);
        entry->refused = value;
        return -1;
    }
    hc_bundle_free(entry->bundle);
    entry->bundle = bundle;
    entry->value = value;
    entry->refused = 0;
    return 1;
}

int hc_view_entry_refresh(struct hc_view_entry *entry, const struct hc_table *table,
                          struct hc_error *err)
{
    struct hc_buf payload = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    uint64_t value = 0;
    int rc = 0;

    if (entry->slot < 0) {
        entry->slot = hc_table_find(table, entry->id);
    }
    if (entry->slot < 0 || !hc_view_entry_stale(entry, table)) {
        goto out;
    }
    rc = hc_table_read(table, entry->slot, entry->id, &value, &payload, err);
    if (rc == 1) {
        rc = replace(entry, value, &payload, err);
    } else if (rc == 0) {
        /* taken back, or the slot is another identity's now: it is looked for again */
        entry->slot = -1;
    } else {
        /* 0 if it could not be read in time: that may be better at the next look */
        entry->refused = value;
    }
out:
    hc_buf_dispose(&payload);
    return rc;
}
