/* An identity's bundle in the live table; see shelf.h. */
#include "agent/shelf.h"

#include <string.h>

/* 1: read, 0: there is nothing. */
static int read_bytes(struct hc_table *table, const struct hc_identity *identity,
                      struct hc_buf *bytes, struct hc_error *err)
{
    int64_t slot = hc_table_find(table, identity->id);
    uint64_t value = 0;

    return slot < 0 ? 0 : hc_table_read(table, slot, identity->id, &value, bytes, err);
}

int hc_shelf_put(struct hc_table *table, const struct hc_identity *identity,
                 const struct hc_bundle *bundle, struct hc_error *err)
{
    struct hc_buf fresh = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_buf there = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_error ignored;
    int rc = -1;

    hc_error_init(&ignored);
    if (hc_bundle_encode(bundle, &fresh, err) != 0) {
        goto out;
    }
    if (read_bytes(table, identity, &there, &ignored) == 1 && there.len == fresh.len &&
        memcmp(there.data, fresh.data, fresh.len) == 0) {
        rc = 0;
        goto out;
    }
    rc = hc_table_publish(table, identity->id, hc_bytes_of(&fresh), HC_PUBLISH_REPLACE, err);
    rc = rc == 0 ? 1 : -1;
out:
    hc_buf_dispose(&fresh);
    hc_buf_dispose(&there);
    return rc;
}

int hc_shelf_get(struct hc_table *table, const struct hc_identity *identity,
                 struct hc_bundle **bundle, struct hc_error *err)
{
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    int rc = read_bytes(table, identity, &bytes, err);

    *bundle = NULL;
    if (rc == 1) {
        rc = hc_bundle_decode(bytes.data, bytes.len, bundle, err);
    }
    hc_buf_dispose(&bytes);
    return rc;
}
